// Where to go after signing in: a path of this server, never another site.

import { to } from "../kit/calls.js";

export function nextPath(fallback = "/account") {
  const wanted = new URLSearchParams(location.search).get("next");
  if (!wanted || !wanted.startsWith("/")) return to(fallback);
  // `//evil.example` and `/\evil.example` are other hosts; only a parser can be trusted to tell.
  const url = URL.canParse(wanted, location.origin) ? new URL(wanted, location.origin) : null;
  return url && url.origin === location.origin ? to(url.pathname + url.search) : to(fallback);
}
