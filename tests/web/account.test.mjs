// One's own account: passkeys, sessions, API keys, and when a fresh passkey is asked for.

import assert from "node:assert/strict";
import { after, afterEach, before, test } from "node:test";
import { allow, becomeAdministrator, signUp } from "./lib/begin.mjs";
import { launch, Person } from "./lib/person.mjs";
import { Server } from "./lib/server.mjs";

let browser, server, ann;
const guests = [];

before(async () => {
  browser = await launch();
  server = await Server.start();
  ann = await becomeAdministrator(browser, server);
  await allow(server, ann, { allowUserSignups: "open", openSignupsPerHour: 100 });
});
afterEach(async () => {
  ann.isContent();
  for (const guest of guests.splice(0)) await guest.leave();
});
after(async () => {
  await browser.close();
  await server.stop();
});

async function welcome(username) {
  const guest = await signUp(browser, server, username);
  guests.push(guest);
  return guest;
}

async function arrive(options) {
  const guest = await Person.arrive(browser, server, options);
  guests.push(guest);
  return guest;
}

test("a key made on the page works for a program until it is revoked", async () => {
  const kai = await welcome("kai");
  await kai.press("New API key");
  await kai.type("Name", "back-up");
  await kai.type("Note", "of every night");
  await kai.press("Create key");
  const shown = kai.dialog("API key “back-up”");
  const key = await shown.getByLabel("API key", { exact: true }).inputValue();
  await kai.press("Done");
  await kai.sees("never used", kai.row("back-up"));
  const me = await server.ask("GET", "/api/users/me", { key });
  assert.equal(me.body.username, "kai");

  await kai.press("Renew back-up");
  await kai.press("Renew");
  const renewed = await kai.dialog("API key “back-up”").getByLabel("API key", { exact: true }).inputValue();
  assert.notEqual(renewed, key);
  await kai.press("Done");
  // For a day both work.
  for (const either of [key, renewed]) {
    assert.equal((await server.ask("GET", "/api/users/me", { key: either })).status, 200);
  }

  await kai.press("Revoke back-up");
  await kai.press("Revoke key");
  await kai.sees("The key “back-up” is revoked.");
  await kai.sees("No API keys.");
  for (const either of [key, renewed]) {
    assert.equal((await server.ask("GET", "/api/users/me", { key: either })).status, 401);
  }
});

test("an administrator's old session is asked for the passkey, and the request goes on", async () => {
  await ann.open("/account");
  await server.age();
  await ann.press("New API key");
  await ann.type("Name", "automation");
  await ann.press("Create key");
  await ann.dialog("Confirm that it is you").waitFor();
  // First the person thinks better of it: the form is still there, as it was.
  await ann.press("Cancel");
  assert.equal(await (await ann.field("Name")).inputValue(), "automation");
  await ann.press("Create key");
  await ann.press("Confirm with passkey");
  const shown = ann.dialog("API key “automation”");
  const key = await shown.getByLabel("API key", { exact: true }).inputValue();
  await ann.press("Done");
  assert.equal((await server.ask("GET", "/api/users", { key })).status, 200);
  // Fresh now: the next one is made without a question.
  await ann.press("Revoke automation");
  await ann.press("Revoke key");
  await ann.sees("The key “automation” is revoked.");
  await ann.press("New API key");
  await ann.type("Name", "another");
  await ann.press("Create key");
  await ann.dialog("API key “another”").waitFor();
  await ann.press("Done");
});

test("a second passkey is added on another device, named, and the first one deleted", async () => {
  const lea = await welcome("lea");
  await lea.press("Add a passkey");
  await lea.sees("This device holds a passkey of yours for this account already.");
  await lea.changeDevice();
  await lea.press("Add a passkey");
  await lea.type("Name", "Blue telephone");
  await lea.press("Save");
  await lea.sees("The name is saved.");
  const passkeys = lea.section("Passkeys");
  await lea.row("Blue telephone", passkeys).waitFor();
  await lea.hears("signalAllAcceptedCredentials", ({ allAcceptedCredentialIds: ids }) => ids.length === 2);
  assert.equal(await passkeys.getByRole("listitem").count(), 2);
  await lea.row("Blue telephone", passkeys).getByRole("button", { name: "Rename Blue telephone" }).click();
  await lea.type("Name", "Green telephone");
  await lea.press("Save");
  await lea.row("Green telephone", passkeys).waitFor();

  const other = passkeys.getByRole("listitem").filter({ hasNotText: "Green telephone" });
  await other.getByRole("button", { name: /^Delete/ }).click();
  await lea.press("Delete passkey");
  await other.waitFor({ state: "detached" });
  await lea.hears("signalAllAcceptedCredentials", ({ allAcceptedCredentialIds: ids }) => ids.length === 1);

  // The last one stays, and nothing offers to delete it.
  await lea.sees("Your only one, so it stays.");
  assert.equal(await passkeys.getByRole("button", { name: /^Delete/ }).count(), 0);
  await lea.row("Green telephone", passkeys).waitFor();

  // What is left is enough to come in again.
  await lea.keepHandsOff();
  await lea.press("Sign out", { exact: true });
  await lea.isAt("/signin");
  await lea.touchAt("/signin");
  await lea.isAt("/account");
});

