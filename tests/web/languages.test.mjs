// Languages: every word of the pages comes from the catalogue, and German is complete.

import assert from "node:assert/strict";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import de from "../../examples/server/web/messages/de.js";
import en from "../../examples/server/web/messages/en.js";
import { becomeAdministrator, sessionOf } from "./lib/begin.mjs";
import { launch, Person } from "./lib/person.mjs";
import { Server } from "./lib/server.mjs";

const WEB = join(import.meta.dirname, "../../examples/server/web");
let browser, folder;

before(async () => {
  browser = await launch();
  folder = await mkdtemp(join(tmpdir(), "keyplate-words-"));
});
after(async () => {
  await browser.close();
  await rm(folder, { recursive: true, force: true });
});

/** All texts of a message: its plurals, too. */
function texts(message) {
  return typeof message === "string" ? [message] : Object.values(message);
}

function names(message) {
  const found = texts(message).flatMap((text) => [...text.matchAll(/\{(\w+)\}/g)].map(([, name]) => name));
  return [...new Set(found)].sort();
}

test("German has every message, with the same values in it", () => {
  assert.deepEqual(Object.keys(de), Object.keys(en));
  for (const key of Object.keys(en)) {
    assert.deepEqual(names(de[key]), names(en[key]), key);
    assert.equal(typeof de[key], typeof en[key], key);
    if (typeof en[key] === "object") assert.ok("other" in de[key] && "one" in de[key], key);
  }
});

