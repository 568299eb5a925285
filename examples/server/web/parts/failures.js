// What to say of whatever went wrong.

import { CeremonyError } from "./ceremony.js";
import { ApiError } from "./http.js";

/** The person decided against it: nothing to report. */
export class Cancelled extends Error {}

/** What to show of a failure; null if the person broke it off themselves. */
export function explain(error) {
  if (error instanceof Cancelled) return null;
  if (error instanceof CeremonyError) return error.silent ? null : error.message;
  if (error instanceof ApiError) return ceremonyRefusal(error) ?? error.message;
  console.error(error);
  return "This page ran into a mistake of its own. Reload it and try again.";
}

function ceremonyRefusal(error) {
  if (error.code !== "passkey_ceremony_failed") return null;
  const reason = error.details.reason ? ` (${error.details.reason})` : "";
  return `The server did not accept the passkey${reason}. Try again; if it stays, use another passkey.`;
}
