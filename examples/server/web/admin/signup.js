// Who may sign up: the mode, what everybody gets, and the invitations.

import { every, post, to } from "../kit/calls.js";
import { note } from "../kit/dialogs.js";
import { fill, h } from "../kit/dom.js";
import { field, form, load, pair, tick } from "../kit/forms.js";
import { date } from "../kit/format.js";
import { listOf } from "../kit/list.js";
import { badge, button, formDialog, notice, row, section } from "../kit/pieces.js";
import { amount, has, t } from "../kit/words.js";
import { entitle, pageHead } from "../parts/shell.js";
import { allSettings, saveSettings } from "./settings.js";
import { groupTicks } from "./users.js";

const GROUPS = "signupDefaultUserGroupIDs";
const MODES = () => [
  ["disabled", t("mode.disabled")],
  ["withToken", t("mode.withToken")],
  ["open", t("mode.open")],
];

export async function show({ main }) {
  entitle(t("signUp"));
  await load(
    main,
    () => Promise.all([allSettings(), every("/api/user-groups", { "sort[column]": "name" })]),
    ([all, groups]) => {
      const closed = h("div", {});
      const warn = (mode) =>
        fill(
          closed,
          mode === "disabled"
            ? notice(
                "warning",
                t("invitations.off"),
                t("invitations.off.text"),
              )
            : null,
        );
      warn(all.allowUserSignups);
      const rulesOfAll = rules(all, groups, warn);
      // The dialog of a new invitation may have changed the mode.
      const onMode = async () => {
        const { allowUserSignups: mode } = await allSettings();
        rulesOfAll.setMode(mode);
        warn(mode);
      };
      fill(main, pageHead({ title: t("signUp") }), rulesOfAll.element, invitations(groups, closed, onMode));
    },
  );
}

function rules(all, groups, onMode) {
  const mode = field({
    name: "allowUserSignups",
    label: t("mode"),
    options: MODES(),
    value: all.allowUserSignups,
    hint: t("mode.hint"),
  });
  const approval = tick({
    name: "signupRequiresApproval",
    label: t("rules.approval"),
    hint: t("rules.approval.hint"),
    value: all.signupRequiresApproval === "true",
  });
  const domains = field({
    name: "domains",
    label: t("rules.domains"),
    rows: 2,
    value: JSON.parse(all.signupEmailDomains || "[]").join("\n"),
    hint: t("rules.domains.hint"),
    spellcheck: "false",
  });
  const perHour = field({
    name: "openSignupsPerHour",
    label: t("rules.perHour"),
    type: "number",
    min: 1,
    step: 1,
    required: true,
    value: all.openSignupsPerHour,
  });
  const inAll = field({
    name: "openSignupsPerHourInAll",
    label: t("rules.inAll"),
    type: "number",
    min: 1,
    step: 1,
    required: true,
    value: all.openSignupsPerHourInAll,
  });
  const whenOpen = h("div", { class: "stack" }, domains.element, perHour.element, inAll.element);
  const look = () => {
    whenOpen.hidden = mode.value !== "open";
  };
  mode.input.addEventListener("change", look);
  look();
  const defaults = groupTicks(groups, JSON.parse(all[GROUPS] || "[]"), t("rules.groups"));
  const element = section(
    { id: "rules", title: t("rules") },
    h(
      "div",
      { class: "panel" },
      form({
        guarded: true,
        parts: [mode, { element: whenOpen, fields: [domains, perHour, inAll] }, approval, defaults],
        action: t("save"),
        run: async (values) => {
          const list = values.domains.split(/[\s,]+/).filter(Boolean);
          try {
            await saveSettings({
              allowUserSignups: values.allowUserSignups,
              signupRequiresApproval: values.signupRequiresApproval,
              openSignupsPerHour: Number(values.openSignupsPerHour),
              openSignupsPerHourInAll: Number(values.openSignupsPerHourInAll),
              signupEmailDomains: list,
              [GROUPS]: values.userGroupIds,
            });
          } catch (error) {
            // The form calls two things otherwise.
            for (const [theirs, ours] of [
              ["signupEmailDomains", "domains"],
              [GROUPS, "userGroupIds"],
            ]) {
              if (error.fields?.[theirs]) error.fields[ours] = error.fields[theirs];
            }
            throw error;
          }
          onMode(values.allowUserSignups);
          note(t("saved"));
        },
      }),
    ),
  );
  const setMode = (value) => {
    mode.value = value;
    look();
  };
  return { element, setMode };
}

