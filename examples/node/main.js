// A small media server: setup, invitations, passkeys, a session per request, API keys, app passwords for players that know
// only name and password, a library that is not for everybody, and a WebSocket that closes when its session ends.
//
//     npm ci && node main.js id.db 8080
//
// KEYPLATE_PREFIX is where the library was installed, /usr/local otherwise. docs/hosts.md says what every host must do; the
// numbers in the comments are its own. Calls take well under a millisecond; only a commit waits for the disk.

import { renameSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import { WebSocketServer } from "ws";
import { KeyplateError, load } from "./keyplate.js";

const [path, port] = process.argv.slice(2);
if (!port) {
  console.error("usage: node main.js DATABASE PORT");
  process.exit(2);
}
const origin = `http://localhost:${port}`;
const prefix = process.env.KEYPLATE_PREFIX ?? "/usr/local";
const kp = load(`${prefix}/lib/libkeyplate.so`, `${prefix}/include/keyplate.h`);
const { numbers } = kp;

// 5. Cookies know no ports, so without https the name tells it. Over https it begins with `__Host-`.
const cookieName = (what) => `media-${port}-${what}`;

/** What this server itself answers, rather than the library. */
class Refusal extends Error {
  constructor(httpStatus, message) {
    super(message);
    this.httpStatus = httpStatus;
  }
}

const host = kp.within((own) => {
  const config = own(kp.config_new(path, origin));
  kp.listen(config, (kind, username) => console.log("event", kind, username));
  return kp.open(config);
});

// 1. Whoever runs the server gets the setup token. The library is open to everybody who is let in.
kp.within((own) => {
  if (kp.setup_state_get_stage(own(kp.get_setup_state(host))) === numbers.SETUP_STAGE_UNINITIALISED) {
    const created = own(kp.create_setup_token(host));
    console.log("setup token", kp.reveal(kp.created_setup_token_get_secret(created)));
    const library = own(kp.new_service_new("library"));
    kp.new_service_set_access(library, numbers.SERVICE_ACCESS_EVERYONE);
    try {
      own(kp.create_service(host, library));
    } catch (error) {
      if (error.name !== "conflict") throw error; // it is there from the last start
    }
  }
  const changes = own(kp.settings_changes_new());
  kp.settings_changes_set_signup_mode(changes, numbers.SIGNUP_MODE_WITH_TOKEN);
  own(kp.update_settings(host, changes));
});

// 10 and 11. Once a day: what has expired goes, and a copy is kept. `cp` would not make one.
function keepUp() {
  const fresh = `${path}.copy.new`;
  rmSync(fresh, { force: true });
  kp.within((own) => {
    own(kp.purge_expired(host));
    own(kp.back_up_to(host, fresh));
  });
  renameSync(fresh, `${path}.copy`);
}
keepUp();
const daily = setInterval(() => {
  try {
    keepUp();
  } catch (error) {
    console.error("upkeep:", error.message);
  }
}, 24 * 3600 * 1000);

// 2. Where a request came from. Behind a proxy of your own, its header instead.
function clientOf(request, own) {
  const client = own(kp.client_info_new());
  kp.client_info_set_address(client, request.socket.remoteAddress);
  kp.client_info_set_user_agent(client, request.headers["user-agent"] ?? null);
  return client;
}

const stranger = (request, own) => own(kp.anonymous(host, clientOf(request, own)));

// 3. Whoever asks: `enrolling` lets in who waits for approval, and is for the few routes that they need.
function letIn(request, own, enrolling = false) {
  const { authorization, "x-api-key": key, cookie, origin: from } = request.headers;
  const fromCookie = [false];
  const found = kp.found("find_credential", [authorization, key, cookie, cookieName("session")], fromCookie);
  // 6. A browser sends cookies by itself, also for a page of somebody else's.
  if (fromCookie[0] && request.method !== "GET" && from && from !== origin) {
    throw new Refusal(403, "from another site");
  }
  const credential = kp.bytes(found);
  const who = own(enrolling ? kp.authenticate_pending(host, ...credential) : kp.authenticate(host, ...credential));
  const principal = kp.authenticated_get_principal(who);
  return {
    principal,
    username: kp.str(kp.authenticated_get_username(who)),
    session: kp.str(kp.authenticated_get_session_id(who)),
    handle: own(kp.acting_as(host, principal, clientOf(request, own))),
  };
}

const sessionCookie = (signedIn, own) =>
  kp.reveal(own(kp.session_cookie_new(cookieName("session"), signedIn, false)));

/** The name of who has a new session, and its cookie; nothing where the former session goes on. */
const welcome = (signedIn, own) => ({
  text: `${signedIn ? kp.str(kp.user_get_username(kp.signed_in_get_user(signedIn))) : ""}\n`,
  cookie: signedIn ? sessionCookie(signedIn, own) : undefined,
});

function begun(ceremony, own) {
  own(ceremony);
  const value = kp.bytes(kp.str(kp.passkey_ceremony_get_ceremony(ceremony)));
  return {
    text: kp.str(kp.passkey_ceremony_get_options(ceremony)),
    cookie: kp.reveal(own(kp.cookie_new(cookieName("ceremony"), ...value, 600, false))),
  };
}

const cookieOf = (request, what) => kp.found("find_cookie", [request.headers.cookie ?? "", cookieName(what)]);
const ceremonyOf = (request) => cookieOf(request, "ceremony");

/** Each gets the request, `own`, its query and its body, and gives a text, or a text and a cookie, or nothing. */
const routes = {
  "GET /library": (request, own) => {
    const who = letIn(request, own);
    // 4. The library may be closed to them.
    const decision = own(kp.authorize(host, who.principal, "library"));
    if (!kp.decision_get_allowed(decision)) throw new Refusal(403, "the library is closed to them");
    return `films for ${who.username}\n`;
  },

  // A player that knows only name and password. Browsers are not asked for them.
  "GET /player": (request, own) => {
    const [scheme, encoded = ""] = (request.headers.authorization ?? "").split(" ");
    const [name, ...rest] = Buffer.from(encoded, "base64").toString().split(":");
    if (scheme.toLowerCase() !== "basic") throw new Refusal(401, "no name and password");
    const client = clientOf(request, own);
    const found = own(kp.verify_app_password(host, name, ...kp.bytes(rest.join(":")), "library", client));
    return `films for ${kp.str(kp.verified_app_password_get_username(found))}\n`;
  },

  "POST /app-passwords": (request, own) => {
    const password = own(kp.new_app_password_new("player"));
    kp.new_app_password_set_service(password, "library");
    const created = own(kp.create_app_password(letIn(request, own).handle, password));
    return kp.reveal(kp.created_app_password_get_secret(created));
  },

  "POST /keys": (request, own) => {
    const key = own(kp.new_api_key_new("player", ["library:stream"], 1));
    const created = own(kp.create_api_key(letIn(request, own).handle, key));
    return kp.reveal(kp.created_api_key_get_secret(created));
  },

  "POST /invitations": (request, own, query) => {
    const who = letIn(request, own);
    const invitation = own(kp.new_signup_token_new());
    const rule = query.has("approval") ? numbers.APPROVAL_RULE_NEEDED : numbers.APPROVAL_RULE_NOT_NEEDED;
    kp.new_signup_token_set_uses(invitation, own(kp.limit_new_at_most(1)));
    kp.new_signup_token_set_approval(invitation, rule);
    return kp.reveal(kp.created_signup_token_get_secret(own(kp.create_signup_token(who.handle, invitation))));
  },

  "POST /approvals": (request, own, query) => {
    const { handle } = letIn(request, own);
    const user = own(kp.find_user_by_username(handle, query.get("username") ?? ""));
    if (!user) throw new Refusal(404, "nobody of that name");
    own(kp.approve_user(handle, kp.str(kp.user_get_id(user))));
  },

  // 7. The session ends in the database, not only in the browser.
  "POST /sign-out": (request, own) => {
    const who = letIn(request, own, true);
    kp.revoke_session(who.handle, who.session);
    return { cookie: sessionCookie(null, own) };
  },

  "POST /setup": (request, own, query, body) => {
    const admin = own(kp.new_admin_new(query.get("username") ?? ""));
    return welcome(own(kp.claim_setup(stranger(request, own), ...kp.bytes(body), admin)), own);
  },

  "POST /passkey/login/begin": (request, own) => begun(kp.begin_passkey_login(stranger(request, own)), own),
  "POST /passkey/login/finish": (request, own, _, body) =>
    welcome(own(kp.finish_passkey_login(stranger(request, own), ceremonyOf(request), body)), own),

  "POST /passkey/signup/begin": (request, own, query, body) => {
    const signup = own(kp.new_signup_new(query.get("username") ?? ""));
    kp.new_signup_set_token(signup, own(kp.secret_new(...kp.bytes(body))));
    return begun(kp.begin_passkey_signup(stranger(request, own), signup), own);
  },
  "POST /passkey/signup/finish": (request, own, _, body) =>
    welcome(own(kp.finish_passkey_signup(stranger(request, own), ceremonyOf(request), body)), own),

  "POST /passkey/registration/begin": (request, own) =>
    begun(kp.begin_passkey_registration(letIn(request, own, true).handle), own),
  "POST /passkey/registration/finish": (request, own, _, body) => {
    const { handle } = letIn(request, own, true);
    const registered = own(kp.finish_passkey_registration(handle, ceremonyOf(request), body, null));
    return welcome(kp.passkey_registration_get_signed_in(registered), own);
  },

  // 8. When the library wants a fresh sign-in.
  "POST /passkey/step-up/begin": (request, own) => begun(kp.begin_step_up(letIn(request, own).handle), own),
  "POST /passkey/step-up/finish": (request, own, _, body) =>
    welcome(own(kp.finish_step_up(letIn(request, own).handle, ceremonyOf(request), body)), own),
};

// 9. The library's own status, with JSON for the page. The words are for the log.
function refuse(request, response, error) {
  console.error(request.method, request.url.split("?")[0], error.message);
  if (!(error instanceof KeyplateError)) {
    response.writeHead(error.httpStatus ?? 500).end();
    return;
  }
  if (error.retrySeconds > 0) response.setHeader("Retry-After", error.retrySeconds);
  response.writeHead(error.httpStatus).end(`${JSON.stringify({ error: error.name, reason: error.reason })}\n`);
}

async function bodyOf(request) {
  const parts = [];
  let length = 0;
  for await (const part of request) {
    length += part.length;
    if (length > 64 * 1024) throw new Refusal(413, "too long");
    parts.push(part);
  }
  return Buffer.concat(parts).toString();
}

const server = createServer(async (request, response) => {
  response.setHeader("Cache-Control", "no-store");
  const url = new URL(request.url, origin);
  try {
    const route = routes[`${request.method} ${url.pathname}`];
    if (!route) throw new Refusal(404, "no such route");
    const body = await bodyOf(request);
    const answer = kp.within((own) => route(request, own, url.searchParams, body)) ?? {};
    const { text = "", cookie } = typeof answer === "string" ? { text: answer } : answer;
    if (cookie) response.setHeader("Set-Cookie", cookie);
    response.writeHead(text === "" ? 204 : 200).end(text);
  } catch (error) {
    refuse(request, response, error);
  }
});

// 13. What stays open outlives the request that let it in. So the change feed is read, which tells what any process has
// changed: whenever something was, each socket's credential is looked at again. Once a minute without a change, too, since
// a session also ends by its own clock.
const sockets = new Map();
const upgrade = new WebSocketServer({ noServer: true });
server.on("upgrade", (request, socket, head) => {
  try {
    // A page of another site may open one, and the browser sends the cookie along.
    if (request.headers.origin !== undefined && request.headers.origin !== origin) throw new Refusal(403, "from another site");
    const credential = cookieOf(request, "session");
    kp.within((own) => own(kp.verify_session(host, ...kp.bytes(credential))));
    upgrade.handleUpgrade(request, socket, head, (opened) => {
      sockets.set(opened, credential);
      opened.on("message", (message) => opened.send(message.toString()));
      opened.on("close", () => sockets.delete(opened));
    });
  } catch (error) {
    socket.end(`HTTP/1.1 ${error.httpStatus ?? 500} Refused\r\nConnection: close\r\n\r\n`);
  }
});

const isOver = (credential) => {
  try {
    kp.within((own) => own(kp.verify_session(host, ...kp.bytes(credential))));
    return false;
  } catch (error) {
    // Anything else, such as a full disk, says nothing of the session.
    if (error.httpStatus === 401 || error.httpStatus === 403) return true;
    throw error;
  }
};

/** The ids of the rows after `after`, or of the newest row. */
function changes(after) {
  return kp.within((own) => {
    const query = own(kp.audit_query_new());
    if (after === undefined) kp.audit_query_set_limit(query, 1);
    else kp.audit_query_set_after(query, after);
    const page = own(kp.list_audit_events(host, query));
    const rows = Number(kp.audit_page_get_items_len(page));
    return Array.from({ length: rows }, (_, n) => kp.audit_event_get_id(kp.audit_page_get_items_at(page, n)));
  });
}

let seen = changes()[0] ?? 0;
let looked = Date.now();
let mustLook = false;
const feed = setInterval(() => {
  try {
    for (let rows = changes(seen); rows.length > 0; rows = changes(seen)) {
      seen = rows.at(-1);
      mustLook = true;
    }
    if (!mustLook && Date.now() - looked < 60_000) return;
    looked = Date.now();
    mustLook = false; // until a look fails, which is tried again at the next turn
    for (const [socket, credential] of sockets) if (isOver(credential)) socket.close(4001, "signed out");
  } catch (error) {
    console.error("feed:", error.message);
    mustLook = true;
  }
}, 500);

server.listen(port, "127.0.0.1", () => console.log("listening on", origin));

for (const signal of ["SIGINT", "SIGTERM"]) {
  process.on(signal, () => {
    clearInterval(daily);
    clearInterval(feed);
    for (const socket of sockets.keys()) socket.terminate();
    server.close(() => kp.free(host)); // what was used in memory is stored, and the file is closed
    server.closeIdleConnections();
  });
}
