// First run: the first administrator's profile, then their passkey, then what was created here before them.

import { client, register, to } from "../kit/calls.js";
import { ApiError, obstacle } from "../kit/client.js";
import { ask } from "../kit/dialogs.js";
import { fill, h } from "../kit/dom.js";
import { field, form, load, pair } from "../kit/forms.js";
import { date } from "../kit/format.js";
import { badge, button, link, notice, row } from "../kit/pieces.js";
import { filledIn, profileFields, tokenOfAddress } from "../kit/profile.js";
import { t } from "../kit/words.js";
import { doorHead, step } from "../parts/steps.js";
import { entitle, main } from "./door.js";

const token = tokenOfAddress();
let settings = null;

/** Which step is it? */
async function look() {
  entitle(t("setup"));
  const [known, stage] = await Promise.all([client.settings(), setupStage()]);
  settings = known;
  if (stage === "open") return "profile";
  const current = await session();
  if (current?.method === "setup") return "passkey";
  if (current) return "signed-in";
  if (stage === "complete") return "complete";
  return token ? "begun" : "over";
}

/** Is set-up `open`, `begun` or `complete`? */
async function setupStage() {
  try {
    await client.send("GET", "/api/signup/setup");
    return "open";
  } catch (error) {
    if (!(error instanceof ApiError) || error.status !== 404) throw error;
    return error.code === "setup_already_completed" ? "complete" : "begun";
  }
}

/** The session of this browser; undefined where there is none. */
async function session() {
  try {
    const { data } = await client.send("GET", "/api/sessions?limit=100");
    return data.find((one) => one.current);
  } catch (error) {
    if (error instanceof ApiError && [401, 403, 404].includes(error.status)) return undefined;
    throw error;
  }
}

function show(stage) {
  const steps = { profile, passkey, begun, over, complete, "signed-in": signedIn };
  steps[stage]();
}

function progress(now) {
  const names = [t("profile"), t("passkey"), t("done")];
  return h(
    "ol",
    { class: "steps", "aria-label": t("steps") },
    names.map((name, i) =>
      h("li", { class: i < now ? "done" : null, "aria-current": i === now ? "step" : null }, name),
    ),
  );
}

function profile() {
  const why = obstacle();
  const head = doorHead(settings, t("setup.title"), t("setup.text"));
  // Whoever claims set-up and cannot make a passkey has locked themselves out for the moment.
  if (why) return step(main, head, progress(0), notice("warning", why.title, why.text));
  const person = profileFields({ mayBeAddress: true });
  const typed = token ? null : tokenField();
  step(
    main,
    head,
    progress(0),
    form({
      parts: [person.username, pair(person.firstName, person.lastName), person.email, typed],
      action: t("continue"),
      run: async (values) => {
        try {
          await client.send("POST", "/api/signup/setup", filledIn({ ...values, token: token ?? setupToken(values.token) }));
        } catch (error) {
          claimFailed(error, typed);
          return;
        }
        forgetToken();
        passkey();
      },
    }),
  );
}

function tokenField() {
  return field({
    name: "token",
    label: t("setup.token"),
    hint: t("setup.token.hint"),
    autocomplete: "off",
    spellcheck: "false",
  });
}

/** Who pastes the whole link means what stands in it. */
function setupToken(text) {
  return text.includes("#token=") ? text.slice(text.indexOf("#token=") + 7) : text;
}

function claimFailed(error, typed) {
  if (!(error instanceof ApiError)) throw error;
  if (error.code === "setup_already_completed")
    return over(t("setup.quicker"));
  if (error.status !== 401) throw error;
  if (!typed) return noLongerGood();
  error.fields.token = t(typed.value ? "setup.token.wrong" : "setup.token.wanted");
  throw error;
}

/** The set-up link is used: it must not stay in the browser's history. */
function forgetToken() {
  history.replaceState(null, "", to("/setup"));
}

function noLongerGood() {
  step(
    main,
    doorHead(
      settings,
      t("setup.dead"),
      t("setup.dead.text"),
    ),
    h("p", {}, t("setup.newLink")),
    h("div", { class: "door-actions" }, link(t("signIn"), to("/signin"))),
  );
}

