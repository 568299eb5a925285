// One's own passkeys: added, named, deleted.

import { get, patch, remove } from "../parts/api.js";
import { obstacle } from "../parts/ceremony.js";
import { ask, busy, note } from "../parts/dialogs.js";
import { h, icon } from "../parts/dom.js";
import { field, form, load } from "../parts/forms.js";
import { ago, date } from "../parts/format.js";
import { badge, button, formDialog, notice, row, section } from "../parts/parts.js";
import { register, tellBrowser } from "../parts/passkeys.js";

/**
 * The part of the account page. `onAdded` is told of a new passkey, and `onLoaded(passkeys)` what there is, whenever
 * that changes.
 */
export function myPasskeys({ onLoaded, onAdded }) {
  const problem = h("p", { class: "problem", role: "alert", hidden: true });
  const list = h("div", { class: "list" });
  const why = obstacle();
  const add = h("button", { type: "button", class: "button primary" }, icon("plus"), "Add a passkey");
  const reload = () =>
    load(
      list,
      () => get("/api/webauthn/credentials"),
      (passkeys) => {
        onLoaded(passkeys);
        return show(passkeys, reload);
      },
    );
  add.addEventListener("click", () =>
    busy(add, problem, async () => {
      const passkey = await register();
      await onAdded();
      await reload();
      await rename(passkey, reload, "Your new passkey", "It is ready. Give it a name by which you will know it.");
    }),
  );
  reload();
  return section(
    { id: "passkeys", title: "Passkeys", text: "They sign you in, in place of a password.", action: why ? null : add },
    why ? notice("warning", why.title, why.text) : null,
    problem,
    list,
  );
}

function show(passkeys, reload) {
  if (passkeys.length === 0) return h("p", { class: "list-status empty" }, "No passkeys yet.");
  return h(
    "ul",
    { class: "rows" },
    passkeys.map((passkey) =>
      passkeyRow(passkey, {
        actions: [
          button("Rename", () => rename(passkey, reload), { label: `Rename ${passkey.name}` }),
          button("Delete", () => erase(passkey, passkeys, reload), { kind: "danger", label: `Delete ${passkey.name}` }),
        ],
      }),
    ),
  );
}

/** One line of a list of passkeys. */
export function passkeyRow(passkey, { actions }) {
  const unusable = passkey.usable === false;
  return row({
    title: passkey.name,
    picture: "passkey",
    badges: [
      unusable ? badge("cannot be used", "bad") : null,
      passkey.backupState
        ? badge("synced", "good")
        : badge(passkey.backupEligible ? "not synced yet" : "on one device"),
    ],
    facts: [
      ["made ", date(passkey.createdAt)],
      passkey.lastUsedAt ? ["used ", ago(passkey.lastUsedAt)] : "never used",
      unusable ? "made for another address of this server" : null,
    ],
    actions,
  });
}

async function rename(passkey, reload, title = `Rename “${passkey.name}”`, text = null) {
  const done = await formDialog({
    title,
    text,
    build: (close) => {
      const name = field({
        name: "name",
        label: "Name",
        value: passkey.name,
        required: true,
        maxlength: 100,
        autocomplete: "off",
        autofocus: true,
      });
      return form({
        parts: [name],
        action: "Save",
        cancel: () => close(false),
        run: async (values) => {
          await patch(`/api/webauthn/credentials/${passkey.id}`, values);
          close(true);
        },
      });
    },
  });
  if (!done) return;
  note("The name is saved.");
  await reload();
}

async function erase(passkey, all, reload) {
  const last = all.filter((one) => one.usable !== false).length === 1 && passkey.usable !== false;
  const done = await ask({
    title: `Delete “${passkey.name}”?`,
    text: [
      "It signs you in here no longer. Delete it on your device or in your password manager too, if it is still offered.",
      last ? "It is your last passkey that works: the server keeps it until you have another." : null,
    ].filter(Boolean),
    action: "Delete passkey",
    danger: true,
    run: () => remove(`/api/webauthn/credentials/${passkey.id}`),
  });
  if (!done) return;
  note(`“${passkey.name}” is deleted.`);
  await Promise.all([tellBrowser(), reload()]);
}
