// The frame around the pages of somebody who is signed in.

import { client, get, post, query, to } from "../kit/calls.js";
import { busy } from "../kit/dialogs.js";
import { fill, h, icon, mark } from "../kit/dom.js";
import { speakFor, speakOnPage } from "../kit/element.js";
import { mayLeave } from "../kit/forms.js";
import { nameOf } from "../kit/format.js";
import { face } from "../kit/pieces.js";
import { t } from "../kit/words.js";

const PARTS = [
  ["/admin/users", "users", "users"],
  ["/admin/groups", "groups", "group"],
  ["/admin/services", "services", "apps"],
  ["/admin/signup", "signUp", "door"],
  ["/admin/keys", "keys", "key"],
  ["/admin/audit", "audit", "list"],
  ["/admin/settings", "settings", "sliders"],
];

let appName = "";

/** Says the application's name in the window's title, after the page's own. */
export function entitle(page) {
  document.title = appName ? `${page} · ${appName}` : page;
}

/**
 * Draws the frame, and returns who is signed in and the settings. People who still wait for approval have a page of their own.
 */
export async function enter() {
  speakOnPage();
  // The Back button may thaw a page whose owner has signed out since.
  addEventListener("pageshow", (event) => {
    if (event.persisted) location.reload();
  });
  const [me, settings] = await Promise.all([get("/api/users/me"), client.settings()]);
  if (me.status === "pending") {
    location.replace(to("/signup"));
    return new Promise(() => {});
  }
  await speakFor(me);
  appName = settings.appName;
  fill(document.getElementById("top"), top(me));
  const nav = document.getElementById("nav");
  nav.setAttribute("aria-label", t("nav"));
  fill(nav, parts(me));
  markHere();
  if (me.isAdmin) countPending();
  return { me, settings };
}

export function rename(name) {
  appName = name;
  document.querySelector(".brand span").textContent = name;
}

function top(me) {
  const out = h("button", { type: "button", class: "button quiet" }, icon("out"), h("span", {}, t("signOut")));
  out.addEventListener("click", async () => {
    if (!(await mayLeave())) return;
    await busy(out, null, async () => {
      await post("/api/webauthn/logout");
      document.dispatchEvent(new CustomEvent("keyplate-leave"));
      location.assign(to("/signin?out=1"));
    });
  });
  const name = nameOf(me);
  return [
    menuButton(),
    h("a", { class: "brand", href: to("/account") }, mark(), h("span", {}, appName)),
    h("div", { class: "who" }, face({ id: me.id, name }), h("span", { class: "who-name" }, name), out),
  ];
}

/** On a telephone the parts are behind a button, and all of them are to be seen. */
function menuButton() {
  const menu = h(
    "button",
    { type: "button", class: "button quiet menu", "aria-expanded": "false", "aria-controls": "nav" },
    icon("menu"),
    h("span", { class: "menu-words" }, t("menu")),
  );
  const show = (is) => {
    document.body.classList.toggle("menu-open", is);
    menu.setAttribute("aria-expanded", String(is));
  };
  menu.addEventListener("click", () => show(!document.body.classList.contains("menu-open")));
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !document.body.classList.contains("menu-open")) return;
    show(false);
    menu.focus();
  });
  document.getElementById("nav").addEventListener("click", (event) => {
    if (event.target.closest("a")) show(false);
  });
  return menu;
}

function parts(me) {
  const entry = ([path, words, picture]) =>
    h("li", {}, h("a", { href: to(path), "data-part": path }, icon(picture), h("span", {}, t(words))));
  return [
    h("ul", {}, entry(["/account", "account", "user"])),
    me.isAdmin
      ? [
          h("p", { class: "nav-title", id: "nav-admin" }, t("admin")),
          h("ul", { "aria-labelledby": "nav-admin" }, PARTS.map(entry)),
        ]
      : null,
  ];
}

/** Marks in the frame the part that is shown. */
export function markHere() {
  for (const entry of document.querySelectorAll("#nav a")) {
    const path = to(entry.dataset.part);
    const here = location.pathname === path || location.pathname.startsWith(`${path}/`);
    if (here) entry.setAttribute("aria-current", "page");
    else entry.removeAttribute("aria-current");
  }
}

/** How many wait for approval, beside the users. That it cannot be counted spoils nothing else. */
export async function countPending() {
  const entry = document.querySelector('#nav a[data-part="/admin/users"]');
  try {
    const { pagination } = await client.send("GET", query("/api/users", { status: "pending", limit: 1 }));
    entry?.querySelector(".count")?.remove();
    const count = pagination.totalItems;
    if (count > 0) entry?.append(h("span", { class: "count", "aria-label": t("waiting.count", { count }) }, String(count)));
  } catch {
    // The list itself says what is wrong.
  }
}

/** The heading of a page, perhaps with a way back. */
export function pageHead({ title, text, back, action, person }) {
  return h(
    "header",
    { class: "page-head" },
    back ? h("a", { class: "back", href: to(back[0]) }, icon("back"), back[1]) : null,
    h(
      "div",
      { class: "page-title" },
      h("div", { class: "page-name" }, person ? face(person) : null, h("h1", { tabindex: "-1" }, title)),
      action,
    ),
    text ? h("p", { class: "lead" }, text) : null,
  );
}
