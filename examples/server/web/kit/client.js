// The server's API and the browser's passkeys, without any page: for hosts that bring pages of their own. Nothing in here
// touches the document.

import { clockTime, has, number, t } from "./words.js";
import { creationOptions, credentialJson, requestOptions } from "./webauthn.js";

/** A refusal, or no answer at all (`status` 0). Its message is a sentence for people; branch on `code`. */
export class ApiError extends Error {
  constructor(status, body = {}, retryAfter = null) {
    super(sentence(status, body, retryAfter));
    this.name = "ApiError";
    this.status = status;
    this.code = body.code ?? "";
    this.details = body.details ?? {};
    /** By the field's name, what is wrong with it. */
    this.fields = fields(body);
  }
}

/** A ceremony that did not end well. `silent` where the page itself broke it off. */
export class CeremonyError extends Error {
  constructor(message, { silent = false } = {}) {
    super(message);
    this.name = "CeremonyError";
    this.silent = silent;
  }
}

/** The person decided against it: nothing to report. */
export class Cancelled extends Error {}

/** What to show of a failure; null if the person broke it off themselves. */
export function explain(error) {
  if (error instanceof Cancelled) return null;
  if (error instanceof CeremonyError) return error.silent ? null : error.message;
  if (error instanceof ApiError) return error.message;
  console.error(error);
  return t("error.page");
}

// A ceremony lives five minutes; what waits in a field for somebody to come back is made anew before that.
const FRESH = 4 * 60_000;

/** A server: `base` is the path under which it is reached, such as `/auth`, on the origin of the page. */
export class Client {
  #settings = null;

  constructor({ base = "" } = {}) {
    this.base = base.replace(/\/$/, "");
  }

  /** Sends a request and gives the JSON of its answer, or null where there is none. */
  async send(method, path, body) {
    return (await this.exchange(method, path, body)).body;
  }

  /** The same with the status, which tells 201 from 202. */
  async exchange(method, path, body) {
    const init = { method, credentials: "same-origin", redirect: "error" };
    if (method !== "GET") {
      init.headers = { "Content-Type": "application/json" };
      init.body = JSON.stringify(body ?? {});
      // What was asked for is done, also if the page is left at that moment. Browsers do so for small requests only.
      init.keepalive = init.body.length < 10_000;
    }
    let response;
    try {
      response = await fetch(this.base + path, init);
    } catch {
      throw new ApiError(0);
    }
    const json = parse(await response.text().catch(() => ""));
    if (!response.ok) throw new ApiError(response.status, json ?? {}, response.headers.get("Retry-After"));
    return { status: response.status, body: json };
  }

