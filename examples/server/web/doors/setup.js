// First run: the first administrator's profile, then their passkey, then what was created here before them.

import { ask } from "../parts/dialogs.js";
import { obstacle } from "../parts/ceremony.js";
import { fill, h } from "../parts/dom.js";
import { field, form, load, pair } from "../parts/forms.js";
import { date, many } from "../parts/format.js";
import { ApiError, send } from "../parts/http.js";
import { register } from "../parts/passkeys.js";
import { badge, button, link, notice, row } from "../parts/parts.js";
import { filledIn, profileFields, tokenOfAddress } from "./profile.js";
import { doorHead, entitle, publicSettings, step } from "../parts/shell.js";

const main = document.getElementById("main");
const token = tokenOfAddress();
const NEW_LINK =
  "For a new link, start the server again: it prints one as long as set-up is not complete. A link is good for a day.";
let settings = null;

/** Which step is it? */
async function look() {
  settings = await publicSettings();
  entitle("Set up", settings);
  const stage = await setupStage();
  if (stage === "open") return "profile";
  const sessions = await answer("/api/sessions?limit=100");
  const current = sessions?.data.find((session) => session.current);
  if (current?.method === "setup") return "passkey";
  if (current) return "signed-in";
  if (stage === "complete") return "complete";
  return token ? "begun" : "over";
}

/** Is set-up `open`, `begun` or `complete`? */
async function setupStage() {
  try {
    await send("GET", "/api/signup/setup");
    return "open";
  } catch (error) {
    if (!(error instanceof ApiError) || error.status !== 404) throw error;
    return error.code === "setup_already_completed" ? "complete" : "begun";
  }
}

/** What a path gives; undefined where it refuses. */
async function answer(path) {
  try {
    return await send("GET", path);
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
  const names = ["Profile", "Passkey", "Done"];
  return h(
    "ol",
    { class: "steps", "aria-label": "Steps" },
    names.map((name, i) =>
      h("li", { class: i < now ? "done" : null, "aria-current": i === now ? "step" : null }, name),
    ),
  );
}

function profile() {
  const why = obstacle();
  const head = doorHead(settings, "Set up this server", "You become its first administrator.");
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
      action: "Continue",
      run: async (values) => {
        try {
          await send("POST", "/api/signup/setup", filledIn({ ...values, token: token ?? setupToken(values.token) }));
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
    label: "Set-up token",
    hint: "What follows #token= in the link that the server printed when it started. On the server's own machine it may be left empty.",
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
    return over("Somebody else was quicker: this server has its first administrator.");
  if (error.status !== 401) throw error;
  if (!typed) return noLongerGood();
  error.fields.token = typed.value
    ? "This token is not good, or no longer. Look for the link of the server's latest start."
    : "This server wants the token of the set-up link that it printed when it started.";
  throw error;
}

/** The set-up link is used: it must not stay in the browser's history. */
function forgetToken() {
  history.replaceState(null, "", "/setup");
}

function noLongerGood() {
  step(
    main,
    doorHead(
      settings,
      "This set-up link is no longer good",
      "It was used, a later start of the server ended it, or it is older than 24 hours.",
    ),
    h("p", {}, NEW_LINK),
    h("div", { class: "door-actions" }, link("Sign in", "/signin")),
  );
}

function begun() {
  const problem = h("p", { class: "problem", role: "alert", hidden: true });
  const resume = form({
    parts: [problem],
    action: "Go on with set-up",
    run: async () => {
      try {
        await send("POST", "/api/setup/resume", { token });
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
      "Set-up was begun",
      "The first administrator is there, but may have no passkey yet. If that is you, go on with it now.",
    ),
    progress(1),
    resume,
  );
}

function passkey() {
  const why = obstacle();
  const head = doorHead(
    settings,
    "Add your passkey",
    "It takes the place of a password: your device keeps it and asks for your fingerprint, face or PIN.",
  );
  if (why)
    return step(main, head, progress(1), notice("warning", why.title, why.text), h("p", { class: "hint" }, NEW_LINK));
  step(
    main,
    head,
    progress(1),
    form({
      parts: [],
      action: "Add a passkey",
      run: async () => {
        const { setup } = await register();
        done([...(setup?.apiKeys ?? []).map(keyFound), ...(setup?.oneTimeTokens ?? []).map(codeFound)]);
      },
    }),
    h(
      "p",
      { class: "hint" },
      "Set-up is complete with it, and the set-up link is dead from then on. You can add more passkeys later.",
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
      "Set-up is complete",
      found.length === 0
        ? "You are signed in, and the set-up link works no longer."
        : "You are signed in. Look at this before you go on:",
    ),
    progress(2),
    found.length === 0
      ? null
      : [
          notice(
            "warning",
            "These exist already",
            "They were made during set-up. Revoke each that neither you nor a script of yours has made.",
          ),
          list,
        ],
    h("div", { class: "door-actions" }, link("Go to your account", "/account", { kind: "primary" })),
  );
}

function keyFound(key) {
  return {
    name: key.name,
    path: `/api/api-keys/${key.id}`,
    action: "Revoke key",
    consequence: "Whatever uses this key is refused from now on.",
    badges: [
      badge("API key"),
      key.scopes.includes("*") ? badge("everything", "wait") : badge(many(key.scopes.length, "scope")),
    ],
    facts: [
      h("code", {}, key.prefix),
      ["made ", date(key.createdAt)],
      key.expiresAt ? ["until ", date(key.expiresAt)] : "without end",
    ],
  };
}

function codeFound(token) {
  const name = token.isCode ? "A sign-in code" : "A sign-in link";
  return {
    name,
    path: `/api/users/${token.userID}/one-time-access-tokens/${token.id}`,
    action: "Revoke",
    consequence: "It signs nobody in from now on.",
    badges: [badge("works once")],
    facts: [["made ", date(token.createdAt)], ["until ", date(token.expiresAt)]],
  };
}

function foundRow(one, onRevoked) {
  const revoke = button(
    "Revoke",
    async () => {
      const done = await ask({
        title: `Revoke “${one.name}”?`,
        text: one.consequence,
        action: one.action,
        danger: true,
        run: () => send("DELETE", one.path),
      });
      if (done) onRevoked();
    },
    { kind: "danger", label: `Revoke ${one.name}` },
  );
  return row({ title: one.name, badges: one.badges, facts: one.facts, actions: [revoke] });
}

function signedIn() {
  step(
    main,
    doorHead(settings, "Set-up is over", "This server has its administrator, and you are signed in."),
    h("div", { class: "door-actions" }, link("Go to your account", "/account", { kind: "primary" })),
  );
}

function over(text = "This server has its first administrator.") {
  step(
    main,
    doorHead(settings, "Set-up is over", text),
    h("p", {}, "If it was begun and not finished, you need its link again. ", NEW_LINK),
    h("div", { class: "door-actions" }, link("Sign in", "/signin", { kind: "primary" })),
  );
}

/** No link helps any more, so none is spoken of. */
function complete() {
  step(
    main,
    doorHead(settings, "Set-up is over", "This server has its administrator, and set-up links work no longer."),
    h("div", { class: "door-actions" }, link("Sign in", "/signin", { kind: "primary" })),
  );
}

load(main, look, show);
// The link, pasted into a window that shows this page already, changes only what is behind the #.
addEventListener("hashchange", () => location.reload());
