// One group: its names, who is in it, what it opens, its end.

import { every, get, put, remove, to } from "../kit/calls.js";
import { ask, note } from "../kit/dialogs.js";
import { h, refill } from "../kit/dom.js";
import { form, load } from "../kit/forms.js";
import { nameOf } from "../kit/format.js";
import { listOf } from "../kit/list.js";
import { button, formDialog, link, row, section } from "../kit/pieces.js";
import { ticks } from "../kit/ticks.js";
import { listing, t } from "../kit/words.js";
import { goTo } from "../parts/go.js";
import { entitle, pageHead } from "../parts/shell.js";
import { claimsSection } from "./claims.js";
import { groupFields } from "./groups.js";
import { serviceRow } from "./services.js";

export async function show({ main, id }) {
  const reload = () =>
    load(
      main,
      () => Promise.all([get(`/api/user-groups/${id}`), every("/api/services")]),
      ([group, all]) => {
        const opened = all.filter((service) => service.userGroups.some((one) => one.id === id));
        entitle(group.friendlyName);
        refill(
          main,
          pageHead({ title: group.friendlyName, text: group.name, back: ["/admin/groups", t("groups")] }),
          names(group, reload),
          members(group, reload),
          claimsSection({
            claims: group.customClaims,
            path: `/api/custom-claims/user-group/${group.id}`,
            text: t("claims.group"),
          }),
          services(opened),
          end(group, opened),
        );
      },
    );
  await reload();
}

function names(group, reload) {
  return section(
    { id: "names", title: t("groups.names") },
    h(
      "div",
      { class: "panel" },
      form({
        guarded: true,
        parts: groupFields(group),
        action: t("save"),
        run: async (values) => {
          await put(`/api/user-groups/${group.id}`, values);
          note(t("saved"));
          await reload();
        },
      }),
    ),
  );
}

function members(group, reload) {
  const without = async (user) => {
    const done = await ask({
      title: t("members.remove.title", { name: nameOf(user), group: group.friendlyName }),
      text: t("members.remove.text"),
      action: t("members.remove"),
      danger: true,
      run: () => setMembers(group, (ids) => ids.filter((id) => id !== user.id)),
    });
    if (!done) return;
    note(t("members.removed", { name: nameOf(user) }));
    await list.reload();
  };
  const list = listOf({
    path: "/api/users",
    noun: "members",
    search: group.userCount > 10,
    inAddress: true,
    values: { group: group.id, "sort[column]": "username" },
    item: (user) =>
      row({
        title: nameOf(user),
        href: to(`/admin/users/${user.id}`),
        person: { id: user.id, name: nameOf(user) },
        facts: [nameOf(user) === user.username ? null : user.username, user.email],
        actions: [
          button(t("members.remove"), () => without(user), { label: t("members.remove.of", { name: nameOf(user) }) }),
        ],
      }),
  });
  const pick = button(t("members.choose"), () => choose(group, reload), { kind: "primary" });
  return section({ id: "members", title: t("members"), action: pick }, list.element);
}

/** The server takes all members at once, so they are asked for right before: others may have changed them. */
async function setMembers(group, change) {
  const now = await get(`/api/user-groups/${group.id}`);
  await put(`/api/user-groups/${group.id}/users`, { userIds: change((now.users ?? []).map((user) => user.id)) });
}

async function choose(group, reload) {
  const [users, now] = await Promise.all([
    every("/api/users", { "sort[column]": "username" }),
    get(`/api/user-groups/${group.id}`),
  ]);
  const before = (now.users ?? []).map((user) => user.id);
  const done = await formDialog({
    title: t("members.of", { name: group.friendlyName }),
    build: (close) =>
      form({
        parts: [
          ticks({
            name: "userIds",
            label: t("users"),
            options: users.map((user) => [user.id, nameOf(user), user.username]),
            value: before,
          }),
        ],
        action: t("members.save"),
        cancel: () => close(false),
        run: async ({ userIds }) => {
          const added = userIds.filter((id) => !before.includes(id));
          const gone = before.filter((id) => !userIds.includes(id));
          await setMembers(group, (ids) => [...new Set([...ids, ...added])].filter((id) => !gone.includes(id)));
          close(true);
        },
      }),
  });
  if (!done) return;
  note(t("members.saved"));
  await reload();
}

function services(opened) {
  return section(
    {
      id: "services",
      title: t("services"),
      text:
        opened.length === 0 ? t("groups.services.none") : t("groups.services", { count: opened.length }),
      action: link(t("services.all"), to("/admin/services")),
    },
    opened.length === 0 ? null : h("ul", { class: "rows" }, opened.map(serviceRow)),
  );
}

function end(group, opened) {
  const erase = async () => {
    const done = await ask({
      title: t("groups.delete.title", { name: group.friendlyName }),
      text: [
        t("groups.delete.text", { count: group.userCount }),
        ...closing(opened),
      ],
      action: t("groups.delete"),
      danger: true,
      run: () => remove(`/api/user-groups/${group.id}`),
    });
    if (done) goTo("/admin/groups");
  };
  return section({
    id: "end",
    title: t("delete"),
    text: t("groups.delete.hint"),
    action: button(t("groups.delete"), erase, { kind: "danger" }),
  });
}

/** What becomes of the services that it opens. */
function closing(opened) {
  const closed = opened.filter((service) => !service.isOpenToEveryone && service.userGroups.length === 1);
  if (closed.length === 0) return [];
  const names = listing(closed.map((service) => `“${service.name}”`));
  return [t("groups.delete.closes", { count: closed.length, services: names })];
}
