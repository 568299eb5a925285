// Doors that are shut: each says why, and what to do.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { allow, becomeAdministrator } from "./lib/begin.mjs";
import { launch, Person } from "./lib/person.mjs";
import { Server } from "./lib/server.mjs";

let browser, server, ann, visitor;

before(async () => {
  browser = await launch();
  server = await Server.start();
});
after(async () => {
  await browser.close();
  await server.stop();
  visitor.isContent();
  ann.isContent();
});

test("before set-up the start leads to it, the link of an earlier start is good too, and a wrong one is not", async () => {
  visitor = await Person.arrive(browser, server);
  await visitor.open("/");
  await visitor.isAt("/setup");
  await visitor.seesHeading("Set up this server");
  await visitor.open("/signin");
  await visitor.sees("This server is not set up yet");
  const old = server.link;
  await server.restart();
  assert.notEqual(server.link, old);
  await visitor.open(old);
  await visitor.seesHeading("Set up this server");
  await visitor.open("about:blank");
  await visitor.open(`${old.slice(0, -4)}0000`);
  await visitor.type("Username", "mallory");
  await visitor.press("Continue");
  await visitor.seesHeading("This set-up link is no longer good");
  await visitor.sees("For a new link, start the server again");
});

test("set-up that was left at its passkey is taken up again by the link of the next start", async () => {
  const left = await Person.arrive(browser, server);
  await left.open(server.link);
  await left.type("Username", "ann");
  await left.press("Continue");
  await left.seesHeading("Add your passkey");
  await left.open("/setup");
  await left.seesHeading("Add your passkey");
  await left.leave();

  await server.restart();
  ann = await Person.arrive(browser, server);
  await ann.open(server.link);
  await ann.seesHeading("Set-up has begun");
  await ann.press("Continue set-up");
  await ann.press("Add a passkey");
  await ann.seesHeading("Set-up is complete");
  await ann.follow("Go to your account");
  await ann.seesHeading("Your account");
});

test("set-up is over for everybody", async () => {
  await visitor.open("/setup");
  await visitor.seesHeading("Set-up is over");
  await visitor.open("about:blank");
  await visitor.open(server.link);
  await visitor.seesHeading("Set-up is over");
  await visitor.sees("set-up links no longer work");
  await ann.open("/setup");
  await ann.sees("you are signed in");
});

test("sign-up is closed, to who has an invitation too", async () => {
  await visitor.open("/signup");
  await visitor.seesHeading("Sign-up is closed");
  await visitor.sees("Ask an administrator to create an account for you.");
  await visitor.open("/signup#token=kp_inv_x");
  await visitor.seesHeading("Sign-up is closed");
});

test("a dead link, an old form of link, and a wrong token", async () => {
  await allow(server, ann, { allowUserSignups: "withToken" });
  await visitor.open("about:blank");
  await visitor.open("/signup#token=kp_inv_nonsense");
  await visitor.seesHeading("This invitation is no longer good");
  await visitor.open("/st/kp_inv_nonsense");
  await visitor.seesHeading("This invitation is no longer good");
  const { pathname, hash } = new URL(visitor.page.url());
  assert.deepEqual([pathname, hash], ["/signup", "#token=kp_inv_nonsense"]);
  await visitor.press("Type another invitation");
  await visitor.press("Continue");
  await visitor.sees("Please fill this in.");
  await visitor.type("Invitation", "something else");
  await visitor.press("Continue");
  await visitor.sees("This invitation is not good");
});

test("administration is for administrators, and there is no such page", async () => {
  await visitor.open("/admin/users");
  await visitor.isAt("/signin");
  await visitor.open("/nowhere");
  await visitor.seesHeading("There is no such page");
  await ann.open("/admin/nowhere");
  await ann.seesHeading("There is no such page");
});

test("a browser that finds no passkey says what may be the matter, and offers again", async () => {
  await visitor.open("/signin");
  await visitor.press("Sign in with a passkey");
  await visitor.sees("this device has none for this server");
  await visitor.follow("Use a code");
  await visitor.type("Code", "AAAA-AAAA");
  await visitor.press("Sign in");
  await visitor.sees("This code is not good");
});

test("a server that is gone", async () => {
  await visitor.open("/code");
  await visitor.sees("Eight letters and digits");
  await server.end();
  await visitor.type("Code", "AAAA-AAAA");
  await visitor.press("Sign in");
  await visitor.sees("The server cannot be reached.");
  visitor.complaints.splice(0); // net::ERR_CONNECTION_REFUSED
  await server.restart();
  await visitor.press("Sign in");
  await visitor.sees("This code is not good");
});

for (const host of ["keyplate.test", "127.0.0.1"]) {
  test(`at http://${host} the page says why there can be no passkey, and a code works`, async (t) => {
    const insecure = await Server.start({ host, options: ["--allow-insecure-origin"] });
    t.after(() => insecure.stop());
    const eve = await Person.arrive(browser, insecure, { device: false });
    await eve.open(insecure.link);
    await eve.sees("Passkeys cannot work at this address");
    await eve.sees("--origin");
    assert.equal(await eve.page.getByRole("button", { name: "Continue" }).count(), 0);
    await eve.open("/signin");
    await eve.sees("Passkeys cannot work at this address");

    const token = insecure.link.split("token=")[1];
    const made = await insecure.ask("POST", "/api/signup/setup", { body: { username: "eve", token } });
    assert.equal(made.status, 200);
    await eve.open(`/code#${await insecure.code("eve")}`);
    await eve.press("Sign in");
    await eve.isAt("/account");
    await eve.seesHeading("Your account");
    await eve.sees("Passkeys cannot work at this address");
    await eve.leave();
  });
}
