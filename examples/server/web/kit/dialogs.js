// Dialogs and notes. They live in a shadow of their own at the end of the document, so that they look the same on a host's
// page; a dialog is the browser's own <dialog>, which keeps the focus inside and gives it back afterwards.

import { explain } from "./client.js";
import { fill, focused, h, newId } from "./dom.js";
import { spoken, t } from "./words.js";

// The look of the elements and of dialogs, as one style sheet that all shadow roots share. What the document has loaded is
// not loaded again.
const address = new URL("kit.css", import.meta.url).href;

export const sheet = new CSSStyleSheet();

async function styles() {
  const loaded = [...document.styleSheets].find((one) => one.href === address);
  if (loaded) return [...loaded.cssRules].map((rule) => rule.cssText).join("\n");
  return (await fetch(address)).text();
}

try {
  sheet.replaceSync(await styles());
} catch (error) {
  // They work without it.
  console.error(error);
}

let root = null;

function layer() {
  if (root?.host.isConnected) return root;
  const host = h("div", { class: "keyplate-layer", lang: spoken.language, dir: spoken.direction });
  root = host.attachShadow({ mode: "open" });
  root.adoptedStyleSheets = [sheet];
  root.append(notes());
  document.body.append(host);
  return root;
}

function notes() {
  return h("div", { class: "notes", role: "status", "aria-live": "polite" });
}

/** Opens a dialog and gives a promise of what it was closed with. `build(close, dialog)` gives its contents. */
export function open({ title, wide = false, build }) {
  return new Promise((resolve) => {
    const id = newId("dialog");
    let result;
    const dialog = h("dialog", { "aria-labelledby": id, class: wide ? "dialog wide" : "dialog", part: "dialog" });
    const close = (value) => {
      result = value;
      dialog.close();
    };
    fill(dialog, h("h2", { id }, title), build(close, dialog), notes());
    dialog.addEventListener("close", () => {
      // What was said in it may not have been read yet.
      root.querySelector(".notes").append(...dialog.querySelector(":scope > .notes").children);
      dialog.remove();
      resolve(result);
    });
    layer().append(dialog);
    dialog.showModal();
  });
}

/** Says something that has to be read. */
export function tell({ title, text }) {
  return open({
    title,
    build: (close) => [
      paragraphs(text),
      h(
        "div",
        { class: "actions" },
        h("button", { type: "button", class: "button", autofocus: true, onclick: () => close() }, t("close")),
      ),
    ],
  });
}

function paragraphs(text) {
  return [text].flat().map((line) => (typeof line === "string" ? h("p", {}, line) : line));
}

/**
 * Asks whether to do something, does it (`run`), and gives whether it was done. What goes wrong is said in the dialog,
 * which stays, so that it can be tried again.
 */
export async function ask({ title, text, action, cancel = t("cancel"), danger = false, run }) {
  const done = await open({
    title,
    build: (close) => {
      const problem = h("p", { class: "problem", role: "alert", hidden: true });
      const go = h("button", { type: "button", class: danger ? "button danger" : "button primary" }, action);
      go.addEventListener("click", () =>
        busy(go, problem, async () => {
          await run?.();
          close(true);
        }),
      );
      // Enter must not destroy anything: there the focus is on the way out.
      const out = h("button", { type: "button", class: "button", autofocus: danger, onclick: () => close(false) }, cancel);
      if (!danger) go.setAttribute("autofocus", "");
      return [paragraphs(text), problem, h("div", { class: "actions" }, out, go)];
    },
  });
  return done === true;
}

/** Runs something for a button that can only be pressed once meanwhile, and says in `problem` what went wrong. */
export async function busy(button, problem, run) {
  if (problem) problem.hidden = true;
  button.setAttribute("aria-busy", "true");
  button.disabled = true;
  try {
    await run();
  } catch (error) {
    const text = explain(error);
    if (text !== null && !problem) warn(text);
    if (problem) {
      problem.textContent = text ?? "";
      problem.hidden = text === null;
    }
  } finally {
    button.disabled = false;
    button.removeAttribute("aria-busy");
    // Disabling took the focus away. People who use the keyboard go on where they were.
    if (focused() === document.body && button.isConnected) button.focus();
  }
}

const PAUSE = 6000;

/**
 * A line that appears at the edge, is read aloud, and goes away again; with a button where something can still be undone.
 * Behind a modal dialog nobody could see it: then it appears in the dialog.
 */
export function note(text, { action, kind = "", pause = PAUSE } = {}) {
  const dialogs = layer().querySelectorAll("dialog[open]");
  const place = dialogs[dialogs.length - 1]?.querySelector(":scope > .notes") ?? root.querySelector(".notes");
  const line = h("div", { class: `note ${kind}` }, h("span", {}, text));
  if (action) {
    const press = () => {
      line.remove();
      action.run();
    };
    line.append(h("button", { type: "button", onclick: press }, action.text));
  }
  place.append(line);
  while (place.children.length > 3) place.firstChild.remove();
  setTimeout(() => line.remove(), pause);
  return line;
}

/** What went wrong where no form can say it. It stays longer: somebody has to do something about it. */
export function warn(text) {
  const line = note(text, { kind: "bad", pause: 20_000, action: { text: t("close"), run: () => {} } });
  line.setAttribute("role", "alert");
}

/**
 * Does something after a while in which it can be undone, or at once when the page is left. `run` does it, `undone` puts back
 * what is shown.
 */
export function later(text, run, undone) {
  let pending = true;
  const finish = () => {
    if (!pending) return;
    pending = false;
    clearTimeout(timer);
    removeEventListener("pagehide", finish);
    line.remove();
    run().catch((error) => {
      undone();
      const why = explain(error);
      if (why) warn(why);
    });
  };
  const undo = () => {
    pending = false;
    clearTimeout(timer);
    removeEventListener("pagehide", finish);
    undone();
  };
  const timer = setTimeout(finish, PAUSE);
  const line = note(text, { action: { text: t("undo"), run: undo }, pause: PAUSE + 500 });
  addEventListener("pagehide", finish);
}
