// One user: what is known about them, their groups, their ways in, and what ends them.

import { appsOf } from "../account/apps.js";
import { every, get, put, query, remove, to } from "../kit/calls.js";
import { ask, note } from "../kit/dialogs.js";
import { h, refill } from "../kit/dom.js";
import { field, form, load, pair, tick } from "../kit/forms.js";
import { dayOf, endOf, nameOf } from "../kit/format.js";
import { listOf } from "../kit/list.js";
import { sessionsSection } from "../kit/my-sessions.js";
import { button, link, notice, section } from "../kit/pieces.js";
import { t } from "../kit/words.js";
import { goTo } from "../parts/go.js";
import { countPending, entitle, pageHead } from "../parts/shell.js";
import { waysIn } from "./access.js";
import { changeUser } from "./change.js";
import { claimsSection } from "./claims.js";
import { serviceRow } from "./services.js";
import { decide, groupTicks, statusBadges } from "./users.js";

export async function show({ main, me, id }) {
  const reload = () =>
    load(
      main,
      () => Promise.all([get(`/api/users/${id}`), every("/api/user-groups", { "sort[column]": "name" })]),
      ([user, groups]) => {
        entitle(nameOf(user));
        const waits = user.status === "pending";
        const open = waits ? null : services(user);
        const name = nameOf(user);
        refill(
          main,
          pageHead({
            title: name,
            text: [user.username, " ", statusBadges(user)],
            back: ["/admin/users", t("users")],
            person: { id: user.id, name },
          }),
          waits ? decision(user, reload) : null,
          details(user, reload),
          memberships(user, groups, () => open?.reload()),
          open?.element,
          waits ? null : waysIn(user),
          appsOf(user),
          sessionsSection({ path: `/api/users/${user.id}/sessions`, of: name }).element,
          claimsSection({ claims: user.customClaims, path: `/api/custom-claims/user/${user.id}`, text: t("claims.user") }),
          standing(user, user.id === me.id, reload),
        );
      },
    );
  await reload();
}

function decision(user, reload) {
  const box = h("div", { class: "actions" });
  const settled = async () => {
    await countPending();
    if (box.isConnected) await reload();
  };
  const choose = (what, kind) =>
    button(
      t(what),
      () => {
        const gone = () => {
          box.hidden = true;
        };
        const after = what === "reject" ? () => countPending() : settled;
        decide(user, what, gone, after);
        if (what === "reject") goTo("/admin/users");
      },
      { kind },
    );
  box.append(choose("reject", "danger"), choose("approve", "primary"));
  return notice("warning", t("user.waits"), t("user.waits.text"), box);
}

function details(user, reload) {
  const text = (name, rest = {}) =>
    field({ name, label: t(name), value: user[name] ?? "", maxlength: 50, autocomplete: "off", ...rest });
  const before = dayOf(user.expiresAt);
  return section(
    { id: "details", title: t("user.details") },
    h(
      "div",
      { class: "panel" },
      form({
        guarded: true,
        parts: [
          text("username", { required: true, spellcheck: "false" }),
          text("displayName", { maxlength: 100 }),
          pair(text("firstName"), text("lastName")),
          text("email", { type: "email", maxlength: 254 }),
          tick({
            name: "emailVerified",
            label: t("user.verified"),
            hint: user.email ? t("user.verified.hint") : null,
            value: user.emailVerified,
          }),
          field({ name: "ends", label: t("user.ends"), type: "date", value: before, hint: t("user.ends.hint") }),
        ],
        action: t("save"),
        run: async ({ ends, ...values }) => {
          const changes = { ...values, email: values.email || null };
          if (changes.email === user.email && changes.emailVerified === user.emailVerified) {
            // Left as they are here, they stay as they are by now.
            delete changes.email;
            delete changes.emailVerified;
          } else if (changes.email !== user.email && (user.email || !changes.email)) {
            changes.emailVerified = false; // the tick was about the address before (U1)
          }
          // The day alone is shown; where it was left as it is, so is the hour.
          if (ends !== before) changes.expiresAt = endOf(ends);
          try {
            await changeUser(user, changes);
          } catch (error) {
            if (error.fields?.expiresAt) error.fields.ends = error.fields.expiresAt;
            throw error;
          }
          note(t("saved"));
          await reload();
        },
      }),
    ),
  );
}

function memberships(user, groups, onSaved) {
  const chosen = user.userGroups.map((group) => group.id);
  const create = h("a", { href: to("/admin/groups") }, t("groups.first"));
  return section(
    { id: "groups", title: t("groups") },
    h(
      "div",
      { class: "panel" },
      groups.length === 0
        ? h("p", { class: "hint" }, t("groups.none.short"), " ", create)
        : form({
            guarded: true,
            parts: [groupTicks(groups, chosen, t("user.memberOf"))],
            action: t("user.groups.save"),
            run: async (values) => {
              await put(`/api/users/${user.id}/user-groups`, values);
              note(t("user.groups.saved"));
              await onSaved();
            },
          }),
    ),
  );
}

/** What is open to them, by their groups or because it is open to everyone. */
function services(user) {
  const list = listOf({
    path: "/api/services",
    noun: "services",
    values: { user: user.id },
    empty: t("user.services.none"),
    item: serviceRow,
  });
  const about = { id: "services", title: t("services"), text: t("user.services.text") };
  return { element: section(about, list.element), reload: list.reload };
}

/** What they may do, whether they may sign in at all, and the end of the account. */
function standing(user, isMe, reload) {
  const name = nameOf(user);
  const step = (title, text, control) =>
    h(
      "div",
      { class: "setting" },
      h("div", {}, h("p", { class: "setting-title" }, title), h("p", { class: "hint" }, text)),
      control,
    );
  /** A line with a button that asks, changes and says so; `key` has all its words. */
  const changing = (key, kind, changes) => {
    const run = async () => {
      const done = await ask({
        title: t(`${key}.title`, { name }),
        text: t(`${key}.text`),
        action: t(key),
        danger: kind === "danger",
        run: () => changeUser(user, changes),
      });
      if (!done) return;
      note(t(`${key}.done`, { name }));
      await reload();
    };
    return step(t(`${key}.now`), t(`${key}.hint`), button(t(key), run, { kind }));
  };
  const erase = async () => {
    const done = await ask({
      title: t("user.delete.title", { name, username: user.username }),
      text: t("user.delete.text"),
      action: t("user.delete"),
      danger: true,
      run: () => remove(`/api/users/${user.id}`),
    });
    if (done) goTo("/admin/users");
  };
  const waits = user.status === "pending";
  const role = user.isAdmin
    ? changing("user.demote", "danger", { isAdmin: false })
    : changing("user.promote", "", { isAdmin: true });
  const state = user.disabled
    ? changing("user.enable", "primary", { disabled: false })
    : changing("user.disable", "danger", { disabled: true });
  const log = to(query("/admin/audit", { userId: user.id }));
  return section(
    { id: "standing", title: t("user.account") },
    isMe ? notice("info", t("user.you"), t("user.you.text")) : null,
    h(
      "div",
      { class: "panel settings" },
      waits ? null : [role, state],
      step(t("audit"), t("user.audit.text"), link(t("user.audit"), log)),
      step(t("delete"), t("user.delete.hint"), button(t("user.delete"), erase, { kind: "danger" })),
    ),
  );
}
