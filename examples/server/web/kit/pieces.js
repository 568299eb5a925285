// Small things that several pages are made of.

import { busy, open } from "./dialogs.js";
import { h, icon } from "./dom.js";
import { initials } from "./format.js";

/** A word on a ground that says how good it is: `good`, `wait`, `bad` or nothing. */
export function badge(text, kind = "") {
  return h("span", { class: `badge ${kind}`, part: "badge" }, text);
}

/** A box that says something for longer than a moment. */
export function notice(kind, title, text, ...more) {
  const picture = kind === "info" ? "info" : kind === "good" ? "check" : "warning";
  return h(
    "div",
    { class: `notice ${kind}`, part: "notice" },
    icon(picture),
    h("div", {}, h("p", { class: "notice-title" }, title), [text].flat().map((line) => line && h("p", {}, line)), more),
  );
}

/** A part of a page: a heading, a line about it, perhaps a button, and what is in it. */
export function section({ id, title, text, action }, ...children) {
  return h(
    "section",
    { id, class: "section", part: "section", "aria-labelledby": `${id}-title` },
    h(
      "div",
      { class: "section-head" },
      h(
        "div",
        {},
        h("h2", { id: `${id}-title`, part: "heading", tabindex: "-1" }, title),
        text ? h("p", {}, text) : null,
      ),
      action,
    ),
    children,
  );
}

/** A button. What goes wrong with what it does is said at the edge of the page. */
export function button(text, onclick, { kind = "", picture, label } = {}) {
  const it = h(
    "button",
    { type: "button", class: `button ${kind}`, part: `button ${kind}`.trim(), "aria-label": label },
    picture ? icon(picture) : null,
    h("span", {}, text),
  );
  it.addEventListener("click", () => busy(it, null, async () => onclick()));
  return it;
}

export function link(text, href, { kind = "", picture, label } = {}) {
  return h(
    "a",
    { class: `button ${kind}`, part: `button ${kind}`.trim(), href, "aria-label": label },
    picture ? icon(picture) : null,
    text,
  );
}

/** One line of a list: what it is, what there is to know of it, and what can be done with it. */
export function row({ title, href, badges = [], facts = [], actions = [], picture, person, box }) {
  const head = h("p", { class: "row-title" }, href ? h("a", { href, class: "row-link" }, title) : h("span", {}, title), badges);
  const known = facts.filter(Boolean);
  return h(
    "li",
    { class: href ? "row whole" : "row", part: "row" },
    box,
    person ? face(person) : picture ? h("span", { class: "row-picture" }, icon(picture)) : null,
    h(
      "div",
      { class: "row-text" },
      head,
      known.length > 0
        ? h(
            "p",
            { class: "row-facts" },
            known.map((fact) => h("span", {}, fact)),
          )
        : null,
    ),
    actions.length > 0 ? h("div", { class: "row-actions" }, actions) : null,
  );
}

/** Somebody's initials on a colour of their own. */
export function face({ id, name }) {
  const hue = [...id].reduce((sum, letter) => (sum * 31 + letter.codePointAt(0)) % 12, 7);
  return h("span", { class: `row-picture face face-${hue}`, "aria-hidden": "true" }, initials(name));
}

/** A dialog with a form in it; gives what `run` gave. */
export function formDialog({ title, text, wide, build }) {
  return open({
    title,
    wide,
    build: (close) => [text ? h("p", {}, text) : null, build(close)],
  });
}
