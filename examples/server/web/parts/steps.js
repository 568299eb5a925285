// The card that strangers see, one step after another.

import { fill, h, mark } from "../kit/dom.js";

/** The head of the card. */
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
