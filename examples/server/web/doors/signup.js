// Signing up: by a link, with a typed token or freely, as the mode has it; with a passkey from the start. Who has to be
// approved first waits here.

import { obstacle } from "../parts/ceremony.js";
import { h } from "../parts/dom.js";
import { busy } from "../parts/dialogs.js";
import { explain } from "../parts/failures.js";
import { field, form, load, pair } from "../parts/forms.js";
import { length, moment, nameOf } from "../parts/format.js";
import { ApiError, send } from "../parts/http.js";
import { signUp } from "../parts/passkeys.js";
import { button, link, notice } from "../parts/parts.js";
import { filledIn, profileFields, tokenOfAddress } from "./profile.js";
import { doorHead, entitle, publicSettings, step } from "../parts/shell.js";

const main = document.getElementById("main");
const PAUSE = 10_000;
let settings = null;

tidyAddress();

/** Old links have the token in the path; there it would stand in the browser's history and in logs. */
function tidyAddress() {
  const old = location.pathname.match(/^\/st\/([^/]+)\/?$/);
  if (old) history.replaceState(null, "", `/signup#token=${old[1]}`);
}

async function look() {
  settings = await publicSettings();
  entitle("Sign up", settings);
  const me = await whoAmI();
  if (me?.status === "pending") return () => pending(me);
  if (me) return () => already(me);
  const token = tokenOfAddress();
  if (settings.allowUserSignups === "disabled") return closed;
  if (token) return invitation(token);
  return settings.allowUserSignups === "open" ? () => profile(null, null) : askForToken;
}

/** Who is signed in, or null. */
async function whoAmI() {
  try {
    return await send("GET", "/api/users/me");
  } catch (error) {
    if (error instanceof ApiError && (error.status === 401 || error.status === 403)) return null;
    throw error;
  }
}

/** Looks at a token, which does not use it, and gives the step that comes next. */
async function invitation(token) {
  try {
    const preview = await send("POST", "/api/signup/inspect", { token });
    return () => profile(token, preview);
  } catch (error) {
    if (error instanceof ApiError && error.status === 401) return noLongerGood;
    if (error instanceof ApiError && error.code === "open_signup_disabled") return closed;
    throw error;
  }
}

function toSignIn() {
  return h("ul", { class: "door-links" }, h("li", {}, "Have an account? ", h("a", { href: "/signin" }, "Sign in")));
}

function closed() {
  step(
    main,
    doorHead(
      settings,
      "Sign-up is closed",
      "Nobody can sign up here at the moment, not even with an invitation. Ask an administrator to make an account for you.",
    ),
    toSignIn(),
  );
}

function noLongerGood() {
  step(
    main,
    doorHead(
      settings,
      "This invitation is no longer good",
      "It has ended, was used up or taken back, or the link is not complete. Ask who gave it to you for a new one.",
    ),
    h("div", { class: "door-actions" }, button("Type another invitation", askForToken)),
    toSignIn(),
  );
}

function askForToken() {
  const token = field({
    name: "token",
    label: "Invitation",
    required: true,
    hint: "The link that you were given, or the token in it.",
    autocomplete: "off",
    autocapitalize: "none",
    spellcheck: "false",
  });
  step(
    main,
    doorHead(settings, "Sign up", "Signing up here wants an invitation."),
    form({
      parts: [token],
      action: "Continue",
      className: "form full",
      run: async ({ token: text }) => {
        const secret = tokenIn(text);
        const next = await invitation(secret);
        if (next === noLongerGood) {
          token.complain("This invitation is not good: it is mistyped, has ended, or was used up. Ask for a new one.");
          return token.focus();
        }
        next();
      },
    }),
    toSignIn(),
  );
}

