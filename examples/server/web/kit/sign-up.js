// <keyplate-sign-up>: by a link, with a typed invitation or freely, as the mode has it; with a passkey from the start. Who has
// to be approved first waits here.

import { client } from "./calls.js";
import { ApiError, explain, obstacle } from "./client.js";
import { busy } from "./dialogs.js";
import { h } from "./dom.js";
import { define, KeyplateElement } from "./element.js";
import { field, form, pair } from "./forms.js";
import { length, moment, nameOf } from "./format.js";
import { button, link, notice } from "./pieces.js";
import { filledIn, profileFields, tokenOfAddress } from "./profile.js";
import { clockTime, t } from "./words.js";

const PAUSE = 10_000;

/**
 * Attributes: `token`, an invitation, else what follows `#token=` in the address; `next`, where to go afterwards; `sign-in`,
 * where its link leads, or empty for none; `account`, where people who have an account find it. Events: `keyplate-signed-up`
 * with the user and whether they are `pending`, `keyplate-approved` with the user.
 */
export class SignUpElement extends KeyplateElement {
  #settings = null;

  async look() {
    const token = this.getAttribute("token") ?? tokenOfAddress();
    const [settings, me] = await Promise.all([client.settings(), client.whoAmI()]);
    this.#settings = settings;
    if (me) return () => (me.status === "pending" ? this.#pending(me) : this.#already(me));
    if (settings.allowUserSignups === "disabled") return () => this.#closed();
    if (token) return this.#invitation(token);
    return () => (settings.allowUserSignups === "open" ? this.#profile(null, null) : this.#askForToken());
  }

  show(step) {
    step();
  }

  /** Looks at an invitation, which does not use it, and gives the step that comes next; null if it is not good. */
  async #find(token) {
    try {
      const preview = await client.send("POST", "/api/signup/inspect", { token });
      return () => this.#profile(token, preview);
    } catch (error) {
      if (error instanceof ApiError && error.status === 401) return null;
      if (error instanceof ApiError && error.code === "open_signup_disabled") return () => this.#closed();
      throw error;
    }
  }

  async #invitation(token) {
    return (await this.#find(token)) ?? (() => this.#noLongerGood());
  }

  #head(title, text) {
    return this.head(this.#settings, title, text);
  }

  #toSignIn() {
    const href = this.getAttribute("sign-in") ?? `${client.base}/signin`;
    if (!href) return null;
    const there = h("a", { href, part: "link" }, t("signIn"));
    return h("ul", { class: "door-links", part: "links" }, h("li", {}, t("signUp.have", { link: there })));
  }

