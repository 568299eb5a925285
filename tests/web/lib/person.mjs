// Somebody in front of a browser of his own, with a device that keeps his passkeys.

import assert from "node:assert/strict";
import { EventEmitter, once } from "node:events";
import { chromium } from "playwright-core";

/** Beyond this something is wrong, on a slow machine too. */
const PATIENCE = 45_000;
const FLAGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  // A name that is no secure context, as a server at home may have.
  "--host-resolver-rules=MAP keyplate.test 127.0.0.1",
];

/** A browser with a fresh profile; each person has a context of it. */
export function launch() {
  return chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", headless: true, args: FLAGS });
}

/** What Chromium's console says although nothing is wrong: the words, and the paths for which it may say them. */
const EXPECTED = [
  // Every answer of 4xx, also those that a page asks for, such as “is set-up open?”, and a page that is not there. A page
  // without an icon is one of another host name: that a browser looks for one there is its own affair.
  [/^Failed to load resource: .* status of 4\d\d /, /^(\/auth)?\/api\/|\/nowhere\b|^\/favicon\.ico$/],
  // Where there is no HTTPS some headers have no effect.
  [/^The Cross-Origin-Opener-Policy header has been ignored/, /^/],
];

const DEVICE = {
  protocol: "ctap2",
  ctap2Version: "ctap2_1",
  transport: "internal",
  hasResidentKey: true,
  hasUserVerification: true,
  isUserVerified: true,
  automaticPresenceSimulation: true,
};

// Runs in the page before its own modules: notes what it got of the browser, and lets it go on. The browser that has no
// offers in fields is chosen by the address.
function record() {
  const wrap = (object, name, detail) => {
    const original = object?.[name]?.bind(object);
    if (!original) return;
    object[name] = async (...given) => {
      const result = await original(...given);
      // A page may leave as soon as it has what it wanted: first the note.
      await window.noteOfPage({ name, ...detail(...given) });
      return result;
    };
  };
  wrap(navigator.credentials, "get", ({ mediation }) => ({ mediation: mediation ?? "modal" }));
  if (location.search.includes("without-autofill")) {
    PublicKeyCredential.isConditionalMediationAvailable = async () => false;
  }
  wrap(navigator.credentials, "create", () => ({}));
  for (const name of ["signalUnknownCredential", "signalAllAcceptedCredentials", "signalCurrentUserDetails"]) {
    wrap(window.PublicKeyCredential, name, (payload) => ({ payload }));
  }
}

export class Person {
  /** `habits` is a function that runs in each page before anything else, such as another browser's or an extension's. */
  static async arrive(browser, server, { device = true, habits, ...options } = {}) {
    const person = new Person();
    person.server = server;
    person.complaints = [];
    person.asked = [];
    person.notes = new EventEmitter();
    person.context = await browser.newContext({
      baseURL: server.origin,
      viewport: { width: 1280, height: 800 },
      locale: "en-GB",
      timezoneId: "Europe/Vienna",
      reducedMotion: "reduce",
      ...options,
    });
    person.context.setDefaultTimeout(PATIENCE);
    await person.context.exposeBinding("noteOfPage", (_, note) => {
      person.asked.push(note);
      person.notes.emit("note");
    });
    // On about:blank there are no passkeys.
    if (habits) await person.context.addInitScript(`if (window.PublicKeyCredential) (${habits})();`);
    await person.context.addInitScript(record);
    person.page = await person.context.newPage();
    person.listen();
    if (device) await person.takeDevice();
    return person;
  }

  /** Nothing may go wrong behind the page: no mistake in it, nothing that its policy refuses, nothing in its console. */
  listen() {
    this.page.on("pageerror", (error) => this.complaints.push(`page error: ${error.message}`));
    this.page.on("console", (message) => {
      if (!["error", "warning"].includes(message.type())) return;
      const { url } = message.location();
      const path = URL.canParse(url) ? new URL(url).pathname : "";
      if (!EXPECTED.some(([words, where]) => words.test(message.text()) && where.test(path)))
        this.complaints.push(`console: ${message.text()} (${path})`);
    });
  }

  /** Asserts that nothing has gone wrong so far. */
  isContent() {
    assert.deepEqual(this.complaints, []);
  }

