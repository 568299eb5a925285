// Passkeys: the server's part and the browser's part of each ceremony, put together.

import { call } from "./api.js";
import { askForCredential, CeremonyError, makeCredential } from "./ceremony.js";
import { ApiError, exchange, send } from "./http.js";

/** Makes a passkey for who is signed in, and gives it; with `setup` when this ended set-up. */
export async function register() {
  const options = await call("GET", "/api/webauthn/register/start");
  const passkey = await call("POST", "/api/webauthn/register/finish", await makeCredential(options));
  await tellBrowser();
  return passkey;
}

/** Makes an account together with its first passkey. */
export async function signUp(profile) {
  const options = await send("POST", "/api/signup/passkey/start", profile);
  const { status, body } = await exchange("POST", "/api/signup/passkey/finish", await makeCredential(options));
  return { user: body, pending: status === 202 || body.status === "pending" };
}

/** Signs in with a passkey that the person chooses. */
export async function signIn() {
  const options = await send("GET", "/api/webauthn/login/start");
  return prove(options, await askForCredential(options));
}

async function prove(options, credential) {
  try {
    return await send("POST", "/api/webauthn/login/finish", credential);
  } catch (error) {
    if (error instanceof ApiError && error.code === "passkey_unknown") await forget(options.rpId, credential.id);
    throw error;
  }
}

// A ceremony lives five minutes; what waits in a field for somebody to come back is made anew before that.
const FRESH = 4 * 60_000;

/**
 * Has the browser offer passkeys in a field, until one signs in. `onChosen(user)` is told who did, `onProblem(error)`
 * why one that was chosen did not. Gives a function that stops it: browsers run one ceremony at a time.
 */
export function offerInField({ onChosen, onProblem }) {
  const state = { stopped: false, controller: null };
  offerAgain(state, onChosen, onProblem);
  return () => {
    state.stopped = true;
    state.controller?.abort();
  };
}

async function offerAgain(state, onChosen, onProblem) {
  while (!state.stopped) {
    const offered = await offerOnce(state);
    // Nobody asked for the offer: that there can be none is said when the button is pressed.
    if (offered === "never") return;
    if (offered === "aged") continue;
    try {
      const user = await prove(offered.options, offered.credential);
      state.stopped = true;
      onChosen(user);
    } catch (error) {
      onProblem(error);
      // With another passkey it may go well; with a server that cannot answer it would go round and round.
      if (error.status !== 400 && error.status !== 401) return;
    }
  }
}

async function offerOnce(state) {
  state.controller = new AbortController();
  const { signal } = state.controller;
  const timer = setTimeout(() => state.controller.abort(), FRESH);
  try {
    const options = await send("GET", "/api/webauthn/login/start");
    return { options, credential: await askForCredential(options, { signal, mediation: "conditional" }) };
  } catch (error) {
    return error instanceof CeremonyError && error.silent ? "aged" : "never";
  } finally {
    clearTimeout(timer);
  }
}

/** Has the browser's store of passkeys forget one that the server does not know. */
async function forget(rpId, credentialId) {
  try {
    await PublicKeyCredential.signalUnknownCredential?.({ rpId: rpId ?? location.hostname, credentialId });
  } catch {
    // It is a favour to the person, and changes nothing here.
  }
}

/** Tells the browser which passkeys there are and what their owner is called now, where it wants to know. */
export async function tellBrowser() {
  const key = window.PublicKeyCredential;
  if (!key?.signalAllAcceptedCredentials && !key?.signalCurrentUserDetails) return;
  try {
    const signals = await send("GET", "/api/webauthn/signals");
    await key.signalAllAcceptedCredentials?.(signals.allAcceptedCredentials);
    await key.signalCurrentUserDetails?.(signals.currentUserDetails);
  } catch {
    // As above.
  }
}
