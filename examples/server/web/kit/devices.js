// Another device of one's own: this one shows a link, the new one adds its passkey by it, and this one is told.

import { get, post, register, remove, to } from "./calls.js";
import { explain, obstacle } from "./client.js";
import { ask, busy, note, open } from "./dialogs.js";
import { h, icon, refill } from "./dom.js";
import { ago, device, nameOf } from "./format.js";
import { badge, button, notice, row, section } from "./pieces.js";
import { linkPicture, secretPart } from "./secrets.js";
import { t } from "./words.js";

const LINKS = "/api/device/links";
// How often it is asked whether the new device has come.
const PAUSE = 2000;

/** The links that a device has opened, the newest first. */
export async function openedLinks() {
  const links = await get(LINKS);
  return links.filter((link) => link.usedAt);
}

/** One line of a list: which device came by a link, and that it was not one's own. */
export function linkRow(link, onChange) {
  const name = device(link.userAgent);
  return row({
    title: name,
    picture: "device",
    badges: [link.passkeyId ? badge(t("devices.added")) : badge(t("devices.opened"), "wait")],
    facts: [t("devices.byLink"), link.ipAddress, ago(link.usedAt)],
    actions: [notMine(link, onChange)],
  });
}

function notMine(link, onChange) {
  const name = device(link.userAgent);
  const run = async () => {
    const done = await ask({
      title: t("devices.notMine.title", { name }),
      text: t("devices.notMine.text"),
      action: t("devices.notMine.action"),
      danger: true,
      run: () => remove(`${LINKS}/${link.id}`),
    });
    if (!done) return;
    note(t("devices.notMine.done", { name }));
    await onChange();
  };
  return button(t("devices.notMine"), run, { kind: "danger", label: t("devices.notMine.of", { name }) });
}

/** Makes a link, shows it, and says when the new device has come. `onChange` is told whenever there is something new. */
export async function addDevice(onChange) {
  const { link, token } = await post(LINKS);
  const address = `${location.origin}${to("/code")}#${token}`;
  let watching = true;
  let latest = link;
  await open({
    title: t("devices.add"),
    wide: true,
    build: (close, dialog) => {
      const state = h("div", { role: "status" });
      const shown = h(
        "div",
        { class: "stack" },
        h("p", {}, t("devices.add.text")),
        linkPicture(address),
        secretPart(t("secret.link"), address),
      );
      const out = h("button", { type: "button", class: "button", onclick: () => close() }, t("cancel"));
      dialog.addEventListener("close", () => {
        watching = false;
      });
      const show = (found) => {
        latest = found;
        // Once it is opened the link is worth nothing, and its place is for what became of it.
        shown.hidden = !isOpen(found);
        out.textContent = t(isOpen(found) ? "cancel" : "close");
        const disowned = async () => {
          await onChange();
          close();
        };
        refill(state, stateOf(found, disowned));
      };
      show(link);
      watch(link.id, () => watching, show, onChange);
      return [shown, state, h("div", { class: "actions" }, out)];
    },
  });
  // Nobody looks at it any more, so nobody shall use it either.
  if (isOpen(latest)) await remove(`${LINKS}/${link.id}`);
}

function isOver(link) {
  return !link.usedAt && new Date(link.expiresAt) <= Date.now();
}

/** Can a device still come by it? */
function isOpen(link) {
  return Boolean(link) && !link.usedAt && !isOver(link);
}

function stateOf(link, onDisowned) {
  if (!link) return notice("warning", t("devices.gone"), t("devices.gone.text"));
  if (isOver(link)) return notice("warning", t("devices.over"), t("devices.over.text"));
  if (!link.usedAt) return notice("info", t("devices.waiting"), t("devices.waiting.text"));
  const name = device(link.userAgent);
  const who = link.ipAddress ? t("devices.who", { name, address: link.ipAddress }) : name;
  const what = link.passkeyId ? "devices.has" : "devices.came";
  const kind = link.passkeyId ? "good" : "info";
  return notice(kind, t(what), [who, t(`${what}.text`)], h("div", { class: "actions" }, notMine(link, onDisowned)));
}

/** Asks until the new device has its passkey, or the dialog is closed. */
async function watch(id, goesOn, show, onChange) {
  let before = "";
  for (;;) {
    await new Promise((resolve) => setTimeout(resolve, PAUSE));
    if (!goesOn()) return;
    let found;
    try {
      found = (await get(LINKS)).find((one) => one.id === id);
    } catch (error) {
      // Perhaps the next time.
      explain(error);
      continue;
    }
    if (!goesOn()) return;
    const now = !found || [found.usedAt, found.passkeyId, isOver(found)].join();
    if (now === before) continue;
    before = now;
    show(found);
    if (found?.usedAt) await onChange();
    if (!found || found.passkeyId || isOver(found)) return;
  }
}

/** What somebody sees who came by such a link: the way to a passkey, and nothing else is open to them. */
export function newDevice(me) {
  const why = obstacle();
  const problem = h("p", { class: "problem", part: "error", role: "alert", hidden: true });
  const add = h(
    "button",
    { type: "button", class: "button primary", part: "button primary" },
    icon("plus"),
    t("devices.here.add"),
  );
  add.addEventListener("click", () =>
    busy(add, problem, async () => {
      await register();
      // Its session is the passkey's from now on, and may do everything.
      location.reload();
    }),
  );
  const about = { id: "here", title: t("devices.here"), text: t("devices.here.text", { name: nameOf(me) }) };
  const panel = h(
    "div",
    { class: "panel stack", part: "panel" },
    h("p", {}, t("devices.here.then")),
    problem,
    h("div", {}, add),
  );
  return section(about, why ? notice("warning", why.title, why.text) : panel);
}
