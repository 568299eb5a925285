// P2: somebody begins the same thing in two tabs, and finishes in either order. Each tab does what a page does, in two
// halves, so that the test decides which comes first.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { allow, becomeAdministrator } from "./lib/begin.mjs";
import { launch, Person } from "./lib/person.mjs";
import { Server } from "./lib/server.mjs";

const KINDS = [
  { name: "sign-in", cookie: "login", start: "/api/webauthn/login/start", finish: "/api/webauthn/login/finish" },
  {
    name: "step-up",
    cookie: "reauthenticate",
    start: "/api/webauthn/reauthenticate/start",
    finish: "/api/webauthn/reauthenticate",
  },
  {
    name: "registration",
    cookie: "register",
    start: "/api/webauthn/register/start",
    finish: "/api/webauthn/register/finish",
    makes: true,
  },
  {
    name: "sign-up",
    cookie: "signup",
    start: "/api/signup/passkey/start",
    finish: "/api/signup/passkey/finish",
    makes: true,
  },
];

let browser;
before(async () => {
  browser = await launch();
});
after(() => browser.close());

/** Another tab of theirs, with a device that holds these passkeys. */
async function openTab(person, kept) {
  const page = await person.context.newPage();
  await page.goto("/nowhere");
  const cdp = await person.context.newCDPSession(page);
  await cdp.send("WebAuthn.enable", { enableUI: false });
  const options = {
    protocol: "ctap2",
    ctap2Version: "ctap2_1",
    transport: "internal",
    hasResidentKey: true,
    hasUserVerification: true,
    isUserVerified: true,
    automaticPresenceSimulation: true,
  };
  const { authenticatorId } = await cdp.send("WebAuthn.addVirtualAuthenticator", { options });
  for (const credential of kept) await cdp.send("WebAuthn.addCredential", { authenticatorId, credential });
  return { page, cdp, authenticatorId };
}

/** Asks for the options and has the device answer; the tab keeps the answer. */
async function begin({ page }, kind, username) {
  // Browsers let only the tab in front use passkeys.
  await page.bringToFront();
  await page.evaluate(
    async ({ kind, username }) => {
      const profile = { method: "POST", headers: { "Content-Type": "application/json" } };
      const request = username ? { ...profile, body: JSON.stringify({ username }) } : {};
      const begun = await fetch(kind.start, request);
      if (!begun.ok) throw new Error(`${kind.start}: ${begun.status} ${await begun.text()}`);
      const options = await begun.json();
      const credential = kind.makes
        ? await navigator.credentials.create({ publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(options) })
        : await navigator.credentials.get({ publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(options) });
      window.answer = JSON.stringify(credential.toJSON());
    },
    { kind, username },
  );
}

function finish({ page }, kind) {
  return page.evaluate(async (path) => {
    const headers = { "Content-Type": "application/json" };
    const done = await fetch(path, { method: "POST", headers, body: window.answer });
    return { status: done.status, body: await done.text() };
  }, kind.finish);
}

async function ceremonies(person, kind) {
  const cookies = await person.context.cookies();
  return cookies.filter(({ name }) => name.includes(`-ceremony-${kind.cookie}-`));
}

for (const kind of KINDS) {
  for (const order of ["the older tab first", "the newer tab first"]) {
    test(`${kind.name} in two tabs, ${order}`, async (t) => {
      const server = await Server.start();
      t.after(() => server.stop());
      const ann = await becomeAdministrator(browser, server);
      await allow(server, ann, { allowUserSignups: "open" });
      const person = kind.name === "sign-up" ? await Person.arrive(browser, server) : ann;
      const kept = kind.makes ? [] : await ann.passkeys();
      const tabs = [await openTab(person, kept), await openTab(person, kept)];
      for (const [number, tab] of tabs.entries()) {
        await begin(tab, kind, kind.name === "sign-up" ? `user${number}` : null);
      }
      assert.equal((await ceremonies(person, kind)).length, 2);
      if (order.startsWith("the newer")) tabs.reverse();
      for (const tab of tabs) {
        const done = await finish(tab, kind);
        assert.ok([200, 201, 204].includes(done.status), `${done.status} ${done.body}`);
        // It works once.
        const again = await finish(tab, kind);
        assert.equal(again.status, 400, again.body);
      }
      assert.deepEqual(await ceremonies(person, kind), []);
      if (kind.makes) {
        // No device holds a passkey that the server does not know.
        const made = [];
        for (const { cdp, authenticatorId } of tabs) {
          const { credentials } = await cdp.send("WebAuthn.getCredentials", { authenticatorId });
          made.push(...credentials.map(({ credentialId }) => Buffer.from(credentialId, "base64").toString("base64url")));
        }
        assert.equal(made.length, 2);
        const known = await tabs[0].page.evaluate(
          (ids) =>
            Promise.all(
              ids.map(async (id) => (await fetch(`/api/webauthn/signals?credential=${id}`)).json()),
            ),
          made,
        );
        assert.deepEqual(
          known.map(({ unknownCredential }) => unknownCredential),
          [null, null],
        );
      }
      if (person !== ann) await person.context.close();
      await ann.context.close();
    });
  }
}
