// Signing in once, with a code that an administrator gave. Opening the link only fills it in: a click uses it.

import { client, query, to } from "../kit/calls.js";
import { ApiError } from "../kit/client.js";
import { h } from "../kit/dom.js";
import { field, form, load } from "../kit/forms.js";
import { t } from "../kit/words.js";
import { nextPath } from "../parts/next.js";
import { doorHead, step } from "../parts/steps.js";
import { entitle, main } from "./door.js";

// Longer than a typed code ever is: then it is a whole token, whose letters' case counts.
const LONGEST_CODE = 9;

/** Links of Pocket ID have the code in their path or query: it leaves the address bar at once, and opening uses nothing. */
function moveOldCode() {
  const search = new URLSearchParams(location.search);
  const old = location.pathname.match(/\/lc\/([^/]+)\/?$/)?.[1];
  const code = old ?? encodeURIComponent(search.get("code") ?? "");
  if (location.pathname === to("/code") && code === "") return;
  const next = search.get("next") ?? search.get("redirect");
  history.replaceState(null, "", to(`${query("/code", { next })}${code === "" ? location.hash : `#${code}`}`));
}

function codeOfAddress() {
  try {
    return decodeURIComponent(location.hash.slice(1)).replace(/^(token|code)=/, "");
  } catch {
    return "";
  }
}

/** As it was given: in capitals, with the dash in the middle. */
function tidy(text) {
  const plain = text.trim();
  if (plain.length > LONGEST_CODE || /[^\w\s-]/.test(plain)) return plain;
  const letters = plain.toUpperCase().replace(/[^A-Z0-9]/g, "");
  return letters.length > 4 ? `${letters.slice(0, 4)}-${letters.slice(4)}` : letters;
}

function show(settings) {
  const given = codeOfAddress();
  const code = field({
    name: "code",
    label: t("code"),
    value: tidy(given),
    required: true,
    hint: t(given ? "code.given" : "code.hint"),
    class: given.length > LONGEST_CODE ? "code long" : "code",
    autocomplete: "one-time-code",
    autocapitalize: "characters",
    spellcheck: "false",
    autofocus: !given,
    placeholder: "XXXX-XXXX",
    dir: "ltr",
  });
  code.input.addEventListener("input", (event) => {
    // Only while the caret is at the end: whoever mends a letter in the middle is left alone.
    const atEnd = code.input.selectionStart === code.input.value.length;
    if (atEnd && event.inputType?.startsWith("insert")) code.value = tidy(code.input.value);
  });
  code.input.addEventListener("blur", () => {
    code.value = tidy(code.input.value);
  });
  const passkey = h("a", { href: to(`/signin${location.search}`) }, t("code.passkey"));
  step(
    main,
    doorHead(settings, t("signIn.withCode"), given ? null : t("code.lead")),
    form({ parts: [code], action: t("signIn"), className: "form full", run: ({ code: text }) => redeem(tidy(text)) }),
    h("ul", { class: "door-links" }, h("li", {}, passkey)),
  );
}

async function redeem(text) {
  try {
    await client.redeem(text);
  } catch (error) {
    if (error instanceof ApiError && error.status === 401) error.fields.code = t("code.wrong");
    throw error;
  }
  // It is used up, and need not stay in the browser's history.
  history.replaceState(null, "", to("/code"));
  location.replace(nextPath());
}

moveOldCode();
entitle(t("signIn.withCode"));
load(main, () => client.settings(), show);
// The same page with another code behind the #: browsers do not load it again for that.
addEventListener("hashchange", () => location.reload());
