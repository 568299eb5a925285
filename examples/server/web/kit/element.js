// What the elements share: a shadow with the kit's look, steps, and events for the host; and the language of a whole page.

import { client } from "./calls.js";
import { sheet } from "./dialogs.js";
import { fill, h, mark } from "./dom.js";
import { load } from "./forms.js";
import { speak, spoken, t } from "./words.js";

/**
 * An element of the kit. Attributes: `base`, the path under which the server is mounted, where it is not that of these files;
 * `level`, that of its heading (2); `brand`, with which it shows the application's name.
 */
export class KeyplateElement extends HTMLElement {
  #box;
  #begun = false;

  connectedCallback() {
    if (this.#box) return;
    const root = this.attachShadow({ mode: "open" });
    root.adoptedStyleSheets = [sheet];
    const base = this.getAttribute("base");
    if (base !== null) client.base = base.replace(/\/$/, "");
    this.#box = h("div", { class: "element", part: "box", lang: spoken.language, dir: spoken.direction });
    root.append(this.#box);
    load(
      this.#box,
      () => this.look(),
      (found) => this.show(found),
    );
  }

  /** Where an element puts what it shows. */
  get box() {
    return this.#box;
  }

  /** Shows another step, and has readers begin at its heading. */
  step(...children) {
    fill(this.#box, ...children);
    if (this.#begun) this.#box.querySelector("[data-heading]")?.focus();
    this.#begun = true;
  }

  head(settings, title, text) {
    const brand = this.hasAttribute("brand") ? [mark(), h("p", { class: "app-name" }, settings?.appName ?? "")] : null;
    const level = this.getAttribute("level") ?? "2";
    return h(
      "header",
      { class: "door-head", part: "head" },
      brand,
      h(`h${level}`, { class: "door-title", part: "heading", tabindex: "-1", "data-heading": true }, title),
      text ? h("p", { class: "lead" }, text) : null,
    );
  }

  /** Tells the host; gives false where it has prevented what would come next. */
  announce(name, detail) {
    const event = new CustomEvent(`keyplate-${name}`, { bubbles: true, composed: true, cancelable: true, detail });
    return this.dispatchEvent(event);
  }

  /** Goes where the attribute `next` says, if the host has not prevented that. */
  goOn(name, detail) {
    const next = this.getAttribute("next");
    if (this.announce(name, detail) && next) location.replace(next);
  }
}

/** Once: a document may load the kit from two addresses. */
export function define(name, element) {
  if (!customElements.get(name)) customElements.define(name, element);
}

/** Has the document itself say which language it is in, on the server's own pages. */
export function speakOnPage() {
  document.documentElement.lang = spoken.language;
  document.documentElement.dir = spoken.direction;
  // The document's addresses are relative; the page's own address may change without another document.
  for (const link of document.querySelectorAll("link[rel=icon]")) link.setAttribute("href", link.href);
  const skip = document.querySelector(".skip");
  if (skip) skip.textContent = t("skip");
}

/** Speaks as somebody wishes; gives whether that is another language than before. */
export async function speakFor({ locale }) {
  const before = spoken.language;
  await speak(locale);
  speakOnPage();
  return before !== spoken.language;
}
