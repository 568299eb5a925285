// Pages say what is so, and nothing is lost without a word.

import assert from "node:assert/strict";
import { after, afterEach, before, test } from "node:test";
import { allow, becomeAdministrator, sessionOf, signUp } from "./lib/begin.mjs";
import { launch, Person } from "./lib/person.mjs";
import { Server } from "./lib/server.mjs";

let browser, server, ann, session;
const guests = [];

before(async () => {
  browser = await launch();
  server = await Server.start();
  // East of Greenwich by more than half a day: there a day here is another one there.
  ann = await becomeAdministrator(browser, server, { timezoneId: "Pacific/Auckland" });
  session = await sessionOf(ann);
});
afterEach(async () => {
  ann.isContent();
  for (const guest of guests.splice(0)) await guest.leave();
});
after(async () => {
  await browser.close();
  await server.stop();
});

async function arrive(options) {
  const guest = await Person.arrive(browser, server, options);
  guests.push(guest);
  return guest;
}

async function make(path, body, method = "POST") {
  const answer = await server.ask(method, path, { session, body });
  assert.ok(answer.status < 300, `${method} ${path}: ${answer.status} ${JSON.stringify(answer.body)}`);
  return answer.body;
}

test("the first invitation works, because its dialog lets people with invitations in", async () => {
  await ann.open("/admin/signup");
  await ann.press("New invitation");
  await ann.sees("Invitations do not work at the moment", ann.dialog());
  await ann.type("Note", "The first one");
  await ann.press("Create invitation");
  const link = await ann.dialog().getByLabel("Link", { exact: true }).inputValue();
  await ann.press("Done");
  await ann.seesNoMore("Invitations do not work at the moment");
  assert.equal(await (await ann.field("Who may sign up")).inputValue(), "withToken");
  const guest = await arrive();
  await guest.open(link);
  await guest.type("Username", "gus");
  await guest.press("Create account with a passkey");
  await guest.isAt("/account");
});

test("an invitation for a domain says so to another address, keeps what was typed, and stays good", async () => {
  const { token } = await make("/api/signup-tokens", { ttl: "7d", usageLimit: 1, email: "@mail.example" });
  const guest = await arrive();
  await guest.open(`/signup#token=${token}`);
  await guest.type("Username", "hal");
  await guest.type("Email", "hal@elsewhere.example");
  await guest.press("Create account with a passkey");
  await guest.sees("This invitation is for @mail.example only.");
  assert.equal(await (await guest.field("Username")).inputValue(), "hal");
  assert.equal((await guest.passkeys()).length, 0, "no passkey was made for nothing");
  // What the page cannot tell, the server does: of a domain in another script there are two spellings.
  await guest.type("Email", "hal@xn--mnchen-3ya.example");
  await guest.press("Create account with a passkey");
  await guest.sees("This invitation is for @mail.example only.");
  await guest.type("Email", "hal@MAIL.example");
  await guest.press("Create account with a passkey");
  await guest.isAt("/account");
});

test("every field that is wrong is told at once", async () => {
  await allow(server, ann, { allowUserSignups: "open", openSignupsPerHour: 100 });
  const guest = await arrive();
  await guest.open("/signup");
  await guest.type("Username", "-");
  await guest.type("Email", "nothing");
  await guest.press("Create account with a passkey");
  await guest.sees("This must begin and end with a letter or a digit.");
  await guest.sees("This is not an email address.");
  assert.equal(await guest.page.locator("[aria-invalid=true]").count(), 2);
});

test("who recovers an account sees what they may do, and afterwards everything", async () => {
  const ida = await signUp(browser, server, "ida");
  guests.push(ida);
  await ida.keepHandsOff();
  const anew = await arrive();
  await anew.open(`/code#${await server.code("ida", "--recovery")}`);
  await anew.press("Sign in");
  await anew.sees("Add a new passkey now");
  await anew.section("Passkeys").getByRole("listitem").waitFor();
  assert.equal(await anew.page.getByText(/not allowed|lacks the scope|may not do this/).count(), 0);
  assert.equal(await anew.section("Profile").count(), 0);
  await anew.press("Add a passkey");
  await anew.press("Save");
  await anew.section("Profile").waitFor();
  await anew.section("API keys").waitFor();
  assert.equal(await anew.page.getByText("Add a new passkey now").count(), 0);
});

test("the dialog for codes asks what is left, and a new device is told both ways on", async () => {
  const jon = await signUp(browser, server, "jon");
  guests.push(jon);
  await ann.open("/admin/users");
  await ann.follow("jon");
  await ann.press("New code");
  await ann.sees("both have to be at hand");
  await ann.choose("What is it for\\?", "They have lost their passkeys");
  await ann.sees("This is a recovery code");
  await ann.press("Create code");
  await ann.sees("Whoever has it takes over the account.");
  await ann.press("Done");
  const telephone = await arrive();
  await telephone.open(`/code#${await server.code("jon")}`);
  await telephone.press("Sign in");
  await telephone.press("Add a passkey");
  await telephone.sees("scan its QR code with that device");
  await telephone.sees("Have you lost it?");
  await telephone.press("Cancel");
});

