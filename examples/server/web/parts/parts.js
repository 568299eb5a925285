// Small things that several pages are made of.

import { note, open } from "./dialogs.js";
import { h, icon } from "./dom.js";
import { qrCode } from "./qr.js";

/** A word on a ground that says how good it is: `good`, `wait`, `bad` or nothing. */
export function badge(text, kind = "") {
  return h("span", { class: `badge ${kind}` }, text);
}

/** A box that says something for longer than a moment. */
export function notice(kind, title, text, ...more) {
  const picture = kind === "info" ? "info" : kind === "good" ? "check" : "warning";
  return h(
    "div",
    { class: `notice ${kind}` },
    icon(picture),
    h("div", {}, h("p", { class: "notice-title" }, title), text ? h("p", {}, text) : null, more),
  );
}

/** A part of a page: a heading, a line about it, perhaps a button, and what is in it. */
export function section({ id, title, text, action }, ...children) {
  return h(
    "section",
    { id, class: "section", "aria-labelledby": `${id}-title` },
    h(
      "div",
      { class: "section-head" },
      h("div", {}, h("h2", { id: `${id}-title`, tabindex: "-1" }, title), text ? h("p", {}, text) : null),
      action,
    ),
    children,
  );
}

export function button(text, onclick, { kind = "", picture, label } = {}) {
  return h(
    "button",
    { type: "button", class: `button ${kind}`, onclick, "aria-label": label },
    picture ? icon(picture) : null,
    text,
  );
}

export function link(text, href, { kind = "", picture, label } = {}) {
  return h("a", { class: `button ${kind}`, href, "aria-label": label }, picture ? icon(picture) : null, text);
}

/** One line of a list: what it is, what there is to know of it, and what can be done with it. */
export function row({ title, href, badges = [], facts = [], actions = [], picture }) {
  return h(
    "li",
    { class: "row" },
    picture ? h("span", { class: "row-picture" }, icon(picture)) : null,
    h(
      "div",
      { class: "row-text" },
      h("p", { class: "row-title" }, href ? h("a", { href }, title) : h("span", {}, title), badges),
      h(
        "p",
        { class: "row-facts" },
        facts.filter(Boolean).map((fact) => h("span", {}, fact)),
      ),
    ),
    actions.length > 0 ? h("div", { class: "row-actions" }, actions) : null,
  );
}

/** Copies a text. Where the browser lets no page do it, the text is marked so that the person can. */
export function copyButton(text, field, label = "Copy") {
  const words = h("span", {}, label);
  const copy = h("button", { type: "button", class: "button" }, icon("copy"), words);
  copy.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(text);
      words.textContent = "Copied";
      note("Copied.");
    } catch {
      field?.select();
      words.textContent = "Press Ctrl+C";
    }
    setTimeout(() => {
      words.textContent = label;
    }, 3000);
  });
  return copy;
}

/** A secret in a box of its own, with its button. */
export function secretBox(label, secret) {
  const box = h("input", { class: "secret", readonly: true, value: secret, "aria-label": label, spellcheck: "false" });
  box.addEventListener("focus", () => box.select());
  return h("div", { class: "secret-line" }, box, copyButton(secret, box));
}

/** The link for a camera; it appears when it is drawn, so that nobody waits for it to see the link. */
function linkPicture(address) {
  const caption = h("figcaption", {}, "The same link, for a telephone's camera");
  const figure = h("figure", { class: "qr", hidden: true }, caption);
  qrCode(address).then((picture) => {
    if (picture === null) return;
    figure.prepend(picture);
    figure.hidden = false;
  });
  return figure;
}

/** Shows a secret this once; it closes only by its button, so that it is not lost by a slip. */
export function showSecret({ title, text, label, secret, link: address, more }) {
  return open({
    title,
    wide: Boolean(address),
    build: (close, dialog) => {
      dialog.addEventListener("cancel", (event) => event.preventDefault());
      const figure = address ? linkPicture(address) : null;
      return [
        h("p", {}, text),
        secret ? h("div", { class: "secret-part" }, h("p", { class: "label" }, label), secretBox(label, secret)) : null,
        address
          ? h("div", { class: "secret-part" }, h("p", { class: "label" }, "Link"), secretBox("Link", address))
          : null,
        figure,
        more ? h("p", { class: "hint" }, more) : null,
        notice("warning", "Shown only this once", "When this window is closed nobody can look it up again."),
        h(
          "div",
          { class: "actions" },
          h("button", { type: "button", class: "button primary", onclick: () => close() }, "Done"),
        ),
      ];
    },
  });
}

/** A dialog with a form in it; gives what `run` gave. */
export function formDialog({ title, text, wide, build }) {
  return open({
    title,
    wide,
    build: (close) => [text ? h("p", {}, text) : null, build(close)],
  });
}
