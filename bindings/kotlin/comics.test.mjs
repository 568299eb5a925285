// The comic library of examples/kotlin in Chromium: set-up, an invitation, passkeys, the protected route, an app password, and
// somebody who waits for approval. COMICS_CLASS_PATH is the class path of the example; playwright-core is that of tests/web.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../..", import.meta.url));
const { chromium } = await import(new URL("../../tests/web/node_modules/playwright-core/index.mjs", import.meta.url));
const DEVICE = {
  protocol: "ctap2",
  transport: "internal",
  hasResidentKey: true,
  hasUserVerification: true,
  isUserVerified: true,
  automaticPresenceSimulation: true,
};
const PATIENCE = 45_000;
let folder, server, browser, port, output;

const freePort = () =>
  new Promise((found) => {
    const socket = createServer().listen(0, "127.0.0.1", () => {
      const { port } = socket.address();
      socket.close(() => found(port));
    });
  });

/** The first match in what the server has written. */
async function written(pattern) {
  const end = Date.now() + PATIENCE;
  while (Date.now() < end) {
    const match = pattern.exec(output);
    if (match) return match;
    assert.equal(server.exitCode, null, output);
    await new Promise((wake) => setTimeout(wake, 50));
  }
  assert.fail(`no ${pattern} in: ${output}`);
}

before(async () => {
  folder = await mkdtemp(join(tmpdir(), "comics-"));
  port = await freePort();
  output = "";
  const command = ["-cp", process.env.COMICS_CLASS_PATH, "org.keyplate.example.Comics", folder, String(port), root];
  server = spawn("java", command, { stdio: ["ignore", "pipe", "pipe"] });
  for (const stream of [server.stdout, server.stderr]) stream.on("data", (text) => (output += text));
  await written(/comics: /);
  browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    headless: true,
    args: ["--no-sandbox", "--disable-gpu"],
  });
});

after(async () => {
  await browser?.close();
  server?.kill();
  await rm(folder, { recursive: true, force: true });
});

/** Somebody with a browser and a device of their own. */
async function arrive(link) {
  const context = await browser.newContext();
  const page = await context.newPage();
  page.setDefaultTimeout(PATIENCE);
  const session = await context.newCDPSession(page);
  await session.send("WebAuthn.enable");
  await session.send("WebAuthn.addVirtualAuthenticator", { options: DEVICE });
  await page.goto(link ?? `http://localhost:${port}/`);
  return page;
}

const said = (page, text) => page.getByRole("status").filter({ hasText: text }).waitFor();

async function enter(page, name) {
  await page.getByLabel("Name").fill(name);
  await page.locator("#enter").click();
}

async function result(page, button) {
  await page.getByRole("button", { name: button, exact: true }).click();
  await said(page, "Done.");
  return page.locator("#result").innerText();
}

const feed = (name, secret) =>
  fetch(`http://localhost:${port}/feed`, { headers: { authorization: `Basic ${Buffer.from(`${name}:${secret}`).toString("base64")}` } });

let ann, bob;

test("the first administrator comes by the link, and has a passkey", async () => {
  assert.equal((await fetch(`http://localhost:${port}/comics`)).status, 401);
  ann = await arrive((await written(/set-up: (\S+)/))[1]);
  await enter(ann, "ann");
  await said(ann, "Welcome, ann.");
  assert.deepEqual(await ann.locator("#comics li").allInnerTexts(), ["Little Nemo", "Krazy Kat", "Gasoline Alley"]);
});

test("an invitation works once, and its guest signs in again by a passkey alone", async () => {
  const link = await result(ann, "Invite");
  bob = await arrive(link);
  await enter(bob, "bob");
  await said(bob, "Welcome, bob.");
  await bob.getByRole("button", { name: "Sign out" }).click();
  await bob.getByRole("button", { name: "Sign in with a passkey" }).click();
  await said(bob, "Welcome, bob.");
  const late = await arrive(link);
  await enter(late, "carl");
  await said(late, "401 INVALID_CREDENTIAL");
});

test("a guest cannot invite", async () => {
  await bob.getByRole("button", { name: "Invite", exact: true }).click();
  await said(bob, "403 PERMISSION_DENIED");
});

test("a tablet reads with an app password", async () => {
  const secret = await result(bob, "Password for a tablet");
  const answer = await feed("bob", secret);
  assert.equal(answer.status, 200);
  assert.match(await answer.text(), /^For bob:\nLittle Nemo/);
  const wrong = await feed("bob", "0000-0000-0000-0000");
  assert.equal(wrong.status, 401);
  assert.equal(wrong.headers.get("www-authenticate"), 'Basic realm="comics"');
});

test("who waits for approval gets 403, until they are approved", async () => {
  const dora = await arrive(await result(ann, "Invite, with approval"));
  await enter(dora, "dora");
  await said(dora, "403 ACCOUNT_PENDING");
  const status = () => dora.evaluate(async () => (await fetch("/comics")).status);
  assert.equal(await status(), 403);
  const approved = await ann.evaluate(async () => {
    const response = await fetch("/approvals", { method: "POST", body: new URLSearchParams({ username: "dora" }) });
    return response.status;
  });
  assert.equal(approved, 200);
  assert.equal(await status(), 200);
});

test("another site's page is refused, and the log hears of everything", async () => {
  const foreign = { method: "POST", headers: { origin: "https://elsewhere.example" } };
  assert.equal((await fetch(`http://localhost:${port}/sign-in/begin`, foreign)).status, 403);
  const readers = await ann.evaluate(async () => (await (await fetch("/readers")).json()).readers);
  assert.deepEqual(readers.sort(), ["ann", "bob", "dora"]);
  await written(/event: USER_SIGNED_UP dora/);
});
