// A device without a browser asks to be let in: its code is typed here, or came with the link. Opening the link only fills it
// in; a click claims it.

import "../kit/sign-in.js";
import { client, post, to } from "../kit/calls.js";
import { ApiError } from "../kit/client.js";
import { busy } from "../kit/dialogs.js";
import { h } from "../kit/dom.js";
import { speakFor } from "../kit/element.js";
import { field, form, load } from "../kit/forms.js";
import { ago, device as program, nameOf } from "../kit/format.js";
import { notice } from "../kit/pieces.js";
import { t } from "../kit/words.js";
import { doorHead, step } from "../parts/steps.js";
import { entitle, main, place } from "./door.js";

// Longer than any code is: whatever else somebody has pasted.
const LONGEST = 32;

async function whoIsThere() {
  const [settings, me] = await Promise.all([client.settings(), client.whoAmI()]);
  if (me) await speakFor(me);
  entitle(t("device"));
  return { settings, me };
}

function show({ settings, me }) {
  if (me) return askForCode(settings, me);
  const signIn = h("keyplate-sign-in", { code: to("/code?next=/device"), "sign-up": "", lead: t("device.signIn") });
  // The page stays, and with it the code in its address, which no server is told.
  signIn.addEventListener("keyplate-signed-in", () => load(main, whoIsThere, show));
  place(signIn);
}

function codeOfAddress() {
  try {
    return decodeURIComponent(location.hash.slice(1)).slice(0, LONGEST);
  } catch {
    return "";
  }
}

function askForCode(settings, me, wrong = null) {
  const given = codeOfAddress();
  const code = field({
    name: "userCode",
    label: t("code"),
    value: given,
    required: true,
    hint: t(given ? "device.code.given" : "device.code.hint"),
    class: "code",
    autocomplete: "off",
    autocapitalize: "characters",
    spellcheck: "false",
    autofocus: !given,
    dir: "ltr",
  });
  const run = async ({ userCode }) => {
    const asked = await decide("inspect", userCode).catch((error) => {
      if (error instanceof ApiError) error.fields.userCode = whyNot(error) ?? error.fields.userCode;
      throw error;
    });
    // Claimed, it is shown no more.
    history.replaceState(null, "", to("/device"));
    question({ settings, me, userCode, asked });
  };
  step(
    main,
    doorHead(settings, t("device"), t("device.lead")),
    wrong ? notice("warning", wrong, null) : null,
    form({ parts: [code], action: t("continue"), className: "form full", run }),
    h("ul", { class: "door-links" }, h("li", {}, h("a", { href: to("/account") }, t("account")))),
  );
}

function decide(what, userCode) {
  return post(`/api/device/${what}`, { userCode });
}

/** What is wrong with a code, where the server's own words are about something else. */
function whyNot({ code }) {
  const words = {
    device_code_unknown: "device.code.wrong",
    conflict: "device.code.decided",
    not_found: "device.code.service",
    forbidden: "device.code.forbidden",
  };
  return words[code] ? t(words[code]) : null;
}

function question({ settings, me, userCode, asked }) {
  const problem = h("p", { class: "problem", role: "alert", hidden: true });
  const name = asked.deviceName || t("device.unnamed");
  const decision = (what, kind, done) => {
    const it = h("button", { type: "button", class: `button ${kind}` }, t(`device.${what}`));
    it.addEventListener("click", () =>
      busy(it, problem, async () => {
        try {
          await decide(what, userCode);
        } catch (error) {
          const why = error instanceof ApiError ? whyNot(error) : null;
          if (why === null) throw error;
          return askForCode(settings, me, why);
        }
        step(main, doorHead(settings, t(done), t(`${done}.text`, { name })), after());
      }),
    );
    return it;
  };
  step(
    main,
    doorHead(settings, t("device.ask"), t("device.ask.text", { name: nameOf(me) })),
    factsOf(asked, userCode),
    gives(asked),
    notice("warning", t("device.beware"), t("device.beware.text")),
    problem,
    h("div", { class: "door-actions" }, decision("approve", "primary", "device.approved"), decision("deny", "danger", "device.denied")),
  );
}

function factsOf(asked, userCode) {
  const fact = (name, value) => (value ? h("div", {}, h("dt", {}, name), h("dd", {}, value)) : null);
  return h(
    "dl",
    { class: "facts" },
    fact(t("device.name"), asked.deviceName || t("device.unnamed")),
    fact(t("code"), h("code", {}, userCode.toUpperCase())),
    fact(t("device.program"), asked.userAgent ? program(asked.userAgent) : null),
    fact(t("audit.address"), asked.ipAddress ? h("code", {}, asked.ipAddress) : null),
    fact(t("device.since"), ago(asked.createdAt)),
  );
}

/** What approving gives. */
function gives(asked) {
  const all = asked.scopes.length === 0 || asked.scopes.includes("*");
  const scopes = all ? null : t("device.gives.scopes", { scopes: h("code", {}, asked.scopes.join(", ")) });
  if (asked.wants === "app_password") {
    const service = asked.serviceName ?? t("apps.closed");
    return notice("info", t("device.gives.app", { service }), [t("device.gives.app.text"), scopes]);
  }
  if (asked.administrator) return notice("warning", t("device.gives.admin"), [t("device.gives.admin.text"), scopes]);
  return notice("info", t("device.gives.session"), [t("device.gives.session.text"), scopes]);
}

function after() {
  return h("ul", { class: "door-links" }, h("li", {}, h("a", { href: to("/account") }, t("toAccount"))));
}

load(main, whoIsThere, show);
// The same page with another code behind the #: browsers do not load it again for that.
addEventListener("hashchange", () => location.reload());
