// Ways in for what has no browser, and for another device of one's own: a television, an app, a second phone.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { after, afterEach, before, test } from "node:test";
import { promisify } from "node:util";
import { allow, becomeAdministrator, sessionOf, signUp } from "./lib/begin.mjs";
import { startHost } from "../http/host.mjs";
import { look } from "./lib/look.mjs";
import { launch, Person } from "./lib/person.mjs";
import { Server } from "./lib/server.mjs";

const run = promisify(execFile);
const PHONE = { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true };
const GRANT = "urn:ietf:params:oauth:grant-type:device_code";

let browser, server, ann, key;
const guests = [];

before(async () => {
  browser = await launch();
  server = await Server.start();
  ann = await becomeAdministrator(browser, server);
  await allow(server, ann, { allowUserSignups: "open", openSignupsPerHour: 100 });
  const session = await sessionOf(ann);
  for (const body of [
    { slug: "music", name: "Music", isOpenToEveryone: true },
    { slug: "books", name: "Books" },
  ]) {
    assert.equal((await server.ask("POST", "/api/services", { session, body })).status, 201);
  }
  const body = { name: "music", expiresAt: "2099-12-31T23:59:59Z", scopes: ["app_passwords:verify"] };
  key = (await server.ask("POST", "/api/api-keys", { session, body })).body.token;
});
afterEach(async () => {
  ann.isContent();
  for (const guest of guests.splice(0)) await guest.leave();
});
after(async () => {
  await browser.close();
  await server.stop();
});

async function welcome(username, options) {
  const guest = await signUp(browser, server, username, options);
  guests.push(guest);
  return guest;
}

async function arrive(options) {
  const guest = await Person.arrive(browser, server, options);
  guests.push(guest);
  return guest;
}

/** What a device does that has no browser. */
class Device {
  static async begin(body = {}) {
    const device = new Device();
    const { status, body: begun } = await server.ask("POST", "/api/device/code", { body });
    assert.equal(status, 200, JSON.stringify(begun));
    device.code = begun.user_code;
    device.secret = begun.device_code;
    device.link = begun.verification_uri_complete;
    return device;
  }

  async poll() {
    const body = { grant_type: GRANT, device_code: this.secret };
    return (await server.ask("POST", "/api/device/token", { body })).body;
  }
}

test("a television's code is approved on a phone, by its link and by hand", async () => {
  const kai = await welcome("kai", PHONE);
  const television = await Device.begin({ client_name: "Television in the hall" });
  await kai.open("about:blank");
  await kai.open(television.link);
  assert.equal(await (await kai.field("Code")).inputValue(), television.code);
  await kai.sees("Compare it with what the device shows.");
  assert.deepEqual(await television.poll(), { error: "authorization_pending" });
  await kai.press("Continue");
  await kai.seesHeading("Let this device in?");
  for (const text of ["Television in the hall", television.code, "127.0.0.1", "You decide as kai.", "It will be signed in as you"]) {
    await kai.sees(text);
  }
  assert.equal(new URL(kai.page.url()).hash, "");
  await kai.press("Let it in");
  await kai.seesHeading("The device is let in");
  const given = await television.poll();
  const me = await server.ask("GET", "/api/users/me", { session: given.access_token });
  assert.equal(me.body.username, "kai");
  await kai.follow("Go to your account");
  await kai.sees("signed in with an approved device");

  // By hand, in small letters, and refused.
  const stranger = await Device.begin({ client_name: "Somebody's" });
  await kai.open("/device");
  await kai.type("Code", stranger.code.toLowerCase().replace("-", " "));
  await kai.press("Continue");
  await kai.press("Refuse");
  await kai.seesHeading("The device is refused");
  assert.deepEqual(await stranger.poll(), { error: "access_denied" });
  await kai.open("/device");
  await kai.type("Code", stranger.code);
  await kai.press("Continue");
  await kai.sees("This device has been decided on already.");
  await kai.type("Code", "0000-0000");
  await kai.press("Continue");
  await kai.sees("No device shows this code");
});

test("who is not signed in signs in first and keeps the code; a sign-in that is too old is shown a passkey again", async () => {
  const lea = await welcome("lea");
  const television = await Device.begin({ client_name: "Television" });
  await lea.open("about:blank");
  await lea.context.clearCookies();
  // Without an offer in the field, which would sign her in by itself.
  await lea.open(`/device?without-autofill#${television.code}`);
  await lea.sees("Sign in to let the device in.");
  await lea.press("Sign in with a passkey");
  await lea.seesHeading("Sign in a device");
  assert.equal(await (await lea.field("Code")).inputValue(), television.code);
  await lea.press("Continue");
  await lea.seesHeading("Let this device in?");
  await server.age();
  await lea.press("Let it in");
  await lea.dialog("Confirm that it is you").waitFor();
  assert.deepEqual(await television.poll(), { error: "authorization_pending" });
  await lea.press("Confirm with passkey");
  await lea.seesHeading("The device is let in");
});

