// Every page in both schemes, wide and narrow: pictures of it, and nothing that keeps somebody from using it.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Person, launch } from "./lib/person.mjs";
import { look } from "./lib/look.mjs";
import { Server } from "./lib/server.mjs";

let browser, server, ann, session;
const LONG = "Bartholomew-Maximilian Featherstonehaugh-Cholmondeley";

before(async () => {
  browser = await launch();
  server = await Server.start();
});
after(async () => {
  await browser.close();
  await server.stop();
  ann.isContent();
});

/** By the administrator's session: what the pages show is made faster this way. */
async function make(path, body, method = "POST") {
  const answer = await server.ask(method, path, { session, body });
  assert.ok(answer.status < 300, `${method} ${path}: ${answer.status} ${JSON.stringify(answer.body)}`);
  return answer.body;
}

async function readSession() {
  const cookie = (await ann.context.cookies()).find(({ name }) => name.endsWith("access_token"));
  session = cookie.value;
}

/** Opens it, waits for what belongs there, and looks. */
async function page(person, path, name, text) {
  const again = async () => {
    await person.open("about:blank");
    await person.open(path);
    await person.sees(text);
    // Each list says so until it is there.
    await person.page.locator(".loading").first().waitFor({ state: "detached" });
  };
  await again();
  await look(person, name, { again });
}

test("set-up", async () => {
  ann = await Person.arrive(browser, server);
  await page(ann, server.link, "setup-1-profile", "You become its first administrator.");
  await ann.press("Continue");
  await look(ann, "setup-1-profile-missing");
  await ann.type("Username", "ann");
  await ann.type("First name", "Ann");
  await ann.type("Last name", "Ahlberg");
  await ann.type("Email", "ann@mail.example");
  await ann.press("Continue");
  await ann.seesHeading("Add your passkey");
  await look(ann, "setup-2-passkey");
  await readSession();
  await make("/api/api-keys", { name: "automation", expiresAt: "2099-12-31T23:59:59Z" });
  await make("/api/api-keys", { name: "users only", expiresAt: "2027-12-31T23:59:59Z", scopes: ["users:read"] });
  await ann.press("Add a passkey");
  await ann.seesHeading("Set-up is complete");
  await look(ann, "setup-3-done");
  await page(ann, "/setup", "setup-over-signed-in", "you are signed in");
});

test("administration with nothing in it", async () => {
  await readSession();
  await page(ann, "/account", "account-new", "You have one passkey");
  await page(ann, "/admin/users", "users-one", "1 user");
  await page(ann, "/admin/groups", "groups-empty", "No groups yet.");
  await page(ann, "/admin/services", "services-empty", "No services yet.");
  await page(ann, "/admin/signup", "signup-empty", "No invitations.");
  await page(ann, "/admin/audit", "audit-new", "events");
});

