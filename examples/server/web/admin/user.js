// One user: what is known about them, their groups, their ways in, and what ends them.

import { waysIn } from "./access.js";
import { serviceRow } from "./services.js";
import { approve, groupTicks, reject, statusBadges } from "./users.js";
import { every, get, put, query, remove } from "../parts/api.js";
import { ask, note } from "../parts/dialogs.js";
import { h, refill } from "../parts/dom.js";
import { field, form, load, pair, tick } from "../parts/forms.js";
import { nameOf } from "../parts/format.js";
import { listOf } from "../parts/list.js";
import { button, link, notice, section } from "../parts/parts.js";
import { countPending, entitle, pageHead } from "../parts/shell.js";

const BACK = ["/admin/users", "Users"];

export async function show({ main, me, settings, id }) {
  const reload = () =>
    load(
      main,
      () => Promise.all([get(`/api/users/${id}`), every("/api/user-groups", { "sort[column]": "name" })]),
      ([user, groups]) => {
        entitle(nameOf(user), settings);
        const open = user.status === "pending" ? null : services(user);
        refill(
          main,
          pageHead({ title: nameOf(user), text: [user.username, " ", statusBadges(user)], back: BACK }),
          user.status === "pending" ? decision(user, reload) : null,
          details(user, reload),
          memberships(user, groups, () => open?.reload()),
          open?.element,
          user.status === "pending" ? null : waysIn(user),
          standing(user, user.id === me.id, reload),
        );
      },
    );
  await reload();
}

/**
 * Changes some things. The server takes the whole user, so they are fetched right before: somebody else may have changed
 * them since this page was opened.
 */
async function change(user, changes) {
  const path = `/api/users/${user.id}`;
  const { username, email, emailVerified, firstName, lastName, displayName, isAdmin, locale, disabled } =
    await get(path);
  const whole = { username, email, emailVerified, firstName, lastName, displayName, isAdmin, locale, disabled };
  await put(path, { ...whole, ...changes });
}

function decision(user, reload) {
  const onChange = () => Promise.all([reload(), countPending()]);
  return notice(
    "warning",
    "This account waits for approval",
    "Until then its owner can do nothing but look whether it is approved.",
    h(
      "div",
      { class: "actions" },
      button("Reject", () => reject(user, async () => location.assign("/admin/users")), { kind: "danger" }),
      button("Approve", () => approve(user, onChange), { kind: "primary" }),
    ),
  );
}

function details(user, reload) {
  const email = field({
    name: "email",
    label: "E-mail",
    type: "email",
    value: user.email ?? "",
    maxlength: 254,
    autocomplete: "off",
  });
  const verified = tick({
    name: "emailVerified",
    label: "The e-mail address is verified",
    hint: user.email ? "Another address is not verified: save it first." : null,
    value: user.emailVerified,
  });
  return section(
    { id: "details", title: "Details" },
    h(
      "div",
      { class: "panel" },
      form({
        parts: [
          field({
            name: "username",
            label: "Username",
            value: user.username,
            required: true,
            maxlength: 50,
            autocomplete: "off",
            spellcheck: "false",
          }),
          field({
            name: "displayName",
            label: "Display name",
            value: user.displayName,
            maxlength: 100,
            autocomplete: "off",
          }),
          pair(
            field({
              name: "firstName",
              label: "First name",
              value: user.firstName,
              maxlength: 50,
              autocomplete: "off",
            }),
            field({ name: "lastName", label: "Last name", value: user.lastName, maxlength: 50, autocomplete: "off" }),
          ),
          email,
          verified,
          field({
            name: "ends",
            label: "Account ends on",
            type: "date",
            value: user.expiresAt ? user.expiresAt.slice(0, 10) : "",
            hint: "After that day it is as if it were disabled. Empty: it does not end.",
          }),
        ],
        action: "Save",
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
          if (ends !== (user.expiresAt?.slice(0, 10) ?? "")) changes.expiresAt = ends ? `${ends}T23:59:59Z` : null;
          await change(user, changes);
          note("Saved.");
          await reload();
        },
      }),
    ),
  );
}

