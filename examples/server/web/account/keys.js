// API keys: listed and revoked; in one's own account and, for everybody's, in administration.

import { remove } from "../kit/calls.js";
import { ask, note } from "../kit/dialogs.js";
import { h } from "../kit/dom.js";
import { ago, date } from "../kit/format.js";
import { badge, button, row } from "../kit/pieces.js";
import { t } from "../kit/words.js";

const DAY = 86_400_000;

/** One line of a list of keys. `owner` is named where the keys are everybody's. */
export function keyRow(key, { owner, canRenew = true, onChange }) {
  const ended = key.expiresAt && new Date(key.expiresAt) < new Date();
  const renew = async () => (await import("./new-key.js")).renew(key, onChange);
  const soon = key.expiresAt && !ended && new Date(key.expiresAt) - Date.now() < 14 * DAY;
  return row({
    title: key.name,
    picture: "key",
    badges: [ended ? badge(t("ended"), "bad") : soon ? badge(t("endsSoon"), "wait") : null, scopeBadge(key.scopes)],
    facts: [
      owner ? t("ofOwner", { owner }) : null,
      h("code", {}, key.prefix),
      key.description,
      key.lastUsedAt ? t("used", { when: ago(key.lastUsedAt) }) : t("neverUsed"),
      key.expiresAt ? t(ended ? "endedOn" : "until", { when: date(key.expiresAt) }) : t("withoutEnd"),
    ],
    actions: [
      canRenew ? button(t("renew"), renew, { label: t("renew.of", { name: key.name }) }) : null,
      button(t("revoke"), () => revoke(key, owner, onChange), { kind: "danger", label: t("revoke.of", { name: key.name }) }),
    ].filter(Boolean),
  });
}

function scopeBadge(scopes) {
  if (scopes.includes("*")) return badge(t(scopes.includes("roles:write") ? "keys.everything.roles" : "keys.everything"));
  const shown = badge(scopes.length === 1 ? scopes[0] : t("keys.scopes", { count: scopes.length }));
  shown.title = scopes.join(", ");
  return shown;
}

async function revoke(key, owner, onChange) {
  const done = await ask({
    title: t("revoke.title", { name: key.name }),
    text: owner ? t("keys.revoke.text.of", { owner }) : t("keys.revoke.text"),
    action: t("keys.revoke"),
    danger: true,
    run: () => remove(`/api/api-keys/${key.id}`),
  });
  if (!done) return;
  note(t("keys.revoked", { name: key.name }));
  onChange();
}
