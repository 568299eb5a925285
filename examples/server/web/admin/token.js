// One invitation: its state, what may still be changed, who used it.

import { every, get, put, remove } from "../parts/api.js";
import { APPROVALS, approvalOf, LIFETIMES, stateBadge, uses } from "./signup.js";
import { groupTicks } from "./users.js";
import { ask, note } from "../parts/dialogs.js";
import { h, refill } from "../parts/dom.js";
import { field, form, load, pair } from "../parts/forms.js";
import { ago, device, length, moment } from "../parts/format.js";
import { listOf } from "../parts/list.js";
import { button, row, section } from "../parts/parts.js";
import { entitle, pageHead } from "../parts/shell.js";

export async function show({ main, settings, id }) {
  const reload = () =>
    load(
      main,
      () => Promise.all([get(`/api/signup-tokens/${id}`), every("/api/user-groups", { "sort[column]": "name" })]),
      ([token, groups]) => {
        entitle("Invitation", settings);
        const over = token.state === "revoked";
        refill(
          main,
          pageHead({
            title: token.note || token.email || "Invitation",
            text: [h("code", {}, token.token), " ", stateBadge(token)],
            back: ["/admin/signup", "Sign-up"],
            action: over ? null : h("div", { class: "actions" }, pause(token, reload), revoke(token, reload)),
          }),
          facts(token),
          over ? null : changes(token, groups, reload),
          redemptions(token),
        );
      },
    );
  await reload();
}

function facts(token) {
  const pairs = [
    ["Used", uses(token)],
    ["Good until", token.expiresAt ? moment(token.expiresAt) : "without end"],
    ["Made", [moment(token.createdAt)]],
    ["Only for", token.email],
    ["The accounts last", token.accountLifetime ? length(token.accountLifetime) : "without end"],
    ["Revoked", token.revokedAt ? moment(token.revokedAt) : null],
  ];
  return h(
    "dl",
    { class: "panel pairs" },
    pairs.filter(([, value]) => value).map(([name, value]) => h("div", {}, h("dt", {}, name), h("dd", {}, value))),
  );
}

function pause(token, reload) {
  const enabled = token.enabled;
  return button(enabled ? "Pause" : "Go on", async () => {
    const done = await ask({
      title: enabled ? "Pause this invitation?" : "Let this invitation work again?",
      text: enabled
        ? "Nobody can sign up with it until you let it work again."
        : "Who has the link can sign up with it again.",
      action: enabled ? "Pause" : "Go on",
      run: () => put(`/api/signup-tokens/${token.id}`, { enabled: !enabled }),
    });
    if (!done) return;
    note(enabled ? "The invitation is paused." : "The invitation works again.");
    await reload();
  });
}

function revoke(token, reload) {
  return button(
    "Revoke",
    async () => {
      const done = await ask({
        title: `Revoke “${token.note || token.token}”?`,
        text: "Nobody can sign up with it any more. It cannot be taken back; the accounts made with it stay.",
        action: "Revoke invitation",
        danger: true,
        run: () => remove(`/api/signup-tokens/${token.id}`),
      });
      if (!done) return;
      note("The invitation is revoked.");
      await reload();
    },
    { kind: "danger" },
  );
}

function changes(token, groups, reload) {
  return section(
    { id: "changes", title: "Change" },
    h(
      "div",
      { class: "panel" },
      form({
        parts: [
          field({ name: "note", label: "Note", value: token.note ?? "", maxlength: 500, autocomplete: "off" }),
          pair(
            field({
              name: "ttl",
              label: "Good for",
              options: [
                ["keep", "As it is"],
                ...LIFETIMES.map(([key, text]) => [key, key ? `${text}, from now` : text]),
              ],
              value: "keep",
            }),
            field({
              name: "usageLimit",
              label: "For how many people in all",
              type: "number",
              min: Math.max(token.usageCount, 1),
              max: 100,
              step: 1,
              value: token.usageLimit === null ? "" : String(token.usageLimit),
              hint: "Empty: without limit.",
            }),
          ),
          field({
            name: "approval",
            label: "Approval by an administrator",
            options: APPROVALS,
            value: token.approval === null ? "" : String(token.approval),
          }),
          groupTicks(
            groups,
            token.userGroups.map((group) => group.id),
            "Groups of who signs up with it",
          ),
        ],
        action: "Save",
        run: async (values) => {
          const body = { note: values.note || null, approval: approvalOf(values.approval) };
          // Only what was changed: the limits may have been raised by somebody else meanwhile.
          if (values.ttl !== "keep") body.ttl = values.ttl || null;
          const limit = values.usageLimit === "" ? null : Number(values.usageLimit);
          if (limit !== token.usageLimit) body.usageLimit = limit;
          const before = token.userGroups.map((group) => group.id);
          if (
            values.userGroupIds.length !== before.length ||
            !values.userGroupIds.every((one) => before.includes(one))
          ) {
            body.userGroupIds = values.userGroupIds;
          }
          await put(`/api/signup-tokens/${token.id}`, body);
          note("Saved.");
          await reload();
        },
      }),
    ),
  );
}

function redemptions(token) {
  const list = listOf({
    path: `/api/signup-tokens/${token.id}/redemptions`,
    noun: "account",
    plural: "accounts",
    empty: "Nobody has signed up with it yet.",
    item: (use) =>
      row({
        title: use.username,
        href: `/admin/users/${use.userID}`,
        picture: "user",
        facts: [ago(use.createdAt), use.ipAddress, use.device ? device(use.device) : null],
      }),
  });
  return section({ id: "redemptions", title: "Who signed up with it" }, list.element);
}
