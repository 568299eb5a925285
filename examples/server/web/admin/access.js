// A user's ways in: their passkeys, and codes for people who have none or have lost them.

import { get, post, remove } from "../parts/api.js";
import { ask, note } from "../parts/dialogs.js";
import { h } from "../parts/dom.js";
import { field, form, load } from "../parts/forms.js";
import { ago, moment, nameOf } from "../parts/format.js";
import { passkeyRow } from "../account/mypasskeys.js";
import { badge, button, formDialog, row, section, showSecret } from "../parts/parts.js";

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
  return section(
    {
      id: "ways",
      title: "Ways in",
      text: isShut(user)
        ? "Nobody can sign in to this account at the moment; codes can be made when that is changed."
        : "Passkeys are made by their owner. A code lets somebody in who has none yet, or has lost them.",
      action: isShut(user)
        ? null
        : h(
            "div",
            { class: "actions" },
            button("Recovery code", () => giveRecovery(user, showCodes)),
            button("One-time code", () => giveCode(user, showCodes), { kind: "primary" }),
          ),
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
  if (list.length === 0) return h("p", { class: "list-status empty" }, "No passkeys.");
  const erase = async (passkey) => {
    const done = await ask({
      title: `Delete the passkey “${passkey.name}” of ${nameOf(user)}?`,
      text: "It signs nobody in any more. If it was the last one, a code is the only way in.",
      action: "Delete passkey",
      danger: true,
      run: () => remove(`/api/users/${user.id}/webauthn-credentials/${passkey.id}`),
    });
    if (!done) return;
    note(`“${passkey.name}” is deleted.`);
    reload();
  };
  return h(
    "ul",
    { class: "rows" },
    list.map((passkey) =>
      passkeyRow(passkey, {
        actions: [button("Delete", () => erase(passkey), { kind: "danger", label: `Delete ${passkey.name}` })],
      }),
    ),
  );
}

function codeList(user, list, reload) {
  if (list.length === 0) return null;
  const revoke = async (token) => {
    const done = await ask({
      title: `Take back this ${token.isCode ? "code" : "link"} of ${nameOf(user)}?`,
      text: "It signs nobody in any more.",
      action: "Take back",
      danger: true,
      run: () => remove(`/api/users/${user.id}/one-time-access-tokens/${token.id}`),
    });
    if (!done) return;
    note("It is taken back.");
    reload();
  };
  return h(
    "ul",
    { class: "rows" },
    list.map((token) =>
      row({
        title: token.isCode ? "One-time code" : "One-time link",
        picture: "clock",
        badges: [badge("not used yet", "wait")],
        facts: [
          // Of a code nothing is shown again, not even its end.
          token.token && !token.isCode ? h("code", {}, token.token) : null,
          ["made ", ago(token.createdAt)],
          ["good until ", moment(token.expiresAt)],
        ],
        actions: [button("Take back", () => revoke(token), { kind: "danger" })],
      }),
    ),
  );
}

const LIFETIMES = [
  ["15m", "15 minutes, as a short code"],
  ["24h", "A day, as a link"],
  ["7d", "A week, as a link"],
];

async function giveCode(user, reload) {
  const created = await formDialog({
    title: `One-time code for ${nameOf(user)}`,
    text: "It signs in once. Only then can its owner add a passkey.",
    build: (close) =>
      form({
        parts: [field({ name: "ttl", label: "Good for", options: LIFETIMES, value: "15m" })],
        action: "Make code",
        cancel: () => close(),
        run: async ({ ttl }) => close({ ...(await post(`/api/users/${user.id}/one-time-access-token`, { ttl })), ttl }),
      }),
  });
  if (created)
    await showCode(
      user,
      created.token,
      "Give it to its owner, and to nobody else: whoever has it gets in, once.",
      reload,
    );
}

async function giveRecovery(user, reload) {
  let created;
  const done = await ask({
    title: `Recovery code for ${nameOf(user)}?`,
    text: [
      "For somebody who has lost their passkeys. Be sure that you know who asks: whoever has the code takes over the account.",
      "When it is used, all other sessions of the account end, and within 15 minutes a new passkey can be added and the old ones deleted.",
    ],
    action: "Make recovery code",
    danger: true,
    run: async () => {
      created = await post(`/api/users/${user.id}/one-time-access-token`, { recovery: true });
    },
  });
  if (done)
    await showCode(
      user,
      created.token,
      "Whoever has it takes over the account. Give it to its owner in person.",
      reload,
    );
}

async function showCode(user, token, text, reload) {
  const short = token.length <= 9;
  await showSecret({
    title: `Code for ${nameOf(user)}`,
    text,
    label: "Code",
    secret: short ? token : null,
    link: `${location.origin}/code#${token}`,
    more: short ? "It can also be typed, on the sign-in page under “Use a code”." : null,
  });
  reload();
}
