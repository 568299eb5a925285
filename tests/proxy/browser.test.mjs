// Services in Chromium: one passkey opens the page asked for, and the next service without another; one sign-out ends all.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { signUp } from "../web/lib/begin.mjs";
import { look } from "../web/lib/look.mjs";
import { launch, Person } from "../web/lib/person.mjs";
import { World } from "./lib/world.mjs";

const PLAN = `
[settings]
signup_mode = "open"

[[groups]]
name = "friends"

[[services]]
slug = "films"
origins = ["https://films.example"]
groups = ["friends"]

[[services]]
slug = "books"
origins = ["https://books.example"]
for_everyone = true

[[users]]
username = "ann"
role = "administrator"

[[api_keys]]
owner = "ann"
name = "tests"
scopes = ["*"]
generate = true
`;
const OPTIONS = { ignoreHTTPSErrors: true };

for (const proxy of ["nginx", "caddy"]) {
  describe(proxy, () => {
    let world, browser, server, lea;
    before(async () => {
      world = await World.start(proxy, { plan: PLAN });
      browser = await launch();
      server = { origin: world.identity };
      lea = await signUp(browser, server, "lea", OPTIONS);
      await world.setGroups("lea", ["friends"]);
      // Or the sign-in page, which offers passkeys by itself, would have them back at once.
      await lea.keepHandsOff();
      await lea.press("Sign out");
      await lea.isAt("/signin");
    });
    after(async () => {
      await browser?.close();
      await world?.stop();
    });

    const asked = () => lea.asked.filter(({ name }) => name === "get").length;
    const pictures = (name) => `${proxy}-${name}`;
    const arrives = (address) => lea.page.waitForURL(address);

    test("a service's page, a passkey, and the page asked for", async () => {
      await lea.keepHandsOff();
      await lea.open(`${world.films}/shelf/3?sort=title`);
      await lea.seesHeading("Sign in");
      assert.equal(new URL(lea.page.url()).origin, world.identity);
      assert.deepEqual(world.filmsService.requests, []);
      await look(lea, pictures("sign-in"));
      await lea.touchAt(`${world.films}/shelf/3?sort=title`);
      await arrives(`${world.films}/shelf/3?sort=title`);
      await lea.seesHeading("films: lea");
      assert.ok(asked() > 0);
    });

    test("the next service opens without another passkey", async () => {
      const before = asked();
      await lea.open(`${world.books}/a`);
      await arrives(`${world.books}/a`);
      await lea.seesHeading("books: lea");
      await lea.open(`${world.films}/`);
      await lea.seesHeading("films: lea");
      assert.equal(asked(), before);
    });

    test("no script of a service sees a cookie of ours, and none goes to another host", async () => {
      assert.equal(await lea.page.evaluate(() => document.cookie), "");
      const cookies = await lea.context.cookies();
      const of = (host) => cookies.filter(({ domain }) => domain === host).map(({ name }) => name).sort();
      assert.deepEqual(of("films.example"), ["__Host-keyplate-nonce", "__Host-keyplate-service"]);
      assert.deepEqual(of("books.example"), ["__Host-keyplate-nonce", "__Host-keyplate-service"]);
      assert.ok(of("id.example").includes("__Host-access_token"));
      assert.ok(cookies.every(({ httpOnly, secure }) => httpOnly && secure));
      for (const { headers } of [...world.filmsService.requests, ...world.booksService.requests]) {
        assert.doesNotMatch(headers.cookie ?? "", /keyplate|access_token/);
      }
    });

    test("who is not let in reads that, on a page of the service's host", async () => {
      await world.setGroups("lea", []);
      await lea.open(`${world.films}/`);
      await lea.sees("Your account has no access to this service.");
      assert.equal(new URL(lea.page.url()).origin, world.films);
      await look(lea, pictures("refused"), { again: () => lea.open(`${world.films}/`) });
      await lea.follow("Your account");
      await lea.isAt("/account");
      await lea.seesHeading("Your account");
      await world.setGroups("lea", ["friends"]);
    });

    test("a link with somebody's ticket signs nobody in", async () => {
      const other = await Person.arrive(browser, server, OPTIONS);
      await other.open(`${world.films}/.keyplate/enter?ticket=kp_tkt_x`);
      await other.seesHeading("This link no longer works");
      await look(other, pictures("ticket"));
      assert.deepEqual(await other.context.cookies(), []);
      await other.context.close();
    });

    test("signing out ends all of them, also in a page that is open", async () => {
      await lea.open(`${world.films}/`);
      await lea.seesHeading("films: lea");
      const call = () => lea.page.evaluate(async () => (await fetch("/api")).status);
      assert.equal(await call(), 200);
      const account = await lea.context.newPage();
      await account.goto(`${world.identity}/account`);
      await account.getByRole("button", { name: "Sign out", exact: true }).click();
      await account.waitForURL((url) => url.pathname === "/signin");
      assert.equal(await call(), 401);
      await account.close();
      await lea.keepHandsOff();
      for (const address of [world.films, world.books]) {
        await lea.open(`${address}/`);
        await lea.seesHeading("Sign in");
        assert.equal(new URL(lea.page.url()).origin, world.identity);
      }
    });
  });
}