  /** The settings that everybody may know, by their keys. Several that ask at the same time share one answer. */
  settings() {
    this.#settings ??= this.send("GET", "/api/application-configuration").then(
      (list) => Object.fromEntries(list.map(({ key, value }) => [key, value])),
    );
    const forget = () => {
      this.#settings = null;
    };
    this.#settings.then(() => setTimeout(forget, 1000), forget);
    return this.#settings;
  }

  /** Who is signed in, or null. */
  async whoAmI() {
    try {
      return await this.send("GET", "/api/users/me");
    } catch (error) {
      if (error instanceof ApiError && (error.status === 401 || error.status === 403)) return null;
      throw error;
    }
  }

  /** Makes an account together with its first passkey. */
  async signUp(profile) {
    const options = await this.send("POST", "/api/signup/passkey/start", profile);
    const proof = await makeCredential(options);
    const { status, body } = await this.exchange("POST", "/api/signup/passkey/finish", proof);
    return { user: body, pending: status === 202 || body.status === "pending" };
  }

  /** Signs in with a passkey that the person chooses. */
  async signIn() {
    const options = await this.send("GET", "/api/webauthn/login/start");
    return this.#prove(options, await askForCredential(options));
  }

  /** Signs in once, by a code or a link's token. */
  redeem(code) {
    return this.send("POST", `/api/one-time-access-token/${encodeURIComponent(code)}`);
  }

  signOut() {
    return this.send("POST", "/api/webauthn/logout");
  }

  /** Makes a further passkey for who is signed in; with `setup` when this ended set-up. */
  async register() {
    const options = await this.send("GET", "/api/webauthn/register/start");
    return this.send("POST", "/api/webauthn/register/finish", await makeCredential(options));
  }

  /** Confirms with a passkey who is there, for steps that want a fresh sign-in. */
  async confirm() {
    const options = await this.send("GET", "/api/webauthn/reauthenticate/start");
    await this.send("POST", "/api/webauthn/reauthenticate", await askForCredential(options));
  }

  /**
   * Has the browser offer passkeys in a field, until one signs in. `onChosen(user)` is told who did, `onProblem(error)`
   * why one that was chosen did not. Gives a function that stops it: browsers run one ceremony at a time.
   */
  offerInField({ onChosen, onProblem }) {
    const state = { stopped: false, controller: null };
    this.#offerAgain(state, onChosen, onProblem);
    return () => {
      state.stopped = true;
      state.controller?.abort();
    };
  }

  /** Tells the browser which passkeys there are and what their owner is called now, where it wants to know. */
  async tellBrowser() {
    const key = globalThis.PublicKeyCredential;
    if (!key?.signalAllAcceptedCredentials && !key?.signalCurrentUserDetails) return;
    try {
      const signals = await this.send("GET", "/api/webauthn/signals");
      await key.signalAllAcceptedCredentials?.(signals.allAcceptedCredentials);
      await key.signalCurrentUserDetails?.(signals.currentUserDetails);
    } catch {
      // It is a favour to the person, and changes nothing here.
    }
  }

  async #prove(options, credential) {
    try {
      return await this.send("POST", "/api/webauthn/login/finish", credential);
    } catch (error) {
      if (error instanceof ApiError && error.code === "passkey_unknown") await forget(options.rpId, credential.id);
      throw error;
    }
  }

  async #offerAgain(state, onChosen, onProblem) {
    while (!state.stopped) {
      const offered = await this.#offerOnce(state);
      // Nobody asked for the offer: that there can be none is said when the button is pressed.
      if (offered === "never") return;
      if (offered === "aged") continue;
      try {
        const user = await this.#prove(offered.options, offered.credential);
        state.stopped = true;
        onChosen(user);
      } catch (error) {
        onProblem(error);
        // With another passkey it may go well; with a server that cannot answer it would go round and round.
        if (error.status !== 400 && error.status !== 401) return;
      }
    }
  }

  async #offerOnce(state) {
    state.controller = new AbortController();
    const { signal } = state.controller;
    const timer = setTimeout(() => state.controller.abort(), FRESH);
    try {
      const options = await this.send("GET", "/api/webauthn/login/start");
      return { options, credential: await askForCredential(options, { signal, mediation: "conditional" }) };
    } catch (error) {
      return error instanceof CeremonyError && error.silent ? "aged" : "never";
    } finally {
      clearTimeout(timer);
    }
  }
}

/** Has the browser's store of passkeys forget one that the server does not know. */
async function forget(rpId, credentialId) {
  try {
    await PublicKeyCredential.signalUnknownCredential?.({ rpId: rpId ?? location.hostname, credentialId });
  } catch {
    // As above.
  }
}

