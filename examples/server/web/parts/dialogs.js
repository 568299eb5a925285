// Dialogs: the browser's own <dialog>, which keeps the focus inside and gives it back afterwards.

import { fill, h, newId } from "./dom.js";
import { explain } from "./failures.js";

/**
 * Opens a dialog and gives a promise of what it was closed with. `build(close)` gives its contents.
 */
export function open({ title, wide = false, build }) {
  return new Promise((resolve) => {
    const id = newId("dialog");
    let result;
    const dialog = h("dialog", { "aria-labelledby": id, class: wide ? "dialog wide" : "dialog" });
    const close = (value) => {
      result = value;
      dialog.close();
    };
    fill(dialog, h("h2", { id }, title), build(close, dialog));
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(result);
    });
    document.body.append(dialog);
    dialog.showModal();
  });
}

/** Says something that has to be read. */
export function tell({ title, text }) {
  return open({
    title,
    build: (close) => [
      h("p", {}, text),
      h(
        "div",
        { class: "actions" },
        h("button", { type: "button", class: "button", autofocus: true, onclick: () => close() }, "Close"),
      ),
    ],
  });
}

/**
 * Asks whether to do something, does it (`run`), and gives whether it was done. What goes wrong is said in the dialog,
 * which stays, so that it can be tried again.
 */
export async function ask({ title, text, action, danger = false, run }) {
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
      const cancel = h(
        "button",
        { type: "button", class: "button", autofocus: danger, onclick: () => close(false) },
        "Cancel",
      );
      if (!danger) go.setAttribute("autofocus", "");
      const texts = [text].flat().map((line) => (typeof line === "string" ? h("p", {}, line) : line));
      return [texts, problem, h("div", { class: "actions" }, cancel, go)];
    },
  });
  return done === true;
}

/** Runs something for a button that can only be pressed once meanwhile, and says in `problem` what went wrong. */
export async function busy(button, problem, run) {
  problem.hidden = true;
  button.setAttribute("aria-busy", "true");
  button.disabled = true;
  try {
    await run();
  } catch (error) {
    const text = explain(error);
    problem.textContent = text ?? "";
    problem.hidden = text === null;
  } finally {
    button.disabled = false;
    button.removeAttribute("aria-busy");
    // Disabling took the focus away. People who use the keyboard go on where they were.
    if (document.activeElement === document.body && button.isConnected) button.focus();
  }
}

/** A line that appears at the edge, is read aloud, and goes away again. */
export function note(text) {
  const region = document.getElementById("notes");
  if (!region) return;
  const line = h("p", { class: "note" }, text);
  // While a modal dialog is open only what is inside it can be seen.
  fill(region, line);
  setTimeout(() => line.remove(), 6000);
}
