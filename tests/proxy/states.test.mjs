// Who reaches a service behind each proxy, and who does not: every state that somebody may be in.

import assert from "node:assert/strict";
import { after, before, beforeEach, describe, test } from "node:test";
import { PAGE } from "./lib/visitor.mjs";
import { World } from "./lib/world.mjs";

for (const proxy of ["nginx", "caddy"]) {
  describe(proxy, () => {
    let world;
    before(async () => {
      world = await World.start(proxy);
    });
    after(() => world?.stop());
    beforeEach(() => {
      world.filmsService.requests = [];
      world.booksService.requests = [];
    });

    /** The answer is a page that says why not, and the service knows of nothing. */
    function isRefused(answer, service, words) {
      assert.equal(answer.status, 403, answer.text);
      assert.match(answer.headers["content-type"], /^text\/html/);
      assert.match(answer.text, words);
      assert.deepEqual(service.requests, []);
    }

    async function bob() {
      const visitor = await world.visitor().signIn("bob");
      assert.equal((await visitor.open(`${world.films}/`)).status, 200);
      assert.equal((await visitor.open(`${world.books}/`)).status, 200);
      world.filmsService.requests = [];
      world.booksService.requests = [];
      return visitor;
    }

    /** Sent to sign in, as a page; as a program, told so. */
    async function isAsked(visitor, address) {
      const page = await visitor.ask(address, { headers: PAGE });
      assert.equal(page.status, 302, page.text);
      assert.ok(page.to.startsWith(`${new URL(address).origin}/.keyplate/start?`), page.to);
      const call = await visitor.ask(address);
      assert.equal(call.status, 401);
      assert.equal(call.headers.location, undefined);
    }

    test("a stranger is sent to the sign-in page, and back to the page asked for", async () => {
      const stranger = world.visitor();
      const answers = await stranger.walk(`${world.films}/shelf/3?sort=a&b=%C3%A9`);
      assert.equal(answers.at(-1).status, 200);
      assert.ok(answers.at(-1).address.startsWith(`${world.identity}/signin?`), answers.at(-1).address);
      assert.deepEqual(world.filmsService.requests, []);
      await stranger.signIn("bob");
      const { searchParams } = new URL(answers.at(-1).address);
      const back = await stranger.open(new URL(searchParams.get("next"), world.identity).href);
      assert.equal(back.status, 200);
      assert.equal(back.address, `${world.films}/shelf/3?sort=a&b=%C3%A9`);
      assert.match(back.text, /films: bob/);
      assert.deepEqual(world.filmsService.requests.map(({ url }) => url), ["/shelf/3?sort=a&b=%C3%A9"]);
    });

    test("what wants no page is told, and sent nowhere", async () => {
      const stranger = world.visitor();
      for (const [method, headers] of [
        ["GET", {}],
        ["GET", { Accept: "application/json" }],
        ["GET", { ...PAGE, "Sec-Fetch-Mode": "cors", "Sec-Fetch-Dest": "empty" }],
        ["GET", { ...PAGE, "X-Requested-With": "XMLHttpRequest" }],
        ["POST", { "Content-Type": "application/json" }],
        ["OPTIONS", { ...PAGE, Origin: world.books, "Access-Control-Request-Method": "PUT" }],
        ["PUT", {}],
        ["HEAD", {}],
        ["DELETE", {}],
      ]) {
        const answer = await stranger.ask(`${world.films}/api`, { method, headers });
        assert.equal(answer.status, 401, `${method} ${JSON.stringify(headers)}`);
        assert.equal(answer.headers.location, undefined);
      }
      const head = await stranger.ask(`${world.films}/`, { method: "HEAD", headers: PAGE });
      assert.equal(head.status, 302);
      assert.deepEqual(world.filmsService.requests, []);
    });

    test("browsers are never offered Basic, programs are", async () => {
      const program = await world.visitor().ask(`${world.films}/api`);
      assert.match(program.headers["www-authenticate"] ?? "", /Basic/);
      const headers = { Accept: "*/*", "Sec-Fetch-Mode": "cors", "Sec-Fetch-Site": "same-origin" };
      const browser = await world.visitor().ask(`${world.films}/api`, { headers });
      assert.doesNotMatch(browser.headers["www-authenticate"] ?? "", /Basic/);
    });

    test("a friend in the group gets in, and the service learns who they are", async () => {
      const visitor = await bob();
      visitor.jar("films.example").set("theirs", "1");
      const answer = await visitor.ask(`${world.films}/api`);
      assert.equal(answer.status, 200);
      const { headers } = answer.json;
      assert.equal(headers["remote-user"], "bob");
      assert.equal(Buffer.from(headers["remote-name"], "latin1").toString(), "Bob Łoś");
      assert.equal(headers["remote-email"], "bob@post.example");
      assert.equal(headers["remote-groups"], "friends");
      assert.equal(headers["remote-token"] ?? "", "");
      assert.equal(headers.cookie, "theirs=1");
      const books = await visitor.ask(`${world.books}/api`);
      const [, claims] = books.json.headers["remote-token"].split(".");
      assert.equal(JSON.parse(Buffer.from(claims, "base64url")).aud, "books");
    });

    test("who is in no group of it is told so, and gets into the open one without signing in again", async () => {
      const eve = await world.visitor().signIn("eve");
      isRefused(await eve.open(`${world.films}/`), world.filmsService, /no access to this service/);
      const books = await eve.open(`${world.books}/`);
      assert.equal(books.status, 200);
      assert.match(books.text, /books: eve/);
    });

    test("the page that says why not looks as all others do, and nothing keeps it", async () => {
      const eve = await world.visitor().signIn("eve");
      await eve.open(`${world.books}/`);
      const page = await eve.open(`${world.films}/`);
      assert.match(page.headers["cache-control"], /no-store/);
      const [, style] = page.text.match(/href="(\/\.keyplate\/assets\/[^"]+\.css)"/);
      const answer = await world.visitor().ask(world.films + style);
      assert.equal(answer.status, 200);
      assert.match(answer.headers["content-type"], /^text\/css/);
      assert.deepEqual(world.filmsService.requests, []);
    });

    test("an ordinary user's rights end with the group", async () => {
      const visitor = await bob();
      await world.setGroups("bob", []);
      isRefused(await visitor.ask(`${world.films}/`, { headers: PAGE }), world.filmsService, /no access to this service/);
      const call = await visitor.ask(`${world.films}/`);
      assert.equal(call.status, 403);
      assert.equal(call.json.code, "forbidden");
      await world.setGroups("bob", ["friends"]);
      assert.equal((await visitor.ask(`${world.films}/`)).status, 200);
    });

    test("who waits for approval reads that", async () => {
      const pat = world.visitor();
      const headers = { "Content-Type": "application/json" };
      const body = JSON.stringify({ username: `pat-${proxy}` });
      const signed = await pat.ask(`${world.identity}/api/signup`, { method: "POST", headers, body });
      assert.equal(signed.status, 202, signed.text);
      isRefused(await pat.open(`${world.books}/`), world.booksService, /Your account waits for approval/);
      const german = await pat.open(`${world.books}/`, { headers: { "Accept-Language": "de-AT,de;q=0.9" } });
      isRefused(german, world.booksService, /Dein Konto wartet auf Freigabe/);
    });

    test("who is disabled while a page is open is refused at the next request", async () => {
      const dan = await world.visitor().signIn("dan");
      assert.equal((await dan.open(`${world.films}/`)).status, 200);
      world.filmsService.requests = [];
      await world.disable("dan", true);
      isRefused(await dan.ask(`${world.films}/`, { headers: PAGE }), world.filmsService, /This account is disabled/);
      assert.equal((await dan.ask(`${world.films}/`)).status, 403);
      assert.equal((await dan.ask(`${world.films}/`, { method: "POST" })).status, 403);
      assert.deepEqual(world.filmsService.requests, []);
      await world.disable("dan", false);
    });

    test("who signs out at the identity's host is out of every service", async () => {
      const visitor = await bob();
      await visitor.signOut();
      await isAsked(visitor, `${world.films}/`);
      await isAsked(visitor, `${world.books}/`);
      assert.deepEqual([...world.filmsService.requests, ...world.booksService.requests], []);
    });

    test("a service that is closed lets nobody in, not even administrators", async () => {
      const [visitor, ann] = [await bob(), await world.visitor().signIn("ann")];
      assert.equal((await ann.open(`${world.films}/`)).status, 200);
      world.filmsService.requests = [];
      await world.setAccess("films", { isOpenToEveryone: false, userGroupIds: [] });
      isRefused(await visitor.ask(`${world.films}/`, { headers: PAGE }), world.filmsService, /no access to this service/);
      isRefused(await ann.ask(`${world.films}/`, { headers: PAGE }), world.filmsService, /no access to this service/);
      const { id } = await world.find("user-groups", "friends");
      await world.setAccess("films", { isOpenToEveryone: false, userGroupIds: [id] });
      assert.equal((await visitor.ask(`${world.films}/`)).status, 200);
    });
  });
}
