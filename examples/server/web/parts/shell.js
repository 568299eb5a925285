// The frame around the pages of somebody who is signed in, and what all pages know of the application.

import { get, post, query } from "./api.js";
import { busy } from "./dialogs.js";
import { fill, h, icon, mark } from "./dom.js";
import { nameOf } from "./format.js";
import { send } from "./http.js";

/** The settings that everybody may know, by their keys. */
export async function publicSettings() {
  const list = await send("GET", "/api/application-configuration");
  return Object.fromEntries(list.map(({ key, value }) => [key, value]));
}

/** Says the application's name in the window's title, after the page's own. */
export function entitle(page, settings) {
  document.title = settings?.appName ? `${page} · ${settings.appName}` : page;
}

/** The head of the card that strangers see. */
export function doorHead(settings, title, text) {
  return h(
    "header",
    { class: "door-head" },
    mark(),
    h("p", { class: "app-name" }, settings?.appName ?? ""),
    h("h1", { tabindex: "-1" }, title),
    text ? h("p", { class: "lead" }, text) : null,
  );
}

/** Shows another step of a card, and has readers begin at its heading. */
export function step(main, ...children) {
  const first = !main.dataset.begun;
  main.dataset.begun = "yes";
  main.removeAttribute("aria-busy");
  fill(main, ...children);
  if (!first) main.querySelector("h1")?.focus();
}

const PARTS = [
  ["/admin/users", "Users", "users"],
  ["/admin/groups", "Groups", "group"],
  ["/admin/services", "Services", "apps"],
  ["/admin/signup", "Sign-up", "door"],
  ["/admin/keys", "API keys", "key"],
  ["/admin/audit", "Audit log", "list"],
  ["/admin/settings", "Settings", "sliders"],
];

/**
 * Draws the frame, and returns who is signed in and the settings. People who still wait for approval have a page of their own.
 */
export async function enter(title) {
  // The Back button may thaw a page whose owner has signed out since.
  addEventListener("pageshow", (event) => {
    if (event.persisted) location.reload();
  });
  const [me, settings] = await Promise.all([get("/api/users/me"), publicSettings()]);
  if (me.status === "pending") {
    location.replace("/signup");
    return new Promise(() => {});
  }
  entitle(title, settings);
  fill(document.getElementById("top"), top(me, settings));
  fill(document.getElementById("nav"), nav(me));
  showWhereWeAre();
  if (me.isAdmin) countPending();
  return { me, settings };
}

/** On a telephone the parts stand in a line that is longer than the screen. */
function showWhereWeAre() {
  const nav = document.getElementById("nav");
  const current = nav.querySelector("[aria-current]");
  if (current) nav.scrollLeft = current.offsetLeft + current.offsetWidth / 2 - nav.clientWidth / 2;
}

function top(me, settings) {
  const problem = h("p", { class: "problem", role: "alert", hidden: true });
  const out = h("button", { type: "button", class: "button quiet" }, icon("out"), h("span", {}, "Sign out"));
  out.addEventListener("click", () =>
    busy(out, problem, async () => {
      await post("/api/webauthn/logout");
      location.assign("/signin?out=1");
    }),
  );
  return [
    h("a", { class: "brand", href: "/account" }, mark(), h("span", {}, settings.appName)),
    problem,
    h("div", { class: "who" }, h("span", { class: "who-name" }, nameOf(me)), out),
  ];
}

function nav(me) {
  const here = (href) => location.pathname === href || location.pathname.startsWith(`${href}/`);
  const entry = ([href, text, picture]) =>
    h("li", {}, h("a", { href, "aria-current": here(href) ? "page" : null }, icon(picture), h("span", {}, text)));
  return [
    h("ul", {}, entry(["/account", "Your account", "user"])),
    me.isAdmin
      ? [
          h("p", { class: "nav-title", id: "nav-admin" }, "Administration"),
          h("ul", { "aria-labelledby": "nav-admin" }, PARTS.map(entry)),
        ]
      : null,
  ];
}

/** How many wait for approval, beside the users. That it cannot be counted spoils nothing else. */
export async function countPending() {
  const entry = document.querySelector('#nav a[href="/admin/users"]');
  try {
    const { pagination } = await send("GET", query("/api/users", { status: "pending", limit: 1 }));
    entry?.querySelector(".count")?.remove();
    const count = pagination.totalItems;
    if (count > 0) {
      entry?.append(h("span", { class: "count", "aria-label": `${count} waiting for approval` }, String(count)));
      // It has moved what stands behind it.
      showWhereWeAre();
    }
  } catch {
    // The list itself says what is wrong.
  }
}

/** The heading of a page, perhaps with a way back. */
export function pageHead({ title, text, back, action }) {
  return h(
    "header",
    { class: "page-head" },
    back ? h("a", { class: "back", href: back[0] }, icon("back"), back[1]) : null,
    h("div", { class: "page-title" }, h("h1", { tabindex: "-1" }, title), action),
    text ? h("p", { class: "lead" }, text) : null,
  );
}
