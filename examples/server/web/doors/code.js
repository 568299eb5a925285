// Signing in once, with a code that an administrator gave. Opening the link only fills it in: a click uses it.

import { nextPath, query } from "../parts/api.js";
import { h } from "../parts/dom.js";
import { field, form, load } from "../parts/forms.js";
import { ApiError, send } from "../parts/http.js";
import { doorHead, entitle, publicSettings, step } from "../parts/shell.js";

const main = document.getElementById("main");
// Longer than a typed code ever is: then it is a whole token, whose letters' case counts.
const LONGEST_CODE = 9;

/** Links of Pocket ID have the code in their path or query: it leaves the address bar at once, and opening uses nothing. */
function moveOldCode() {
  const search = new URLSearchParams(location.search);
  const old = location.pathname.match(/^\/lc\/([^/]+)\/?$/)?.[1];
  const code = old ?? encodeURIComponent(search.get("code") ?? "");
  if (location.pathname === "/code" && code === "") return;
  const next = search.get("next") ?? search.get("redirect");
  history.replaceState(null, "", `${query("/code", { next })}${code === "" ? location.hash : `#${code}`}`);
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
    label: "Code",
    value: tidy(given),
    required: true,
    hint: given
      ? "It came with the link. It works once; opening the link has not used it."
      : "Eight letters and digits, as XXXX-XXXX. It works once.",
    class: given.length > LONGEST_CODE ? "code long" : "code",
    autocomplete: "one-time-code",
    autocapitalize: "characters",
    spellcheck: "false",
    autofocus: !given,
    placeholder: "XXXX-XXXX",
  });
  code.input.addEventListener("input", (event) => {
    // Only while the caret is at the end: whoever mends a letter in the middle is left alone.
    const atEnd = code.input.selectionStart === code.input.value.length;
    if (atEnd && event.inputType?.startsWith("insert")) code.value = tidy(code.input.value);
  });
  code.input.addEventListener("blur", () => {
    code.value = tidy(code.input.value);
  });
  step(
    main,
    doorHead(settings, "Sign in with a code", "An administrator can give you one."),
    form({ parts: [code], action: "Sign in", className: "form full", run: ({ code: text }) => redeem(tidy(text)) }),
    h("ul", { class: "door-links" }, h("li", {}, h("a", { href: `/signin${location.search}` }, "Use a passkey"))),
  );
}

async function redeem(text) {
  try {
    await send("POST", `/api/one-time-access-token/${encodeURIComponent(text)}`);
  } catch (error) {
    if (error instanceof ApiError && error.status === 401) {
      error.fields.code = "This code is not good: it is mistyped, was used already, or is too old. Ask for a new one.";
    }
    throw error;
  }
  // It is used up, and need not stay in the browser's history.
  history.replaceState(null, "", "/code");
  location.replace(nextPath());
}

moveOldCode();
load(
  main,
  async () => {
    const settings = await publicSettings();
    entitle("Sign in with a code", settings);
    return settings;
  },
  show,
);
// The same page with another code behind the #: browsers do not load it again for that.
addEventListener("hashchange", () => location.reload());
