// A user's ways in: their passkeys, and codes for people who have none or have lost them.

import { get, post, remove, to } from "../kit/calls.js";
import { ask, note } from "../kit/dialogs.js";
import { h } from "../kit/dom.js";
import { field, form, load } from "../kit/forms.js";
import { ago, moment, nameOf } from "../kit/format.js";
import { isUsable, passkeyRow } from "../kit/my-passkeys.js";
import { badge, button, formDialog, notice, row, section } from "../kit/pieces.js";
import { amount, t } from "../kit/words.js";

/** The part of a user's page that says how they sign in. */
export function waysIn(user) {
  const codes = h("div", {});
  const passkeys = h("div", {});
  const showCodes = () =>
    load(
      codes,
      () => get(`/api/users/${user.id}/one-time-access-tokens`),
      (list) => codeList(user, list, showCodes),
    );
  const showPasskeys = () =>
    load(
      passkeys,
      () => get(`/api/users/${user.id}/webauthn-credentials`),
      (list) => passkeyList(user, list, showPasskeys),
    );
  showCodes();
  showPasskeys();
  const shut = isShut(user);
  return section(
    {
      id: "ways",
      title: t("ways"),
      text: t(shut ? "ways.shut" : "ways.text"),
      action: shut ? null : button(t("codes.new"), () => giveCode(user, showCodes), { kind: "primary" }),
    },
    passkeys,
    codes,
  );
}

/** Disabled, or over: then there are no codes either. */
function isShut(user) {
  return user.disabled || (user.expiresAt && new Date(user.expiresAt) < new Date());
}

function passkeyList(user, list, reload) {
  if (list.length === 0) return h("p", { class: "list-status empty" }, t("passkeys.none"));
  const erase = async (passkey) => {
    const done = await ask({
      title: t("ways.passkey.title", { name: passkey.name, user: nameOf(user) }),
      text: t("ways.passkey.text"),
      action: t("passkeys.delete"),
      danger: true,
      run: () => remove(`/api/users/${user.id}/webauthn-credentials/${passkey.id}`),
    });
    if (!done) return;
    note(t("deleted", { name: passkey.name }));
    await reload();
  };
  return h(
    "ul",
    { class: "rows" },
    list.map((passkey) => {
      const label = t("delete.of", { name: passkey.name });
      return passkeyRow(passkey, { actions: [button(t("delete"), () => erase(passkey), { kind: "danger", label })] });
    }),
  );
}

function codeList(user, list, reload) {
  if (list.length === 0) return null;
  const revoke = async (token) => {
    const done = await ask({
      title: t(token.isCode ? "codes.revoke.code" : "codes.revoke.link", { user: nameOf(user) }),
      text: t("codes.revoke.text"),
      action: t("revoke"),
      danger: true,
      run: () => remove(`/api/users/${user.id}/one-time-access-tokens/${token.id}`),
    });
    if (!done) return;
    note(t("codes.revoked"));
    await reload();
  };
  return h(
    "ul",
    { class: "rows" },
    list.map((token) =>
      row({
        title: t(token.isCode ? "codes.code" : "codes.link"),
        picture: "clock",
        badges: [badge(t("codes.unused"), "wait")],
        facts: [
          // Of a code nothing is shown again, not even its end.
          token.token && !token.isCode ? h("code", {}, token.token) : null,
          t("made", { when: ago(token.createdAt) }),
          t("codes.until", { when: moment(token.expiresAt) }),
        ],
        actions: [button(t("revoke"), () => revoke(token), { kind: "danger" })],
      }),
    ),
  );
}

const LIFETIMES = () => [
  ["15m", t("codes.asCode", { length: amount(15, "minute") })],
  ["24h", t("codes.asLink", { length: amount(1, "day") })],
  ["7d", t("codes.asLink", { length: amount(1, "week") })],
];

/**
 * Which code fits depends on what the person still has. A plain code is no way to a new passkey while there is another one:
 * adding it would ask for that.
 */
async function giveCode(user, reload) {
  // Loaded when it is wanted, and before there is anything that could be lost.
  const { showSecret } = await import("../kit/secrets.js");
  const passkeys = await get(`/api/users/${user.id}/webauthn-credentials`);
  const has = passkeys.some(isUsable);
  const created = await formDialog({
    title: t("codes.title", { user: nameOf(user) }),
    text: has ? null : t("codes.text"),
    build: (close) => {
      const need = field({
        name: "need",
        label: t("codes.need"),
        options: [
          ["device", t("codes.need.device")],
          ["lost", t("codes.need.lost")],
        ],
        value: "device",
        hint: "…",
      });
      const ttl = field({ name: "ttl", label: t("codes.lasts"), options: LIFETIMES(), value: "15m" });
      const warning = notice("warning", t("codes.recovery"), [t("codes.recovery.who"), t("codes.recovery.then")]);
      const look = () => {
        const lost = has && need.value === "lost";
        warning.hidden = !lost;
        ttl.element.hidden = lost;
        need.element.querySelector(".hint").textContent = lost ? "" : t("codes.device.hint");
      };
      need.input.addEventListener("change", look);
      look();
      return form({
        parts: [has ? need : null, warning, ttl],
        action: t("codes.create"),
        cancel: () => close(),
        run: async (values) => {
          const recovery = has && values.need === "lost";
          const body = recovery ? { recovery: true } : { ttl: values.ttl };
          const made = await post(`/api/users/${user.id}/one-time-access-token`, body);
          close({ token: made.token, recovery });
        },
      });
    },
  });
  if (!created) return;
  const { token, recovery } = created;
  const short = token.length <= 9;
  await showSecret({
    title: t("codes.shown", { user: nameOf(user) }),
    text: t(recovery ? "codes.shown.recovery" : "codes.shown.text"),
    label: t("code"),
    secret: short ? token : null,
    link: `${location.origin}${to("/code")}#${token}`,
    more: short ? t("codes.typed") : null,
  });
  await reload();
}
