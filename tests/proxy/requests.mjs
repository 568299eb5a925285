// What the proxies let through, and what not, request by request.

import http from "node:http";

import { Jar, ask, check, open, place } from "./place.mjs";

const there = await place();
const { id, api, services } = there;
try {
  await story();
} finally {
  await there.end();
}

async function story() {
  const claimed = await api("POST", "/api/signup/setup", { username: "ann", token: there.token });
  const cookie = /=([^;]*)/.exec(claimed.headers["set-cookie"][0])[1];
  const made = await ask(`${id}/api/api-keys`, {
    method: "POST",
    headers: { Authorization: `Bearer ${cookie}`, "Content-Type": "application/json" },
    body: JSON.stringify({ name: "automation", expiresAt: "2099-12-31T23:59:59Z" }),
  });
  const key = made.json.token;
  const admin = async (method, to, body) => {
    const answer = await api(method, to, body, key);
    if (answer.status > 299) throw new Error(`${method} ${to}: ${answer.status} ${answer.text}`);
    return answer.json;
  };
  const friends = await admin("POST", "/api/user-groups", { name: "friends" });
  check("no group has a comma in its name", 400, (await api("POST", "/api/user-groups", { name: "a,administrators" }, key)).status);
  const percent = await admin("POST", "/api/user-groups", { name: "50%2C" });
  for (const [slug, service] of Object.entries(services)) {
    const body = { slug, origins: [service.origin], userGroupIds: [friends.id], wantsToken: slug === "films" };
    service.id = (await admin("POST", "/api/services", body)).id;
  }
  const person = async (username, groups = [friends.id]) => {
    const user = await admin("POST", "/api/users", { username, userGroupIds: groups, displayName: "Jörg B." });
    return { ...user, jar: await signIn(user) };
  };
  const signIn = async (user) => {
    const code = await admin("POST", `/api/users/${user.id}/one-time-access-token`, {});
    const jar = new Jar();
    await ask(`${id}/api/one-time-access-token/${code.token}`, { method: "POST", jar });
    return jar;
  };
  const replaced = async (user, changes) => {
    const body = await admin("GET", `/api/users/${user.id}`);
    await admin("PUT", `/api/users/${user.id}`, { ...body, ...changes });
  };
  const access = (slug, groups, everyone = false) =>
    admin("PUT", `/api/services/${services[slug].id}/access`, { isOpenToEveryone: everyone, userGroupIds: groups });

  for (const [proxy, first, second] of [
    ["nginx", "films", "library"],
    ["caddy", "music", "comics"],
  ]) {
    const [{ origin }, other] = [services[first], services[second]];
    const says = (what) => `${proxy}: ${what}`;
    const program = (to, options = {}) => ask(origin + to, options);

    // Strangers.
    const stranger = new Jar();
    const arrived = await open(`${origin}/watch?film=7`, stranger);
    check(says("a stranger is sent to the sign-in page"), `200 ${id}/signin`, `${arrived.status} ${arrived.url.split("?")[0]}`);
    check(says("a program gets 401 and is sent nowhere"), [401, null], [(await program("/")).status, (await program("/")).headers.location ?? null]);
    check(says("so does fetch in a page"), 401, (await program("/", { headers: { Accept: "text/html", "Sec-Fetch-Mode": "cors" } })).status);
    check(says("and a preflight"), 401, (await program("/", { method: "OPTIONS", headers: { Origin: "https://x.example" } })).status);
    check(says("and HEAD of a program"), 401, (await program("/", { method: "HEAD" })).status);

    // Back to the page asked for, and to the next service without another sign-in.
    const bob = await person(`bob-${proxy}`);
    const back = await open(`${origin}/watch?film=7&x=%2F%26`, bob.jar);
    check(says("a friend lands on the page asked for"), `200 ${origin}/watch?film=7&x=%2F%26`, `${back.status} ${back.url}`);
    const told = JSON.parse(/<pre>(.*)<\/pre>/.exec(back.text)[1]);
    const remote = (name) => Buffer.from(told.headers[name] ?? "", "latin1").toString();
    check(says("the service is told who it is"), ["bob-" + proxy, "Jörg B.", "", "friends"], ["user", "name", "email", "groups"].map((n) => remote(`remote-${n}`)));
    check(says("a token goes to the service that wants one"), first === "films", remote("remote-token").split(".").length === 3);
    check(says("no cookie of ours reaches the service"), false, /keyplate-service|access_token/.test(told.headers.cookie ?? ""));
    const next = await open(`${other.origin}/`, bob.jar);
    check(says("the next service asks for nothing"), `200 ${other.origin}/`, `${next.status} ${next.url}`);
    check(says("that one is told of no token"), undefined, JSON.parse(/<pre>(.*)<\/pre>/.exec(next.text)[1]).headers["remote-token"] || undefined);
    const again = await open(`${origin}/again`, bob.jar);
    check(says("afterwards each request passes at once"), 1, again.way.length);
    bob.jar.of(new URL(origin).hostname).set("theme", "dark");
    const mixed = await program("/", { jar: bob.jar });
    check(says("the service's own cookies stay"), "theme=dark", (mixed.json.headers.cookie ?? "").replace(/keyplate-nonce=[^;]*;? ?|;? ?keyplate-nonce=[^;]*/g, ""));

    // Uses.
    const posted = await program("/form", { method: "POST", jar: bob.jar, body: "a=b".repeat(10_000) });
    check(says("POST with its body"), ["POST", 30_000], [posted.json?.method, posted.json?.body.length]);
    check(says("HEAD"), 200, (await program("/", { method: "HEAD", jar: bob.jar })).status);
    check(says("100 MB"), 100_000_000, (await program("/film", { jar: bob.jar })).bytes.length);
    check(says("a WebSocket echoes"), "hello", await echoed(origin, bob.jar));
    check(says("and is closed to strangers"), 401, await echoed(origin, new Jar()));

    // Who is not let in reads that.
    const eve = await person(`eve-${proxy}`, []);
    const refused = await open(`${origin}/`, eve.jar);
    check(says("not in the group: a page with 403"), [403, true], [refused.status, refused.text.includes("You cannot open this page")]);
    await replaced(bob, { disabled: true });
    check(says("disabled while a page is open"), 403, (await program("/", { jar: bob.jar })).status);
    const disabled = await open(`${origin}/`, bob.jar);
    check(says("and the page says so"), [403, true], [disabled.status, disabled.text.includes("This account is disabled")]);
    const style = /href="(\/\.keyplate\/[^"]*\.css)"/.exec(disabled.text)[1];
    check(says("in the look of the pages"), 200, (await program(style)).status);
    await replaced(bob, { disabled: false });
    bob.jar = await signIn(bob);
    await open(`${origin}/`, bob.jar);
    await admin("PUT", `/api/users/${bob.id}/user-groups`, { userGroupIds: [] });
    check(says("out of the group: the next request"), 403, (await program("/", { jar: bob.jar })).status);
    await admin("PUT", `/api/users/${bob.id}/user-groups`, { userGroupIds: [friends.id, percent.id] });
    const groups = (await program("/", { jar: bob.jar })).json.headers["remote-groups"];
    check(says("nor does an escape become one"), "50%252C,friends", groups);
    await access(first, []);
    check(says("the service is closed"), 403, (await program("/", { jar: bob.jar })).status);
    await access(first, [friends.id]);

    await admin("PUT", "/api/application-configuration", { allowUserSignups: "open", signupRequiresApproval: true });
    const waiting = new Jar();
    await ask(`${id}/api/signup`, { method: "POST", jar: waiting, headers: { "Content-Type": "application/json" }, body: JSON.stringify({ username: `wait-${proxy}` }) });
    const pending = await open(`${origin}/`, waiting, { "Accept-Language": "de" });
    check(says("who waits for approval reads that, in their language"), [403, true], [pending.status, pending.text.includes("wartet auf Freigabe")]);

    // Attacks.
    for (const [name, expected] of [
      ["Remote-User", 403],
      ["remote-groups", 403],
      ["Remote-Anything", 403],
      // nginx leaves it out before it asks; an application would read it as the same.
      ["Remote_User", proxy === "nginx" ? "bob" : 403],
    ]) {
      const answer = await program("/", { jar: bob.jar, headers: { [name]: "ann" } });
      const told = answer.json?.headers ?? {};
      const who = told.remote_user ?? told["remote-user"]?.split("-")[0];
      check(says(`${name} from a client`), expected, who ?? answer.status);
    }
    const forged = {
      "X-Forwarded-Host": new URL(other.origin).host,
      "X-Forwarded-Proto": "https",
      "X-Forwarded-Uri": "/.keyplate/start",
      "X-Forwarded-Method": "OPTIONS",
      "X-Original-URL": `${other.origin}/`,
      "X-Original-Method": "OPTIONS",
      "X-Forwarded-For": "203.0.113.9",
    };
    check(says("forwarding headers of a client change nothing"), 200, (await program("/", { jar: bob.jar, headers: forged })).status);
    check(says("nor do they let a stranger in"), 401, (await program("/", { headers: forged })).status);
    for (const [path, expected] of [
      ["/.keyplate/nothing", 404],
      ["/%2ekeyplate/x", 404],
      ["//.keyplate/x", 404],
      ["/a/../.keyplate/x", 404],
    ]) {
      const status = (await raw(origin, path, bob.jar)).status;
      check(says(`${path} is never the service's`), true, [expected, 403, 421, 400].includes(status));
    }
    const host = new URL(origin).host;
    for (const evil of ["//evil.example", "/\\evil.example", "https://evil.example", "%2F%2Fevil.example", "/%09/evil.example", "javascript:alert(1)", "\\\\evil.example"]) {
      const start = `${origin}/.keyplate/start?${new URLSearchParams({ service: first, path: evil })}`;
      const led = await open(start, bob.jar);
      check(says(`back to ${evil} is back to the service`), host, new URL(led.url).host);
    }
    check(says("start for another service's slug"), 421, (await program(`/.keyplate/start?service=${second}&path=/`)).status);

    const victim = new Jar();
    const ticket = await ticketOf(bob.jar, first, origin);
    check(says("a ticket in a browser without the nonce"), 403, (await open(ticket, victim)).status);
    check(says("and nobody is signed in there"), 401, (await program("/", { jar: victim })).status);
    const elsewhere = ticket.replace(origin, other.origin);
    check(says("a ticket on another service's host"), 403, (await open(elsewhere, bob.jar)).status);
    check(says("a ticket in its own browser"), 200, (await open(ticket, bob.jar)).status);
    check(says("a ticket used twice"), 403, (await open(ticket, bob.jar)).status);

    const near = await admin("POST", "/api/services", { slug: `near-${first}`, origins: [`${origin.replace(/\d+$/, "9999")}`], isOpenToEveryone: true });
    check(says("a service on another port of the same name"), 403, (await program("/", { jar: bob.jar })).status);
    await admin("DELETE", `/api/services/${near.id}`);
    check(says("without it"), 200, (await program("/", { jar: bob.jar })).status);

    // Programs.
    const keyOf = async (scopes) => {
      const body = { name: "client", expiresAt: "2099-12-31T23:59:59Z", scopes };
      const headers = { Authorization: `Bearer ${cookie}`, "Content-Type": "application/json" };
      const made = await ask(`${id}/api/api-keys`, { method: "POST", headers, body: JSON.stringify(body) });
      if (!made.json?.token) throw new Error(made.text);
      return made.json.token;
    };
    await access(first, [], true);
    const [own, all, mixedKey] = [await keyOf([`${first}:view`]), await keyOf(["*"]), await keyOf([`${first}:view`, "users:read"])];
    check(says("an API key for this service"), 200, (await program("/", { headers: { "X-API-Key": own } })).status);
    check(says("as a bearer"), 200, (await program("/", { headers: { Authorization: `Bearer ${own}` } })).status);
    check(says("a key with *"), 403, (await program("/", { headers: { Authorization: `Bearer ${all}` } })).status);
    check(says("a key for more"), 403, (await program("/", { headers: { "X-API-Key": mixedKey } })).status);
    const password = async (service) => {
      const headers = { "Content-Type": "application/json", Cookie: bob.jar.header("id.localhost") };
      const body = JSON.stringify({ name: `${first} client ${service}`, service, expiresAt: "2090-01-01T00:00:00Z" });
      return ask(`${id}/api/app-passwords`, { method: "POST", headers, body });
    };
    const basic = (name, secret) => ({ Authorization: `Basic ${Buffer.from(`${name}:${secret}`).toString("base64")}` });
    const [forThis, forAll] = [await password(first), await password(undefined)];
    const name = `bob-${proxy}`;
    if (forThis.json?.password) {
      check(says("curl -u with its app password"), 200, (await program("/", { headers: basic(name, forThis.json.password) })).status);
      check(says("with one for all"), 403, (await program("/", { headers: basic(name, forAll.json.password) })).status);
    } else {
      check(says("an app password is made"), 201, `${forThis.status} ${forThis.text}`);
    }
    const wrong = await program("/", { headers: basic(name, "aaaa-aaaa-aaaa-aaaa") });
    check(says("with a wrong one"), [401, true], [wrong.status, /Basic/.test(wrong.headers["www-authenticate"])]);
    const inBrowser = await program("/", { headers: { "Sec-Fetch-Mode": "cors", Accept: "*/*" } });
    check(says("browsers are not asked for one"), [401, false], [inBrowser.status, /Basic/.test(inBrowser.headers["www-authenticate"] ?? "")]);
    await access(first, [friends.id]);

    // Signed out where they sign in: every service's next request.
    await open(`${other.origin}/`, bob.jar);
    check(says("signed in at both"), [200, 200], await Promise.all([origin, other.origin].map(async (at) => (await ask(`${at}/`, { jar: bob.jar })).status)));
    await ask(`${id}/api/webauthn/logout`, { method: "POST", jar: bob.jar });
    check(says("signed out at both"), [401, 401], await Promise.all([origin, other.origin].map(async (at) => (await ask(`${at}/`, { jar: bob.jar })).status)));
    const many = await Promise.all(
      Array.from({ length: 100 }, () => ask(`${origin}/part`, { jar: bob.jar, headers: { Accept: "text/html", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document" } })),
    );
    const one = many.every(({ status, headers }) => status === 302 && headers.location.includes("/.keyplate/start?"));
    check(says("100 requests with an ended session: one redirection each"), true, one);

    // What it costs, in the same run.
    bob.jar = await signIn(bob);
    await open(`${origin}/`, bob.jar);
    const through = await rate(() => ask(`${origin}/`, { jar: bob.jar }));
    const behind = services[first].behind;
    const direct = await rate(() => ask(`http://127.0.0.1:${behind}/`));
    console.log(`# ${proxy}: ${through} requests a second with forward auth (a debug build), ${direct} to the service itself`);
  }

  // Without a proxy.
  const question = (proxy, slug, headers, options = {}) =>
    ask(`${id}/api/forward-auth/${proxy}/${slug}`, { headers, ...options });
  const films = { "X-Original-URL": `${services.films.origin}/`, "X-Original-Method": "GET" };
  check("a peer that is no proxy", 403, (await question("nginx", "films", films, { localAddress: "127.0.0.2" })).status);
  check("another service's host", 403, (await question("nginx", "library", films)).status);
  check("an unknown service", 403, (await question("nginx", "none", films)).status);
  check("nothing asked", 403, (await question("nginx", "films", {})).status);
  check("an unknown proxy", 404, (await question("apache", "films", films)).status);
  const way = { ...films, "X-Original-URL": `${services.films.origin}/.keyplate/start` };
  check("a question about the way in", 403, (await question("nginx", "films", way)).status);
  check("another page under a service's host", 421, (await ask(`${id}/signin`, { headers: { Host: new URL(services.films.origin).host } })).status);

  // Traefik by what its documentation says that it sends: the host of the address, and five headers.
  await admin("POST", "/api/services", { slug: "tv", origins: ["https://tv.example"], userGroupIds: [friends.id] });
  const traefik = {
    Host: `127.0.0.1:${there.port}`,
    "X-Forwarded-Method": "GET",
    "X-Forwarded-Proto": "https",
    "X-Forwarded-Host": "tv.example",
    "X-Forwarded-Uri": "/live?channel=1",
    "X-Forwarded-For": "203.0.113.9",
  };
  const page = { Accept: "text/html", "Sec-Fetch-Mode": "navigate" };
  const asked = await question("traefik", "tv", { ...traefik, ...page });
  check("traefik: to the way in", "302 https://tv.example/.keyplate/start?service=tv&path=%2Flive%3Fchannel%3D1", `${asked.status} ${asked.headers.location}`);
  check("traefik: a program", 401, (await question("traefik", "tv", traefik)).status);
  check("traefik: a WebSocket", 401, (await question("traefik", "tv", { ...traefik, "X-Forwarded-Proto": "wss", "Sec-WebSocket-Key": "x", ...page })).status);
  const tia = await person("tia");
  const nonce = "n".repeat(43);
  const challenge = Buffer.from(await crypto.subtle.digest("SHA-256", Buffer.from(nonce))).toString("base64url");
  const query = new URLSearchParams({ service: "tv", origin: "https://tv.example", challenge, path: "/live?channel=1" });
  const sent = await ask(`${id}/enter?${query}`, { jar: tia.jar });
  const entering = new URL(sent.headers.location);
  const entered = await ask(id + entering.pathname + entering.search, {
    headers: { Host: "tv.example", "X-Forwarded-Proto": "https", Cookie: `__Host-keyplate-nonce=${nonce}` },
  });
  check("traefik: back to the page", "302 https://tv.example/live?channel=1", `${entered.status} ${entered.headers.location}`);
  const [set] = entered.headers["set-cookie"];
  check("traefik: a cookie of this host alone", true, /^__Host-keyplate-service=kp_svc_\w+; HttpOnly; SameSite=Lax; Secure; Path=\/; Max-Age=\d+$/.test(set));
  const passes = await question("traefik", "tv", { ...traefik, Cookie: set.split(";")[0] });
  check("traefik: let through, with all headers", [200, "tia", "", ""], [passes.status, passes.headers["remote-user"], passes.headers["remote-email"], passes.headers["remote-token"]]);
  check("traefik: never kept", "private, no-store", passes.headers["cache-control"]);
}

async function ticketOf(jar, service, origin) {
  const start = await ask(`${origin}/.keyplate/start?${new URLSearchParams({ service, path: "/" })}`, { jar });
  const entering = await ask(start.headers.location, { jar });
  return entering.headers.location;
}

/** As it stands: no path is tidied up on the way. */
function raw(origin, path, jar) {
  const { port, host } = new URL(origin);
  return new Promise((done, fail) => {
    const request = http.request({ host: "127.0.0.1", port, path, headers: { Host: host, Cookie: jar.header(host) } }, (response) => {
      response.resume();
      done({ status: response.statusCode });
    });
    request.on("error", fail);
    request.end();
  });
}

function echoed(origin, jar) {
  const { port, host } = new URL(origin);
  return new Promise((done, fail) => {
    const request = http.request({
      host: "127.0.0.1",
      port,
      headers: {
        Host: host,
        Cookie: jar.header(host),
        Connection: "Upgrade",
        Upgrade: "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": Buffer.from("0123456789abcdef").toString("base64"),
        Accept: "text/html",
      },
    });
    request.on("upgrade", (_, socket) => {
      socket.once("data", (data) => {
        socket.destroy();
        done(String(data));
      });
      socket.write("hello");
    });
    request.on("response", (response) => {
      response.resume();
      done(response.statusCode);
    });
    request.on("error", fail);
    request.end();
  });
}

async function rate(call) {
  const began = performance.now();
  for (let turn = 0; turn < 20; turn += 1) await Promise.all(Array.from({ length: 16 }, call));
  return Math.round(320_000 / (performance.now() - began));
}
