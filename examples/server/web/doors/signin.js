// Signing in with a passkey: by the button, or out of the browser's offers in the field.

import { nextPath } from "../parts/api.js";
import { canAutofill, obstacle } from "../parts/ceremony.js";
import { h } from "../parts/dom.js";
import { explain } from "../parts/failures.js";
import { field, form, load } from "../parts/forms.js";
import { send } from "../parts/http.js";
import { link, notice } from "../parts/parts.js";
import { offerInField, signIn } from "../parts/passkeys.js";
import { doorHead, entitle, publicSettings, step } from "../parts/shell.js";

const main = document.getElementById("main");
const parameters = new URLSearchParams(location.search);

async function look() {
  const [settings, setupIsOpen, autofill] = await Promise.all([publicSettings(), isSetupOpen(), canAutofill()]);
  entitle("Sign in", settings);
  return { settings, setupIsOpen, autofill };
}

async function isSetupOpen() {
  try {
    await send("GET", "/api/signup/setup");
    return true;
  } catch {
    // Whatever it is, signing in says what is wrong.
    return false;
  }
}

function show({ settings, setupIsOpen, autofill }) {
  const why = obstacle();
  step(
    main,
    doorHead(settings, "Sign in", parameters.has("next") && !parameters.has("disabled") ? "Sign in to go on." : null),
    parameters.has("out") ? notice("good", "You are signed out", null) : null,
    parameters.has("disabled")
      ? notice("warning", "Your account is disabled", "It was disabled, or its time has ended. Ask an administrator.")
      : null,
    setupIsOpen
      ? notice(
          "info",
          "This server is not set up yet",
          "It waits for its first administrator.",
          link("Set it up", "/setup"),
        )
      : null,
    why ? notice("warning", why.title, why.text) : passkeyForm(autofill),
    others(settings),
  );
}

function passkeyForm(autofill) {
  const name = field({
    name: "username",
    label: "Username",
    // `webauthn` is what makes the browser offer passkeys here.
    autocomplete: "username webauthn",
    autocapitalize: "none",
    spellcheck: "false",
    hint: "Your browser offers your passkeys when you choose this field.",
  });
  name.element.querySelector(".optional")?.remove();
  const offered = h("p", { class: "problem", role: "alert", hidden: true });
  let stop = () => {};
  const offer = () => {
    if (!autofill) return;
    stop = offerInField({
      onChosen: goOn,
      onProblem: (error) => {
        const text = explain(error);
        offered.textContent = text ?? "";
        offered.hidden = text === null;
      },
    });
  };
  const element = form({
    parts: autofill ? [name, offered] : [offered],
    action: "Sign in with a passkey",
    className: "form full",
    run: async () => {
      offered.hidden = true;
      stop();
      try {
        await signIn();
      } catch (error) {
        offer();
        throw error;
      }
      goOn();
    },
  });
  offer();
  // A page that is left and come back to by the Back button is thawed with its ceremony dead.
  addEventListener("pageshow", (event) => {
    if (event.persisted) location.reload();
  });
  return element;
}

function goOn() {
  location.replace(nextPath());
}

function others(settings) {
  const mode = settings.allowUserSignups;
  return h(
    "ul",
    { class: "door-links" },
    h("li", {}, h("a", { href: `/code${location.search}` }, "Use a code")),
    mode === "open" ? h("li", {}, h("a", { href: "/signup" }, "Create an account")) : null,
    mode === "withToken" ? h("li", {}, h("a", { href: "/signup" }, "Sign up with an invitation")) : null,
  );
}

load(main, look, show);
