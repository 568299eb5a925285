// Traefik's questions, as its documentation of ForwardAuth and the source of Traefik 3 (pkg/middlewares/auth/forward.go) have
// them: a GET to the address with that address as its Host, the visitor's headers without those of the connection, and
// X-Forwarded-Method, -Proto, -Host, -Uri and -For set anew. Traefik itself is not in Debian.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { PAGE } from "./lib/visitor.mjs";
import { World } from "./lib/world.mjs";
import { printed } from "./lib/document.mjs";

/** RFC 2616, section 13.5.1, and what Traefik adds to it. */
const OF_THE_CONNECTION = ["connection", "keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade"];

describe("traefik", () => {
  let world, bob;
  before(async () => {
    // Somebody has to serve the way in; it is the same for all proxies.
    world = await World.start("caddy");
    bob = await world.visitor().signIn("bob");
    for (const service of [world.films, world.books]) assert.equal((await bob.open(`${service}/`)).status, 200);
  });
  after(() => world?.stop());

  /** What Traefik asks about this request, where its file says so. */
  function ask(visitor, address, { method = "GET", headers = {} } = {}) {
    const { host, hostname, pathname, search } = new URL(address);
    const slug = hostname.split(".")[0];
    const cookie = [...visitor.jar(hostname)].map(([name, value]) => `${name}=${value}`).join("; ");
    const sent = { ...headers, ...(cookie && { Cookie: cookie }) };
    const kept = Object.entries(sent).filter(([name]) => !OF_THE_CONNECTION.includes(name.toLowerCase()));
    const [, path] = printed("/etc/traefik/dynamic/films.yml").match(/address: http:\/\/127\.0\.0\.1:1411(\S+)/);
    return world.direct("GET", path.replace("films", slug), {
      headers: {
        ...Object.fromEntries(kept),
        Host: "127.0.0.1:1411",
        "X-Forwarded-Method": method,
        "X-Forwarded-Proto": "https",
        "X-Forwarded-Host": host,
        "X-Forwarded-Uri": pathname + search,
        "X-Forwarded-For": "203.0.113.9",
      },
    });
  }

  test("a stranger is sent to sign in, a program is told", async () => {
    const page = await ask(world.visitor(), `${world.films}/a?b=c`, { headers: PAGE });
    assert.equal(page.status, 302);
    assert.ok(page.headers.location.startsWith(`${world.films}/.keyplate/start?`), page.headers.location);
    assert.equal(new URL(page.headers.location).searchParams.get("path"), "/a?b=c");
    for (const method of ["GET", "POST", "OPTIONS", "HEAD"]) {
      const program = await ask(world.visitor(), `${world.films}/`, { method });
      assert.equal(program.status, 401, method);
      assert.equal(program.headers.location, undefined);
    }
    // Of a WebSocket's handshake Traefik leaves this.
    const headers = { ...PAGE, Connection: "Upgrade", Upgrade: "websocket", "Sec-WebSocket-Key": "x", "Sec-WebSocket-Version": "13" };
    assert.equal((await ask(world.visitor(), `${world.films}/`, { headers })).status, 401);
  });

  test("a friend passes, with all that the file copies; the service keeps its own cookies, and gets none of ours", async () => {
    bob.jar("films.example").set("theirs", "1");
    const answer = await ask(bob, `${world.films}/`, { headers: PAGE });
    assert.equal(answer.status, 200);
    const [, list] = printed("/etc/traefik/dynamic/films.yml").match(/authResponseHeaders:\n((?: +- \S+\n)+)/);
    for (const [, name] of list.matchAll(/- (\S+)/g)) assert.ok(name.toLowerCase() in answer.headers, name);
    assert.equal(answer.headers["remote-user"], "bob");
    assert.equal(answer.headers["remote-groups"], "friends");
    assert.equal(answer.headers.cookie, "theirs=1");
    bob.jar("films.example").delete("theirs");
    const bare = await ask(bob, `${world.films}/`);
    assert.equal(bare.headers.cookie, "");
    assert.equal(bare.headers["cache-control"], "private, no-store");
  });

  test("who names themselves is refused", async () => {
    for (const name of ["Remote-User", "Remote_User", "Remote-Anything"]) {
      assert.equal((await ask(bob, `${world.films}/`, { headers: { [name]: "ann" } })).status, 403, name);
    }
  });

  test("who may not, and who may no longer", async () => {
    const eve = await world.visitor().signIn("eve");
    assert.equal((await eve.open(`${world.books}/`)).status, 200);
    assert.equal((await ask(eve, `${world.books}/`)).status, 200);
    await world.setAccess("books", { isOpenToEveryone: false, userGroupIds: [] });
    const closed = await ask(eve, `${world.books}/`, { headers: PAGE });
    assert.equal(closed.status, 403);
    assert.match(closed.headers["content-type"], /^text\/html/);
    await world.setAccess("books", { isOpenToEveryone: true, userGroupIds: [] });
    await world.setGroups("bob", []);
    assert.equal((await ask(bob, `${world.films}/`)).status, 403);
    await world.setGroups("bob", ["friends"]);
    assert.equal((await ask(bob, `${world.films}/`)).status, 200);
    await world.disable("eve", true);
    assert.ok([401, 403].includes((await ask(eve, `${world.books}/`)).status));
    await bob.signOut();
    assert.equal((await ask(bob, `${world.films}/`)).status, 401);
    assert.equal((await ask(bob, `${world.books}/`)).status, 401);
  });

  test("another service's host, and the way in", async () => {
    const ann = await world.visitor().signIn("ann");
    assert.equal((await ann.open(`${world.films}/`)).status, 200);
    assert.equal((await ask(ann, `${world.films}:8443/`)).status, 403);
    assert.equal((await ask(ann, `${world.films}/.keyplate/start`)).status, 403);
    assert.equal((await ask(ann, `${world.films}/`)).status, 200);
  });
});
