// Requests of somebody who is signed in. Whoever is not any more is sent to sign in and comes back. Whoever must first
// confirm who they are is asked for their passkey, after which the request goes on.

import { ApiError, Cancelled, Client, obstacle } from "./client.js";
import { ask, tell } from "./dialogs.js";
import { t } from "./words.js";

/** Where the server is: these files lie in a folder of it. An element may name another place (`base`). */
export const client = new Client({ base: new URL(import.meta.url).pathname.replace(/\/(assets\/[^/]+\/)?kit\/[^/]*$/, "") });

/** The address of a page of the server. */
export const to = (path) => client.base + path;

/** Sends a request in the name of the person in front of the page. */
export async function call(method, path, body) {
  try {
    return await client.send(method, path, body);
  } catch (error) {
    if (error instanceof ApiError && error.status === 401) return goToSignIn();
    if (error instanceof ApiError && error.code === "user_disabled" && (await amDisabled()))
      return goToSignIn({ disabled: 1 });
    if (error instanceof ApiError && error.code === "reauthentication_required") {
      await confirmWithPasskey();
      return client.send(method, path, body);
    }
    throw error;
  }
}

export const get = (path) => call("GET", path);
export const post = (path, body) => call("POST", path, body);
export const put = (path, body) => call("PUT", path, body);
export const patch = (path, body) => call("PATCH", path, body);
export const remove = (path) => call("DELETE", path);

/** A path with a query; what is empty is left out. Only ever names and numbers: a secret has no place in an address. */
export function query(path, values) {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(values)) {
    if (value !== null && value !== undefined && value !== "" && value !== false) parameters.set(name, value);
  }
  const text = parameters.toString();
  return text === "" ? path : `${path}?${text}`;
}

/** Everything that a list has, page after page. */
export async function every(path, values = {}) {
  const items = [];
  for (let page = 1; ; page += 1) {
    const answer = await get(query(path, { ...values, page, limit: 100 }));
    items.push(...answer.data);
    if (page >= answer.pagination.totalPages) return items;
  }
}

/** The session of this browser. */
export const currentSession = () => get("/api/sessions/current");

/** Makes a passkey for who is signed in, and tells the browser. */
export async function register() {
  for (;;) {
    try {
      const passkey = await client.register();
      await client.tellBrowser();
      return passkey;
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      if (error.status === 401) return goToSignIn();
      if (error.code !== "reauthentication_required") throw error;
      await confirmWithPasskey();
    }
  }
}

/** Is it the person who asks that is disabled, and not somebody whom they asked about? */
async function amDisabled() {
  try {
    await client.send("GET", "/api/users/me");
    return false;
  } catch (error) {
    return error.code === "user_disabled";
  }
}

/**
 * Leaves for the sign-in page; the promise stays open, so that nothing goes on meanwhile. A host whose pages sign in
 * themselves listens for `keyplate-signed-out` and prevents it.
 */
function goToSignIn(why = {}) {
  const stays = !document.dispatchEvent(new CustomEvent("keyplate-signed-out", { cancelable: true }));
  const next = location.pathname.slice(client.base.length) + location.search;
  if (!stays) {
    document.dispatchEvent(new CustomEvent("keyplate-leave"));
    location.replace(query(`${client.base}/signin`, { next, ...why }));
  }
  return new Promise(() => {});
}

let confirming = null;

/** One question at a time, however many requests wait for it. */
function confirmWithPasskey() {
  confirming ??= stepUp().finally(() => {
    confirming = null;
  });
  return confirming;
}

async function stepUp() {
  const why = obstacle();
  if (why) {
    await tell({ title: t("stepUp.wanted"), text: `${why.title}. ${why.text}` });
    throw new Cancelled();
  }
  const passkeys = await client.send("GET", "/api/webauthn/credentials");
  if (!passkeys.some((passkey) => passkey.usable !== false)) {
    await tell({ title: t("stepUp.wanted"), text: t("stepUp.none") });
    throw new Cancelled();
  }
  // A button, because browsers want a click right before they ask for a passkey.
  const confirmed = await ask({
    title: t("stepUp.title"),
    // Who came to a new device by a code has the passkey elsewhere: both ways on are named.
    text: [t("stepUp.text"), t("stepUp.elsewhere"), t("stepUp.lost")],
    action: t("stepUp.action"),
    run: () => client.confirm(),
  });
  if (!confirmed) throw new Cancelled();
}