test("an account ends on the day that was chosen, and dates are written as in the person's country", async () => {
  const { id } = await make("/api/users", { username: "kim" });
  await ann.open(`/admin/users/${id}`);
  await ann.type("Account ends on", "2099-05-06");
  await ann.press("Save");
  await ann.sees("Saved.");
  await ann.open(`/admin/users/${id}`);
  assert.equal(await (await ann.field("Account ends on")).inputValue(), "2099-05-06");
  const { expiresAt } = await make(`/api/users/${id}`, undefined, "GET");
  assert.equal(expiresAt, "2099-05-06T11:59:59.000Z", "the end of that day in Auckland");
  await ann.open("/admin/users?search=kim");
  await ann.sees("ends 6 May 2099");
});

test("what goes wrong outside of a form is said", async () => {
  await ann.open("/admin/users");
  await ann.sees("ends 6 May 2099");
  await server.end();
  await ann.press("New user");
  await ann.page.getByRole("alert").filter({ hasText: "The server cannot be reached." }).waitFor();
  ann.complaints.splice(0); // net::ERR_CONNECTION_REFUSED
  await server.restart();
  await ann.press("New user");
  await ann.dialog("New user").waitFor();
  await ann.press("Cancel");
});

test("“Copied” is to be seen above the dialog", async () => {
  await ann.context.grantPermissions(["clipboard-read", "clipboard-write"]);
  await ann.open("/admin/users");
  await ann.follow("kim");
  await ann.press("New code");
  await ann.press("Create code");
  await ann.dialog().getByRole("button", { name: "Copy" }).first().click();
  const note = ann.page.getByText("Copied.", { exact: true });
  await note.waitFor();
  const covered = await note.evaluate((line) => {
    const { left, top, width, height } = line.getBoundingClientRect();
    const root = line.getRootNode();
    return !line.closest(".note").contains(root.elementFromPoint(left + width / 2, top + height / 2));
  });
  assert.equal(covered, false);
  await ann.press("Done");
});

test("changes that are not saved are not lost without a question", async () => {
  await ann.open("/admin/users");
  await ann.follow("Settings");
  await ann.type("Name", "Something else");
  await ann.follow("Users");
  await ann.dialog("Leave without saving?").waitFor();
  await ann.press("Stay");
  assert.equal(await (await ann.field("Name")).inputValue(), "Something else");
  await ann.page.goBack();
  await ann.dialog("Leave without saving?").waitFor();
  await ann.press("Stay");
  await ann.isAt("/admin/settings");
  await ann.follow("Users");
  await ann.press("Leave");
  await ann.isAt("/admin/users");
  await ann.seesHeading("Users");
});

test("administrators see and end sessions, and see and set claims", async () => {
  const lou = await signUp(browser, server, "lou");
  guests.push(lou);
  await ann.open("/admin/users");
  await ann.follow("lou");
  const sessions = ann.section("Sessions");
  await ann.sees("1 session", sessions);
  await ann.sees("signed in with", sessions);
  await sessions.getByRole("listitem").getByRole("button", { name: /^Sign out / }).click();
  await ann.press("Sign out");
  await ann.sees("Not signed in anywhere.", sessions);
  await lou.keepHandsOff();
  await lou.press("Save");
  await lou.isAt("/signin");

  const claims = ann.section("Claims");
  await claims.getByRole("button", { name: "Add a claim" }).click();
  await claims.getByLabel("Name").fill("department");
  await claims.getByLabel("Value").fill("films");
  await claims.getByRole("button", { name: "Save claims" }).click();
  await ann.sees("The claims are saved.");
  await ann.page.reload();
  assert.equal(await ann.section("Claims").getByLabel("Value").inputValue(), "films");
  await ann.section("Claims").getByLabel("Name").fill("sub");
  await ann.section("Claims").getByRole("button", { name: "Save claims" }).click();
  await ann.sees("“sub” is reserved for something else.");
});

test("at another name the page looks like one of ours and leads to the right address", async () => {
  const guest = await arrive();
  await guest.open(`http://keyplate.test:${server.port}/nowhere`);
  await guest.seesHeading("This is not the address of this server");
  const card = guest.page.locator(".card");
  assert.notEqual(await card.evaluate((it) => getComputedStyle(it).borderTopWidth), "0px");
  await guest.page.getByRole("link", { name: server.origin }).waitFor();
});
