// First run: from the link that the server prints to the first passkey.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { launch, Person } from "./lib/person.mjs";
import { Server } from "./lib/server.mjs";

let browser;
before(async () => {
  browser = await launch();
});
after(() => browser.close());

test("the link leads over the profile to a passkey, and shows the keys that were made before", async (t) => {
  const server = await Server.start();
  t.after(() => server.stop());
  const ann = await Person.arrive(browser, server);

  await ann.open(server.link);
  await ann.seesHeading("Set up this server");
  await ann.press("Continue");
  await ann.sees("Please fill this in.");
  await ann.type("Username", "ann");
  await ann.type("First name", "Ann");
  await ann.type("Last name", "Ahlberg");
  await ann.type("Email", "ann@mail.example");
  await ann.page.keyboard.press("Enter");
  await ann.seesHeading("Add your passkey");
  assert.equal(new URL(ann.page.url()).hash, "", "the token leaves the address");

  // A script that has the set-up session makes a key meanwhile.
  const cookie = (await ann.context.cookies()).find(({ name }) => name.endsWith("access_token"));
  const made = await server.ask("POST", "/api/api-keys", {
    session: cookie.value,
    body: { name: "automation", expiresAt: "2099-12-31T23:59:59Z" },
  });
  assert.equal(made.status, 201);
  const key = made.body.token;
  assert.equal((await server.ask("GET", "/api/users/me", { key })).status, 200);

  await ann.press("Add a passkey");
  await ann.seesHeading("Set-up is complete");
  assert.equal((await ann.passkeys()).length, 1);
  await ann.sees("These exist already");
  await ann.press("Revoke automation");
  await ann.press("Revoke key");
  await ann.row("automation").waitFor({ state: "detached" });
  assert.equal((await server.ask("GET", "/api/users/me", { key })).status, 401);

  await ann.follow("Go to your account");
  await ann.seesHeading("Your account");
  await ann.sees("You have one passkey, on one device");
  await ann.leave();
});
