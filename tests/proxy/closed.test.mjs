// What the printed files do by themselves: a proxy that gets no good answer lets nobody through.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { World } from "./lib/world.mjs";

for (const proxy of ["nginx", "caddy"]) {
  describe(proxy, () => {
    let world;
    before(async () => {
      world = await World.start(proxy);
    });
    after(() => world?.stop());

    test("the identity's own host is reached through it", async () => {
      const answer = await world.visitor().ask(`${world.identity}/healthz`);
      assert.equal(answer.status, 204);
    });

    test("a stranger does not reach the service", async () => {
      for (const path of ["/", "/a?b=c", "/.keyplate/question", "/.keyplate/../", "//evil.example/"]) {
        const answer = await world.visitor().ask(world.films + path);
        assert.notEqual(Math.floor(answer.status / 100), 2, `${path}: ${answer.status}`);
      }
      assert.deepEqual(world.filmsService.requests, []);
    });

    test("nobody does while the server is down, with whatever they send", async () => {
      const visitor = await world.visitor().signIn("bob");
      await world.kill();
      for (const headers of [{}, { "Remote-User": "ann" }, { Authorization: "Bearer kp_ses_x" }]) {
        const answer = await visitor.ask(`${world.films}/`, { headers });
        assert.ok([500, 502].includes(answer.status), String(answer.status));
      }
      assert.deepEqual(world.filmsService.requests, []);
      await world.launch();
      assert.equal((await visitor.ask(`${world.identity}/healthz`)).status, 204);
    });
  });
}
