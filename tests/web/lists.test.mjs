// Lists in a house of 500 users and 40 groups.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { allow, becomeAdministrator, sessionOf } from "./lib/begin.mjs";
import { launch } from "./lib/person.mjs";
import { Server } from "./lib/server.mjs";

let browser, server, ann, session;

before(async () => {
  browser = await launch();
  server = await Server.start();
  ann = await becomeAdministrator(browser, server);
  session = await sessionOf(ann);
  await allow(server, ann, { allowUserSignups: "open", signupRequiresApproval: true, openSignupsPerHour: 100 });
  for (let i = 1; i <= 40; i += 1) {
    await make("/api/user-groups", { name: `team${i}`, friendlyName: `Team ${String(i).padStart(2, "0")}` });
  }
  for (let i = 1; i <= 490; i += 1) await make("/api/users", { username: `user${String(i).padStart(3, "0")}` });
  for (let i = 1; i <= 7; i += 1) await server.ask("POST", "/api/signup", { body: { username: `newcomer${i}` } });
});
after(async () => {
  await browser.close();
  await server.stop();
  ann.isContent();
});

async function make(path, body, method = "POST") {
  const answer = await server.ask(method, path, { session, body });
  assert.ok(answer.status < 300, `${method} ${path}: ${answer.status} ${JSON.stringify(answer.body)}`);
  return answer.body;
}

/** What is behind the question mark of the page's address. */
function address() {
  return new URL(ann.page.url()).search;
}

test("search, filter, order and page stand in the address, and Back leads to what was seen", async () => {
  await ann.open("/admin/users");
  await ann.sees("498 users");
  await ann.press("Next");
  await ann.sees("Page 2 of 25");
  assert.equal(address(), "?page=2");
  await ann.follow("user020");
  await ann.seesHeading("user020");
  await ann.page.goBack();
  await ann.sees("Page 2 of 25");
  await ann.page.goBack();
  await ann.sees("Page 1 of 25");

  await ann.choose("Order", "Newest first");
  await ann.row("newcomer7").first().waitFor();
  assert.equal(address(), "?sort=-createdAt");
  await ann.choose("Status", "Waiting for approval");
  await ann.sees("7 users");
  await ann.page.reload();
  await ann.sees("7 users");
  await ann.page.goBack();
  await ann.sees("498 users");
});

test("`/` leads into the search, and a whole line is a link", async () => {
  await ann.open("/admin/users");
  await ann.sees("498 users");
  await ann.page.keyboard.press("/");
  await ann.page.keyboard.type("user321");
  await ann.sees("1 user");
  assert.equal(address(), "?search=user321");
  const row = ann.row("user321");
  const { x, y, width, height } = await row.boundingBox();
  await ann.page.mouse.click(x + width - 20, y + height / 2);
  await ann.seesHeading("user321");
});

test("moving between the parts loads no new document, and tells readers where they are", async () => {
  await ann.open("/admin/users");
  await ann.page.evaluate(() => {
    window.sameDocument = true;
  });
  for (const part of ["Groups", "Services", "Sign up", "API keys", "Audit log", "Settings", "Users"]) {
    await ann.page.getByRole("navigation").getByRole("link", { name: part }).click();
    await ann.page.getByRole("heading", { level: 1, name: part }).waitFor();
    assert.ok(await ann.page.evaluate(() => window.sameDocument), part);
    assert.ok((await ann.page.title()).startsWith(part), part);
    assert.equal(await ann.page.evaluate(() => document.activeElement.tagName), "H1", part);
    const current = ann.page.getByRole("navigation").locator("[aria-current]");
    assert.equal(await current.getAttribute("data-part"), new URL(ann.page.url()).pathname);
  }
});

test("who waits stands on top; a rejection can be undone; all are approved at once", async () => {
  await ann.open("/admin/users");
  const waiting = ann.section("Waiting");
  await ann.sees("7 people have signed up and wait for approval.", waiting);
  await ann.page.getByLabel("7 waiting for approval").waitFor();
  await waiting.getByRole("button", { name: "Reject newcomer1" }).click();
  await ann.row("newcomer1", waiting).waitFor({ state: "detached" });
  await ann.press("Undo");
  await ann.row("newcomer1", waiting).waitFor();
  const { id } = (await make("/api/users?search=newcomer1", undefined, "GET")).data[0];
  assert.equal((await server.ask("GET", `/api/users/${id}`, { session })).status, 200);

  // Left before the time is over, it is done all the same.
  await waiting.getByRole("button", { name: "Reject newcomer2" }).click();
  await ann.sees("“newcomer2” is rejected");
  await ann.open("/account");
  await ann.open("/admin/users");
  await ann.sees("6 people have signed up", waiting);
  await ann.press("Approve all");
  await ann.press("Approve all");
  await ann.sees("6 accounts are approved.");
  await waiting.waitFor({ state: "hidden" });
  assert.equal((await make("/api/users?status=pending", undefined, "GET")).pagination.totalItems, 0);
});

test("ten at once: into a group, disabled, enabled, deleted", async () => {
  await ann.open("/admin/users?search=user40");
  await ann.sees("10 users");
  await ann.page.getByLabel("Choose user400").check();
  await ann.press("Choose all on this page");
  await ann.sees("10 chosen");
  await ann.press("Add to a group");
  await ann.choose("Group", "Team 07");
  await ann.press("Add to a group");
  await ann.sees("10 users are in “Team 07”.");
  await ann.sees("Team 07", ann.row("user400"));

  const choose = async () => {
    await ann.page.getByLabel("Choose user400").check();
    await ann.press("Choose all on this page");
  };
  await choose();
  await ann.press("Disable");
  await ann.press("Disable");
  await ann.sees("10 users are disabled.");
  assert.equal((await make("/api/users?status=disabled&limit=100", undefined, "GET")).pagination.totalItems, 10);
  await choose();
  await ann.press("Enable");
  await ann.press("Enable");
  await ann.sees("10 users are enabled.");
  await choose();
  await ann.press("Delete");
  await ann.press("Delete");
  await ann.sees("10 users are deleted.");
  assert.equal((await make("/api/users?search=user40", undefined, "GET")).pagination.totalItems, 0);
});

test("what cannot be done for some is said with their names", async () => {
  await ann.open("/admin/users?search=user30");
  await ann.page.getByLabel("Choose user301").check();
  const { id } = (await make("/api/users?search=user301", undefined, "GET")).data[0];
  await make(`/api/users/${id}`, undefined, "DELETE");
  await ann.press("Disable");
  await ann.press("Disable");
  await ann.page.getByRole("alert").filter({ hasText: "Not done for user301" }).waitFor();
});

test("a group of many is a list of pages, and is searched", async () => {
  const [group] = (await make("/api/user-groups?search=team1", undefined, "GET")).data;
  const users = (await make("/api/users?search=user1&limit=100", undefined, "GET")).data;
  await make(`/api/user-groups/${group.id}/users`, { userIds: users.map((user) => user.id) }, "PUT");
  await ann.open(`/admin/groups/${group.id}`);
  const members = ann.section("Members");
  await ann.sees("100 members", members);
  assert.equal(await members.getByRole("listitem").count(), 20);
  await ann.page.getByLabel("Search members").fill("user150");
  await ann.sees("1 member", members);
});