let ids;
test("administration with much in it", async () => {
  await make("/api/application-configuration", { allowUserSignups: "withToken", appName: "The house at the lake" }, "PUT");
  const friends = await make("/api/user-groups", { name: "friends", friendlyName: "Friends" });
  const family = await make("/api/user-groups", { name: "family:everybody", friendlyName: "Family, near and far" });
  const both = [friends.id, family.id];
  const services = {};
  for (const service of [
    { slug: "films", name: "Films & series", origins: ["https://films.example"], userGroupIds: both },
    {
      slug: "library",
      name: "The library, with all that was ever scanned",
      origins: ["https://library.a-long-name-of-a-domain.example", "http://library.lan:8096"],
      isOpenToEveryone: true,
    },
    { slug: "workshop", name: "Workshop" },
    { slug: "music", name: "Music", isOpenToEveryone: true },
    { slug: "garden", name: "The garden", origins: ["https://garden.example"], userGroupIds: [friends.id] },
  ]) {
    services[service.slug] = (await make("/api/services", service)).id;
  }
  const tokens = [];
  for (const token of [
    { ttl: "7d", usageLimit: 20, userGroupIds: both, note: "For the summer party, and for whoever else comes along" },
    { ttl: null, usageLimit: null, approval: true, email: "@mail.example" },
    { ttl: "24h", usageLimit: 1, userGroupIds: [friends.id], note: "Bob", accountLifetime: "30d" },
    { ttl: "1h", usageLimit: 2, note: "Paused" },
  ]) {
    tokens.push(await make("/api/signup-tokens", token));
  }
  await make(`/api/signup-tokens/${tokens[3].id}`, { enabled: false }, "PUT");
  const signUp = (body) => server.ask("POST", "/api/signup", { body });
  await signUp({ username: "bob", firstName: "Bob", lastName: "Baker", token: tokens[0].token });
  await signUp({ username: "a-rather-long-username-of-nearly-fifty-letters-x", token: tokens[0].token });
  await signUp({ username: "dora", email: "dora@mail.example", token: tokens[1].token });
  const long = await make("/api/users", {
    username: "bartholomew.featherstonehaugh",
    email: "bartholomew.maximilian.featherstonehaugh-cholmondeley@a-long-name-of-a-domain.mail.example",
    displayName: LONG,
    disabled: true,
    userGroupIds: both,
  });
  for (let i = 1; i <= 24; i += 1) await make("/api/users", { username: `guest${String(i).padStart(2, "0")}` });
  const users = await make("/api/users?pagination[limit]=100", undefined, "GET");
  const byName = Object.fromEntries(users.data.map(({ username, id }) => [username, id]));
  await make(`/api/users/${byName.bob}/one-time-access-token`, { ttl: "15m" });
  await make(`/api/users/${byName.bob}/one-time-access-token`, { ttl: "24h" });
  ids = { ...byName, long: long.id, friends: friends.id, token: tokens[0].id, paused: tokens[3].id };
  ids.films = services.films;
  ids.workshop = services.workshop;
  ids.library = services.library;
  ids.invitation = tokens[0].token;
  ids.domain = tokens[1].token;

  await page(ann, "/account", "account", "The house at the lake");
  await page(ann, "/admin/users", "users", "Next");
  await page(ann, "/admin/users?status=pending", "users-pending", "waits for approval");
  await page(ann, `/admin/users/${ids.bob}`, "user", "not used yet");
  await page(ann, `/admin/users/${ids.long}`, "user-disabled", LONG);
  await page(ann, `/admin/users/${ids.dora}`, "user-pending", "This account waits for approval");
  await page(ann, `/admin/users/${ids.ann}`, "user-oneself", "This is you");
  await page(ann, "/admin/groups", "groups", "Family, near and far");
  await page(ann, `/admin/groups/${ids.friends}`, "group", "Members");
  await page(ann, "/admin/services", "services", "Workshop");
  await page(ann, `/admin/services/${ids.films}`, "service", "Who may use it");
  for (const proxy of ["nginx", "Caddy", "Traefik"]) await ann.page.getByText(proxy, { exact: true }).click();
  await look(ann, "service-proxy");
  await page(ann, `/admin/services/${ids.workshop}`, "service-closed", "Nobody gets in");
  await page(ann, `/admin/services/${ids.library}`, "service-everyone", "Also everyone");
  await page(ann, "/admin/signup", "signup", "For the summer party");
  await page(ann, `/admin/signup/${ids.token}`, "invitation", "2 accounts");
  await page(ann, `/admin/signup/${ids.paused}`, "invitation-paused", "Nobody has signed up with it yet.");
  await page(ann, "/admin/keys", "keys", "automation");
  await page(ann, "/admin/audit", "audit", "events");
  await ann.page.getByText("Details", { exact: true }).first().click();
  await look(ann, "audit-details");
  await page(ann, "/admin/settings", "settings", "Fresh sign-in, in minutes");
  await page(ann, "/admin/nowhere", "admin-nowhere", "There is no such page");
});

test("dialogs", async () => {
  await ann.open("/admin/users");
  await ann.press("New user");
  await ann.dialog("New user").waitFor();
  await look(ann, "dialog-new-user");
  await ann.press("Cancel");
  await ann.open("/admin/groups");
  await ann.press("New group");
  await ann.press("Create group");
  await look(ann, "dialog-new-group");
  await ann.open("/admin/services");
  await ann.press("New service");
  await ann.type("Name", "Films again");
  await ann.type("Short name", "films");
  await ann.press("Create service");
  await ann.sees("This short name is taken.");
  await look(ann, "dialog-new-service");
  await ann.open(`/admin/services/${ids.films}`);
  await ann.press("Delete service");
  await look(ann, "dialog-delete-service");
  await ann.press("Cancel");
  await ann.open(`/admin/groups/${ids.friends}`);
  await ann.press("Delete group");
  await look(ann, "dialog-delete-group");
  await ann.press("Cancel");
  await ann.open("/admin/signup");
  await ann.press("New invitation");
  await look(ann, "dialog-new-invitation");
  await ann.press("Create invitation");
  await ann.sees("Shown only this once");
  await look(ann, "dialog-invitation");
  await ann.press("Done");
  await ann.open(`/admin/groups/${ids.friends}`);
  await ann.press("Choose members");
  await ann.dialog("Members of “Friends”").waitFor();
  await look(ann, "dialog-members");
  await ann.open(`/admin/users/${ids.bob}`);
  await ann.press("New code");
  await look(ann, "dialog-code");
  await ann.press("Create code");
  await ann.sees("Shown only this once");
  await look(ann, "dialog-code-shown");
  await ann.press("Done");
  await ann.press("Delete user");
  await look(ann, "dialog-delete-user");
  await ann.press("Cancel");
  await ann.open("/account");
  await ann.press("New API key");
  await ann.choose("May do", "Only what is chosen");
  await ann.choose("Works for", "Until a date…");
  await look(ann, "dialog-new-key");
  await ann.choose("May do", "Everything but changing roles");
  await ann.choose("Works for", "90 days");
  await ann.type("Name", "back-up");
  await server.age();
  await ann.press("Create key");
  await ann.dialog("Confirm that it is you").waitFor();
  await look(ann, "dialog-step-up");
  await ann.press("Confirm with passkey");
  await ann.sees("Shown only this once");
  await look(ann, "dialog-key");
  await ann.press("Done");
});

