// All users: found, let in, made.

import { every, post } from "../parts/api.js";
import { ask, note } from "../parts/dialogs.js";
import { fill } from "../parts/dom.js";
import { field, form, pair, tick, ticks } from "../parts/forms.js";
import { date, nameOf } from "../parts/format.js";
import { listOf } from "../parts/list.js";
import { badge, button, formDialog, row } from "../parts/parts.js";
import { countPending, entitle, pageHead } from "../parts/shell.js";

const STATUSES = [
  ["", "All"],
  ["pending", "Waiting for approval"],
  ["active", "Active"],
  ["disabled", "Disabled"],
];

export function show({ main, settings }) {
  entitle("Users", settings);
  const wanted = new URLSearchParams(location.search).get("status") ?? "";
  const status = field({ name: "status", label: "Status", options: STATUSES, value: wanted });
  const list = listOf({
    path: "/api/users",
    noun: "user",
    plural: "users",
    search: true,
    filters: [status],
    item: (user) => userRow(user, () => Promise.all([list.reload(), countPending()])),
  });
  const add = button("New user", () => makeUser(), { kind: "primary", picture: "plus" });
  fill(main, pageHead({ title: "Users", action: add }), list.element);
}

/** What an account is just now. */
export function statusBadges(user) {
  const ended = user.expiresAt && new Date(user.expiresAt) < new Date();
  return [
    user.isAdmin ? badge("administrator", "accent") : null,
    user.status === "pending" ? badge("waits for approval", "wait") : null,
    user.disabled ? badge("disabled", "bad") : null,
    ended ? badge("ended", "bad") : null,
  ];
}

function userRow(user, onChange) {
  const name = nameOf(user);
  const waits = user.status === "pending";
  return row({
    title: name,
    href: `/admin/users/${user.id}`,
    picture: "user",
    badges: statusBadges(user),
    facts: [
      name === user.username ? null : user.username,
      user.email,
      user.userGroups
        .map((group) => group.friendlyName ?? group.name)
        .filter(Boolean)
        .join(", "),
      user.expiresAt ? ["ends ", date(user.expiresAt)] : null,
    ],
    actions: waits
      ? [
          button("Reject", () => reject(user, onChange), { kind: "danger", label: `Reject ${name}` }),
          button("Approve", () => approve(user, onChange), { kind: "primary", label: `Approve ${name}` }),
        ]
      : [],
  });
}

export async function approve(user, onChange) {
  const done = await ask({
    title: `Approve “${nameOf(user)}”?`,
    text: "The account becomes active at once.",
    action: "Approve",
    run: () => post(`/api/users/${user.id}/approve`),
  });
  if (!done) return;
  note(`“${nameOf(user)}” is approved.`);
  await onChange();
}

export async function reject(user, onChange) {
  const done = await ask({
    title: `Reject “${nameOf(user)}”?`,
    text: "The account that waits is removed, with its passkey. The audit log keeps that it was there.",
    action: "Reject",
    danger: true,
    run: () => post(`/api/users/${user.id}/reject`),
  });
  if (!done) return;
  note(`“${nameOf(user)}” is rejected.`);
  await onChange();
}

async function makeUser() {
  const groups = await every("/api/user-groups", { "sort[column]": "name" });
  const user = await formDialog({
    title: "New user",
    text: "An account without a passkey: afterwards give its owner a one-time code to sign in with.",
    wide: true,
    build: (close) => {
      const username = field({
        name: "username",
        label: "Username",
        required: true,
        maxlength: 50,
        autocomplete: "off",
        autocapitalize: "none",
        spellcheck: "false",
      });
      const firstName = field({ name: "firstName", label: "First name", maxlength: 50, autocomplete: "off" });
      const lastName = field({ name: "lastName", label: "Last name", maxlength: 50, autocomplete: "off" });
      const email = field({ name: "email", label: "E-mail", type: "email", maxlength: 254, autocomplete: "off" });
      const isAdmin = tick({ name: "isAdmin", label: "Administrator", hint: "May do everything on these pages." });
      return form({
        parts: [username, pair(firstName, lastName), email, groups.length > 0 ? groupTicks(groups, []) : null, isAdmin],
        action: "Make user",
        cancel: () => close(),
        run: async (values) => close(await post("/api/users", { ...values, email: values.email || null })),
      });
    },
  });
  if (user) location.assign(`/admin/users/${user.id}`);
}

/** Groups to tick. */
export function groupTicks(groups, value, label = "Groups") {
  return ticks({
    name: "userGroupIds",
    label,
    options: groups.map((group) => [group.id, group.friendlyName, group.name]),
    value,
    empty: "There are no groups yet.",
  });
}
