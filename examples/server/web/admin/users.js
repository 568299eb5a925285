// All users: found, let in, created, and several changed at once.

import { every, get, post, put, query, remove, to } from "../kit/calls.js";
import { explain } from "../kit/client.js";
import { ask, later, note, warn } from "../kit/dialogs.js";
import { fill, h } from "../kit/dom.js";
import { field, form, pair, tick } from "../kit/forms.js";
import { date, nameOf } from "../kit/format.js";
import { listOf } from "../kit/list.js";
import { badge, button, formDialog, link, row, section } from "../kit/pieces.js";
import { ticks } from "../kit/ticks.js";
import { listing, t } from "../kit/words.js";
import { goTo } from "../parts/go.js";
import { countPending, entitle, pageHead } from "../parts/shell.js";
import { changeUser } from "./change.js";

const STATUSES = () => [
  ["", t("status.all")],
  ["pending", t("status.pending")],
  ["active", t("status.active")],
  ["disabled", t("status.disabled")],
];
const SORTS = () => [
  ["username", t("sort.username")],
  ["displayName", t("sort.displayName")],
  ["-createdAt", t("sort.newest")],
  ["createdAt", t("sort.oldest")],
  ["email", t("sort.email")],
  ["expiresAt", t("sort.expiresAt")],
  ["-isAdmin", t("sort.admins")],
];

export function show({ main, me }) {
  entitle(t("users"));
  const status = field({ name: "status", label: t("status"), options: STATUSES(), value: "" });
  const waits = waiting(() => list.reload());
  const list = listOf({
    path: "/api/users",
    noun: "users",
    search: true,
    inAddress: true,
    filters: [status],
    sorts: SORTS(),
    item: userRow,
    bulk: (users, done) => bulk(users, me, async () => Promise.all([done(), waits.reload(), countPending()])),
  });
  const add = button(t("users.new"), createUser, { kind: "primary", picture: "plus" });
  fill(main, pageHead({ title: t("users"), action: add }), waits.element, list.element);
}

// So many are shown above the list; the others are behind the filter.
const SHOWN = 5;

/** Those who wait for approval, above everybody else: the badge in the frame leads here. */
function waiting(onChange) {
  const element = h("div", { hidden: true });
  let users = [];
  let total = 0;

  const draw = () => {
    element.hidden = users.length === 0;
    const all = users.length > 1 ? button(t("waiting.all"), approveAll, { kind: "primary" }) : null;
    const rest = total - Math.min(SHOWN, users.length);
    fill(
      element,
      section(
        { id: "waiting", title: t("waiting"), text: t("waiting.text", { count: total }), action: all },
        h("ul", { class: "rows" }, users.slice(0, SHOWN).map(line)),
        rest > 0 ? link(t("waiting.rest", { count: rest }), to("/admin/users?status=pending")) : null,
      ),
    );
  };
  const reload = async () => {
    try {
      const found = await get(query("/api/users", { status: "pending", "sort[column]": "createdAt", limit: 100 }));
      users = found.data;
      total = found.pagination.totalItems;
      draw();
    } catch {
      // The list below says what is wrong.
    }
  };
  const settled = () => Promise.all([reload(), onChange(), countPending()]);
  const without = (user) => {
    users = users.filter((one) => one.id !== user.id);
    total -= 1;
    draw();
  };
  const line = (user) =>
    row({
      title: nameOf(user),
      href: to(`/admin/users/${user.id}`),
      person: { id: user.id, name: nameOf(user) },
      facts: [nameOf(user) === user.username ? null : user.username, user.email],
      actions: [
        button(t("reject"), () => decide(user, "reject", () => without(user), settled), {
          kind: "danger",
          label: t("reject.of", { name: nameOf(user) }),
        }),
        button(t("approve"), () => decide(user, "approve", () => without(user), settled), {
          kind: "primary",
          label: t("approve.of", { name: nameOf(user) }),
        }),
      ],
    });
  const approveAll = async () => {
    const count = total;
    const done = await ask({
      title: t("waiting.all.title", { count }),
      text: t("waiting.all.text"),
      action: t("waiting.all"),
      run: async () => {
        const pending = await every("/api/users", { status: "pending" });
        await each(pending, (user) => post(`/api/users/${user.id}/approve`));
      },
    });
    if (!done) return;
    note(t("waiting.all.done", { count }));
    await settled();
  };
  reload();
  return { element, reload };
}

/** Approves or rejects somebody, which can be undone for some seconds: a mistaken click asks nobody to sign up again. */
export function decide(user, what, gone, settled) {
  gone();
  later(
    t(`${what}.done`, { name: nameOf(user) }),
    async () => {
      await post(`/api/users/${user.id}/${what}`);
      await settled();
    },
    settled,
  );
}