/** Who pastes the whole link means what stands in it. */
function tokenIn(text) {
  const found = text.match(/(?:#token=|\/st\/)([^/?#&\s]+)/);
  return found ? found[1] : text;
}

function profile(token, preview) {
  const why = obstacle();
  const head = doorHead(settings, "Create your account", token ? "You were invited." : null);
  if (why) return step(main, head, notice("warning", why.title, why.text), toSignIn());
  const person = profileFields({ email: preview?.email });
  step(
    main,
    head,
    conditions(preview),
    form({
      parts: [
        person.username,
        pair(person.firstName, person.lastName),
        person.email,
        h(
          "p",
          { class: "hint" },
          "Instead of a password your device makes a passkey and asks for your fingerprint, face or PIN.",
        ),
      ],
      action: "Create account with a passkey",
      className: "form full",
      run: (values) => create({ ...filledIn(values), ...(token ? { token } : {}) }),
    }),
    toSignIn(),
  );
}

/** What holds for an invitation, as far as the invited may know. */
function conditions(preview) {
  if (!preview) return null;
  const facts = [
    preview.needsApproval ? "An administrator approves your account before you can use it." : null,
    preview.accountLifetime ? `Your account lasts ${length(preview.accountLifetime)}.` : null,
    preview.expiresAt ? ["The invitation is good until ", moment(preview.expiresAt), "."] : null,
  ].filter(Boolean);
  return facts.length === 0
    ? null
    : h(
        "ul",
        { class: "facts" },
        facts.map((fact) => h("li", {}, fact)),
      );
}

async function create(profile) {
  try {
    const { user, pending: waits } = await signUp(profile);
    history.replaceState(null, "", "/signup");
    if (waits) return pending(user);
    location.replace("/account");
  } catch (error) {
    // Between looking and signing up an invitation may end, and the mode may change.
    if (error instanceof ApiError && error.code === "token_invalid_or_expired") return noLongerGood();
    if (error instanceof ApiError && error.code === "open_signup_disabled") {
      settings = await publicSettings();
      return settings.allowUserSignups === "withToken" ? askForToken() : closed();
    }
    throw error;
  }
}

/** Waits for an administrator, and goes on by itself. */
function pending(me) {
  const problem = h("p", { class: "problem", role: "alert", hidden: true });
  const state = h(
    "p",
    { class: "hint", role: "status" },
    "This page looks by itself every ten seconds; you may also come back later and sign in.",
  );
  const now = button("Look now", () => busy(now, problem, check), { kind: "primary" });
  step(
    main,
    doorHead(
      settings,
      "Your account waits for approval",
      `Hello ${nameOf(me)}. Your account is made, and an administrator has to approve it.`,
    ),
    state,
    problem,
    h("div", { class: "door-actions" }, now),
  );
  const timer = setInterval(() => {
    // A page that nobody looks at need not ask.
    if (document.visibilityState === "visible")
      check().catch((error) => {
        problem.textContent = explain(error) ?? "";
        problem.hidden = problem.textContent === "";
      });
  }, PAUSE);

  async function check() {
    const user = await whoAmI();
    problem.hidden = true;
    if (user?.status === "pending") {
      state.textContent = `Not approved yet; looked at ${new Date().toLocaleTimeString("en", { timeStyle: "medium" })}.`;
      return;
    }
    clearInterval(timer);
    if (user) location.replace("/account");
    else notAccepted();
  }
}

function notAccepted() {
  step(
    main,
    doorHead(
      settings,
      "You are not signed in any more",
      "If you were approved meanwhile, sign in with your passkey. If not, your request was not accepted: ask an administrator.",
    ),
    h("div", { class: "door-actions" }, link("Sign in", "/signin", { kind: "primary" })),
  );
}

function already(me) {
  step(
    main,
    doorHead(
      settings,
      "You have an account",
      `You are signed in as ${nameOf(me)}. To sign up somebody else, sign out first.`,
    ),
    h("div", { class: "door-actions" }, link("Go to your account", "/account", { kind: "primary" })),
  );
}

load(main, look, (show) => show());
// Another link opened in the same window changes only what is behind the #.
addEventListener("hashchange", () => location.reload());
