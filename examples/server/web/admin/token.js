// One invitation: its state, what may still be changed, who used it.

import { every, get, put, remove, to } from "../kit/calls.js";
import { ask, note } from "../kit/dialogs.js";
import { h, refill } from "../kit/dom.js";
import { field, form, load, pair } from "../kit/forms.js";
import { ago, device, length, moment } from "../kit/format.js";
import { listOf } from "../kit/list.js";
import { button, row, section } from "../kit/pieces.js";
import { t } from "../kit/words.js";
import { entitle, pageHead } from "../parts/shell.js";
import { approvalOf, approvals, lifetimes, stateBadge, uses } from "./signup.js";
import { groupTicks } from "./users.js";

export async function show({ main, id }) {
  const reload = () =>
    load(
      main,
      () => Promise.all([get(`/api/signup-tokens/${id}`), every("/api/user-groups", { "sort[column]": "name" })]),
      ([token, groups]) => {
        entitle(t("invitation"));
        const over = token.state === "revoked";
        refill(
          main,
          pageHead({
            title: token.note || token.email || t("invitation"),
            text: [h("code", {}, token.token), " ", stateBadge(token)],
            back: ["/admin/signup", t("signUp")],
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
    [t("invitation.used"), uses(token)],
    [t("invitation.until"), token.expiresAt ? moment(token.expiresAt) : t("withoutEnd")],
    [t("invitation.created"), moment(token.createdAt)],
    [t("invitation.email"), token.email],
    [t("invitation.accounts"), token.accountLifetime ? length(token.accountLifetime) : t("withoutEnd")],
    [t("invitation.revokedOn"), token.revokedAt ? moment(token.revokedAt) : null],
  ];
  return h(
    "dl",
    { class: "panel pairs" },
    pairs.filter(([, value]) => value).map(([name, value]) => h("div", {}, h("dt", {}, name), h("dd", {}, value))),
  );
}

function pause(token, reload) {
  const enabled = token.enabled;
  return button(t(enabled ? "pause" : "resume"), async () => {
    const done = await ask({
      title: t(enabled ? "pause.title" : "resume.title"),
      text: t(enabled ? "pause.text" : "resume.text"),
      action: t(enabled ? "pause" : "resume"),
      run: () => put(`/api/signup-tokens/${token.id}`, { enabled: !enabled }),
    });
    if (!done) return;
    note(t(enabled ? "pause.done" : "resume.done"));
    await reload();
  });
}

function revoke(token, reload) {
  return button(
    t("revoke"),
    async () => {
      const done = await ask({
        title: t("revoke.title", { name: token.note || token.token }),
        text: t("invitation.revoke.text"),
        action: t("invitation.revoke"),
        danger: true,
        run: () => remove(`/api/signup-tokens/${token.id}`),
      });
      if (!done) return;
      note(t("invitation.revoked"));
      await reload();
    },
    { kind: "danger" },
  );
}

function changes(token, groups, reload) {
  return section(
    { id: "changes", title: t("change") },
    h(
      "div",
      { class: "panel" },
      form({
        guarded: true,
        parts: [
          field({ name: "note", label: t("note"), value: token.note ?? "", maxlength: 500, autocomplete: "off" }),
          pair(
            field({
              name: "ttl",
              label: t("invitation.lasts"),
              options: [
                ["keep", t("invitation.keep")],
                ...lifetimes().map(([key, text]) => [key, key ? t("invitation.fromNow", { length: text }) : text]),
              ],
              value: "keep",
            }),
            field({
              name: "usageLimit",
              label: t("invitation.people.all"),
              type: "number",
              min: Math.max(token.usageCount, 1),
              max: 100,
              step: 1,
              value: token.usageLimit === null ? "" : String(token.usageLimit),
              hint: t("invitation.people.hint"),
            }),
          ),
          field({
            name: "approval",
            label: t("invitation.approval"),
            options: approvals(),
            value: token.approval === null ? "" : String(token.approval),
          }),
          groupTicks(
            groups,
            token.userGroups.map((group) => group.id),
            t("invitation.groups"),
          ),
        ],
        action: t("save"),
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
          note(t("saved"));
          await reload();
        },
      }),
    ),
  );
}

function redemptions(token) {
  const list = listOf({
    path: `/api/signup-tokens/${token.id}/redemptions`,
    noun: "redemptions",
    item: (use) =>
      row({
        title: use.username,
        href: to(`/admin/users/${use.userID}`),
        picture: "user",
        facts: [ago(use.createdAt), use.ipAddress, use.device ? device(use.device) : null],
      }),
  });
  return section({ id: "redemptions", title: t("redemptions") }, list.element);
}
