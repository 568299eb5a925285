// Services: Ann makes three, opens one to everyone and one to a group, and leaves one closed; each sees exactly his.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { allow, becomeAdministrator, signUp } from "./lib/begin.mjs";
import { launch } from "./lib/person.mjs";
import { Server } from "./lib/server.mjs";

const SOURCE = readFileSync(new URL("../../examples/server/web/admin/proxy-files.js", import.meta.url), "utf8");
const { proxyFiles } = await import(`data:text/javascript,${encodeURIComponent(SOURCE)}`);
const FILES = {
  slug: "films",
  hosts: ["films.example"],
  identity: "localhost",
  keyplate: "127.0.0.1:1411",
  address: "127.0.0.1:8096",
};

let browser, server, ann, bob, cem;
let broken = null;

before(async () => {
  browser = await launch();
  server = await Server.start();
});
after(async () => {
  await browser.close();
  await server.stop();
});

/** Each goes on where the one before has ended. */
function chapter(name, tell) {
  test(name, async (t) => {
    if (broken) return t.skip(`not told, because of: ${broken}`);
    broken = name;
    await tell(t);
    for (const person of [ann, bob, cem]) person?.isContent();
    broken = null;
  });
}

/** What stands under “Your services”: the names, and where each leads. */
async function servicesOf(person) {
  await person.open("/account");
  const section = person.section("Your services");
  await section.getByText(/service is open to you|\d services?$/).waitFor();
  const rows = await section.getByRole("listitem").all();
  const entry = async (row) => {
    const link = row.getByRole("link", { name: /^Open / });
    const name = await row.locator(".row-title").innerText();
    return [name, (await link.count()) > 0 ? await link.getAttribute("href") : null];
  };
  return Promise.all(rows.map(entry));
}

async function make(name, slug, addresses = "") {
  await ann.open("/admin/services");
  await ann.press("New service");
  await ann.type("Name", name);
  await ann.type("Short name", slug);
  await ann.type("Addresses", addresses);
  await ann.press("Create service");
}

chapter("who there is: Ann, her friend Bob, and Cem", async () => {
  ann = await becomeAdministrator(browser, server);
  await allow(server, ann, { allowUserSignups: "open" });
  bob = await signUp(browser, server, "bob");
  cem = await signUp(browser, server, "cem");
  assert.deepEqual(await servicesOf(bob), []);
  await bob.sees("An administrator decides who may use which.");
  await ann.open("/account");
  await ann.section("Your services").getByRole("link", { name: "Say who may use which" }).waitFor();
  await ann.open("/admin/groups");
  await ann.press("New group");
  await ann.type("Name", "Friends");
  await ann.type("Short name", "friends");
  await ann.press("Create group");
  await ann.seesHeading("Friends");
  await ann.sees("It opens no service.");
  await ann.press("Choose members");
  await ann.tick("bob");
  await ann.press("Save members");
  await ann.sees("1 member");
});

chapter("Ann makes three services, closed at first", async () => {
  await ann.follow("Services");
  await ann.sees("No services yet.");
  await make("Films & series", "films", "films.example");
  await ann.sees("Each line must be an http:// or https:// address");
  // As it is copied out of a browser.
  await ann.type("Addresses", "HTTPS://Films.example/\nhttp://films.lan:8096");
  await ann.press("Create service");
  await ann.seesHeading("Films & series");
  await ann.sees("closed");
  await ann.sees("Nobody gets in, not even administrators.");
  await make("Library", "films");
  await ann.sees("This short name is taken.");
  await ann.type("Short name", "users");
  await ann.press("Create service");
  await ann.sees("This is the name of an area of scopes.");
  await ann.type("Short name", "library");
  await ann.press("Create service");
  await ann.seesHeading("Library");
  await make("Workshop", "workshop", "https://workshop.example");
  await ann.seesHeading("Workshop");
  for (const person of [ann, bob, cem]) assert.deepEqual(await servicesOf(person), []);
});

chapter("a service's page has the proxy's files, ready to copy", async () => {
  await ann.open("/admin/services");
  await ann.follow("Films & series");
  const section = ann.section("Behind a reverse proxy");
  const file = (name) => section.locator("details", { has: ann.page.getByText(name, { exact: true }) });
  for (const [name, line] of [
    ["nginx", "proxy_pass http://127.0.0.1:8096;"],
    ["Caddy", "reverse_proxy 127.0.0.1:8096"],
    ["Traefik", "url: http://127.0.0.1:8096"],
  ]) {
    await file(name).locator("summary").click();
    const text = file(name).getByLabel("For this service");
    assert.ok((await text.inputValue()).includes(line), name);
    assert.ok((await text.inputValue()).includes("films.example"), name);
    // As it was written, with its indentation: in YAML that means something.
    const written = proxyFiles({ ...FILES, authority: new URL(server.origin).host });
    assert.equal(await text.inputValue(), written[name.toLowerCase()].each);
    assert.equal(await file(name).getByLabel("Once, for all services").inputValue(), written[name.toLowerCase()].once);
  }
  await section.getByLabel("Where the application listens").fill("10.0.0.5:9000");
  const text = file("nginx").getByLabel("For this service");
  assert.ok((await text.inputValue()).includes("proxy_pass http://10.0.0.5:9000;"));
  await ann.context.grantPermissions(["clipboard-read", "clipboard-write"]);
  await file("nginx").getByRole("button", { name: "Copy", exact: true }).first().click();
  await ann.sees("Copied.");
  assert.equal(await ann.page.evaluate(() => navigator.clipboard.readText()), await text.inputValue());
  await ann.tick("It wants an access token");
  await ann.press("Save");
  await ann.sees("Saved.");
  await ann.open("/admin/services");
  await ann.follow("Films & series");
  assert.ok(await ann.page.getByLabel("It wants an access token").isChecked());
  await ann.open("/admin/services");
  await ann.follow("Library");
  await ann.section("Behind a reverse proxy").getByText("Give the service an https:// address first").waitFor();
});

