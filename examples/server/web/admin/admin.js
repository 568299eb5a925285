// Administration: one document for all its parts; the path says which is shown. Moving between them loads no new document.

import { client, to } from "../kit/calls.js";
import { warn } from "../kit/dialogs.js";
import { fill, h } from "../kit/dom.js";
import { load, mayLeave, skeleton } from "../kit/forms.js";
import { link } from "../kit/pieces.js";
import { t } from "../kit/words.js";
import { enter, markHere, pageHead } from "../parts/shell.js";

const PARTS = {
  users: () => import("./users.js"),
  groups: () => import("./groups.js"),
  services: () => import("./services.js"),
  signup: () => import("./signup.js"),
  keys: () => import("./keys.js"),
  audit: () => import("./audit.js"),
  settings: () => import("./settings.js"),
};
const SINGLE = {
  users: () => import("./user.js"),
  groups: () => import("./group.js"),
  services: () => import("./service.js"),
  signup: () => import("./token.js"),
};

const main = document.getElementById("main");
let who = null;
let shown = 0;
let here = location.href;

load(main, enter, (entered) => {
  who = entered;
  begin();
});

/** Shows what the address says. */
async function begin() {
  shown += 1;
  const mine = shown;
  const [part, id] = location.pathname.slice(client.base.length).split("/").slice(2);
  if (!part) {
    history.replaceState(null, "", to("/admin/users"));
    return begin();
  }
  markHere();
  if (!who.me.isAdmin) return refuse(t("admin.refused"), t("admin.refused.text"));
  const find = (id ? SINGLE : PARTS)[part];
  if (!find) return refuse(t("missing.title"), t("missing.text"));
  try {
    const { show } = await find();
    // Whoever moves on quickly is shown where they went last.
    if (mine !== shown) return;
    await show({ ...who, main, id });
  } catch (error) {
    // After an upgrade of the server the other parts are at another address.
    console.error(error);
    if (mine === shown) location.reload();
  }
}

/** Goes to another part, where nothing would be lost. */
async function go(path) {
  if (!(await mayLeave())) return;
  history.replaceState({ top: scrollY }, "");
  history.pushState(null, "", path);
  here = location.href;
  await turn(0);
}

async function turn(top) {
  fill(main, skeleton());
  await begin();
  scrollTo(0, top);
  main.querySelector("h1")?.focus({ preventScroll: true });
}

/** Is it one of these pages? Everything else loads a document. */
function isHere(url) {
  const path = url.pathname.slice(client.base.length);
  return url.origin === location.origin && url.pathname.startsWith(client.base) && path.startsWith("/admin");
}

document.addEventListener("click", (event) => {
  const anchor = event.composedPath().find((one) => one instanceof HTMLAnchorElement);
  const plain = event.button === 0 && !event.metaKey && !event.ctrlKey && !event.shiftKey && !event.altKey;
  if (!who || !anchor?.href || !plain || event.defaultPrevented || anchor.target || anchor.hash) return;
  const url = new URL(anchor.href);
  if (!isHere(url)) return;
  event.preventDefault();
  go(url.pathname + url.search).catch((error) => warn(String(error.message)));
});

// The parts ask for it by an event, so that none of them has to know of this module.
document.addEventListener("keyplate-go", ({ detail }) => go(detail));

addEventListener("popstate", async ({ state }) => {
  if (!(await mayLeave())) {
    history.pushState(null, "", here);
    return;
  }
  here = location.href;
  await turn(state?.top ?? 0);
});

// As on many pages with lists: `/` leads into the search.
document.addEventListener("keydown", (event) => {
  const typing = event.target.closest?.("input, textarea, select, dialog");
  if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey || typing) return;
  const search = main.querySelector("input[data-search]");
  if (!search) return;
  event.preventDefault();
  search.focus();
});

function refuse(title, text) {
  fill(main, pageHead({ title, text }), h("p", {}, link(t("toAccount"), to("/account"))));
}
