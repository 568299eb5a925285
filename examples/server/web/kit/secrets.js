// Secrets that are shown once, with their links as pictures. The server draws those.

import { client } from "./calls.js";
import { note, open } from "./dialogs.js";
import { h, icon } from "./dom.js";
import { notice } from "./pieces.js";
import { t } from "./words.js";

/** Copies a text. Where the browser lets no page do it, the text is marked so that the person can. */
export function copyButton(text, field) {
  const words = h("span", {}, t("copy"));
  const copy = h("button", { type: "button", class: "button", part: "button" }, icon("copy"), words);
  copy.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(text);
      words.textContent = t("copied");
      note(t("copied.note"));
    } catch {
      field.select();
      words.textContent = t("copy.byHand");
    }
    setTimeout(() => {
      words.textContent = t("copy");
    }, 3000);
  });
  return copy;
}

/** A secret under its name, in a box of its own with its button. */
export function secretPart(name, value) {
  return h("div", { class: "secret-part" }, h("p", { class: "label" }, name), secretBox(name, value));
}

function secretBox(label, secret) {
  const box = h("input", { class: "secret", readonly: true, value: secret, "aria-label": label, spellcheck: "false" });
  box.addEventListener("focus", () => box.select());
  return h("div", { class: "secret-line" }, box, copyButton(secret, box));
}

/** The link for a camera; it appears when it is drawn, so that nobody waits for it to see the link. */
export function linkPicture(address) {
  const figure = h("figure", { class: "qr", hidden: true }, h("figcaption", {}, t("secret.camera")));
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
      return [
        h("p", {}, text),
        secret ? secretPart(label, secret) : null,
        address ? [secretPart(t("secret.link"), address), linkPicture(address)] : null,
        more ? h("p", { class: "hint" }, more) : null,
        notice("warning", t("secret.once"), t("secret.once.text")),
        h(
          "div",
          { class: "actions" },
          h("button", { type: "button", class: "button primary", onclick: () => close() }, t("done")),
        ),
      ];
    },
  });
}

/**
 * The picture of a link, or null where there is none: the link itself stands beside it. It goes in the body of a
 * request, since it may hold a secret.
 */
function qrCode(text) {
  return new Promise((resolve) => {
    const request = new XMLHttpRequest();
    request.open("POST", `${client.base}/api/qr-code`);
    request.setRequestHeader("Content-Type", "application/json");
    // Read by the browser as a document of its own, in which no script runs: trusted types forbid markup made of text.
    request.responseType = "document";
    request.addEventListener("loadend", () => resolve(pictureOf(request)));
    request.send(JSON.stringify({ text }));
  });
}

function pictureOf(request) {
  const picture = request.status === 200 ? request.responseXML?.documentElement : null;
  if (picture?.localName !== "svg") return null;
  picture.setAttribute("class", "qr-code");
  picture.setAttribute("role", "img");
  picture.setAttribute("aria-label", t("secret.qr"));
  return document.adoptNode(picture);
}
