// Who may sign up: the mode, what everybody gets, and the invitations.

import { every, post } from "../parts/api.js";
import { allSettings, saveSettings } from "./settings.js";
import { groupTicks } from "./users.js";
import { note } from "../parts/dialogs.js";
import { fill, h } from "../parts/dom.js";
import { field, form, load, pair, tick } from "../parts/forms.js";
import { date, many } from "../parts/format.js";
import { listOf } from "../parts/list.js";
import { badge, button, formDialog, notice, row, section, showSecret } from "../parts/parts.js";
import { entitle, pageHead } from "../parts/shell.js";

const GROUPS = "signupDefaultUserGroupIDs";
const MODES = [
  ["disabled", "Nobody"],
  ["withToken", "Who has an invitation"],
  ["open", "Everybody"],
];

export async function show({ main, settings }) {
  entitle("Sign-up", settings);
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
                "Invitations do not work at the moment",
                "Nobody may sign up. Change that above, and they work again.",
              )
            : null,
        );
      warn(all.allowUserSignups);
      fill(main, pageHead({ title: "Sign-up" }), rules(all, groups, warn), invitations(groups, closed));
    },
  );
}

function rules(all, groups, onMode) {
  const mode = field({
    name: "allowUserSignups",
    label: "Who may sign up",
    options: MODES,
    value: all.allowUserSignups,
    hint: "Administrators can make users in any case.",
  });
  const approval = tick({
    name: "signupRequiresApproval",
    label: "An administrator approves each account",
    hint: "Unless an invitation says otherwise.",
    value: all.signupRequiresApproval === "true",
  });
  const domains = field({
    name: "domains",
    label: "E-mail domains that may sign up without an invitation",
    rows: 2,
    value: JSON.parse(all.signupEmailDomains || "[]").join("\n"),
    hint: "One a line. Then only these, and their accounts wait for approval: an address that somebody types proves nothing.",
    spellcheck: "false",
  });
  const perHour = field({
    name: "openSignupsPerHour",
    label: "Accounts an hour from one address",
    type: "number",
    min: 1,
    step: 1,
    required: true,
    value: all.openSignupsPerHour,
  });
  const inAll = field({
    name: "openSignupsPerHourInAll",
    label: "Accounts an hour from all addresses together",
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
  const defaults = groupTicks(groups, JSON.parse(all[GROUPS] || "[]"), "Groups of everybody who signs up");
  return section(
    { id: "rules", title: "Rules" },
    h(
      "div",
      { class: "panel" },
      form({
        parts: [mode, { element: whenOpen, fields: [domains, perHour, inAll] }, approval, defaults],
        action: "Save",
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
          note("Saved.");
        },
      }),
    ),
  );
}

function invitations(groups, closed) {
  const all = tick({ name: "all", label: "Revoked ones too" });
  const list = listOf({
    path: "/api/signup-tokens",
    noun: "invitation",
    plural: "invitations",
    filters: [all],
    empty: "No invitations. Make one, and give its link to whom you want to let in.",
    item: tokenRow,
  });
  const add = button("New invitation", () => makeToken(groups, () => list.reload()), {
    kind: "primary",
    picture: "plus",
  });
  return section(
    { id: "tokens", title: "Invitations", text: "Sign-up tokens: a link for one person or for many.", action: add },
    closed,
    list.element,
  );
}

const STATES = {
  usable: ["good", "good"],
  paused: ["paused", "wait"],
  expired: ["ended", "bad"],
  exhausted: ["used up", "bad"],
  revoked: ["revoked", "bad"],
};

export function stateBadge(token) {
  const [text, kind] = STATES[token.state] ?? [token.state, ""];
  return badge(text, kind);
}

/** How often it was used: `3 of 8`. */
export function uses(token) {
  return token.usageLimit === null
    ? `${many(token.usageCount, "use")}, no limit`
    : `${token.usageCount} of ${many(token.usageLimit, "use")}`;
}

function allowance({ usageLimit }) {
  if (usageLimit === null) return "as often as anybody likes";
  return usageLimit === 1 ? "once" : `${usageLimit} times in all`;
}

function tokenRow(token) {
  const groups = token.userGroups.map((group) => group.friendlyName ?? "a group").join(", ");
  return row({
    title: token.note || token.email || "Invitation",
    href: `/admin/signup/${token.id}`,
    picture: "door",
    badges: [stateBadge(token)],
    facts: [
      uses(token),
      token.expiresAt ? ["until ", date(token.expiresAt)] : "without end",
      groups,
      token.approval === true ? "wants approval" : null,
      h("code", {}, token.token),
    ],
  });
}

export const LIFETIMES = [
  ["1h", "An hour"],
  ["24h", "A day"],
  ["7d", "A week"],
  ["31d", "31 days"],
  ["", "Without end"],
];
export const APPROVALS = [
  ["", "As the rules say"],
  ["true", "Always"],
  ["false", "Never"],
];
const ACCOUNTS = [
  ["", "Without end"],
  ["1d", "A day"],
  ["7d", "A week"],
  ["30d", "30 days"],
  ["90d", "90 days"],
  ["365d", "A year"],
];

/** The choice of `approval` as the server has it: null is as the setting says. */
export function approvalOf(text) {
  return text === "" ? null : text === "true";
}

async function makeToken(groups, onChange) {
  const created = await formDialog({
    title: "New invitation",
    wide: true,
    build: (close) =>
      form({
        parts: [
          field({
            name: "note",
            label: "Note",
            maxlength: 500,
            hint: "For administrators: who it is for.",
            autocomplete: "off",
            autofocus: true,
          }),
          pair(
            field({ name: "ttl", label: "Good for", options: LIFETIMES, value: "7d" }),
            field({
              name: "usageLimit",
              label: "For how many people",
              type: "number",
              min: 1,
              max: 100,
              step: 1,
              value: "1",
              hint: "Empty: without limit.",
            }),
          ),
          pair(
            field({ name: "approval", label: "Approval by an administrator", options: APPROVALS }),
            field({ name: "accountLifetime", label: "The accounts last", options: ACCOUNTS }),
          ),
          field({
            name: "email",
            label: "Only for",
            hint: "An e-mail address, or a domain such as @mail.example.",
            autocomplete: "off",
            spellcheck: "false",
          }),
          groupTicks(groups, [], "Groups of who signs up with it"),
        ],
        action: "Make invitation",
        cancel: () => close(),
        run: async (values) =>
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
          ),
      }),
  });
  if (!created) return;
  await showSecret({
    title: "Your invitation",
    text: `Give the link to whom you invite. Opening it uses nothing; signing up does, ${allowance(created)}.`,
    link: `${location.origin}/signup#token=${created.token}`,
  });
  onChange();
}