test("what a device asks for is said before it is approved, and what is not one's own is refused", async () => {
  const mia = await welcome("mia");
  const see = async (body) => {
    const device = await Device.begin(body);
    await mia.open("/device");
    await mia.type("Code", device.code);
    await mia.press("Continue");
    return device;
  };
  const reader = await see({ client_name: "Player", wants: "app_password", service: "music" });
  await mia.sees("It will get an app password for Music");
  await mia.press("Let it in");
  await mia.seesHeading("The device is let in");
  const { username, app_password: password } = await reader.poll();
  assert.equal(username, "mia");
  assert.match(password, /^(\w{4}-){3}\w{4}$/);
  await see({ client_name: "Player", scopes: "music:listen" });
  await mia.sees("It may do only this: music:listen");
  // Only one person decides on a code.
  await see({ wants: "app_password", service: "books" });
  await mia.sees("This device asks for a service that is not open to you.");
  await mia.open("/account");
  await mia.sees("for Music", mia.row("Player", mia.section("Apps")));

  const administration = await Device.begin({ client_name: "Panel", scopes: "users:read" });
  await ann.open("/device");
  await ann.type("Code", administration.code);
  await ann.press("Continue");
  await ann.sees("It will be signed in as an administrator");
  await ann.press("Refuse");
  await ann.seesHeading("The device is refused");
});

test("an app password made on the page lets curl in at a host, until it is revoked", async (t) => {
  const session = await sessionOf(ann);
  const host = await startHost({ base: server.origin, key, service: "music" });
  t.after(() => host.stop());
  const curl = async (name, password) => {
    const line = ["--silent", "--noproxy", "*", "-u", `${name}:${password}`, "-w", " %{http_code}", `${host.origin}/songs`];
    return (await run("curl", line)).stdout;
  };
  const noa = await welcome("noa");
  await noa.sees("No app passwords.");
  await noa.press("New app password");
  await noa.type("Name", "Player on the phone");
  await noa.choose("Good for", "Music");
  await noa.tick("For a Subsonic player");
  await noa.press("Create app password");
  await noa.sees("This server has no encryption key");
  await noa.tick("For a Subsonic player", false);
  await noa.press("Create app password");
  const shown = noa.dialog("App password “Player on the phone”");
  await noa.sees("Shown only this once", shown);
  const password = await shown.getByLabel("App password", { exact: true }).inputValue();
  assert.match(password, /^(\w{4}-){3}\w{4}$/);
  await noa.context.grantPermissions(["clipboard-read", "clipboard-write"]);
  await noa.press("Copy");
  await noa.sees("Copied.");
  assert.equal(await noa.page.evaluate(() => navigator.clipboard.readText()), password);
  await noa.press("Done");
  const row = noa.row("Player on the phone", noa.section("Apps"));
  await noa.sees("never used", row);
  assert.equal(await curl("noa", password), "songs for noa 200");
  assert.equal(await curl("NOA", password.toUpperCase().replaceAll("-", "")), "songs for noa 200");
  for (const [name, wrong] of [
    ["ann", password],
    ["noa", "0000-0000-0000-0000"],
  ]) {
    assert.match(await curl(name, wrong), / 401$/);
  }
  await noa.open("/account");
  await noa.sees("just now", row);
  const text = await noa.page.locator("main").innerText();
  assert.ok(!text.includes(password), "shown once");

  // An administrator sees it, and revokes it.
  const { body: users } = await server.ask("GET", "/api/users?search=noa", { session });
  await ann.open(`/admin/users/${users.data[0].id}`);
  await ann.sees("for Music", ann.row("Player on the phone", ann.section("Apps")));
  await ann.press("Revoke Player on the phone");
  await ann.sees("The app of noa is refused");
  await ann.press("Revoke app password");
  await ann.sees("No app passwords.");
  assert.match(await curl("noa", password), / 401$/);
});

test("a sign-in that is too old makes no app password before a passkey is shown", async () => {
  const ola = await welcome("ola");
  await server.age();
  await ola.press("New app password");
  await ola.type("Name", "Kodi");
  await ola.press("Create app password");
  await ola.dialog("Confirm that it is you").waitFor();
  await ola.press("Confirm with passkey");
  await ola.sees("Shown only this once");
  await ola.press("Done");
  await ola.press("Revoke Kodi");
  await ola.press("Revoke app password");
  await ola.sees("No app passwords.");
});

/** Opens the dialog, and gives the link that is in its picture. */
async function showLink(person) {
  await person.press("Add another device");
  const dialog = person.dialog("Add another device");
  await dialog.getByRole("img", { name: "QR code of the link" }).waitFor();
  return dialog.getByLabel("Link", { exact: true }).inputValue();
}