  #toAccount() {
    const href = this.getAttribute("account") ?? this.getAttribute("next") ?? `${client.base}/account`;
    return h("div", { class: "door-actions" }, link(t("toAccount"), href, { kind: "primary" }));
  }

  #closed() {
    this.step(this.#head(t("signUp.closed"), t("signUp.closed.text")), this.#toSignIn());
  }

  #noLongerGood() {
    const again = button(t("signUp.other"), () => this.#askForToken());
    this.step(
      this.#head(t("signUp.dead"), t("signUp.dead.text")),
      h("div", { class: "door-actions" }, again),
      this.#toSignIn(),
    );
  }

  #askForToken() {
    const token = field({
      name: "token",
      label: t("invitation"),
      required: true,
      hint: t("signUp.token.hint"),
      autocomplete: "off",
      autocapitalize: "none",
      spellcheck: "false",
    });
    this.step(
      this.#head(t("signUp"), t("signUp.wants")),
      form({
        parts: [token],
        action: t("continue"),
        className: "form full",
        run: async ({ token: text }) => {
          const next = await this.#find(tokenIn(text));
          if (next) return next();
          token.complain(t("signUp.token.wrong"));
          token.focus();
        },
      }),
      this.#toSignIn(),
    );
  }

  #profile(token, preview) {
    const why = obstacle();
    const head = this.#head(t("signUp.create"), token ? t("signUp.invited") : null);
    if (why) return this.step(head, notice("warning", why.title, why.text), this.#toSignIn());
    const person = profileFields({ email: preview?.email });
    this.step(
      head,
      conditions(preview),
      form({
        parts: [
          person.username,
          pair(person.firstName, person.lastName),
          person.email,
          h("p", { class: "hint" }, t("signUp.passkey")),
        ],
        action: t("signUp.action"),
        className: "form full",
        run: (values) => this.#create(filledIn(values), token, person.email),
      }),
      this.#toSignIn(),
    );
  }

  async #create(profile, token, email) {
    try {
      const { user, pending } = await client.signUp(token ? { ...profile, token } : profile);
      if (location.hash) history.replaceState(history.state, "", location.pathname + location.search);
      if (!pending) return this.goOn("signed-up", { user, pending });
      this.announce("signed-up", { user, pending });
      this.#pending(user);
    } catch (error) {
      // Between looking and signing up an invitation may end, and the mode may change.
      if (error instanceof ApiError && error.code === "token_invalid_or_expired") return this.#refused(token, email);
      if (error instanceof ApiError && error.code === "open_signup_disabled") {
        this.#settings = await client.settings();
        return this.#settings.allowUserSignups === "withToken" ? this.#askForToken() : this.#closed();
      }
      throw error;
    }
  }

  /** The server says no more than that the invitation does not do: it may be the address, and then it is still good. */
  async #refused(token, email) {
    let preview = null;
    try {
      preview = await client.send("POST", "/api/signup/inspect", { token });
    } catch {
      return this.#noLongerGood();
    }
    if (!preview?.email) return this.#noLongerGood();
    email.complain(t("email.wrong", { email: preview.email }));
    email.focus();
  }

  /** Waits for an administrator, and goes on by itself. */
  #pending(me) {
    const problem = h("p", { class: "problem", role: "alert", hidden: true });
    const state = h("p", { class: "hint", role: "status" }, t("pending.looks"));
    const check = async () => {
      const user = await client.whoAmI();
      problem.hidden = true;
      if (user?.status === "pending") {
        state.textContent = t("pending.notYet", { time: clockTime(new Date()) });
        return;
      }
      clearInterval(timer);
      if (user) this.goOn("approved", { user });
      else this.#notAccepted();
    };
    const now = h("button", { type: "button", class: "button primary", part: "button primary" }, t("pending.check"));
    now.addEventListener("click", () => busy(now, problem, check));
    this.step(
      this.#head(t("pending.title"), t("pending.text", { name: nameOf(me) })),
      state,
      problem,
      h("div", { class: "door-actions" }, now),
    );
    const timer = setInterval(() => {
      if (!this.isConnected) return clearInterval(timer);
      // A page that nobody looks at need not ask.
      if (document.visibilityState === "visible")
        check().catch((error) => {
          problem.textContent = explain(error) ?? "";
          problem.hidden = problem.textContent === "";
        });
    }, PAUSE);
  }

  #notAccepted() {
    const href = this.getAttribute("sign-in") ?? `${client.base}/signin`;
    const there = link(t("signIn"), href, { kind: "primary" });
    this.step(this.#head(t("pending.out"), t("pending.out.text")), h("div", { class: "door-actions" }, there));
  }

  #already(me) {
    this.step(this.#head(t("signUp.already"), t("signUp.already.text", { name: nameOf(me) })), this.#toAccount());
  }
}

/** Who pastes the whole link means what stands in it. */
function tokenIn(text) {
  const found = text.match(/(?:#token=|\/st\/)([^/?#&\s]+)/);
  return found ? found[1] : text;
}

/** What holds for an invitation, as far as the invited may know. */
function conditions(preview) {
  if (!preview) return null;
  const facts = [
    preview.needsApproval ? t("signUp.approval") : null,
    preview.accountLifetime ? t("signUp.lasts", { length: length(preview.accountLifetime) }) : null,
    preview.expiresAt ? t("signUp.until", { time: moment(preview.expiresAt) }) : null,
  ].filter(Boolean);
  return facts.length === 0
    ? null
    : h(
        "ul",
        { class: "facts" },
        facts.map((fact) => h("li", {}, fact)),
      );
}

define("keyplate-sign-up", SignUpElement);
