// Other browsers, and password managers that answer in a browser's place: each ceremony of a person's life with them.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { allow, becomeAdministrator, signUp } from "./lib/begin.mjs";
import * as habits from "./lib/habits.mjs";
import { launch } from "./lib/person.mjs";
import { Server } from "./lib/server.mjs";

let browser;
before(async () => {
  browser = await launch();
});
after(() => browser.close());

for (const [name, habit] of Object.entries(habits)) {
  test(`${name}: set-up, sign-up, sign-in, the offer in a field, step-up and a further passkey`, async (t) => {
    const server = await Server.start();
    t.after(() => server.stop());
    // Set-up registers.
    const ann = await becomeAdministrator(browser, server, { habits: habit });
    await allow(server, ann, { allowUserSignups: "open" });
    // Sign-up makes the account with its passkey.
    const bob = await signUp(browser, server, "bob", { habits: habit });
    assert.equal((await bob.passkeys()).length, 1);

    // Sign-in by the button.
    await bob.keepHandsOff();
    await bob.press("Sign out");
    await bob.isAt("/signin");
    await bob.touchAt("/signin?without-autofill");
    await bob.press("Sign in with a passkey");
    await bob.isAt("/account");
    assert.deepEqual(bob.waysIn(), ["modal"]);
    // By what the field offers.
    await bob.keepHandsOff();
    await bob.press("Sign out");
    await bob.isAt("/signin");
    await bob.touchAt("/signin");
    await bob.isAt("/account");
    assert.deepEqual(bob.waysIn(), ["conditional"]);

    // Step-up, and a further passkey.
    await ann.open("/account");
    await server.age();
    await ann.changeDevice(await ann.passkeys());
    await ann.press("New API key");
    await ann.type("Name", "automation");
    await ann.press("Create key");
    await ann.press("Confirm with passkey");
    await ann.dialog("API key “automation”").waitFor();
    await ann.press("Done");
    await ann.changeDevice();
    await ann.press("Add a passkey");
    await ann.type("Name", "Blue telephone");
    await ann.press("Save");
    await ann.row("Blue telephone", ann.section("Passkeys")).waitFor();
    // The device that is excluded is told so.
    await ann.press("Add a passkey");
    await ann.sees("This device holds a passkey of yours for this account already.");
    await bob.leave();
    await ann.leave();
  });
}

test("transports are kept where the answer tells them", async (t) => {
  const server = await Server.start();
  t.after(() => server.stop());
  const ann = await becomeAdministrator(browser, server, { habits: habits.plainObjects });
  const cookie = (await ann.context.cookies()).find(({ name }) => name.endsWith("access_token"));
  const kept = await server.ask("GET", "/api/webauthn/credentials", { session: cookie.value });
  assert.deepEqual(kept.body[0].transport, ["internal"]);
  await ann.leave();
});
