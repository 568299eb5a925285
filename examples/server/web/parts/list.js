// A list from the server: search, filters, pages, and what to say while there is nothing.

import { get, query } from "./api.js";
import { fill, h, icon, newId, refill } from "./dom.js";
import { explain } from "./failures.js";
import { many } from "./format.js";
import { button } from "./parts.js";

const PAUSE = 250;

/**
 * Builds a list of `path`. `item(record)` makes a line of it; `filters` are controls of `forms.js` whose names and
 * values go into the query; `empty` says what there would be. Gives the element and a `reload`.
 */
export function listOf({
  path,
  noun,
  plural,
  item,
  search = false,
  filters = [],
  values = {},
  limit = 20,
  empty,
  onLoad,
}) {
  const state = { page: 1, search: "" };
  const rows = h("ul", { class: "rows" });
  const status = h("p", { class: "list-status", role: "status" });
  const pager = h("nav", { class: "pager", "aria-label": "Pages" });
  const box = search ? searchBox(noun, plural) : null;
  let latest = 0;

  async function reload() {
    latest += 1;
    const mine = latest;
    rows.setAttribute("aria-busy", "true");
    try {
      const chosen = Object.fromEntries(filters.map((filter) => [filter.name, filter.value]));
      const address = query(path, { ...values, ...chosen, search: state.search, page: state.page, limit });
      const { data, pagination } = await get(address);
      // Whoever types on gets the answer to what stands there now.
      if (mine !== latest) return;
      show(data, pagination);
      onLoad?.(data, pagination);
    } catch (error) {
      if (mine === latest) fail(error);
    } finally {
      rows.removeAttribute("aria-busy");
    }
  }

  function show(data, { currentPage, totalPages, totalItems }) {
    state.page = currentPage;
    const narrowed = state.search !== "" || filters.some((filter) => filter.value !== "" && filter.value !== false);
    refill(rows, data.map(item));
    rows.hidden = data.length === 0;
    if (totalItems === 0) fill(status, narrowed ? `No ${plural} fit this.` : (empty ?? `There are no ${plural} yet.`));
    else status.textContent = many(totalItems, noun, plural);
    status.classList.toggle("empty", totalItems === 0);
    fill(pager, totalPages > 1 ? pages(currentPage, totalPages) : []);
    pager.hidden = totalPages <= 1;
  }

  function pages(current, total) {
    const turn = (text, page, off) => {
      const turner = button(text, async () => {
        state.page = page;
        await reload();
        element.scrollIntoView({ block: "nearest" });
        pager.querySelector("[data-current]")?.focus();
      });
      turner.disabled = off;
      return turner;
    };
    return [
      turn("Previous", current - 1, current <= 1),
      h("span", { tabindex: "-1", "data-current": true }, `Page ${current} of ${total}`),
      turn("Next", current + 1, current >= total),
    ];
  }

  function fail(error) {
    const text = explain(error);
    if (text === null) return;
    rows.hidden = true;
    pager.hidden = true;
    status.classList.add("empty");
    fill(status, text, " ", button("Try again", reload));
  }

  function searchBox() {
    const id = newId("search");
    const input = h("input", {
      id,
      type: "search",
      placeholder: `Search ${plural}`,
      autocomplete: "off",
      spellcheck: "false",
    });
    let timer;
    input.addEventListener("input", () => {
      clearTimeout(timer);
      timer = setTimeout(() => {
        state.search = input.value.trim();
        state.page = 1;
        reload();
      }, PAUSE);
    });
    return h(
      "div",
      { class: "search" },
      h("label", { for: id, class: "hidden" }, `Search ${plural}`),
      icon("search"),
      input,
    );
  }

  for (const filter of filters) {
    filter.input.addEventListener("change", () => {
      state.page = 1;
      reload();
    });
  }
  const tools =
    box || filters.length > 0
      ? h(
          "div",
          { class: "tools" },
          box,
          filters.map((filter) => filter.element),
        )
      : null;
  const element = h("div", { class: "list" }, tools, status, rows, pager);
  status.textContent = "Loading…";
  rows.hidden = true;
  reload();
  return { element, reload };
}
