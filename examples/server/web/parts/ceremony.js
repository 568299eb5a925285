// The browser's part of a passkey ceremony, without any request: what it can do, and what went wrong, in words.

import { creationOptions, credentialJson, requestOptions } from "./webauthn.js";

/** A ceremony that did not end well. `silent` where the page itself broke it off. */
export class CeremonyError extends Error {
  constructor(message, { silent = false } = {}) {
    super(message);
    this.name = "CeremonyError";
    this.silent = silent;
  }
}

/** Null where passkeys work here, else why they do not and what to do: `{title, text}`. */
export function obstacle() {
  if (!window.isSecureContext) {
    return {
      title: "Passkeys cannot work at this address",
      text:
        `Browsers allow passkeys only over HTTPS, or on the computer itself at “localhost”. This page was opened at ` +
        `${location.origin}. Open it at its https:// address, or on the server's own machine at localhost. If it has ` +
        `neither yet, put it behind a proxy with a certificate and start it with that address as --origin.`,
    };
  }
  // 127.0.0.1 is a secure context, and yet no address that a passkey can be bound to.
  if (/^[\d.]+$|^\[/.test(location.hostname)) {
    return {
      title: "Passkeys cannot work at this address",
      text:
        `Browsers bind passkeys to a name, and ${location.hostname} is a number. Open the page at the server's name, or ` +
        `on its own machine at localhost. If it has no name yet, give it one and start it with that as --origin.`,
    };
  }
  if (!window.PublicKeyCredential || !navigator.credentials) {
    return {
      title: "This browser has no passkeys",
      text:
        "It does not offer passkeys to this page. Use a current Firefox, Chrome, Edge or Safari; in an app's built-in " +
        "browser choose “Open in browser”.",
    };
  }
  return null;
}

/** Makes a passkey and gives it as the server wants it. */
export async function makeCredential(options) {
  check();
  try {
    const publicKey = creationOptions(options);
    return credentialJson(await navigator.credentials.create({ publicKey }));
  } catch (error) {
    throw inWords(error, true);
  }
}

/** Asks for a passkey and gives the proof as the server wants it. */
export async function askForCredential(options, { signal, mediation } = {}) {
  check();
  try {
    const publicKey = requestOptions(options);
    return credentialJson(await navigator.credentials.get({ publicKey, signal, mediation }));
  } catch (error) {
    throw inWords(error, false);
  }
}

/** Can the browser offer passkeys while somebody types a name? */
export async function canAutofill() {
  if (obstacle()) return false;
  return (await PublicKeyCredential.isConditionalMediationAvailable?.()) ?? false;
}

function check() {
  const why = obstacle();
  if (why) throw new CeremonyError(`${why.title}. ${why.text}`);
}

function inWords(error, making) {
  switch (error?.name) {
    case "AbortError":
      return new CeremonyError("The request was broken off.", { silent: true });
    case "NotAllowedError":
      // The browser does not tell a refusal from a time-out, or from having no passkey: by design.
      return new CeremonyError(
        making
          ? "No passkey was made: the browser's window was closed, or it took too long. Try again when you are ready."
          : "No passkey was used: the browser's window was closed, it took too long, or this device has none for this " +
              "server. Try again, or use another way.",
      );
    case "InvalidStateError":
      return new CeremonyError(
        making
          ? "This device holds a passkey of yours for this account already. Use another device or a security key."
          : "This passkey cannot be used here. Choose another one.",
      );
    case "SecurityError":
      return new CeremonyError(
        `The address ${location.origin} does not belong to the name that passkeys are made for here. Open the page at ` +
          "the server's own address.",
      );
    case "ConstraintError":
    case "NotSupportedError":
      return new CeremonyError(
        "This device cannot make the kind of passkey that is wanted: one that is kept on it and asks for a PIN, " +
          "fingerprint or face. Set up a screen lock, or use another device.",
      );
    default:
      return new CeremonyError(`The browser could not do it (${error?.name ?? "unknown"}). Try again.`);
  }
}