function begun() {
  const problem = h("p", { class: "problem", role: "alert", hidden: true });
  const resume = form({
    parts: [problem],
    action: t("setup.resume"),
    run: async () => {
      try {
        await client.send("POST", "/api/setup/resume", { token });
      } catch (error) {
        if (error instanceof ApiError && error.status === 401) return noLongerGood();
        if (error instanceof ApiError && error.status === 409) return complete();
        throw error;
      }
      forgetToken();
      passkey();
    },
  });
  step(
    main,
    doorHead(
      settings,
      t("setup.begun"),
      t("setup.begun.text"),
    ),
    progress(1),
    resume,
  );
}

function passkey() {
  const why = obstacle();
  const head = doorHead(
    settings,
    t("setup.passkey"),
    t("setup.passkey.text"),
  );
  if (why)
    return step(main, head, progress(1), notice("warning", why.title, why.text), h("p", { class: "hint" }, t("setup.newLink")));
  step(
    main,
    head,
    progress(1),
    form({
      parts: [],
      action: t("passkeys.add"),
      run: async () => {
        const { setup } = await register();
        done([...(setup?.apiKeys ?? []).map(keyFound), ...(setup?.oneTimeTokens ?? []).map(codeFound)]);
      },
    }),
    h(
      "p",
      { class: "hint" },
      t("setup.passkey.hint"),
    ),
  );
}

/** What lets somebody in and was made before set-up was complete (B4). */
function done(found) {
  const list = h("ul", { class: "rows" });
  const draw = () =>
    fill(
      list,
      found.map((one) =>
        foundRow(one, () => {
          found.splice(found.indexOf(one), 1);
          draw();
        }),
      ),
    );
  draw();
  step(
    main,
    doorHead(
      settings,
      t("setup.complete"),
      t(found.length === 0 ? "setup.complete.text" : "setup.complete.look"),
    ),
    progress(2),
    found.length === 0
      ? null
      : [
          notice(
            "warning",
            t("setup.found"),
            t("setup.found.text"),
          ),
          list,
        ],
    h("div", { class: "door-actions" }, link(t("toAccount"), to("/account"), { kind: "primary" })),
  );
}

function keyFound(key) {
  return {
    name: key.name,
    path: `/api/api-keys/${key.id}`,
    action: t("keys.revoke"),
    consequence: t("setup.key.text"),
    badges: [
      badge(t("keys.one")),
      key.scopes.includes("*") ? badge(t("keys.everything"), "wait") : badge(t("keys.scopes", { count: key.scopes.length })),
    ],
    facts: [
      h("code", {}, key.prefix),
      t("made", { when: date(key.createdAt) }),
      key.expiresAt ? t("until", { when: date(key.expiresAt) }) : t("withoutEnd"),
    ],
  };
}

function codeFound(token) {
  const name = t(token.isCode ? "codes.code" : "codes.link");
  return {
    name,
    path: `/api/users/${token.userID}/one-time-access-tokens/${token.id}`,
    action: t("revoke"),
    consequence: t("setup.code.text"),
    badges: [badge(t("codes.once"))],
    facts: [t("made", { when: date(token.createdAt) }), t("until", { when: date(token.expiresAt) })],
  };
}

function foundRow(one, onRevoked) {
  const revoke = button(
    t("revoke"),
    async () => {
      const done = await ask({
        title: t("revoke.title", { name: one.name }),
        text: one.consequence,
        action: one.action,
        danger: true,
        run: () => client.send("DELETE", one.path),
      });
      if (done) onRevoked();
    },
    { kind: "danger", label: t("revoke.of", { name: one.name }) },
  );
  return row({ title: one.name, badges: one.badges, facts: one.facts, actions: [revoke] });
}

function signedIn() {
  step(
    main,
    doorHead(settings, t("setup.over"), t("setup.over.signedIn")),
    h("div", { class: "door-actions" }, link(t("toAccount"), to("/account"), { kind: "primary" })),
  );
}

function over(text = t("setup.over.text")) {
  step(
    main,
    doorHead(settings, t("setup.over"), text),
    h("p", {}, t("setup.over.link"), " ", t("setup.newLink")),
    h("div", { class: "door-actions" }, link(t("signIn"), to("/signin"), { kind: "primary" })),
  );
}

/** No link helps any more, so none is spoken of. */
function complete() {
  step(
    main,
    doorHead(settings, t("setup.over"), t("setup.over.complete")),
    h("div", { class: "door-actions" }, link(t("signIn"), to("/signin"), { kind: "primary" })),
  );
}

load(main, look, show);
// The link, pasted into a window that shows this page already, changes only what is behind the #.
addEventListener("hashchange", () => location.reload());
