// The kit on the page of another application, and pages under a path of a proxy.

import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer, request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { allow, becomeAdministrator } from "./lib/begin.mjs";
import { launch, Person } from "./lib/person.mjs";
import { freePort, Server } from "./lib/server.mjs";

// What a host writes: its own page, plain HTML.
const PAGE = `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <title>Films</title>
    <link rel="icon" href="data:,">
    <link rel="stylesheet" href="/films.css">
    <script type="module" src="/auth/kit/elements.js"></script>
  </head>
  <body>
    <h1>Films</h1>
    <keyplate-sign-up next="/watch" sign-in="/"></keyplate-sign-up>
    <keyplate-sign-in next="/watch" sign-up="" code="/auth/code"></keyplate-sign-in>
  </body>
</html>`;
const STYLE = "keyplate-sign-in { --keyplate-accent: rgb(128, 0, 128); } keyplate-sign-in::part(heading) { color: red; }";

let browser, server, host, origin, ann;

before(async () => {
  browser = await launch();
  const port = await freePort();
  origin = `http://localhost:${port}`;
  server = await Server.start({ at: origin });
  host = createServer((asked, answer) => {
    if (asked.url === "/auth" || asked.url.startsWith("/auth/")) return pass(asked, answer);
    const files = { "/films.css": ["text/css", STYLE], "/watch": ["text/html", "<!doctype html><title>Watch</title>Watching"] };
    const [type, text] = files[asked.url] ?? ["text/html", PAGE];
    answer.writeHead(200, { "Content-Type": type });
    answer.end(text);
  }).listen(port, "127.0.0.1");
  await once(host, "listening");
  // Set-up happens under the path, too.
  server.link = server.link.replace("/setup#", "/auth/setup#");
  ann = await becomeAdministrator(browser, server);
  await allow(server, ann, { allowUserSignups: "open" });
});
after(async () => {
  await browser.close();
  host.close();
  host.closeAllConnections();
  await server.stop();
});

/** What a proxy does that has the server under a path. */
function pass(asked, answer) {
  const { method, url, headers } = asked;
  const path = url.slice("/auth".length) || "/";
  const sent = request({ host: "127.0.0.1", port: server.port, method, path, headers }, (reply) => {
    answer.writeHead(reply.statusCode, reply.headers);
    reply.pipe(answer);
  });
  sent.on("error", () => answer.destroy());
  asked.pipe(sent);
}

test("a page of another application signs up and in with the elements alone", async () => {
  const bob = await Person.arrive(browser, server, { baseURL: origin });
  await bob.open("/");
  const up = bob.page.locator("keyplate-sign-up");
  const within = bob.page.locator("keyplate-sign-in");
  await within.getByRole("button", { name: "Sign in with a passkey" }).waitFor();
  const style = (part) => part.evaluate((it) => getComputedStyle(it));
  assert.equal((await style(within.getByRole("heading"))).color, "rgb(255, 0, 0)");
  const button = within.getByRole("button", { name: "Sign in with a passkey" });
  assert.equal((await style(button)).backgroundColor, "rgb(128, 0, 128)");

  await up.getByLabel("Username").fill("bob");
  await up.getByRole("button", { name: "Create account with a passkey" }).click();
  await bob.isAt("/watch");
  await bob.keepHandsOff();
  await bob.context.clearCookies();
  await bob.touchAt("/?without-autofill");
  await bob.page.locator("keyplate-sign-in").getByRole("button", { name: "Sign in with a passkey" }).click();
  await bob.isAt("/watch");
  await bob.leave();
});

test("a host listens to events, says things otherwise, and may keep its visitor", async () => {
  const cem = await Person.arrive(browser, server, { baseURL: origin });
  await cem.open("/watch");
  await cem.page.evaluate(async () => {
    const { say } = await import("/auth/kit/elements.js");
    say({ "signUp.create": "Join the films" });
    document.addEventListener("keyplate-signed-up", (event) => {
      event.preventDefault();
      document.title = `Welcome, ${event.detail.user.username}`;
    });
    const element = document.createElement("keyplate-sign-up");
    element.setAttribute("next", "/");
    document.body.append(element);
  });
  await cem.seesHeading("Join the films");
  await cem.type("Username", "cem");
  await cem.press("Create account with a passkey");
  await cem.page.waitForFunction(() => document.title === "Welcome, cem");
  await cem.isAt("/watch");

  // Signed in, the other two elements show what is theirs.
  await cem.page.evaluate(() => document.body.replaceChildren(document.createElement("keyplate-account")));
  await cem.section("Profile").waitFor();
  await cem.section("Passkeys").getByRole("listitem").waitFor();
  await cem.page.evaluate(() => document.body.replaceChildren(document.createElement("keyplate-passkeys")));
  await cem.section("Passkeys").getByRole("button", { name: "Rename Passkey" }).click();
  await cem.type("Name", "Blue telephone");
  await cem.press("Save");
  await cem.row("Blue telephone").waitFor();
  await cem.leave();
});

test("the client alone has no page", async () => {
  const page = await (await browser.newContext({ baseURL: origin })).newPage();
  await page.goto("/watch");
  const found = await page.evaluate(async () => {
    const { Client } = await import("/auth/kit/client.js");
    const client = new Client({ base: "/auth" });
    return [await client.whoAmI(), (await client.settings()).allowUserSignups, customElements.get("keyplate-sign-in")];
  });
  assert.deepEqual(found.slice(0, 2), [null, "open"]);
  assert.equal(found[2], undefined);
  await page.context().close();
});

test("under a path all pages lead to each other", async () => {
  ann.complaints.splice(0);
  await ann.open("/auth/admin/users");
  await ann.sees("users");
  await ann.follow("Groups");
  await ann.isAt("/auth/admin/groups");
  await ann.page.reload();
  await ann.seesHeading("Groups");
  await ann.follow("Sign up");
  await ann.press("New invitation");
  await ann.press("Create invitation");
  const link = await ann.dialog().getByLabel("Link", { exact: true }).inputValue();
  assert.ok(link.startsWith(`${origin}/auth/signup#token=`), link);
  await ann.press("Done");
  await ann.open("/auth/nowhere/at/all");
  await ann.seesHeading("There is no such page");
  await ann.follow("Go to the start");
  await ann.isAt("/auth/account");
  await ann.keepHandsOff();
  await ann.press("Sign out");
  await ann.isAt("/auth/signin");
  await ann.touchAt("/auth/signin?next=%2Fadmin%2Faudit");
  await ann.isAt("/auth/admin/audit");
  await ann.leave();
});

test("own files take the place of the built-in ones", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "keyplate-own-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  await mkdir(join(folder, "parts"));
  await writeFile(join(folder, "parts/icon.svg"), '<svg xmlns="http://www.w3.org/2000/svg" id="own"/>');
  const own = await Server.start({ options: ["--web-dir", folder] });
  t.after(() => own.stop());
  const page = await (await browser.newContext({ baseURL: own.origin })).newPage();
  await page.goto("/signin");
  const icon = await page.locator("link[rel=icon]").evaluate((link) => link.href);
  assert.match(await (await page.request.get(icon)).text(), /id="own"/);
  await page.context().close();
});
