// What somebody tries who wants into a service, or wants somebody else there under a wrong name.

import assert from "node:assert/strict";
import { after, before, beforeEach, describe, test } from "node:test";
import { PAGE } from "./lib/visitor.mjs";
import { World } from "./lib/world.mjs";

const HEADERS = ["remote-user", "remote-name", "remote-email", "remote-groups", "remote-token"];

for (const proxy of ["nginx", "caddy"]) {
  describe(proxy, () => {
    let world, bob;
    before(async () => {
      world = await World.start(proxy);
      bob = await world.visitor().signIn("bob");
      assert.equal((await bob.open(`${world.films}/`)).status, 200);
    });
    after(() => world?.stop());
    beforeEach(() => {
      world.filmsService.requests = [];
      world.booksService.requests = [];
    });

    test("who names themselves is refused, or their header does not arrive", async () => {
      for (const name of ["Remote-User", "remote-user", "Remote_User", "Remote-Groups", "Remote_Groups", "Remote-Anything"]) {
        for (const visitor of [bob, world.visitor()]) {
          const answer = await visitor.ask(`${world.films}/`, { headers: { [name]: "ann" } });
          // nginx drops what has an underscore, Caddy's file what begins with ours; the rest this server refuses.
          const isDropped = name.includes("_") === (proxy === "nginx");
          const passes = visitor === bob ? 200 : 401;
          assert.equal(answer.status, isDropped ? passes : 403, name);
        }
      }
      for (const { headers } of world.filmsService.requests) {
        assert.equal(headers["remote-user"], "bob");
        assert.equal(headers["remote-groups"], "friends");
        const ours = Object.keys(headers).filter((header) => header.replaceAll("_", "-").startsWith("remote-"));
        assert.ok(ours.every((header) => HEADERS.includes(header)), ours.join(" "));
        assert.ok(!Object.values(headers).includes("ann"));
      }
    });

    test("what a client says of its host, path and address changes nothing", async () => {
      for (const headers of [
        { "X-Forwarded-Host": "books.example" },
        { "X-Forwarded-Uri": "/free" },
        { "X-Forwarded-Method": "OPTIONS" },
        { "X-Forwarded-Proto": "http" },
        { "X-Original-URL": "https://books.example/" },
        { "X-Original-Method": "OPTIONS" },
        { "X-Forwarded-For": "127.0.0.1" },
        { Forwarded: "for=127.0.0.1;host=books.example" },
      ]) {
        const stranger = await world.visitor().ask(`${world.films}/`, { headers: { ...PAGE, ...headers } });
        assert.equal(stranger.status, 302, JSON.stringify(headers));
        assert.ok(stranger.to.startsWith(`${world.films}/.keyplate/start?`), stranger.to);
        assert.equal(new URL(stranger.to).searchParams.get("path"), "/");
        const friend = await bob.ask(`${world.films}/`, { headers });
        assert.equal(friend.status, 200, JSON.stringify(headers));
        const page = await bob.open(`${world.books}/`, { headers });
        assert.equal(page.status, 200, JSON.stringify(headers));
      }
    });

    /** A question as the proxy puts it, with what differs. */
    function ask(slug, { host = "films.example", uri = "/", from, headers = {}, cookie } = {}) {
      const told =
        proxy === "nginx"
          ? { "X-Original-Method": "GET", "X-Original-URL": `https://${host}${uri}` }
          : { "X-Forwarded-Method": "GET", "X-Forwarded-Proto": "https", "X-Forwarded-Host": host, "X-Forwarded-Uri": uri };
      if (cookie) told.Cookie = cookie;
      return world.direct("GET", `/api/forward-auth/${proxy}/${slug}`, { headers: { ...told, ...headers }, from });
    }
    const cookies = (visitor, host) => [...visitor.jar(host)].map(([name, value]) => `${name}=${value}`).join("; ");

    test("only a proxy that is configured may ask", async () => {
      const cookie = cookies(bob, "films.example");
      assert.equal((await ask("films", { cookie })).status, 200);
      assert.equal((await ask("films", { cookie, from: "198.51.100.7" })).status, 403);
      const headers = { "X-Forwarded-For": "127.0.0.1" };
      assert.equal((await ask("films", { cookie, headers, from: "198.51.100.7" })).status, 403);
    });

    test("and nobody through it, under the identity's own name", async () => {
      const headers = { "X-Original-Method": "GET", "X-Original-URL": `${world.films}/` };
      const cookie = { Cookie: cookies(bob, "films.example") };
      const visitor = world.visitor();
      const answer = await visitor.ask(`${world.identity}/api/forward-auth/${proxy}/films`, { headers: { ...headers, ...cookie } });
      assert.equal(answer.status, 404);
    });

    test("nor does another service's slug go with this host, or its session with another", async () => {
      assert.equal((await bob.open(`${world.books}/`)).status, 200);
      const [films, books] = [cookies(bob, "films.example"), cookies(bob, "books.example")];
      for (const cookie of [films, books]) {
        assert.equal((await ask("books", { cookie, host: "films.example" })).status, 403);
        assert.equal((await ask("films", { cookie, host: "books.example" })).status, 403);
        assert.equal((await ask("films", { cookie, host: "films.example:8443" })).status, 403);
        assert.equal((await ask("nothing", { cookie })).status, 403);
        const bare = { headers: { Cookie: cookie } };
        assert.equal((await world.direct("GET", `/api/forward-auth/${proxy}/films`, bare)).status, 403);
        assert.equal((await world.direct("GET", "/api/forward-auth/apache/films", bare)).status, 404);
      }
      assert.equal((await ask("films", { cookie: books })).status, 401);
      assert.equal((await ask("books", { cookie: films, host: "books.example" })).status, 401);
    });

    test("a question about the way in is never answered by yes", async () => {
      const cookie = cookies(bob, "films.example");
      for (const uri of [
        "/.keyplate",
        "/.keyplate/",
        "/.keyplate/start?a",
        "/.keyplate/x",
        "//.keyplate/x",
        "/a/../.keyplate/x",
        "/%2ekeyplate/x",
        "/%252ekeyplate/x",
        "/.KeyPlate/x",
      ]) {
        const answer = await ask("films", { uri, cookie });
        assert.equal(answer.status, 403, `${uri}: ${answer.status}`);
      }
      for (const path of ["/.keyplate/x", "/%2ekeyplate/x", "/.keyplate/question", "/.KEYPLATE/x", "/.keyplate"]) {
        const answer = await bob.ask(world.films + path);
        // nginx itself adds a slash to the last.
        assert.notEqual(Math.floor(answer.status / 100), 2, `${path}: ${answer.status}`);
      }
      const question = await bob.ask(`${world.films}/.keyplate/question`);
      assert.equal(question.status, 404);
      assert.deepEqual(world.filmsService.requests, []);
    });

    test("nothing else of the server is answered on a service's host", async () => {
      for (const path of ["/.keyplate/start?service=books&path=/", "/api/users/me", "/signin", "/account", "/api/webauthn/login/start", "/.well-known/jwks.json"]) {
        const answer = await world.direct("GET", path, { headers: { Host: "films.example" } });
        assert.equal(answer.status, 421, path);
      }
    });

    test("nobody is sent to another site", async () => {
      for (const path of [
        "https://evil.example/",
        "//evil.example/",
        "/\\evil.example/",
        "\\\\evil.example/",
        "/%2f%2fevil.example/",
        "%2f%2fevil.example/",
        "/%5cevil.example/",
        "///evil.example",
        "/\t/evil.example/",
        "/\n/evil.example/",
        "javascript:alert(1)",
        "@evil.example/",
        ".evil.example/",
        ":80@evil.example/",
      ]) {
        const start = `${world.films}/.keyplate/start?service=films&path=${encodeURIComponent(path)}`;
        const answers = await bob.walk(start);
        for (const { address } of answers) {
          assert.ok([world.films, world.identity].includes(new URL(address).origin), `${path}: ${address}`);
        }
        assert.equal(new URL(answers.at(-1).address).origin, world.films, path);
        assert.doesNotMatch(answers.at(-1).headers.location ?? "", /evil/);
      }
      for (const origin of ["https://evil.example", "https://films.example@evil.example", "https://films.example.evil.example"]) {
        const query = new URLSearchParams({ service: "films", origin, challenge: "A".repeat(43), path: "/" });
        const answer = await bob.ask(`${world.identity}/enter?${query}`, { headers: PAGE });
        assert.ok(answer.status >= 400, `${origin}: ${answer.status} ${answer.to}`);
      }
      const elsewhere = await bob.ask(`${world.identity}/signin?next=${encodeURIComponent("https://evil.example")}`);
      assert.equal(elsewhere.status, 200);
    });

    /** Somebody begins, and stops where the ticket would be used. */
    async function ticket(visitor, service = world.films) {
      const slug = new URL(service).hostname.split(".")[0];
      let answer = await visitor.ask(`${service}/.keyplate/start?service=${slug}&path=/`, { headers: PAGE });
      answer = await visitor.ask(answer.to, { headers: PAGE });
      assert.match(answer.to, /\/\.keyplate\/enter\?ticket=/);
      return answer.to;
    }
    const session = (visitor, host = "films.example") => visitor.jar(host).get("__Host-keyplate-service");

    test("a ticket is good once", async () => {
      const visitor = await world.visitor().signIn("bob");
      const to = await ticket(visitor);
      assert.equal((await visitor.ask(to, { headers: PAGE })).status, 302);
      const before = session(visitor);
      assert.ok(before);
      assert.ok((await visitor.ask(to, { headers: PAGE })).status >= 400);
      assert.equal(session(visitor), before);
    });

    test("not late", async () => {
      const visitor = await world.visitor().signIn("bob");
      const to = await ticket(visitor);
      await world.sql("UPDATE service_tickets SET expires_at = expires_at - 31000");
      assert.ok((await visitor.ask(to, { headers: PAGE })).status >= 400);
      assert.equal(session(visitor), undefined);
    });

    test("not on another service's host", async () => {
      const visitor = await world.visitor().signIn("bob");
      const to = await ticket(visitor);
      // Even if the same nonce were there.
      const nonce = "__Host-keyplate-nonce";
      visitor.jar("books.example").set(nonce, visitor.jar("films.example").get(nonce));
      const elsewhere = to.replace(world.films, world.books);
      assert.ok((await visitor.ask(elsewhere, { headers: PAGE })).status >= 400);
      assert.equal(session(visitor, "books.example"), undefined);
      assert.equal((await visitor.ask(to, { headers: PAGE })).status, 302);
    });

    test("and not in another browser: nobody is signed in as somebody else by a link", async () => {
      const attacker = await world.visitor().signIn("bob");
      const to = await ticket(attacker);
      const victim = world.visitor();
      assert.ok((await victim.ask(to, { headers: PAGE })).status >= 400);
      assert.equal(session(victim), undefined);
      // Nor where the victim has begun by themselves.
      const begun = await world.visitor().signIn("ann");
      await ticket(begun);
      assert.ok((await begun.ask(to, { headers: PAGE })).status >= 400);
      assert.equal(session(begun), undefined);
      assert.equal((await attacker.ask(to, { headers: PAGE })).status, 302);
    });

    test("a key that is good for more than this service is refused: the service would see it", async () => {
      const by = async (key, address) => {
        const bearer = await world.visitor().ask(address, { headers: { Authorization: `Bearer ${key}` } });
        const header = await world.visitor().ask(address, { headers: { "X-API-Key": key } });
        assert.equal(bearer.status, header.status);
        return bearer.status;
      };
      assert.equal(await by(world.key, `${world.films}/api`), 403);
      assert.equal(await by(world.wideKey, `${world.films}/api`), 403);
      assert.deepEqual(world.filmsService.requests, []);
      assert.equal(await by(world.filmsKey, `${world.films}/api`), 200);
      assert.equal(world.filmsService.requests[0].headers["remote-user"], "ann");
      assert.equal(await by(world.filmsKey, `${world.books}/api`), 403);
    });

    test("the identity's own session passes nowhere", async () => {
      const token = bob.jar("id.example").get("__Host-access_token");
      for (const headers of [{ Authorization: `Bearer ${token}` }, { "X-API-Key": token }, { Cookie: `__Host-keyplate-service=${token}` }]) {
        const answer = await world.visitor().ask(`${world.films}/`, { headers });
        assert.ok([401, 403].includes(answer.status), String(answer.status));
      }
      assert.deepEqual(world.filmsService.requests, []);
      // And a service's session is none here.
      const answer = await world.direct("GET", "/api/users/me", { headers: { Authorization: `Bearer ${session(bob)}` } });
      assert.equal(answer.status, 401);
    });

    test("several cookies of our name, and many others: none of ours arrives", async () => {
      const own = cookies(bob, "films.example");
      for (const [sent, arrives] of [
        [`a=1; ${own}; b=2`, "a=1; b=2"],
        [`${own}; a=1`, "a=1"],
        [`a=1; ${own}`, "a=1"],
        [own, ""],
        [`a=1; ${own}; keyplate-service=x; b=2; keyplate-nonce=y`, /^(a=1; b=2)?$/],
        [`xkeyplate-service=1; ${own}`, "xkeyplate-service=1"],
      ]) {
        const answer = await world.visitor().ask(`${world.films}/`, { headers: { Cookie: sent } });
        assert.equal(answer.status, 200, sent);
        const arrived = answer.json.headers.cookie ?? "";
        if (arrives instanceof RegExp) assert.match(arrived, arrives);
        else assert.equal(arrived, arrives, sent);
      }
    });

    test("a service on another port of the same name closes both", async () => {
      const body = { slug: "other", name: "Other", origins: ["https://films.example:8443"], isOpenToEveryone: true };
      const other = await world.administrate("POST", "/api/services", body);
      assert.equal((await bob.ask(`${world.films}/`)).status, 403);
      assert.equal((await ask("other", { host: "films.example:8443" })).status, 403);
      await world.administrate("DELETE", `/api/services/${other.id}`);
      // What had been entered before is over, and whoever is signed in enters anew.
      assert.equal((await bob.ask(`${world.films}/`)).status, 401);
      assert.equal((await bob.open(`${world.films}/`)).status, 200);
      const identity = { slug: "own", name: "Own", origins: ["https://id.example:8443"], isOpenToEveryone: true };
      const made = await world.direct("POST", "/api/services", { headers: { "X-API-Key": world.key }, body: identity });
      if (made.status === 201) assert.equal((await ask("own", { host: "id.example:8443" })).status, 403);
    });

    test("a group's name cannot be two groups", async () => {
      const headers = { "X-API-Key": world.key };
      const body = { name: "friends,administrators", friendlyName: "Two" };
      assert.equal((await world.direct("POST", "/api/user-groups", { headers, body })).status, 400);
      const name = `Freunde & Łoś 100%`;
      await world.administrate("POST", "/api/user-groups", { name, friendlyName: "Friends of moose" });
      await world.setGroups("bob", ["friends", name]);
      const answer = await bob.ask(`${world.films}/`);
      const groups = Buffer.from(answer.json.headers["remote-groups"], "latin1").toString().split(",");
      assert.deepEqual(groups.map(decodeURIComponent).sort(), [name, "friends"].sort());
      await world.setGroups("bob", ["friends"]);
    });

    test("a clock that is wrong by minutes leaves pages open, and only the token out", async () => {
      assert.equal((await bob.open(`${world.books}/`)).status, 200);
      assert.notEqual((await bob.ask(`${world.books}/api`)).json.headers["remote-token"] ?? "", "");
      await world.sql("UPDATE instance SET last_time = last_time + 360000, commits = commits + 1");
      const answer = await bob.ask(`${world.books}/api`);
      assert.equal(answer.status, 200);
      assert.equal(answer.json.headers["remote-user"], "bob");
      assert.equal(answer.json.headers["remote-token"] ?? "", "");
    });
  });
}