function invitations(groups, closed, onMode) {
  const all = tick({ name: "all", label: t("invitations.all") });
  const list = listOf({
    path: "/api/signup-tokens",
    noun: "invitations",
    inAddress: true,
    filters: [all],
    item: tokenRow,
  });
  const add = button(t("invitations.new"), () => invite(groups, async () => Promise.all([list.reload(), onMode()])), {
    kind: "primary",
    picture: "plus",
  });
  return section(
    { id: "tokens", title: t("invitations"), text: t("invitations.text"), action: add },
    closed,
    list.element,
  );
}

const STATES = { usable: "good", paused: "wait", expired: "bad", exhausted: "bad", revoked: "bad" };

export function stateBadge(token) {
  return badge(has(`state.${token.state}`) ? t(`state.${token.state}`) : token.state, STATES[token.state] ?? "");
}

/** How often it was used: `3 of 8`. */
export function uses(token) {
  return token.usageLimit === null
    ? t("uses.noLimit", { count: token.usageCount })
    : t("uses", { used: token.usageCount, count: token.usageLimit });
}

function allowance({ usageLimit }) {
  return usageLimit === null ? t("allowance.noLimit") : t("allowance", { count: usageLimit });
}

function tokenRow(token) {
  const groups = token.userGroups.map((group) => group.friendlyName ?? t("group.some")).join(", ");
  return row({
    title: token.note || token.email || t("invitation"),
    href: to(`/admin/signup/${token.id}`),
    picture: "door",
    badges: [stateBadge(token)],
    facts: [
      uses(token),
      token.expiresAt ? t("until", { when: date(token.expiresAt) }) : t("withoutEnd"),
      groups,
      token.approval === true ? t("invitation.wantsApproval") : null,
      h("code", {}, token.token),
    ],
  });
}

export const lifetimes = () => [
  ["1h", amount(1, "hour")],
  ["24h", amount(1, "day")],
  ["7d", amount(1, "week")],
  ["31d", amount(31, "day")],
  ["", t("withoutEnd.choice")],
];
export const approvals = () => [
  ["", t("approvals.rules")],
  ["true", t("approvals.always")],
  ["false", t("approvals.never")],
];
const accounts = () => [
  ["", t("withoutEnd.choice")],
  ["1d", amount(1, "day")],
  ["7d", amount(1, "week")],
  ["30d", amount(30, "day")],
  ["90d", amount(90, "day")],
  ["365d", amount(1, "year")],
];

/** The choice of `approval` as the server has it: null is as the setting says. */
export function approvalOf(text) {
  return text === "" ? null : text === "true";
}

async function invite(groups, onChange) {
  // Loaded when it is wanted, and before there is anything that could be lost.
  const { showSecret } = await import("../kit/secrets.js");
  const { allowUserSignups: mode } = await allSettings();
  const off = mode === "disabled";
  const turnOn = tick({ name: "turnOn", label: t("invitations.turnOn"), hint: t("invitations.turnOn.hint"), value: true });
  const created = await formDialog({
    title: t("invitations.new"),
    wide: true,
    build: (close) =>
      form({
        parts: [
          off ? notice("warning", t("invitations.off"), null, turnOn.element) : null,
          field({
            name: "note",
            label: t("note"),
            maxlength: 500,
            hint: t("invitation.note.hint"),
            autocomplete: "off",
            autofocus: true,
          }),
          pair(
            field({ name: "ttl", label: t("invitation.lasts"), options: lifetimes(), value: "7d" }),
            field({
              name: "usageLimit",
              label: t("invitation.people"),
              type: "number",
              min: 1,
              max: 100,
              step: 1,
              value: "1",
              hint: t("invitation.people.hint"),
            }),
          ),
          pair(
            field({ name: "approval", label: t("invitation.approval"), options: approvals() }),
            field({ name: "accountLifetime", label: t("invitation.accounts"), options: accounts() }),
          ),
          field({
            name: "email",
            label: t("invitation.email"),
            hint: t("invitation.email.hint"),
            autocomplete: "off",
            spellcheck: "false",
          }),
          groupTicks(groups, [], t("invitation.groups")),
        ],
        action: t("invitations.create"),
        cancel: () => close(),
        run: async (values) => {
          if (off && turnOn.value) await saveSettings({ allowUserSignups: "withToken" });
          close(
            await post("/api/signup-tokens", {
              note: values.note || null,
              ttl: values.ttl || null,
              usageLimit: values.usageLimit === "" ? null : Number(values.usageLimit),
              approval: approvalOf(values.approval),
              accountLifetime: values.accountLifetime || null,
              email: values.email || null,
              userGroupIds: values.userGroupIds,
            }),
          );
        },
      }),
  });
  if (!created) return;
  await showSecret({
    title: t("invitations.yours"),
    text: t("invitations.yours.text", { allowance: allowance(created) }),
    link: `${location.origin}${to("/signup")}#token=${created.token}`,
  });
  onChange();
}