/** Null where passkeys work here, else why they do not and what to do: `{title, text}`. */
export function obstacle() {
  const { hostname, origin } = location;
  if (!globalThis.isSecureContext)
    return { title: t("obstacle.address"), text: t("obstacle.insecure", { address: origin }) };
  // 127.0.0.1 is a secure context, and yet no address that a passkey can be bound to.
  if (/^[\d.]+$|^\[/.test(hostname))
    return { title: t("obstacle.address"), text: t("obstacle.number", { host: hostname }) };
  if (!globalThis.PublicKeyCredential || !navigator.credentials)
    return { title: t("obstacle.browser"), text: t("obstacle.browser.text") };
  return null;
}

/** Can the browser offer passkeys while somebody types a name? */
export async function canAutofill() {
  if (obstacle()) return false;
  return (await PublicKeyCredential.isConditionalMediationAvailable?.()) ?? false;
}

async function makeCredential(options) {
  check();
  try {
    return credentialJson(await navigator.credentials.create({ publicKey: creationOptions(options) }));
  } catch (error) {
    throw inWords(error, "make");
  }
}

async function askForCredential(options, { signal, mediation } = {}) {
  check();
  try {
    const publicKey = requestOptions(options);
    return credentialJson(await navigator.credentials.get({ publicKey, signal, mediation }));
  } catch (error) {
    throw inWords(error, "use");
  }
}

function check() {
  const why = obstacle();
  if (why) throw new CeremonyError(`${why.title}. ${why.text}`);
}

function inWords(error, doing) {
  const name = error?.name ?? "unknown";
  if (name === "AbortError") return new CeremonyError(t("ceremony.aborted"), { silent: true });
  // The browser does not tell a refusal from a time-out, or from having no passkey: by design.
  if (name === "NotAllowedError" || name === "InvalidStateError")
    return new CeremonyError(t(`ceremony.${doing}.${name}`));
  if (name === "SecurityError") return new CeremonyError(t("ceremony.SecurityError", { address: location.origin }));
  if (name === "ConstraintError" || name === "NotSupportedError")
    return new CeremonyError(t("ceremony.NotSupportedError"));
  return new CeremonyError(t("ceremony.other", { name }));
}

function parse(text) {
  if (text === "") return null;
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function sentence(status, body, retryAfter) {
  const { code, error, details } = body;
  if (status === 0) return t("error.unreachable");
  if (status === 429) return t("error.rate_limited", { when: waiting(retryAfter) });
  if (code === "already_in_use") return taken(details?.fields?.[0]?.field) ?? finished(error);
  if (code === "passkey_ceremony_failed") return t("error.passkey_ceremony_failed", { reason: details?.reason ?? code });
  if (has(`error.${code}`)) return t(`error.${code}`);
  const [fault] = details?.fields ?? [];
  if (fault && has(`field.${fault.code}`)) return atField(fault);
  if (error) return finished(error);
  if (status === 502 || status === 503 || status === 504) return t("error.silent");
  return t("error.refused", { status });
}

function taken(field) {
  return has(`taken.${field}`) ? t(`taken.${field}`) : undefined;
}

/** From `Retry-After`: in seconds, as this server gives it. */
function waiting(retryAfter) {
  const seconds = Number.parseInt(retryAfter ?? "", 10);
  if (!Number.isFinite(seconds)) return t("error.later");
  if (seconds < 90) return t("error.inSeconds", { count: Math.max(seconds, 1) });
  const at = clockTime(new Date(Date.now() + seconds * 1000));
  return t("error.inMinutes", { count: Math.ceil(seconds / 60), at });
}

function fields(body) {
  const found = {};
  for (const fault of body.details?.fields ?? []) found[fault.field] = atField(fault);
  return found;
}

function atField(fault) {
  if (fault.code === "taken") return taken(fault.field) ?? finished(fault.message);
  return has(`field.${fault.code}`) ? t(`field.${fault.code}`, sizes(fault)) : finished(fault.message ?? fault.code);
}

/** Their numbers as this language writes them. */
function sizes(fault) {
  const shown = Object.entries(fault).map(([key, value]) => [key, typeof value === "number" ? number(value) : value]);
  return Object.fromEntries(shown);
}

/** With a capital and a full stop. */
function finished(text) {
  const trimmed = (text ?? "").trim();
  const capital = trimmed.charAt(0).toUpperCase() + trimmed.slice(1);
  return /[.!?]$/.test(capital) ? capital : `${capital}.`;
}
