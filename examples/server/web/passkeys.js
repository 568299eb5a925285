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
export async function signIn({ signal, mediation } = {}) {
  const options = await send("GET", "/api/webauthn/login/start");
  const credential = await askForCredential(options, { signal, mediation });
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
 * Has the browser offer passkeys in a field, for as long as nobody chooses one. `onChosen(user)` is told who signed in,
 * `onProblem(error)` what went wrong. Gives a function that stops it: browsers run one ceremony at a time.
 */
export function offerInField({ onChosen, onProblem }) {
  let stopped = false;
  let controller = null;
  const run = async () => {
    while (!stopped) {
      controller = new AbortController();
      const timer = setTimeout(() => controller.abort(), FRESH);
      try {
        const user = await signIn({ signal: controller.signal, mediation: "conditional" });
        stopped = true;
        onChosen(user);
      } catch (error) {
        const brokenOff = error instanceof CeremonyError && error.silent;
        if (!brokenOff) {
          onProblem(error);
          // Refused by the browser itself, or no server: trying on would go round and round.
          if (error instanceof CeremonyError || error.passes) return;
          if (error.status !== 401 && error.status !== 400) return;
        }
      } finally {
        clearTimeout(timer);
      }
    }
  };
  run();
  return () => {
    stopped = true;
    controller?.abort();
  };
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
