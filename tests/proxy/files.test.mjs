// The files on a service's page in the administration are those of docs/proxy.md, and those of Traefik ask as it does.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { printed } from "./lib/document.mjs";

const SOURCE = readFileSync(new URL("../../examples/server/web/admin/proxy-files.js", import.meta.url), "utf8");
const { proxyFiles } = await import(`data:text/javascript,${encodeURIComponent(SOURCE)}`);

const FILMS = {
  slug: "films",
  hosts: ["films.example"],
  identity: "id.example",
  authority: "id.example",
  keyplate: "127.0.0.1:1411",
  address: "127.0.0.1:8096",
};

test("the page's files are those that are printed and run", () => {
  const { nginx, caddy, traefik } = proxyFiles(FILMS);
  assert.equal(nginx.once, printed("/etc/nginx/conf.d/keyplate.conf"));
  assert.equal(nginx.each, printed("/etc/nginx/conf.d/films.conf"));
  assert.equal(`${caddy.once}\n${caddy.each}`, printed("/etc/caddy/Caddyfile"));
  assert.equal(traefik.once, printed("/etc/traefik/dynamic/keyplate.yml"));
  assert.equal(traefik.each, printed("/etc/traefik/dynamic/films.yml"));
});

test("what is said of the service and the server stands where it belongs", () => {
  const other = {
    slug: "my-books",
    hosts: ["books.example", "lib.example"],
    identity: "login.example",
    authority: "login.example:8443",
    keyplate: "10.0.0.2:80",
    address: "10.0.0.3:9000",
  };
  const { nginx, caddy, traefik } = proxyFiles(other);
  for (const file of [nginx.once, nginx.each, caddy.once, caddy.each, traefik.once, traefik.each]) {
    assert.doesNotMatch(file, /films|id\.example|127\.0\.0\.1|undefined/);
  }
  assert.match(nginx.each, /server_name books\.example lib\.example;/);
  assert.match(nginx.each, /proxy_set_header Host login\.example:8443;/);
  assert.match(caddy.each, /^books\.example, lib\.example \{$/m);
  assert.match(traefik.each, /rule: Host\(`books\.example`\) \|\| Host\(`lib\.example`\)$/m);
  assert.match(traefik.each, /rule: \(Host\(`books\.example`\) \|\| Host\(`lib\.example`\)\) && PathPrefix\(`\/\.keyplate\/`\)$/m);
});
