// Speed: a telephone far from a mast, and what each page loads.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { allow, becomeAdministrator } from "./lib/begin.mjs";
import { launch, Person } from "./lib/person.mjs";
import { Server } from "./lib/server.mjs";

const LARGEST = 60 * 1024;
// From the first byte until somebody can type. The machine that runs this is slower than a telephone at times.
const SOON = 2_000;
let browser, server, ann;

before(async () => {
  browser = await launch();
  server = await Server.start();
  ann = await becomeAdministrator(browser, server);
  await allow(server, ann, { allowUserSignups: "open" });
});
after(async () => {
  await browser.close();
  await server.stop();
  ann.isContent();
});

/** Notes when the first field is there to type in; runs in the page. */
function noteFirstField() {
  const look = () => {
    const roots = [document, ...[...document.querySelectorAll("*")].map(({ shadowRoot }) => shadowRoot).filter(Boolean)];
    if (roots.some((root) => root.querySelector("input"))) window.firstField = performance.now();
    else requestAnimationFrame(look);
  };
  requestAnimationFrame(look);
}

/** What a person's browser fetches of the server while `run` is under way: how often, and how many bytes. */
async function traffic(person, run) {
  const cdp = await person.context.newCDPSession(person.page);
  await cdp.send("Network.enable");
  const seen = { requests: 0, bytes: 0 };
  cdp.on("Network.requestWillBeSent", () => {
    seen.requests += 1;
  });
  cdp.on("Network.loadingFinished", ({ encodedDataLength }) => {
    seen.bytes += encodedDataLength;
  });
  await run(cdp);
  await cdp.detach();
  return seen;
}

test("400 ms and 50 KB/s: sign-up can be used within two seconds of the first byte", async (t) => {
  // The best of some: what is measured is what has to be fetched, and not how busy this machine is.
  const times = [];
  while (times.length < 8 && !(Math.min(...times) <= SOON)) {
    const guest = await Person.arrive(browser, server, { device: false });
    const seen = await traffic(guest, async (cdp) => {
      const slow = { offline: false, latency: 400, downloadThroughput: 50 * 1024, uploadThroughput: 50 * 1024 };
      await cdp.send("Network.emulateNetworkConditions", slow);
      await guest.context.addInitScript(noteFirstField);
      await guest.page.goto("/signup", { waitUntil: "commit" });
      await guest.page.waitForFunction(() => window.firstField);
      // Chromium's slow network holds back what has come already, and tells of its start too early: the end of the small
      // document is when its first byte would be there.
      const time = await guest.page.evaluate(
        () => window.firstField - performance.getEntriesByType("navigation")[0].responseEnd,
      );
      times.push(Math.round(time));
    });
    t.diagnostic(`${times.at(-1)} ms, ${seen.requests} requests, ${Math.round(seen.bytes / 1024)} KB`);
    await guest.context.close();
  }
  assert.ok(Math.min(...times) <= SOON, `${times} ms`);
});

test("no page is larger than 60 KB, and what was loaded once is not asked for again", async (t) => {
  const paths = ["/signup", "/signin", "/code", "/account", "/admin/users", "/admin/groups", "/admin/signup", "/admin/audit"];
  const { cookies } = await ann.context.storageState();
  for (const path of paths) {
    const person = await Person.arrive(browser, server, { device: false });
    if (path.startsWith("/a")) await person.context.addCookies(cookies);
    const show = async () => {
      await person.open(path);
      await person.page.locator("h1, h2").first().waitFor();
      await person.page.waitForLoadState("networkidle");
    };
    const first = await traffic(person, show);
    const again = await traffic(person, show);
    t.diagnostic(
      `${path}: ${first.requests} requests, ${(first.bytes / 1024).toFixed(1)} KB; again ${(again.bytes / 1024).toFixed(1)} KB`,
    );
    assert.ok(first.bytes <= LARGEST, `${path}: ${first.bytes}`);
    assert.ok(again.bytes <= 12 * 1024, `${path} again: ${again.bytes}`);
    await person.context.close();
  }
});