test("every message that a page takes is there", async () => {
  for (const name of await readdir(WEB, { recursive: true })) {
    if (!name.endsWith(".js") || name.startsWith("messages")) continue;
    const text = await readFile(join(WEB, name), "utf8");
    for (const [, key] of text.matchAll(/\bt\(\s*"([^"]+)"/g)) assert.ok(key in en, `${name}: ${key}`);
  }
});

test("every kind of event has its words", async (t) => {
  const server = await Server.start();
  t.after(() => server.stop());
  const ann = await becomeAdministrator(browser, server);
  const kinds = await server.ask("GET", "/api/audit-logs/filters/events", { session: await sessionOf(ann) });
  for (const kind of kinds.body) assert.ok(`event.${kind}` in en, kind);
  await ann.leave();
});

test("English has none of the words that only we understood", () => {
  const all = Object.entries(en).flatMap(([key, message]) => texts(message).map((text) => [key, text]));
  for (const [key, text] of all) {
    assert.doesNotMatch(text, /\b(Make (user|group|service|key|code|invitation)|take back|taken back|\bhis\b|E-mail)\b/i, key);
  }
});

/** In brackets, and longer, as other languages are: what stands on a page without brackets is not from the catalogue. */
function pseudo(text) {
  const pieces = text.split(/(\{\w+\})/);
  const longer = pieces.map((piece, i) => (i % 2 === 0 ? piece.replace(/[aeiou]/g, (letter) => letter + letter) : piece));
  return `⟦${longer.join("")}⟧`;
}

async function layPseudo(direction) {
  const laid = join(folder, direction);
  await mkdir(join(laid, "messages"), { recursive: true });
  const message = (value) =>
    typeof value === "string"
      ? pseudo(value)
      : Object.fromEntries(Object.entries(value).map(([name, text]) => [name, pseudo(text)]));
  const all = Object.fromEntries(Object.entries(en).map(([key, value]) => [key, message(value)]));
  const about = JSON.stringify({ language: "en", direction });
  const text = `export const about = ${about};\nexport default ${JSON.stringify(all)};\n`;
  await writeFile(join(laid, "messages/en.js"), text);
  return laid;
}

/** Texts on the page, in shadows too, that no catalogue has given and that are no data of ours. */
function plainTexts(known) {
  const found = [];
  const bracketed = (text) => {
    let depth = 0;
    let outside = "";
    for (const letter of text) {
      if (letter === "⟦") depth += 1;
      else if (letter === "⟧") depth -= 1;
      else if (depth === 0) outside += letter;
    }
    // What the server shows of a secret.
    return outside.replace(/kp_\S+/g, "");
  };
  const visit = (root) => {
    const walker = document.createTreeWalker(root, NodeFilter.SHOW_ELEMENT | NodeFilter.SHOW_TEXT);
    for (let node = walker.nextNode(); node; node = walker.nextNode()) {
      if (node.nodeType === Node.TEXT_NODE) {
        const parent = node.parentElement;
        if (node.data.trim() === "" || parent?.closest("script, style, noscript, time, code, title, .face, dd")) continue;
        const rest = bracketed(parent ? parent.textContent : node.data);
        const words = rest.match(/\p{L}{2,}/gu) ?? [];
        if (words.some((word) => !known.includes(word.toLowerCase()))) found.push(rest.trim());
        continue;
      }
      for (const name of ["aria-label", "placeholder"]) {
        const value = node.getAttribute(name);
        const words = value ? (bracketed(value).match(/\p{L}{2,}/gu) ?? []) : [];
        if (words.some((word) => !known.includes(word.toLowerCase()))) found.push(`${name}: ${value}`);
      }
      if (node.shadowRoot) visit(node.shadowRoot);
    }
  };
  visit(document.body);
  return [...new Set(found)];
}

// Data and names that are the same in each language.
const KNOWN = [
  "ann", "keyplate", "friends", "friendsfriends", "films", "filmsfilms", "passkey", "chrome", "linux", "english", "deutsch", "xxxx", "example", "localhost",
  "https", "users", "groups", "services", "settings", "signup", "tokens", "one", "time", "passkeys", "sessions", "keys",
  "audit", "roles", "read", "write", "all", "kp", "inv", "day", "days", "week", "hour", "year", "years", "minutes", "mins",
  "minute",
];

for (const direction of ["ltr", "rtl"]) {
  test(`a language of longer words, written ${direction}: no text of its own, and nothing breaks`, async (t) => {
    const server = await Server.start({ options: ["--web-dir", await layPseudo(direction)] });
    t.after(() => server.stop());
    const faults = [];
    const person = await Person.arrive(browser, server);
    const look = async (name) => {
      await person.page.locator(".loading").first().waitFor({ state: "detached" });
      faults.push(...(await person.page.evaluate(plainTexts, KNOWN)).map((text) => `${name}: ${text}`));
      for (const width of [1280, 320]) {
        await person.page.setViewportSize({ width, height: 800 });
        const more = await person.page.evaluate(
          () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
        );
        if (more > 0) faults.push(`${name}: ${more} px too wide at ${width}`);
      }
      await person.page.setViewportSize({ width: 1280, height: 800 });
      assert.equal(await person.page.evaluate(() => document.documentElement.dir), direction, name);
    };
    await person.open(server.link);
    await look("set-up");
    await person.page.getByRole("textbox").first().fill("ann");
    await person.page.locator("button[type=submit]").click();
    await person.page.locator("h1", { hasText: pseudo(en["setup.passkey"]) }).waitFor();
    await look("set-up's passkey");
    await person.page.locator("button[type=submit]").click();
    await person.page.locator("h1", { hasText: pseudo(en["setup.complete"]) }).waitFor();
    await look("set-up's end");
    const session = await sessionOf(person);
    const make = async (path, body) => (await server.ask("POST", path, { session, body })).body;
    const group = await make("/api/user-groups", { name: "friends", friendlyName: "Friends" });
    const service = await make("/api/services", { slug: "films", name: "Films", userGroupIds: [group.id] });
    const token = await make("/api/signup-tokens", { ttl: "7d", usageLimit: 2, userGroupIds: [group.id] });
    const { body: me } = await server.ask("GET", "/api/users/me", { session });
    const { id } = me;
    for (const path of [
      "/account",
      "/device",
      "/admin/users",
      `/admin/users/${id}`,
      "/admin/groups",
      `/admin/groups/${group.id}`,
      "/admin/services",
      `/admin/services/${service.id}`,
      "/admin/signup",
      `/admin/signup/${token.id}`,
      "/admin/keys",
      "/admin/audit",
      "/admin/settings",
      "/nowhere",
    ]) {
      await person.open(path);
      await person.page.locator("h1").waitFor();
      await look(path);
    }
    // Else the passkey would sign them in by itself, in the middle of a look.
    await person.keepHandsOff();
    await person.context.clearCookies();
    for (const path of ["/signin", "/code", "/device", "/signup"]) {
      await person.open("about:blank");
      await person.open(path);
      await person.page.locator("h1").waitFor();
      await look(path);
    }
    assert.deepEqual(faults, []);
    await person.leave();
  });
}

test("pages speak German to whoever wants it, by the browser and then by their own choice", async (t) => {
  const server = await Server.start();
  t.after(() => server.stop());
  const ann = await becomeAdministrator(browser, server);
  const guest = await Person.arrive(browser, server, { locale: "de-AT" });
  await guest.open("/signin");
  await guest.seesHeading("Anmelden");
  assert.equal(await guest.page.evaluate(() => document.documentElement.lang), "de");
  await guest.leave();

  await ann.choose("Language", "Deutsch");
  await ann.press("Save");
  await ann.seesHeading("Dein Konto");
  await ann.open("/admin/audit");
  await ann.seesHeading("Protokoll");
  await ann.sees("Einrichtung abgeschlossen");
  await ann.leave();
});