chapter("she opens one to everyone, with the keyboard alone", async () => {
  await ann.open("/admin/services");
  await ann.page.getByLabel("Search services").fill("lib");
  await ann.sees("1 service");
  const keys = ann.page.keyboard;
  await keys.press("Tab");
  await keys.press("Enter");
  await ann.seesHeading("Library");
  await (await ann.field("Open to")).focus();
  await keys.type("Everyone");
  await ann.sees("Also everyone who gets an account later.");
  await keys.press("Tab");
  await keys.press("Enter");
  await ann.sees("Saved.");
  await ann.sees("open to everyone");
});

chapter("and one to her friends", async () => {
  await ann.open("/admin/services");
  await ann.follow("Films & series");
  await ann.choose("Open to", "The members of some groups");
  await ann.press("Save who may use it");
  await ann.sees("Choose at least one group.");
  await ann.tick("Friends");
  await ann.press("Save who may use it");
  await ann.sees("Saved.");
  await ann.follow("Services");
  await ann.sees("closed", ann.row("Workshop"));
  await ann.sees("open to everyone", ann.row("Library"));
  await ann.sees("1 group", ann.row("Films & series"));
  await ann.sees("open to “Friends”", ann.row("Films & series"));
});

chapter("each sees exactly what he may use", async () => {
  const films = ["Films & series", "https://films.example"];
  const library = ["Library", null];
  assert.deepEqual(await servicesOf(bob), [films, library]);
  const links = bob.row("Films & series").locator(".row-facts a");
  const addresses = await links.evaluateAll((all) => all.map((link) => [link.textContent, link.href]));
  assert.deepEqual(addresses.sort(), [
    ["films.example", "https://films.example/"],
    ["films.lan:8096", "http://films.lan:8096/"],
  ]);
  await bob.sees("It has no address here.", bob.row("Library"));
  assert.deepEqual(await servicesOf(cem), [library]);
  assert.deepEqual(await servicesOf(ann), [library], "an administrator's own, not all");
  await ann.open("/admin/users");
  await ann.follow("bob");
  await ann.sees("2 services", ann.section("Services"));
});

chapter("new names and addresses leave open what is open", async () => {
  await ann.open("/admin/services");
  await ann.follow("Films & series");
  await ann.type("Name", "Cinema");
  await ann.type("Addresses", "https://cinema.example");
  await ann.press("Save");
  await ann.seesHeading("Cinema");
  await ann.sees("1 group");
  assert.deepEqual(await servicesOf(bob), [
    ["Cinema", "https://cinema.example"],
    ["Library", null],
  ]);
});

chapter("her group's page tells what goes with it", async () => {
  await ann.open("/admin/groups");
  await ann.follow("Friends");
  await ann.row("Cinema", ann.section("Services")).waitFor();
  assert.equal(await ann.section("Services").getByRole("listitem").count(), 1);
  await ann.press("Delete group");
  await ann.sees("“Cinema” is open to this group alone, and then to nobody.");
  await ann.press("Delete group");
  await ann.isAt("/admin/groups");
  assert.deepEqual(await servicesOf(bob), [["Library", null]]);
  await ann.follow("Services");
  await ann.sees("closed", ann.row("Cinema"));
});

chapter("a service is deleted only after a question", async () => {
  await ann.follow("Library");
  await ann.press("Delete service");
  await ann.sees("Nobody gets into it by an account of this server any more");
  await ann.press("Cancel");
  await ann.seesHeading("Library");
  await ann.press("Delete service");
  await ann.press("Delete service");
  await ann.isAt("/admin/services");
  await ann.sees("2 services");
  assert.deepEqual(await servicesOf(bob), []);
});

chapter("the audit log tells it all again", async () => {
  await ann.follow("Audit log");
  await ann.choose("Event", "Service access changed");
  await ann.sees("2 events");
  await ann.sees("open to everyone now", ann.row("library"));
  await ann.sees("open to 1 group now", ann.row("films"));
  await ann.choose("Event", "Service deleted");
  await ann.sees("by ann", ann.row("library"));
});
