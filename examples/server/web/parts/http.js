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
    this.fields = fields(body);
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

// What is wrong with a field, by the code and the numbers that the server gives. Another language needs only this table.
const AT_FIELD = {
  required: () => "This is wanted.",
  missing: () => "This is wanted.",
  empty: () => "This must not be empty.",
  too_short: ({ least }) => `This must have at least ${least} characters.`,
  too_long: ({ most }) => `This must have at most ${most} characters.`,
  out_of_range: ({ least, most }) => `This must be between ${least} and ${most}.`,
  too_small: ({ least }) => `This must be at least ${least}.`,
  too_few: ({ least }) => `This must name at least ${least}.`,
  too_many: ({ most }) => `This must name at most ${most}.`,
  control_characters: () => "This must not contain invisible characters.",
  invisible_characters: () => "This must not contain invisible characters.",
  nothing_visible: () => "This must have something to be seen.",
  mixed_scripts: () => "This must not mix letters of different scripts.",
  not_normalised: () => "This must not begin or end with a blank, and must be typed in the usual way.",
  bad_ends: () => "This must begin and end with a letter or a digit.",
  not_username: () => "This may contain letters, digits and _ . @ - only.",
  not_email: () => "This is not an e-mail address.",
  not_language_tag: () => "This is not a language tag such as de-CH.",
  not_domain: () => "This must be a list of domains such as example.org.",
  not_slug: () => "This may contain small letters, digits and _ . - only, a letter first.",
  not_group_name: () => "This must not contain commas, nor begin or end with a blank.",
  not_claim_name: () => "A name has no blanks.",
  reserved: ({ name }) => `“${name}” is kept for something else.`,
  reserved_claim: ({ name }) => `“${name}” is kept for something else.`,
  duplicate: ({ name }) => `“${name}” stands there twice.`,
  duplicate_claim: ({ name }) => `“${name}” stands there twice.`,
  in_the_past: () => "This must lie in the future.",
  too_late: () => "This is too far away.",
  email_domain: () => "This is not of a domain that may sign up here.",
};

const TAKEN = {
  username: "This username is taken. Choose another one.",
  email: "Somebody has this e-mail address already. Use another one.",
  name: "This name is taken. Choose another one.",
  slug: "This short name is taken. Choose another one.",
};

function sentence(status, body, retryAfter) {
  if (status === 0) return "The server cannot be reached. Check the connection and try again.";
  if (status === 429) return `Too many tries. Try again ${waiting(retryAfter)}.`;
  if (body.code === "busy") return "The server is busy at the moment. Nothing was changed; try again.";
  if (body.code === "already_in_use") return TAKEN[body.details?.fields?.[0]?.field] ?? finished(body.error);
  if (SENTENCES[body.code]) return SENTENCES[body.code];
  if (body.error) return finished(body.error);
  if (status === 502 || status === 504) return "The server does not answer at the moment. Try again.";
  return `The server refused this (${status}). Try again; if it stays, tell who runs it.`;
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

function fields(body) {
  const found = {};
  for (const fault of body.details?.fields ?? []) {
    const taken = fault.code === "taken" ? TAKEN[fault.field] : undefined;
    found[fault.field] = taken ?? AT_FIELD[fault.code]?.(fault) ?? finished(fault.message);
  }
  return found;
}

/** With a capital and a full stop. */
export function finished(text) {
  const trimmed = text.trim();
  const capital = trimmed.charAt(0).toUpperCase() + trimmed.slice(1);
  return /[.!?]$/.test(capital) ? capital : `${capital}.`;
}
