// Several boxes to tick, under one heading.

import { h, newId } from "./dom.js";
import { t } from "./words.js";

/** What is searched by, as the server does: without case and accents. */
function bare(text) {
  return text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();
}

// More boxes than this are found by typing.
const MANY = 24;

function narrow(boxes, label) {
  const input = h("input", {
    type: "search",
    placeholder: t("search"),
    "aria-label": t("search.in", { label }),
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
    boxes.length === 0 ? h("p", { class: "hint" }, empty ?? t("ticks.empty")) : null,
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
