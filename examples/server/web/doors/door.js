// What the pages of strangers share.

import { client } from "../kit/calls.js";
import { fill, h } from "../kit/dom.js";
import { speakOnPage } from "../kit/element.js";

export const main = document.getElementById("main");

speakOnPage();

/** Puts an element of the kit into the card, with the application's name above it. */
export function place(element) {
  element.setAttribute("level", "1");
  element.setAttribute("brand", "");
  fill(main, element);
  main.removeAttribute("aria-busy");
  return element;
}

/** The application's name goes into the window's title, after the page's own. */
export async function entitle(page) {
  document.title = page;
  try {
    const { appName } = await client.settings();
    if (appName) document.title = `${page} · ${appName}`;
  } catch {
    // The page itself says what is wrong.
  }
}

/** What is in a slot of an element. */
export function inSlot(name, ...children) {
  return children.filter(Boolean).map((child) => {
    const box = h("div", { slot: name }, child);
    return box;
  });
}
