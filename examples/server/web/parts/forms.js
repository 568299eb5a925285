// Fields and forms. A form knows its fields by the names that the server's JSON has for them, so that a refusal lands
// at the field that it is about.

import { busy } from "./dialogs.js";
import { fill, h, newId, refill } from "./dom.js";
import { explain } from "./failures.js";

/** A field with its label: text by default; `options` makes it a choice, `rows` a text of several lines. */
export function field({ name, label, hint, value = "", options, rows, type = "text", required = false, ...rest }) {
  const id = newId(name);
  const attributes = { id, name, required, "aria-describedby": `${id}-hint ${id}-error`, ...rest };
  let input;
  if (options) {
    input = h(
      "select",
      attributes,
      options.map(([key, text]) => h("option", { value: key }, text)),
    );
    input.value = value;
  } else if (rows) {
    input = h("textarea", { ...attributes, rows, value });
  } else {
    input = h("input", { ...attributes, type, value });
  }
  const problem = h("p", { id: `${id}-error`, class: "field-error", hidden: true });
  const element = h(
    "div",
    { class: "field" },
    h(
      "label",
      { for: id },
      label,
      // The blank is for who hears it: else it is one word with the label.
      required || options || type === "checkbox" ? null : [" ", h("span", { class: "optional" }, "optional")],
    ),
    input,
    h("p", { id: `${id}-hint`, class: "hint", hidden: !hint }, hint ?? ""),
    problem,
  );
  input.addEventListener("input", () => control.complain(null));
  const control = {
    name,
    element,
    input,
    get value() {
      return input.value.trim();
    },
    set value(text) {
      input.value = text;
    },
    complain(text) {
      problem.textContent = text ?? "";
      problem.hidden = !text;
      if (text) input.setAttribute("aria-invalid", "true");
      else input.removeAttribute("aria-invalid");
    },
    focus() {
      input.focus();
    },
  };
  return control;
}

/** A box to tick. */
export function tick({ name, label, hint, value = false, ...rest }) {
  const id = newId(name);
  const input = h("input", { id, name, type: "checkbox", "aria-describedby": hint ? `${id}-hint` : null, ...rest });
  input.checked = value;
  const problem = h("p", { class: "field-error", hidden: true });
  const element = h(
    "div",
    { class: "field tick" },
    input,
    h("label", { for: id }, label),
    hint ? h("p", { id: `${id}-hint`, class: "hint" }, hint) : null,
    problem,
  );
  return {
    name,
    element,
    input,
    get value() {
      return input.checked;
    },
    complain(text) {
      problem.textContent = text ?? "";
      problem.hidden = !text;
    },
    focus() {
      input.focus();
    },
  };
}

/** What is searched by, as the server does: without case and accents. */
function bare(text) {
  return text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();
}

// More boxes than this are found by typing.
const MANY = 24;

function narrow(boxes, label) {
  const input = h("input", {
    type: "search",
    placeholder: "Search",
    "aria-label": `Search: ${label}`,
    autocomplete: "off",
  });
  input.addEventListener("input", () => {
    const wanted = bare(input.value.trim());
    for (const { element } of boxes) element.hidden = !bare(element.textContent).includes(wanted);
  });
  // Enter here looks for something; it does not save.
  input.addEventListener("keydown", (event) => {
    if (event.key === "Enter") event.preventDefault();
  });
  return input;
}

/** Several boxes under one heading; its value is the list of the keys that are ticked. */
export function ticks({ name, label, hint, options, value = [], empty }) {
  const boxes = options.map(([key, text, detail]) => {
    const id = newId(name);
    const input = h("input", { id, type: "checkbox", value: key });
    input.checked = value.includes(key);
    const label = h("label", { for: id }, text, detail ? h("span", { class: "detail" }, detail) : null);
    return { key, input, element: h("div", { class: "tick" }, input, label) };
  });
  const problem = h("p", { class: "field-error", hidden: true });
  const list = h(
    "div",
    { class: "ticks" },
    boxes.map((box) => box.element),
  );
  const element = h(
    "fieldset",
    { class: "field" },
    h("legend", {}, label),
    hint ? h("p", { class: "hint" }, hint) : null,
    boxes.length === 0 ? h("p", { class: "hint" }, empty ?? "There is nothing to choose from.") : null,
    boxes.length > MANY ? narrow(boxes, label) : null,
    list,
    problem,
  );
  return {
    name,
    element,
    get value() {
      return boxes.filter((box) => box.input.checked).map((box) => box.key);
    },
    complain(text) {
      problem.textContent = text ?? "";
      problem.hidden = !text;
    },
    focus() {
      boxes[0]?.input.focus();
    },
  };
}

/**
 * A form of fields and whatever else stands between them. `run(values)` does it; what it throws is said at the field
 * that it names, or above the button.
 */
export function form({ parts, action, run, danger = false, cancel, className = "form" }) {
  const given = parts.flat(Infinity).filter(Boolean);
  const fields = given.flatMap((part) => part.fields ?? (part.complain ? [part] : []));
  const problem = h("p", { class: "problem", role: "alert", hidden: true });
  const button = h("button", { type: "submit", class: danger ? "button danger" : "button primary" }, action);
  const out = cancel ? h("button", { type: "button", class: "button", onclick: cancel }, "Cancel") : null;
  const elements = given.map((part) => part.element ?? part);
  const element = h(
    "form",
    { class: className, novalidate: true },
    elements,
    problem,
    h("div", { class: "actions" }, out, button),
  );
  element.addEventListener("submit", (event) => {
    event.preventDefault();
    if (button.disabled) return;
    for (const one of fields) one.complain(null);
    if (!complete(fields)) return;
    const values = Object.fromEntries(fields.map((one) => [one.name, one.value]));
    busy(button, problem, async () => {
      try {
        await run(values);
      } catch (error) {
        if (!blame(fields, error)) throw error;
      }
    });
  });
  return element;
}

/** Asks for what is missing, in words of ours: the browser's own bubbles are not read everywhere. */
function complete(fields) {
  const missing = fields.filter((one) => one.input?.required && one.value === "");
  for (const one of missing) one.complain("Please fill this in.");
  missing[0]?.focus();
  return missing.length === 0;
}

function blame(fields, error) {
  const blamed = fields.filter((one) => error.fields?.[one.name]);
  for (const one of blamed) one.complain(error.fields[one.name]);
  blamed[0]?.focus();
  return blamed.length > 0;
}

/** Two fields side by side, where there is room. */
export function pair(first, second) {
  return { element: h("div", { class: "pair" }, first.element, second.element), fields: [first, second] };
}

/**
 * A part of a page whose contents come from the server: says that it loads, and offers to try again. `show` gives the
 * contents, or nothing where it has put them there itself.
 */
export async function load(element, fetchIt, show) {
  if (!element.querySelector(":scope > :not(noscript)"))
    fill(element, h("p", { class: "loading", role: "status" }, "Loading…"));
  try {
    const shown = show(await fetchIt());
    if (shown !== undefined) refill(element, shown);
  } catch (error) {
    const text = explain(error);
    if (text === null) return;
    const again = h(
      "button",
      { type: "button", class: "button", onclick: () => load(element, fetchIt, show) },
      "Try again",
    );
    fill(element, h("div", { class: "notice warning", role: "alert" }, h("p", {}, text), again));
  }
}