/** Does it for one after another and, if some fail, says for how many and why. */
async function each(users, run) {
  const reasons = new Map();
  for (const user of users) {
    try {
      await run(user);
    } catch (error) {
      const reason = explain(error);
      if (reason === null) throw error;
      reasons.set(reason, [...(reasons.get(reason) ?? []), nameOf(user)]);
    }
  }
  for (const [reason, names] of reasons) warn(t("bulk.failed", { names: listing(names), reason }));
  return users.length - [...reasons.values()].flat().length;
}

/** What can be done with several. One's own account is left out: that is changed on its own page. */
function bulk(chosen, me, done) {
  const users = chosen.filter((user) => user.id !== me.id);
  const count = users.length;
  const several = (key, kind, run, shown = true) =>
    shown
      ? button(
          t(`bulk.${key}`),
          async () => {
            let worked = 0;
            const yes = await ask({
              title: t(`bulk.${key}.title`, { count }),
              text: t(`bulk.${key}.text`),
              action: t(`bulk.${key}`),
              danger: kind === "danger",
              run: async () => {
                worked = await each(users, run);
              },
            });
            if (!yes) return;
            note(t(`bulk.${key}.done`, { count: worked }));
            await done();
          },
          { kind },
        )
      : null;
  return [
    several("enable", "", (user) => changeUser(user, { disabled: false }), users.some((user) => user.disabled)),
    several("disable", "danger", (user) => changeUser(user, { disabled: true }), users.some((user) => !user.disabled)),
    button(t("bulk.group"), () => intoGroup(users, done)),
    several("delete", "danger", (user) => remove(`/api/users/${user.id}`)),
  ];
}

async function intoGroup(users, done) {
  const groups = await every("/api/user-groups", { "sort[column]": "friendlyName" });
  const group = await formDialog({
    title: t("bulk.group.title", { count: users.length }),
    text: groups.length === 0 ? t("groups.none.short") : null,
    build: (close) =>
      form({
        parts: [
          field({
            name: "group",
            label: t("group"),
            options: groups.map(({ id, friendlyName }) => [id, friendlyName]),
            value: groups[0]?.id ?? "",
            required: true,
          }),
        ],
        action: t("bulk.group"),
        cancel: () => close(),
        run: async ({ group: id }) => {
          const { users: members = [], ...rest } = await get(`/api/user-groups/${id}`);
          const ids = new Set([...members, ...users].map((user) => user.id));
          await put(`/api/user-groups/${id}/users`, { userIds: [...ids] });
          close(rest);
        },
      }),
  });
  if (!group) return;
  note(t("bulk.group.done", { count: users.length, group: group.friendlyName }));
  await done();
}

/** What an account is just now. */
export function statusBadges(user) {
  const ended = user.expiresAt && new Date(user.expiresAt) < new Date();
  return [
    user.isAdmin ? badge(t("administrator.badge"), "accent") : null,
    user.status === "pending" ? badge(t("status.pending.badge"), "wait") : null,
    user.disabled ? badge(t("status.disabled.badge"), "bad") : null,
    ended ? badge(t("ended"), "bad") : null,
  ];
}

function userRow(user, box) {
  const name = nameOf(user);
  const groups = user.userGroups.map((group) => group.friendlyName ?? group.name).filter(Boolean);
  return row({
    box,
    title: name,
    href: to(`/admin/users/${user.id}`),
    person: { id: user.id, name },
    badges: statusBadges(user),
    facts: [
      name === user.username ? null : user.username,
      user.email,
      groups.join(", "),
      user.expiresAt ? t("ends", { when: date(user.expiresAt) }) : null,
    ],
  });
}

async function createUser() {
  const groups = await every("/api/user-groups", { "sort[column]": "name" });
  const user = await formDialog({
    title: t("users.new"),
    text: t("users.new.text"),
    wide: true,
    build: (close) => {
      const text = (name, rest = {}) => field({ name, label: t(name), maxlength: 50, autocomplete: "off", ...rest });
      return form({
        parts: [
          text("username", { required: true, autocapitalize: "none", spellcheck: "false" }),
          pair(text("firstName"), text("lastName")),
          text("email", { type: "email", maxlength: 254 }),
          groups.length > 0 ? groupTicks(groups, []) : null,
          tick({ name: "isAdmin", label: t("administrator"), hint: t("administrator.hint") }),
        ],
        action: t("users.create"),
        cancel: () => close(),
        run: async (values) => close(await post("/api/users", { ...values, email: values.email || null })),
      });
    },
  });
  if (user) goTo(`/admin/users/${user.id}`);
}

/** Groups to tick. */
export function groupTicks(groups, value, label = t("groups")) {
  return ticks({
    name: "userGroupIds",
    label,
    options: groups.map((group) => [group.id, group.friendlyName, group.name]),
    value,
    empty: t("groups.none.short"),
  });
}
