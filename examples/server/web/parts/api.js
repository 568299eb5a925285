// Requests of somebody who is signed in. Whoever is not any more is sent to sign in and comes back. Whoever must first
// confirm who they are is asked for their passkey, after which the request goes on.

import { askForCredential, obstacle } from "./ceremony.js";
import { ask, tell } from "./dialogs.js";
import { Cancelled } from "./failures.js";
import { ApiError, send } from "./http.js";

/** Sends a request in the name of the person in front of the page. */
export async function call(method, path, body) {
  try {
    return await send(method, path, body);
  } catch (error) {
    if (error instanceof ApiError && error.status === 401) return goToSignIn();
    if (error instanceof ApiError && error.code === "user_disabled" && (await amDisabled()))
      return goToSignIn({ disabled: 1 });
    if (error instanceof ApiError && error.code === "reauthentication_required") {
      await confirmWithPasskey();
      return send(method, path, body);
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

/** Is it the person who asks that is disabled, and not somebody whom they asked about? */
async function amDisabled() {
  try {
    await send("GET", "/api/users/me");
    return false;
  } catch (error) {
    return error.code === "user_disabled";
  }
}

/** Leaves for the sign-in page; the promise stays open, so that nothing goes on meanwhile. */
function goToSignIn(why = {}) {
  location.replace(query("/signin", { next: location.pathname + location.search, ...why }));
  return new Promise(() => {});
}

/** Where to go after signing in: a path of this server, never another site. */
export function nextPath(fallback = "/account") {
  const wanted = new URLSearchParams(location.search).get("next");
  if (!wanted || !wanted.startsWith("/")) return fallback;
  // `//evil.example` and `/\evil.example` are other hosts; only a parser can be trusted to tell.
  const url = URL.canParse(wanted, location.origin) ? new URL(wanted, location.origin) : null;
  return url && url.origin === location.origin ? url.pathname + url.search : fallback;
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
    await tell({ title: "This step wants a passkey", text: `${why.title}. ${why.text}` });
    throw new Cancelled();
  }
  const passkeys = await send("GET", "/api/webauthn/credentials");
  if (!passkeys.some((passkey) => passkey.usable !== false)) {
    await tell({
      title: "This step wants a passkey",
      text:
        "Your sign-in is not fresh enough for this, and your account has no passkey to confirm it with. Add a passkey " +
        "in your account, under “Passkeys”, and try again. If that is refused too, ask an administrator for a recovery code.",
    });
    throw new Cancelled();
  }
  // A button, because browsers want a click right before they ask for a passkey.
  const confirmed = await ask({
    title: "Confirm that it is you",
    text: "This step wants a fresh sign-in. Confirm with your passkey to go on.",
    action: "Confirm with passkey",
    run: async () => {
      const options = await send("GET", "/api/webauthn/reauthenticate/start");
      await send("POST", "/api/webauthn/reauthenticate", await askForCredential(options));
    },
  });
  if (!confirmed) throw new Cancelled();
}
