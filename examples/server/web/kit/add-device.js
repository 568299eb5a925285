// A link to another device of one's own: shown here, opened there, and told here of it. Loaded when it is wanted.

import { get, post, remove, to } from "./calls.js";
import { explain } from "./client.js";
import { LINKS, notMine } from "./devices.js";
import { open } from "./dialogs.js";
import { h, refill } from "./dom.js";
import { device } from "./format.js";
import { notice } from "./pieces.js";
import { linkPicture, secretPart } from "./secrets.js";
import { t } from "./words.js";

// How often it is asked whether the new device has come.
const PAUSE = 2000;

/** Makes a link, shows it, and says when the new device has come. `onChange` is told whenever there is something new. */
export async function addDevice(onChange) {
  const { link, token } = await post(LINKS);
  const address = `${location.origin}${to("/code")}#${token}`;
  let watching = true;
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
  // Nobody looks at it any more, so nobody shall use it either. Once it is opened, that would be “not mine”.
  if (isOpen(await stateOn(link.id))) await remove(`${LINKS}/${link.id}`);
  else await onChange();
}

async function stateOn(id) {
  return (await get(LINKS)).find((one) => one.id === id);
}

function isOver(link) {
  return !link.usedAt && new Date(link.expiresAt) <= Date.now();
}

/** Can a device still come by it? */
function isOpen(link) {
  return Boolean(link) && !link.usedAt && !isOver(link);
}

function stateOf(link, onDisowned) {
  if (!link) return notice("warning", t("devices.gone"), t("devices.over.text"));
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
      found = await stateOn(id);
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
