// What people do with a service behind each proxy: WebSockets, uploads, downloads, many requests at once, scripts.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { request } from "node:https";
import { after, before, describe, test } from "node:test";
import { promisify } from "node:util";
import { WebSocket } from "ws";
import { LARGE } from "./lib/service.mjs";
import { PAGE } from "./lib/visitor.mjs";
import { World } from "./lib/world.mjs";

const run = promisify(execFile);

for (const proxy of ["nginx", "caddy"]) {
  describe(proxy, () => {
    let world, bob;
    before(async () => {
      world = await World.start(proxy);
      bob = await world.visitor().signIn("bob");
      assert.equal((await bob.open(`${world.films}/`)).status, 200);
    });
    after(() => world?.stop());

    const cookie = (visitor) => [...visitor.jar("films.example")].map(([name, value]) => `${name}=${value}`).join("; ");
    const socket = (headers) => new WebSocket("wss://films.example/live", { rejectUnauthorized: false, headers });
    const next = async (web) => (await once(web, "message"))[0].toString();

    test("a WebSocket echoes, and stays open when its user is out; another is refused", async () => {
      const visitor = await world.visitor().signIn("bob");
      await visitor.open(`${world.films}/`);
      const web = socket({ Cookie: cookie(visitor) });
      const headers = JSON.parse(await next(web));
      assert.equal(headers["remote-user"], "bob");
      assert.equal(headers.cookie ?? "", "");
      web.send("one");
      assert.equal(await next(web), "echo one");
      await visitor.signOut();
      web.send("two");
      assert.equal(await next(web), "echo two");
      for (const headers of [{ Cookie: cookie(visitor) }, {}]) {
        const refused = socket(headers);
        const [error] = await once(refused, "error");
        assert.match(error.message, /401/);
      }
      web.close();
      await once(web, "close");
    });

    test("a POST with a body arrives whole", async () => {
      const body = randomBytes(700_000);
      const headers = { "Content-Type": "application/octet-stream", "Content-Length": body.length };
      const answer = await bob.ask(`${world.films}/upload`, { method: "POST", headers, body });
      assert.equal(answer.status, 200);
      assert.equal(answer.json.method, "POST");
      assert.equal(answer.json.length, body.length);
      assert.equal(answer.json.sha256, createHash("sha256").update(body).digest("hex"));
    });

    test("so does the answer to HEAD, without a body", async () => {
      const answer = await bob.ask(`${world.films}/large`, { method: "HEAD" });
      assert.equal(answer.status, 200);
      assert.equal(answer.text, "");
    });

    test("so does a download of 100 MB", async () => {
      const options = { rejectUnauthorized: false, headers: { Cookie: cookie(bob) } };
      const [answer] = await once(request(`${world.films}/large`, options).end(), "response");
      let length = 0;
      for await (const part of answer) length += part.length;
      assert.equal(answer.statusCode, 200);
      assert.equal(length, LARGE);
    });

    test("what the service answers itself stays as it is", async () => {
      const answer = await bob.ask(`${world.films}/own-401`, { headers: PAGE });
      assert.equal(answer.status, 401);
      assert.equal(answer.text, "the service's own");
    });

    test("a hundred requests with one expired session are sent to sign in once each; one sign-in serves all", async () => {
      const visitor = await world.visitor().signIn("bob");
      await visitor.open(`${world.films}/`);
      await visitor.signOut();
      world.filmsService.requests = [];
      const all = (headers) => Promise.all(Array.from({ length: 100 }, (_, i) => visitor.ask(`${world.films}/${i}`, { headers })));
      const pages = await all(PAGE);
      assert.deepEqual([...new Set(pages.map(({ status }) => status))], [302]);
      const calls = await all({});
      assert.deepEqual([...new Set(calls.map(({ status }) => status))], [401]);
      assert.deepEqual(world.filmsService.requests, []);
      // All of them begin, and each comes back to its own page.
      await visitor.signIn("bob");
      const ends = [];
      for (let at = 0; at < 100; at += 10) {
        ends.push(...(await Promise.all(pages.slice(at, at + 10).map(({ to }) => visitor.open(to)))));
      }
      assert.deepEqual(ends.map(({ address }) => address), pages.map((_, i) => `${world.films}/${i}`));
      assert.deepEqual([...new Set(ends.map(({ status }) => status))], [200]);
    });

    test("an app password for this service alone passes by curl -u, one for all does not", async () => {
      const make = async (body) => {
        const headers = { "Content-Type": "application/json", Origin: world.identity };
        const address = `${world.identity}/api/app-passwords`;
        const answer = await bob.ask(address, { method: "POST", headers, body: JSON.stringify(body) });
        assert.equal(answer.status, 201, answer.text);
        return answer.json.password;
      };
      const films = await world.find("services", "films");
      const curl = async (password, url) => {
        const line = ["--silent", "--insecure", "--user", `bob:${password}`, "--write-out", "\n%{http_code}", url];
        return (await run("curl", line)).stdout.split("\n").at(-1);
      };
      const one = await make({ name: "player", service: films.slug });
      assert.equal(await curl(one, `${world.films}/api`), "200");
      assert.equal(await curl(one, `${world.books}/api`), "401");
      const all = await make({ name: "everything" });
      assert.equal(await curl(all, `${world.films}/api`), "403");
      assert.equal(await curl("kp_app_wrong", `${world.films}/api`), "401");
    });
  });
}