test("a second phone is added by its picture, and the first device is told and says that it is not theirs", async () => {
  const pia = await welcome("pia");
  const link = await showLink(pia);
  assert.match(link, /\/code#kp_otp_\w+$/);
  await pia.sees("Waiting for the new device");

  const phone = await arrive(PHONE);
  await phone.open(link);
  await phone.press("Sign in");
  await phone.seesHeading("Add this device");
  await phone.sees("You are pia, by the link");
  for (const other of ["Profile", "Sessions", "API keys", "Apps", "Services"]) {
    assert.equal(await phone.section(other).count(), 0, other);
  }
  await pia.sees("A device has opened the link");
  await phone.press("Add a passkey to this device");
  await phone.seesHeading("Passkeys");
  await phone.sees("came by your link", phone.section("Passkeys"));
  assert.equal((await phone.passkeys()).length, 1);
  await pia.sees("The new device has its passkey");
  await pia.press("Not mine: Chrome on Linux");
  await pia.dialog("Is “Chrome on Linux” not yours?").waitFor();
  await pia.press("Remove it");
  await pia.dialog().first().waitFor({ state: "detached" });
  await pia.sees("is removed");
  await pia.sees("Your only one, so it stays.");

  // Its session is over, and its passkey signs nobody in.
  await phone.open("/account");
  await phone.isAt("/signin");
  await phone.sees("This passkey is not known here");
  await pia.open("/account");
  await pia.seesHeading("Your account");
});

test("a link that nobody opened ends with its window, and one that came later is listed with its device", async () => {
  const quin = await welcome("quin");
  const first = await showLink(quin);
  await quin.press("Cancel");
  const phone = await arrive();
  await phone.open(first);
  await phone.press("Sign in");
  await phone.sees("This code is not good");

  const second = await showLink(quin);
  await phone.open("about:blank");
  await phone.open(second);
  await phone.press("Sign in");
  await phone.press("Add a passkey to this device");
  await phone.seesHeading("Passkeys");
  await quin.sees("The new device has its passkey");
  await quin.press("Close");
  await quin.open("/account");
  const row = quin.row("came by your link", quin.section("Passkeys"));
  await quin.sees("added a passkey", row);
  // With an old sign-in a link wants a passkey, and “not mine” does not.
  await server.age();
  await quin.press("Add another device");
  await quin.dialog("Confirm that it is you").waitFor();
  await quin.press("Cancel");
  await row.getByRole("button", { name: /^Not mine/ }).click();
  await quin.press("Remove it");
  await quin.sees("is removed");
  await row.waitFor({ state: "detached" });
});

test("how all of it looks, in both languages", async () => {
  for (const [locale, words] of Object.entries({
    "en-GB": { add: "Add another device", make: "New app password", let: "Let it in", go: "Continue" },
    "de-AT": { add: "Weiteres Gerät hinzufügen", make: "Neues App-Passwort", let: "Hereinlassen", go: "Weiter" },
  })) {
    const language = locale.slice(0, 2);
    const tag = `ways-${language}`;
    // She signs up in English, and reads on in her own language.
    const ria = await welcome(`ria-${language}`);
    const own = await arrive({ locale });
    await own.context.addCookies(await ria.context.cookies());
    for (const credential of await ria.passkeys()) {
      await own.cdp.send("WebAuthn.addCredential", { authenticatorId: own.device, credential });
    }
    const session = await sessionOf(ria);
    for (const body of [{ name: "Kodi" }, { name: "The player on the telephone in the kitchen", service: "music" }]) {
      assert.equal((await server.ask("POST", "/api/app-passwords", { session, body })).status, 201);
    }
    await own.open("/account");
    await own.sees("Kodi");
    await own.press(words.make);
    await look(own, `${tag}-new-app`);
    await own.page.keyboard.press("Escape");
    await own.press(words.add);
    await own.dialog().getByRole("img").waitFor();
    await look(own, `${tag}-another-device`);
    const link = await own.dialog().locator("input").inputValue();
    const phone = await arrive({ locale });
    await phone.open(link);
    await phone.page.locator("button[type=submit]").click();
    await phone.page.locator("#here .button.primary").waitFor();
    await look(phone, `${tag}-this-device`);
    await phone.page.locator("#here .button.primary").click();
    await phone.page.locator("#apps").waitFor();
    await own.dialog().locator(".notice.good").waitFor();
    await look(own, `${tag}-another-device-there`);
    await own.page.keyboard.press("Escape");
    await own.open("/account");
    await own.sees("Kodi");
    await look(own, `${tag}-account`);

    const television = await Device.begin({ client_name: "Television in the hall, by the garden door" });
    await own.open("about:blank");
    await own.open(television.link);
    await own.page.locator("button[type=submit]").waitFor();
    await look(own, `${tag}-device-code`);
    await own.press(words.go);
    await own.page.locator(".facts").waitFor();
    await look(own, `${tag}-device-ask`);
    await own.press(words.let);
    await own.page.locator(".facts").waitFor({ state: "detached" });
    await look(own, `${tag}-device-in`);
    await own.keepHandsOff();
    await own.open("about:blank");
    await own.context.clearCookies();
    await own.open("/device");
    await own.page.locator("keyplate-sign-in form").waitFor();
    await look(own, `${tag}-device-signin`);
  }
});
