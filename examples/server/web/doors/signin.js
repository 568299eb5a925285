// Signing in: the kit's element, and what this server has to say besides.

import "../kit/sign-in.js";
import { client, to } from "../kit/calls.js";
import { h } from "../kit/dom.js";
import { link, notice } from "../kit/pieces.js";
import { t } from "../kit/words.js";
import { nextPath } from "../parts/next.js";
import { entitle, inSlot, place } from "./door.js";

const parameters = new URLSearchParams(location.search);
const disabled = parameters.has("disabled");

entitle(t("signIn"));
const signIn = h("keyplate-sign-in", {
  next: nextPath(),
  code: to(`/code${location.search}`),
  lead: parameters.has("next") && !disabled ? t("signIn.lead") : null,
});
signIn.append(
  ...inSlot(
    "notice",
    parameters.has("out") ? notice("good", t("signedOut"), null) : null,
    disabled ? notice("warning", t("disabled"), t("disabled.text")) : null,
  ),
);
place(signIn);

// A page that is left and come back to by the Back button is thawed with its ceremony dead.
addEventListener("pageshow", (event) => {
  if (event.persisted) location.reload();
});

try {
  await client.send("GET", "/api/signup/setup");
  const there = link(t("setup.begin"), to("/setup"));
  signIn.append(...inSlot("notice", notice("info", t("setup.waits"), t("setup.waits.text"), there)));
} catch {
  // Whatever it is, signing in says what is wrong.
}
