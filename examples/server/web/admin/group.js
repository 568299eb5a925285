// One group: its names, who is in it, what it opens, its end.

import { every, get, put, remove } from "../parts/api.js";
import { groupFields } from "./groups.js";
import { serviceRow } from "./services.js";
import { ask, note } from "../parts/dialogs.js";
import { h, refill } from "../parts/dom.js";
import { form, load, ticks } from "../parts/forms.js";
import { many, nameOf } from "../parts/format.js";
import { button, formDialog, link, row, section } from "../parts/parts.js";
import { entitle, pageHead } from "../parts/shell.js";

export async function show({ main, settings, id }) {
  const reload = () =>
    load(
      main,
      () => Promise.all([get(`/api/user-groups/${id}`), every("/api/services")]),
      ([group, all]) => {
        const opened = all.filter((service) => service.userGroups.some((one) => one.id === id));
        entitle(group.friendlyName, settings);
        refill(
          main,
          pageHead({ title: group.friendlyName, text: group.name, back: ["/admin/groups", "Groups"] }),
          names(group, reload),
          members(group, reload),
          services(opened),
          end(group, opened),
        );
      },
    );
  await reload();
}

function names(group, reload) {
  return section(
    { id: "names", title: "Names" },
    h(
      "div",
      { class: "panel" },
      form({
        parts: groupFields(group),
        action: "Save",
        run: async (values) => {
          await put(`/api/user-groups/${group.id}`, values);
          note("Saved.");
          await reload();
        },
      }),
    ),
  );
}

function members(group, reload) {
  const users = group.users ?? [];
  const without = async (user) => {
    const done = await ask({
      title: `Take “${nameOf(user)}” out of “${group.friendlyName}”?`,
      text: "What the group gives ends for this user at once.",
      action: "Take out",
      danger: true,
      run: () => setMembers(group, (ids) => ids.filter((id) => id !== user.id)),
    });
    if (!done) return;
    note(`“${nameOf(user)}” is out of the group.`);
    await reload();
  };
  return section(
    {
      id: "members",
      title: "Members",
      text: users.length === 0 ? "Nobody is in it." : many(users.length, "member"),
      action: button("Choose members", () => choose(group, reload), { kind: "primary" }),
    },
    users.length === 0
      ? null
      : h(
          "ul",
          { class: "rows" },
          users.map((user) =>
            row({
              title: nameOf(user),
              href: `/admin/users/${user.id}`,
              picture: "user",
              facts: [user.username, user.email],
              actions: [button("Take out", () => without(user), { label: `Take out ${nameOf(user)}` })],
            }),
          ),
        ),
  );
}

/** The server takes all members at once, so they are asked for right before: others may have changed them. */
async function setMembers(group, change) {
  const now = await get(`/api/user-groups/${group.id}`);
  await put(`/api/user-groups/${group.id}/users`, { userIds: change((now.users ?? []).map((user) => user.id)) });
}

async function choose(group, reload) {
  const users = await every("/api/users", { "sort[column]": "username" });
  const before = (group.users ?? []).map((user) => user.id);
  const done = await formDialog({
    title: `Members of “${group.friendlyName}”`,
    build: (close) =>
      form({
        parts: [
          ticks({
            name: "userIds",
            label: "Users",
            options: users.map((user) => [user.id, nameOf(user), user.username]),
            value: before,
          }),
        ],
        action: "Save members",
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
  note("The members are saved.");
  await reload();
}

function services(opened) {
  return section(
    {
      id: "services",
      title: "Services",
      text:
        opened.length === 0
          ? "It opens no service. Which groups a service is open to is said at the service."
          : `Its members may use ${opened.length === 1 ? "this one" : "these"}.`,
      action: link("All services", "/admin/services"),
    },
    opened.length === 0 ? null : h("ul", { class: "rows" }, opened.map(serviceRow)),
  );
}

function end(group, opened) {
  const erase = async () => {
    const done = await ask({
      title: `Delete the group “${group.friendlyName}”?`,
      text: [
        group.userCount > 0
          ? `${many(group.userCount, "user is", "users are")} in it and lose what it gives. The users themselves stay.`
          : "Nobody is in it.",
        ...closing(opened),
      ],
      action: "Delete group",
      danger: true,
      run: () => remove(`/api/user-groups/${group.id}`),
    });
    if (done) location.assign("/admin/groups");
  };
  return section({
    id: "end",
    title: "Delete",
    text: "The users in it stay.",
    action: button("Delete group", erase, { kind: "danger" }),
  });
}

/** What becomes of the services that it opens. */
function closing(opened) {
  const closed = opened.filter((service) => !service.isOpenToEveryone && service.userGroups.length === 1);
  if (closed.length === 0) return [];
  const names = closed.map((service) => `“${service.name}”`).join(", ");
  return [`${names} ${closed.length === 1 ? "is" : "are"} open to this group alone, and then to nobody.`];
}