function memberships(user, groups, onSaved) {
  const chosen = user.userGroups.map((group) => group.id);
  return section(
    { id: "groups", title: "Groups" },
    h(
      "div",
      { class: "panel" },
      groups.length === 0
        ? h("p", { class: "hint" }, "There are no groups yet. ", h("a", { href: "/admin/groups" }, "Make one"), ".")
        : form({
            parts: [groupTicks(groups, chosen, "Member of")],
            action: "Save groups",
            run: async (values) => {
              await put(`/api/users/${user.id}/user-groups`, values);
              note("The groups are saved.");
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
    noun: "service",
    plural: "services",
    values: { user: user.id },
    empty: "No service is open to this user.",
    item: serviceRow,
  });
  const about = { id: "services", title: "Services", text: "What is open to this user, by groups or as to everyone." };
  return { element: section(about, list.element), reload: list.reload };
}

/** What they may do, whether they may sign in at all, and the end of the account. */
function standing(user, isMe, reload) {
  const name = nameOf(user);
  const step = (text, detail, control) =>
    h(
      "div",
      { class: "setting" },
      h("div", {}, h("p", { class: "setting-title" }, text), h("p", { class: "hint" }, detail)),
      control,
    );
  const asks = (title, text, action, danger, changes, said) => async () => {
    const done = await ask({ title, text, action, danger, run: () => change(user, changes) });
    if (!done) return;
    note(said);
    await reload();
  };
  const erase = async () => {
    const done = await ask({
      title: `Delete “${name}” (${user.username})?`,
      text: "The account goes with its passkeys, sessions and API keys. It cannot be taken back; the audit log stays.",
      action: "Delete user",
      danger: true,
      run: () => remove(`/api/users/${user.id}`),
    });
    if (done) location.assign("/admin/users");
  };
  const waits = user.status === "pending";
  return section(
    { id: "standing", title: "Account" },
    isMe ? notice("info", "This is you", "What you change here may end your own rights.") : null,
    h(
      "div",
      { class: "panel settings" },
      waits
        ? null
        : user.isAdmin
          ? step(
              "Administrator",
              "May do everything on these pages.",
              button(
                "Make an ordinary user",
                asks(
                  `Make “${name}” an ordinary user?`,
                  "The rights of an administrator end at once, in all sessions and keys.",
                  "Make an ordinary user",
                  true,
                  { isAdmin: false },
                  `“${name}” is an ordinary user now.`,
                ),
                { kind: "danger" },
              ),
            )
          : step(
              "Ordinary user",
              "May change only what is their own.",
              button(
                "Make administrator",
                asks(
                  `Make “${name}” an administrator?`,
                  "Administrators may do everything on these pages, and make others administrators.",
                  "Make administrator",
                  false,
                  { isAdmin: true },
                  `“${name}” is an administrator now.`,
                ),
              ),
            ),
      waits
        ? null
        : user.disabled
          ? step(
              "Disabled",
              "Nobody can sign in to it; nothing is deleted.",
              button(
                "Enable",
                asks(
                  `Enable “${name}”?`,
                  "Its owner can sign in again, and sessions and keys that have not ended work again.",
                  "Enable",
                  false,
                  { disabled: false },
                  `“${name}” is enabled.`,
                ),
                { kind: "primary" },
              ),
            )
          : step(
              "Active",
              "Disabling keeps everything, and lets nobody in.",
              button(
                "Disable",
                asks(
                  `Disable “${name}”?`,
                  "Sessions and keys are refused from now on, until it is enabled again.",
                  "Disable",
                  true,
                  { disabled: true },
                  `“${name}” is disabled.`,
                ),
                { kind: "danger" },
              ),
            ),
      step(
        "Audit log",
        "What this account did, and what was done to it.",
        link("Look", query("/admin/audit", { user: user.id })),
      ),
      step(
        "Delete",
        "For good. To keep somebody out for a while, disable the account.",
        button("Delete user", erase, { kind: "danger" }),
      ),
    ),
  );
}
