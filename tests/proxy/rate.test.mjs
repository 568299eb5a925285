// How many requests a second go through nginx with and without the question, in one run. The figure is a ratio of this
// machine at this moment; it is printed and decides nothing, but for a service that became useless.

import assert from "node:assert/strict";
import { test } from "node:test";
import { World } from "./lib/world.mjs";

const REQUESTS = 1500;
const AT_ONCE = 16;
const OPEN = `
server {
    listen 444 ssl;
    server_name films.example;
    ssl_certificate /etc/nginx/tls/films.example.pem;
    ssl_certificate_key /etc/nginx/tls/films.example.key;

    location / {
        proxy_pass http://127.0.0.1:8096;
        proxy_set_header Host $http_host;
    }
}
`;

test("requests a second through nginx with and without the question", async (t) => {
  const world = await World.start("nginx", { more: OPEN });
  t.after(() => world.stop());
  const bob = await world.visitor().signIn("bob");
  assert.equal((await bob.open(`${world.films}/`)).status, 200);
  const rate = async (address) => {
    const began = process.hrtime.bigint();
    let left = REQUESTS;
    const one = async () => {
      while (left > 0) {
        left -= 1;
        assert.equal((await bob.ask(address)).status, 200);
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, one));
    return (REQUESTS * 1e9) / Number(process.hrtime.bigint() - began);
  };
  const rates = { with: [], without: [] };
  for (let turn = 0; turn < 3; turn += 1) {
    rates.without.push(await rate("https://films.example:444/"));
    rates.with.push(await rate("https://films.example/"));
  }
  const best = (list) => Math.round(Math.max(...list));
  const [asked, open] = [best(rates.with), best(rates.without)];
  t.diagnostic(`${asked} a second with the question, ${open} without: ${(asked / open).toFixed(2)}`);
  assert.ok(asked > open / 20, `${asked} ${open}`);
});