test("the doors", async () => {
  await readSession();
  const visitor = await Person.arrive(browser, server);
  await page(visitor, "/signin", "signin", "Sign in with a passkey");
  await visitor.press("Sign in with a passkey");
  await visitor.sees("No passkey was used");
  await look(visitor, "signin-no-passkey");
  await page(visitor, "/signin?out=1", "signin-signed-out", "You are signed out");
  await page(visitor, "/signin?next=%2Faccount&disabled=1", "signin-disabled", "Your account is disabled");
  await page(visitor, "/code", "code", "Eight letters and digits");
  await visitor.type("Code", "AAAA-AAAA");
  await visitor.press("Sign in");
  await visitor.sees("This code is not good");
  await look(visitor, "code-wrong");
  const { token } = await make(`/api/users/${ids.guest01}/one-time-access-token`, { ttl: "24h" });
  await page(visitor, `/code#${token}`, "code-link", "opening the link has not used it");
  await page(visitor, "/signup", "signup-token", "The link that you were given.");
  await page(visitor, `/signup#token=${ids.invitation}`, "signup-invited", "You were invited.");
  await page(visitor, `/signup#token=${ids.domain}`, "signup-domain", "@mail.example");
  await page(visitor, "/signup#token=kp_inv_x", "signup-dead", "This invitation is no longer good");
  await page(visitor, "/setup", "setup-over", "Set-up is over");
  await visitor.open("about:blank");
  await visitor.open(`/signup#token=${ids.domain}`);
  await visitor.type("Username", "emil");
  await visitor.type("Email", "emil@mail.example");
  await visitor.press("Create account with a passkey");
  await visitor.seesHeading("Your account waits for approval");
  await look(visitor, "signup-pending");
  await visitor.context.clearCookies();
  await make("/api/application-configuration", { allowUserSignups: "disabled" }, "PUT");
  await page(visitor, "/signup", "signup-closed", "Sign-up is closed");
  await page(visitor, "/nowhere", "missing", "The address may be mistyped");
  // A name that leads here and is not this server's: as at a proxy that passes everything on.
  await page(visitor, `http://keyplate.test:${server.port}/nowhere`, "elsewhere", "This is not the address of this server");
  await visitor.leave();
});

test("an account without a passkey, and one by recovery", async () => {
  const guest = await Person.arrive(browser, server);
  await guest.open(`/code#${await server.code("guest02")}`);
  await guest.press("Sign in");
  await guest.sees("You have no passkey");
  await look(guest, "account-no-passkey");
  await page(guest, "/admin/users", "admin-refused", "This part is for administrators");
  await guest.open("/account");
  await guest.press("Add a passkey");
  await guest.dialog("Your new passkey").waitFor();
  await look(guest, "dialog-new-passkey");
  await guest.press("Save");
  await guest.dialog("Your new passkey").waitFor({ state: "detached" });
  // From an empty page: this one would go to sign-in by itself, and be signed in by the new passkey.
  await guest.open("about:blank");
  await guest.context.clearCookies();
  await guest.open(`/code#${await server.code("guest02", "--recovery")}`);
  await guest.press("Sign in");
  await guest.sees("Add a new passkey now");
  await look(guest, "account-recovery");
  await guest.leave();
});

test("where passkeys cannot work", async (t) => {
  const insecure = await Server.start({ host: "keyplate.test", options: ["--allow-insecure-origin"] });
  t.after(() => insecure.stop());
  const eve = await Person.arrive(browser, insecure, { device: false });
  await page(eve, insecure.link, "insecure-setup", "Passkeys cannot work at this address");
  await page(eve, "/signin", "insecure-signin", "Passkeys cannot work at this address");
  await eve.leave();
});
