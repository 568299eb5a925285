// Another device of one's own, as the first one shows it: which came by a link, and that it was not one's own.

import { get, remove } from "./calls.js";
import { ask, note } from "./dialogs.js";
import { ago, device } from "./format.js";
import { badge, button, row } from "./pieces.js";
import { t } from "./words.js";

export const LINKS = "/api/device/links";

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

/** A button that says so, and ends what came of it. */
export function notMine(link, onChange) {
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
