// One's own passkeys: added, named, deleted.

import { client, get, patch, register, remove } from "./calls.js";
import { obstacle } from "./client.js";
import { linkRow, openedLinks } from "./devices.js";
import { ask, busy, note } from "./dialogs.js";
import { h, icon } from "./dom.js";
import { field, form, load } from "./forms.js";
import { ago, date } from "./format.js";
import { badge, button, formDialog, notice, row, section } from "./pieces.js";
import { t } from "./words.js";

/**
 * The list with its button. `onAdded` is told of a new passkey, and `onLoaded(passkeys)` what there is, whenever that changes.
 */
export function myPasskeys({ onLoaded, onAdded }) {
  const problem = h("p", { class: "problem", part: "error", role: "alert", hidden: true });
  const list = h("div", { class: "list" });
  const why = obstacle();
  const add = h(
    "button",
    { type: "button", class: "button primary", part: "button primary" },
    icon("plus"),
    t("passkeys.add"),
  );
  const reload = () =>
    load(
      list,
      () => Promise.all([get("/api/webauthn/credentials"), openedLinks()]),
      ([passkeys, links]) => {
        onLoaded?.(passkeys);
        // It is this device's passkey that confirms who makes the link.
        another.hidden = !passkeys.some(isUsable);
        return show(passkeys, links, reload);
      },
    );
  const addDevice = async () => (await import("./add-device.js")).addDevice(reload);
  const another = button(t("devices.add"), addDevice, { picture: "device" });
  another.hidden = true;
  add.addEventListener("click", () =>
    busy(add, problem, async () => {
      const passkey = await register();
      await reload();
      await rename(passkey, reload, t("passkeys.new"), t("passkeys.new.text"));
      await onAdded?.(passkey);
    }),
  );
  reload();
  return section(
    { id: "passkeys", title: t("passkeys"), text: t("passkeys.text"), action: why ? null : h("div", { class: "actions" }, another, add) },
    why ? notice("warning", why.title, why.text) : null,
    problem,
    list,
  );
}

export function isUsable(passkey) {
  return passkey.usable !== false;
}

function show(passkeys, links, reload) {
  const came = links.map((link) => linkRow(link, reload));
  const others = came.length > 0 ? h("ul", { class: "rows", part: "list" }, came) : null;
  if (passkeys.length === 0) return [h("p", { class: "list-status empty" }, t("passkeys.none")), others];
  const usable = passkeys.filter(isUsable);
  const only = usable.length === 1 ? usable[0] : null;
  return [
    h(
      "ul",
      { class: "rows", part: "list" },
      passkeys.map((passkey) =>
        passkeyRow(passkey, {
          // The server keeps the last one that works, so its end is not offered.
          note: passkey === only ? t("passkeys.only") : null,
          actions: [
            button(t("rename"), () => rename(passkey, reload), { label: t("rename.of", { name: passkey.name }) }),
            passkey === only ? null : erase(passkey, reload),
          ].filter(Boolean),
        }),
      ),
    ),
    others,
  ];
}

/** One line of a list of passkeys. */
export function passkeyRow(passkey, { actions, note: more }) {
  const unusable = !isUsable(passkey);
  const where = passkey.backupState ? "synced" : passkey.backupEligible ? "notYet" : "one";
  return row({
    title: passkey.name,
    picture: "passkey",
    badges: [
      unusable ? badge(t("passkeys.unusable"), "bad") : null,
      badge(t(`passkeys.${where}`), where === "synced" ? "good" : ""),
    ],
    facts: [
      t("made", { when: date(passkey.createdAt) }),
      passkey.lastUsedAt ? t("used", { when: ago(passkey.lastUsedAt) }) : t("neverUsed"),
      unusable ? t("passkeys.otherAddress") : null,
      more,
    ],
    actions,
  });
}

async function rename(passkey, reload, title = t("rename.title", { name: passkey.name }), text = null) {
  const done = await formDialog({
    title,
    text,
    build: (close) => {
      const name = field({
        name: "name",
        label: t("name"),
        value: passkey.name,
        required: true,
        maxlength: 100,
        autocomplete: "off",
        autofocus: true,
      });
      return form({
        parts: [name],
        action: t("save"),
        cancel: () => close(false),
        run: async (values) => {
          await patch(`/api/webauthn/credentials/${passkey.id}`, values);
          close(true);
        },
      });
    },
  });
  if (!done) return;
  note(t("saved.name"));
  await reload();
}

function erase(passkey, reload) {
  const run = async () => {
    const done = await ask({
      title: t("delete.title", { name: passkey.name }),
      text: t("passkeys.delete.text"),
      action: t("passkeys.delete"),
      danger: true,
      run: () => remove(`/api/webauthn/credentials/${passkey.id}`),
    });
    if (!done) return;
    note(t("deleted", { name: passkey.name }));
    await Promise.all([client.tellBrowser(), reload()]);
  };
  return button(t("delete"), run, { kind: "danger", label: t("delete.of", { name: passkey.name }) });
}
