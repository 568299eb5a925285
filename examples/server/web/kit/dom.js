// Makes elements. Text only ever becomes text: no page of this server turns a string into markup, and its
// Content-Security-Policy would refuse that too.

/**
 * An element. Attributes that are functions are listeners (`onclick`), `true` is an attribute without a value, and
 * null, undefined or false leave it out. Children are nodes, texts, or lists of them; what is null or false is no child.
 */
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (typeof value === "function") element.addEventListener(name.slice(2), value);
    else if (name === "value") element.value = value;
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...flat(children));
  return element;
}

/** Puts these children in place of those that are there. */
export function fill(element, ...children) {
  element.replaceChildren(...flat(children));
  return element;
}

/**
 * The same where somebody may be at work inside: whoever was at a button is put at the one of the same name, or at
 * the heading, and not at the top of the page.
 */
export function refill(element, ...children) {
  const active = focused();
  const before = element.contains(active) ? labelOf(active) : null;
  fill(element, ...children);
  if (before === null) return element;
  const again = [...element.querySelectorAll("button, a, input, select")].find((one) => labelOf(one) === before);
  const heading = element.querySelector("h1, h2") ?? element.closest("section, main")?.querySelector("h1, h2");
  (again ?? heading)?.focus();
  return element;
}

/** What has the focus, also inside a shadow. */
export function focused() {
  let active = document.activeElement;
  while (active?.shadowRoot?.activeElement) active = active.shadowRoot.activeElement;
  return active;
}

function labelOf(element) {
  return element.getAttribute("aria-label") ?? (element.textContent || element.name);
}

function flat(children) {
  return children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false);
}

let lastId = 0;

/** An id for an element that a label or a description points to. */
export function newId(stem) {
  lastId += 1;
  return `${stem}-${lastId}`;
}

/** An SVG element; they live in a namespace of their own. */
export function svg(tag, attributes = {}, ...children) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

// Strokes on a grid of 24.
const ICONS = {
  key: "M14.5 9.5a4.5 4.5 0 1 1-4.2-4.5 4.5 4.5 0 0 1 4.2 4.5ZM13.2 12.7 20.5 20M17 16.5l2-2",
  passkey:
    "M9 11a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7ZM3 20c0-3.6 2.5-6 6-6 1.2 0 2.3.3 3.2.8M17.5 13.5a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5ZM17.5 13.5V20M17.5 17h2",
  user: "M12 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8ZM4.5 20.5c.6-3.9 3.5-6 7.5-6s6.9 2.1 7.5 6",
  users:
    "M9 11.5a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7ZM2.5 19.5c.5-3.3 3-5 6.5-5s6 1.7 6.5 5M16 4.8a3.5 3.5 0 0 1 0 6.5M18 14.8c2 .6 3.2 2.3 3.5 4.7",
  group: "M4 7.5 12 3.5l8 4-8 4-8-4ZM4 12l8 4 8-4M4 16.5l8 4 8-4",
  apps: "M4.5 4.5h6v6h-6zM13.5 4.5h6v6h-6zM4.5 13.5h6v6h-6zM13.5 13.5h6v6h-6z",
  door: "M4 20.5h16M6.5 20.5v-16l8-1.5v17.5M14.5 5H17.5v15.5M11.5 12v1",
  list: "M4.5 6.5h15M4.5 12h15M4.5 17.5h9",
  sliders:
    "M4.5 8h9M17.5 8h2M4.5 16h2M10.5 16h9M15.5 10a2 2 0 1 0 0-4 2 2 0 0 0 0 4ZM8.5 18a2 2 0 1 0 0-4 2 2 0 0 0 0 4Z",
  device: "M4.5 5.5h15v10h-15zM2.5 19.5h19",
  check: "M5 12.5l4.5 4.5L19 7.5",
  warning: "M12 4 2.8 19.5h18.4L12 4ZM12 10v4.5M12 17v.1",
  info: "M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18ZM12 11v5.5M12 7.8v.1",
  clock: "M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18ZM12 7v5.2l3.5 2",
  copy: "M8.5 8.5h11v11h-11zM15.5 8.5v-4h-11v11h4",
  out: "M14.5 4.5h-10v15h10M10.5 12h10M17 8.5l3.5 3.5-3.5 3.5",
  back: "M10.5 6 4.5 12l6 6M4.5 12h15",
  next: "M9.5 5.5 16 12l-6.5 6.5",
  plus: "M12 5v14M5 12h14",
  close: "M6 6l12 12M18 6 6 18",
  menu: "M4.5 7h15M4.5 12h15M4.5 17h15",
  search: "M11 18a7 7 0 1 0 0-14 7 7 0 0 0 0 14ZM16 16l4.5 4.5",
};

/** A small picture beside words that say the same: readers pass it over. */
export function icon(name) {
  const drawing = svg("path", { d: ICONS[name] });
  return svg("svg", { viewBox: "0 0 24 24", class: "icon", "aria-hidden": "true" }, drawing);
}

/** The plate around the keyhole. */
export function mark() {
  return svg(
    "svg",
    { viewBox: "6 2 20 28", class: "mark", "aria-hidden": "true" },
    svg("rect", { x: "6", y: "2", width: "20", height: "28", rx: "10", class: "mark-plate" }),
    svg("path", { d: "M16 10a4 4 0 0 1 2.1 7.4L19.5 23h-7l1.4-5.6A4 4 0 0 1 16 10Z", class: "mark-hole" }),
  );
}