test("signing out everywhere else leaves this browser alone", async () => {
  const mia = await welcome("mia");
  const telephone = await arrive({ device: false });
  await telephone.open(`/code#${await server.code("mia")}`);
  await telephone.press("Sign in");
  await telephone.seesHeading("Your account");
  await mia.open("/account");
  const sessions = mia.section("Sessions");
  await mia.sees("2 sessions", sessions);
  await mia.press("Sign out everywhere else");
  await mia.press("Sign out everywhere else");
  await mia.sees("1 session", sessions);
  await mia.sees("this one", sessions);
  await telephone.press("Save");
  await telephone.isAt("/signin");
  await mia.press("Save");
  await mia.sees("Your profile is saved.");
});

test("a recovery code replaces a lost passkey", async () => {
  const noa = await welcome("noa");
  await noa.keepHandsOff();
  const anew = await arrive();
  await anew.open("/code");
  await anew.page.getByLabel("Code").pressSequentially(await server.code("noa", "--recovery"));
  await anew.press("Sign in");
  await anew.sees("Add a new passkey now");
  const passkeys = anew.section("Passkeys");
  assert.equal(await passkeys.getByRole("listitem").count(), 1);
  await anew.press("Add a passkey");
  await anew.type("Name", "The new one");
  await anew.press("Save");
  await anew.row("The new one", passkeys).waitFor();
  const lost = passkeys.getByRole("listitem").filter({ hasNotText: "The new one" });
  await lost.getByRole("button", { name: /^Delete/ }).click();
  await anew.press("Delete passkey");
  await lost.waitFor({ state: "detached" });
  assert.equal(await passkeys.getByRole("listitem").count(), 1);

  await noa.press("Save");
  await noa.isAt("/signin");
  await noa.touchAt("/signin?without-autofill");
  await noa.press("Sign in with a passkey");
  await noa.sees("This passkey is not known here, or no longer.");
});

test("who came by a code is asked for the passkey before changing passkeys", async () => {
  const olu = await welcome("olu");
  const [kept] = await olu.passkeys();
  const second = await arrive();
  await second.open(`/code#${await server.code("olu")}`);
  await second.press("Sign in");
  await second.seesHeading("Your account");
  await second.press("Add a passkey");
  await second.dialog("Confirm that it is you").waitFor();
  // On this device there is none: it says so, and stays.
  await second.press("Confirm with passkey");
  await second.sees("No passkey was used");
  await second.cdp.send("WebAuthn.addCredential", { authenticatorId: second.device, credential: kept });
  await second.press("Confirm with passkey");
  // The request goes on by itself: this device has a passkey by now, and that is what it says.
  await second.sees("This device holds a passkey of yours for this account already.");
});

test("a passkey that the administrator deleted is named as such, and the browser is told to forget it", async () => {
  const pia = await welcome("pia");
  await pia.keepHandsOff();
  await pia.press("Sign out", { exact: true });
  await pia.isAt("/signin");
  await ann.open("/admin/users");
  await ann.follow("pia");
  await ann.section("Ways in").getByRole("button", { name: /^Delete / }).click();
  await ann.press("Delete passkey");
  await ann.sees("No passkeys.");

  const [passkey] = await pia.passkeys();
  await pia.touchAt("/signin?without-autofill");
  await pia.press("Sign in with a passkey");
  await pia.sees("This passkey is not known here, or no longer. Choose another one, or use a code.");
  const told = pia.asked.filter(({ name }) => name === "signalUnknownCredential");
  assert.equal(told.length, 1);
  assert.deepEqual(told[0].payload, {
    rpId: "localhost",
    credentialId: Buffer.from(passkey.credentialId, "base64").toString("base64url"),
  });
});
