// The start: to set-up while the server waits for its first administrator, else to the account or to signing in.

import { h } from "../parts/dom.js";
import { load } from "../parts/forms.js";
import { ApiError, send } from "../parts/http.js";

const main = document.getElementById("main");

async function whereTo() {
  if (await answers("/api/users/me", 401)) return "/account";
  return (await answers("/api/signup/setup", 404)) ? "/setup" : "/signin";
}

/** Is there something at this path? One status says that there is not. */
async function answers(path, no) {
  try {
    await send("GET", path);
    return true;
  } catch (error) {
    // Whoever is signed in but may not even see their own account has to sign in again.
    if (error instanceof ApiError && (error.status === no || error.status === 403)) return false;
    throw error;
  }
}

load(main, whereTo, (path) => {
  location.replace(path);
  return h("p", { class: "loading", role: "status" }, "One moment…");
});
