// A device that came by a link from another one of its owner's. Loaded there, and nowhere else.

import { register } from "./calls.js";
import { obstacle } from "./client.js";
import { busy } from "./dialogs.js";
import { h, icon } from "./dom.js";
import { nameOf } from "./format.js";
import { notice, section } from "./pieces.js";
import { t } from "./words.js";

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