  async leave() {
    await this.context.close();
    this.isContent();
  }

  /** How passkeys were shown since he came back to his device: `modal` by a button, `conditional` by what a field offers. */
  waysIn() {
    const shown = this.asked.filter(({ name }) => name === "get");
    return shown.map(({ mediation }) => mediation);
  }

  /** Waits until a page tells the browser this. */
  async hears(name, isIt) {
    const signal = AbortSignal.timeout(PATIENCE);
    while (!this.asked.some((note) => note.name === name && isIt(note.payload))) await once(this.notes, "note", { signal });
  }

  // --- his device ---

  async takeDevice() {
    this.cdp ??= await this.context.newCDPSession(this.page);
    await this.cdp.send("WebAuthn.enable", { enableUI: false });
    const { authenticatorId } = await this.cdp.send("WebAuthn.addVirtualAuthenticator", { options: DEVICE });
    this.device = authenticatorId;
  }

  async passkeys() {
    return (await this.cdp.send("WebAuthn.getCredentials", { authenticatorId: this.device })).credentials;
  }

  /** Puts the device away and takes another one; gives what was kept on the first. */
  async changeDevice(kept = []) {
    const before = await this.passkeys();
    await this.cdp.send("WebAuthn.removeVirtualAuthenticator", { authenticatorId: this.device });
    await this.takeDevice();
    for (const credential of kept) {
      await this.cdp.send("WebAuthn.addCredential", { authenticatorId: this.device, credential });
    }
    return before;
  }

  /** His device waits for a touch that does not come; without this it answers at once, to what a field offers too. */
  async keepHandsOff() {
    await this.presence(false);
  }

  /** Opens a page where he touches his device again. A page that still waits for a touch must be gone by then. */
  async touchAt(path) {
    await this.open("about:blank");
    this.asked = [];
    await this.presence(true);
    await this.open(path);
  }

  async presence(enabled) {
    await this.cdp.send("WebAuthn.setAutomaticPresenceSimulation", { authenticatorId: this.device, enabled });
  }

  // --- what he does ---

  /** Goes there, also if the page is just going somewhere by itself. */
  async open(path) {
    for (let tries = 1; ; tries += 1) {
      try {
        return await this.page.goto(path);
      } catch (error) {
        if (tries === 3 || !/ERR_ABORTED|interrupted by another navigation/.test(error.message)) throw error;
      }
    }
  }

  /** The dialog that is open, else the page: what is behind a dialog cannot be used. */
  async within() {
    const dialog = this.page.locator("dialog[open]").last();
    return (await dialog.count()) > 0 ? dialog : this.page.locator("body");
  }

  async press(name, options = {}) {
    await (await this.within()).getByRole("button", { name, exact: true, ...options }).click();
  }

  async follow(name, options = {}) {
    await this.page.getByRole("link", { name, exact: true, ...options }).first().click();
  }

  /** The field with this label; which fields are optional is said there too. */
  async field(label) {
    return (await this.within()).getByLabel(new RegExp(`^${label}( ?optional)?$`));
  }

  async type(label, text) {
    await (await this.field(label)).fill(text);
  }

  async choose(label, option) {
    await (await this.field(label)).selectOption({ label: option });
  }

  async tick(label, ticked = true) {
    await (await this.within()).getByLabel(label).setChecked(ticked);
  }

  // --- what he sees ---

  async sees(text, scope = this.page) {
    await scope.getByText(text).filter({ visible: true }).first().waitFor();
  }

  async seesHeading(name) {
    await this.page.getByRole("heading", { name, exact: typeof name === "string" }).waitFor();
  }

  /** Something that was there goes away. */
  async seesNoMore(text, scope = this.page) {
    await scope.getByText(text).first().waitFor({ state: "hidden" });
  }

  async isAt(path) {
    await this.page.waitForURL((url) => url.pathname === path);
  }

  section(title) {
    return this.page.getByRole("region", { name: title, exact: true });
  }

  row(text, scope = this.page) {
    return scope.getByRole("listitem").filter({ hasText: text });
  }

  dialog(name) {
    return this.page.getByRole("dialog", name ? { name } : {});
  }
}
