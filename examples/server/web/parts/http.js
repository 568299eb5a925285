// Requests to the server, and refusals as sentences that a person can do something with.

/** A refusal, or no answer at all (`status` 0). */
export class ApiError extends Error {
  constructor(status, body = {}, retryAfter = null) {
    super(sentence(status, body, retryAfter));
    this.name = "ApiError";
    this.status = status;
    this.code = body.code ?? "";
    this.details = body.details ?? {};
    /** By the field's name, what is wrong with it. */
    this.fields = fields(status, body);
    /** Is it worth trying the same again? */
    this.passes = status === 0 || status === 502 || status === 503 || status === 504;
  }
}

/** Sends a request and gives the JSON of its answer, or null where there is none. `status` tells 201 from 202. */
export async function exchange(method, path, body) {
  const init = { method, credentials: "same-origin", headers: { Accept: "application/json" }, redirect: "error" };
  if (method !== "GET") {
    init.headers["Content-Type"] = "application/json";
    init.body = JSON.stringify(body ?? {});
  }
  let response;
  try {
    response = await fetch(path, init);
  } catch {
    throw new ApiError(0);
  }
  const text = await response.text().catch(() => "");
  const json = parse(text);
  if (!response.ok) throw new ApiError(response.status, json ?? {}, response.headers.get("Retry-After"));
  return { status: response.status, body: json };
}

/** The same, for its JSON alone. For strangers' pages: nothing is repeated and nobody is sent elsewhere. */
export async function send(method, path, body) {
  return (await exchange(method, path, body)).body;
}

function parse(text) {
  if (text === "") return null;
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

// Codes for which there is more to say than the server's own words.
const SENTENCES = {
  not_signed_in: "You are not signed in.",
  user_disabled: "This account is disabled or has ended. Ask an administrator.",
  user_pending: "This account waits for approval by an administrator.",
  open_signup_disabled: "Sign-up is closed. Ask an administrator to let you in.",
  email_domain_not_allowed: "This e-mail address is not of a domain that may sign up here. Use another one.",
  last_administrator: "This is the last administrator who can sign in. Make somebody else an administrator first.",
  cross_origin:
    "The browser says that this request came from another site. Open the page at its own address and try again.",
  misdirected_request: "This server does not answer at this address. Open it at the address that it was set up with.",
  storage_unavailable:
    "The server cannot use its database at the moment. Nothing was changed; try again later, or tell who runs it.",
  internal_error: "Something went wrong on the server. Try again; if it stays, tell who runs it.",
  passkey_unknown: "This passkey is not known here, or no longer. Choose another one, or use a code.",
};

const TAKEN = {
  Username: ["username", "This username is taken. Choose another one."],
  Email: ["email", "Somebody has this e-mail address already. Use another one."],
  Name: ["name", "This name is taken. Choose another one."],
  Slug: ["slug", "This short name is taken. Choose another one."],
};

function sentence(status, body, retryAfter) {
  if (status === 0) return "The server cannot be reached. Check the connection and try again.";
  if (status === 429) return `Too many tries. Try again ${waiting(retryAfter)}.`;
  if (body.code === "busy") return "The server is busy at the moment. Nothing was changed; try again.";
  if (body.code === "already_in_use") return taken(body)?.[1] ?? finished(body.error);
  if (SENTENCES[body.code]) return SENTENCES[body.code];
  if (body.error) return finished(body.error);
  if (status === 502 || status === 504) return "The server does not answer at the moment. Try again.";
  return `The server refused this (${status}). Try again; if it stays, tell who runs it.`;
}

function taken(body) {
  const [subject] = (body.error ?? "").split(" is ");
  return TAKEN[subject];
}

/** From `Retry-After`: in seconds, as this server gives it. */
function waiting(retryAfter) {
  const seconds = Number.parseInt(retryAfter ?? "", 10);
  if (!Number.isFinite(seconds)) return "later";
  if (seconds < 90) return `in ${Math.max(seconds, 1)} seconds`;
  const at = new Date(Date.now() + seconds * 1000);
  const clock = at.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
  return `in ${Math.ceil(seconds / 60)} minutes, at ${clock}`;
}

function fields(status, body) {
  const found = {};
  for (const { field, message } of body.details?.fields ?? []) {
    // The sentence as a whole may say more, such as a unit.
    found[field] = atField(field, body.error?.startsWith(message) ? body.error : message);
  }
  // Which name is taken is said in words only.
  if (body.code === "already_in_use" && taken(body)) {
    const [field, text] = taken(body);
    found[field] = text;
  }
  return found;
}

/** The server's sentences begin with the field's name, which stands there already: `firstName` is “First name”. */
function atField(field, text) {
  const words = field.replace(/[A-Z]/g, (capital) => ` ${capital.toLowerCase()}`);
  const name = words.charAt(0).toUpperCase() + words.slice(1);
  const rest = text.startsWith(`${name} `) ? text.slice(name.length + 1) : text;
  return finished(/^(is|are|must|has|have|names) /.test(rest) ? `This ${rest}` : rest);
}

/** With a capital and a full stop. */
export function finished(text) {
  const trimmed = text.trim();
  const capital = trimmed.charAt(0).toUpperCase() + trimmed.slice(1);
  return /[.!?]$/.test(capital) ? capital : `${capital}.`;
}
