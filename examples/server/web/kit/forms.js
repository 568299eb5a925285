// Fields and forms. A form knows its fields by the names that the server's JSON has for them, so that a refusal lands
// at the field that it is about.

import { explain } from "./client.js";
import { ask, busy } from "./dialogs.js";
import { fill, h, newId, refill } from "./dom.js";
import { number, t } from "./words.js";

/**
 * A field with its label: text by default; `options` makes it a choice, `rows` a text of several lines. `check(text)` gives
 * what is wrong with a text before it is sent, or null.
 */
export function field({ name, label, hint, value = "", options, rows, type = "text", required = false, check, ...rest }) {
  const id = newId(name);
  const attributes = { id, name, required, part: "input", "aria-describedby": `${id}-hint ${id}-error`, ...rest };
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
  const problem = h("p", { id: `${id}-error`, class: "field-error", part: "error", hidden: true });
  const element = h(
    "div",
    { class: "field", part: "field" },
    h(
      "label",
      { for: id, part: "label" },
      label,
      // The blank is for who hears it: else it is one word with the label.
      required || options || type === "checkbox" ? null : [" ", h("span", { class: "optional" }, t("optional"))],
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
    /** What is wrong with it as it stands, as far as the page can tell. */
    fault() {
      const text = control.value;
      if (text === "") return input.required ? t("field.fill") : null;
      return tooLong(input, text) ?? wrongNumber(input, text) ?? wrongAddress(input, text) ?? check?.(text) ?? null;
    },
    focus() {
      input.focus();
    },
  };
  return control;
}

function tooLong(input, text) {
  const length = [...text].length;
  if (input.minLength > 0 && length < input.minLength) return t("field.too_short", { least: input.minLength });
  if (input.maxLength > 0 && length > input.maxLength) return t("field.too_long", { most: input.maxLength });
  return null;
}

function wrongNumber(input, text) {
  if (input.type !== "number") return null;
  const value = Number(text);
  if (!Number.isFinite(value)) return t("field.not_number");
  if (input.step === "1" && !Number.isInteger(value)) return t("field.not_whole");
  if (input.min !== "" && value < Number(input.min)) return t("field.too_small", { least: number(Number(input.min)) });
  if (input.max !== "" && value > Number(input.max)) return t("field.too_large", { most: number(Number(input.max)) });
  return null;
}

/** As the library has it: something, an @, and a domain. The rest is for the server to say. */
function wrongAddress(input, text) {
  return input.type === "email" && !/^[^\s@]+@[^\s@]+$/u.test(text) ? t("field.not_email") : null;
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

/**
 * A form of fields and whatever else stands between them. `run(values)` does it; what it throws is said at the field
 * that it names, or above the button. `guarded` forms are not left with changes in them without a question.
 */
export function form({ parts, action, run, danger = false, cancel, className = "form", guarded = false }) {
  const given = parts.flat(Infinity).filter(Boolean);
  const fields = given.flatMap((part) => part.fields ?? (part.complain ? [part] : []));
  const problem = h("p", { class: "problem", part: "error", role: "alert", hidden: true });
  const kind = danger ? "danger" : "primary";
  const button = h("button", { type: "submit", class: `button ${kind}`, part: `button ${kind}` }, action);
  const out = cancel
    ? h("button", { type: "button", class: "button", part: "button", onclick: cancel }, t("cancel"))
    : null;
  const elements = given.map((part) => part.element ?? part);
  const element = h(
    "form",
    { class: className, part: "form", novalidate: true },
    elements,
    problem,
    h("div", { class: "actions" }, out, button),
  );
  element.addEventListener("submit", (event) => {
    event.preventDefault();
    if (button.disabled) return;
    for (const one of fields) one.complain(null);
    if (!complete(fields)) return;
    const values = valuesOf(fields);
    busy(button, problem, async () => {
      try {
        await run(values);
        saved = JSON.stringify(valuesOf(fields));
      } catch (error) {
        if (!blame(fields, error)) throw error;
      }
    });
  });
  let saved = JSON.stringify(valuesOf(fields));
  if (guarded) {
    guards.add({ element, isChanged: () => JSON.stringify(valuesOf(fields)) !== saved });
  }
  return element;
}

function valuesOf(fields) {
  return Object.fromEntries(fields.map((one) => [one.name, one.value]));
}

/** Forms whose changes somebody would miss. */
const guards = new Set();

function changed() {
  for (const guard of guards) if (!guard.element.isConnected) guards.delete(guard);
  return [...guards].some((guard) => guard.isChanged());
}

/** May the page be left? Asks where something was changed and not saved. */
export async function mayLeave() {
  if (!changed()) return true;
  return ask({
    title: t("unsaved.title"),
    text: t("unsaved.text"),
    action: t("unsaved.leave"),
    cancel: t("unsaved.stay"),
    danger: true,
  });
}

let leaving = false;
// The page leaves by itself where nothing can be saved any more, as after the end of a session.
document.addEventListener("keyplate-leave", () => {
  leaving = true;
});
addEventListener("beforeunload", (event) => {
  if (!leaving && changed()) event.preventDefault();
});

/** Says of every field at once what is missing or wrong: the browser's own bubbles are not read everywhere. */
function complete(fields) {
  const wrong = fields.filter((one) => {
    const fault = one.element?.hidden || one.element?.closest?.("[hidden]") ? null : (one.fault?.() ?? null);
    if (fault) one.complain(fault);
    return fault;
  });
  wrong[0]?.focus();
  return wrong.length === 0;
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

/** What stands where something will be. */
export function skeleton(lines = 3) {
  const bars = Array.from({ length: lines }, () => h("span", { class: "bar", "aria-hidden": "true" }));
  return h("div", { class: "loading", role: "status" }, h("span", { class: "hidden" }, t("loading")), bars);
}

/**
 * A part of a page whose contents come from the server: says that it loads, and offers to try again. `show` gives the
 * contents, or nothing where it has put them there itself.
 */
export async function load(element, fetchIt, show) {
  if (!element.querySelector(":scope > :not(noscript)"))
    fill(element, skeleton());
  try {
    const shown = show(await fetchIt());
    if (shown !== undefined) refill(element, shown);
  } catch (error) {
    const text = explain(error);
    if (text === null) return;
    const again = h(
      "button",
      { type: "button", class: "button", onclick: () => load(element, fetchIt, show) },
      t("again"),
    );
    fill(element, h("div", { class: "notice warning", role: "alert" }, h("p", {}, text), again));
  }
}
