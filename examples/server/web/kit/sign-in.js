// <keyplate-sign-in>: signing in with a passkey, by the button or out of the browser's offers in the field.

import { client } from "./calls.js";
import { canAutofill, explain, obstacle } from "./client.js";
import { h } from "./dom.js";
import { define, KeyplateElement } from "./element.js";
import { field, form } from "./forms.js";
import { notice } from "./pieces.js";
import { t } from "./words.js";

/**
 * Attributes: `next`, where to go afterwards; `lead`, a line under the heading; `code` and `sign-up`, where its links lead, or
 * empty for none. Event: `keyplate-signed-in` with the user. What the host puts into the slot `notice` stands above the form.
 */
export class SignInElement extends KeyplateElement {
  async look() {
    const [settings, autofill] = await Promise.all([client.settings(), canAutofill()]);
    return { settings, autofill };
  }

  show({ settings, autofill }) {
    const why = obstacle();
    this.step(
      this.head(settings, t("signIn"), this.getAttribute("lead")),
      h("slot", { name: "notice" }),
      why ? notice("warning", why.title, why.text) : this.#passkey(autofill),
      this.#others(settings),
    );
  }

  #passkey(autofill) {
    const name = field({
      name: "username",
      label: t("username"),
      // `webauthn` is what makes the browser offer passkeys here.
      autocomplete: "username webauthn",
      autocapitalize: "none",
      spellcheck: "false",
      hint: t("signIn.hint"),
    });
    name.element.querySelector(".optional")?.remove();
    const offered = h("p", { class: "problem", role: "alert", hidden: true });
    let stop = () => {};
    const offer = () => {
      if (!autofill) return;
      stop = client.offerInField({
        onChosen: (user) => this.goOn("signed-in", { user }),
        onProblem: (error) => {
          const text = explain(error);
          offered.textContent = text ?? "";
          offered.hidden = text === null;
        },
      });
    };
    const element = form({
      parts: autofill ? [name, offered] : [offered],
      action: t("signIn.passkey"),
      className: "form full",
      run: async () => {
        offered.hidden = true;
        stop();
        let user;
        try {
          user = await client.signIn();
        } catch (error) {
          offer();
          throw error;
        }
        this.goOn("signed-in", { user });
      },
    });
    offer();
    return element;
  }

  #others(settings) {
    const entry = (name, fallback, text) => {
      const href = this.getAttribute(name) ?? client.base + fallback;
      return href ? h("li", {}, h("a", { href, part: "link" }, text)) : null;
    };
    const signUp = { open: t("signIn.create"), withToken: t("signIn.invited") }[settings.allowUserSignups];
    return h(
      "ul",
      { class: "door-links", part: "links" },
      entry("code", "/code", t("signIn.code")),
      signUp ? entry("sign-up", "/signup", signUp) : null,
    );
  }
}

define("keyplate-sign-in", SignInElement);
