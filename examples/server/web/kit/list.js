// A list from the server: search, filters, order, pages, several at once, and what to say while there is nothing.

import { get, query } from "./calls.js";
import { explain } from "./client.js";
import { fill, h, icon, newId, refill } from "./dom.js";
import { field, skeleton } from "./forms.js";
import { button } from "./pieces.js";
import { number, t } from "./words.js";

const PAUSE = 250;

/**
 * Builds a list of `path`. `noun` is the key of its messages: how many there are, what to search for, and that there are
 * none. `item(record, box)` makes a line of it; `filters` are controls of `forms.js` whose names and values go into the
 * query; `sorts` are the orders that can be chosen, as `[value, text]` with the value `column` or `-column`. With `inAddress`
 * all of that stands in the address, so that Back and a bookmark lead to what was seen. `bulk(records, reload)` gives buttons
 * for those that are ticked. Gives the element and a `reload`.
 */
export function listOf({
  path,
  noun,
  item,
  search = false,
  filters = [],
  sorts = [],
  values = {},
  limit = 20,
  empty,
  onLoad,
  inAddress = false,
  bulk,
}) {
  const address = new URLSearchParams(inAddress ? location.search : "");
  const state = { page: Math.max(1, Number.parseInt(address.get("page"), 10) || 1), search: address.get("search") ?? "" };
  const rows = h("ul", { class: "rows", part: "list" });
  const status = h("p", { class: "list-status", role: "status" });
  const pager = h("nav", { class: "pager", "aria-label": t("pages") });
  const box = search ? searchBox() : null;
  const order = sorts.length > 0 ? field({ name: "sort", label: t("sort"), options: sorts, value: sorts[0][0] }) : null;
  const controls = [...filters, ...(order ? [order] : [])];
  const chosen = new Map();
  const bar = h("div", { class: "bulk", hidden: true });
  let shown = [];
  let latest = 0;

  for (const control of controls) {
    const wanted = address.get(plain(control.name));
    if (wanted === null) continue;
    if (control.input.type === "checkbox") control.input.checked = wanted === "true";
    else control.value = wanted;
    // A value that there is not leaves a choice empty.
    if (control.input.selectedIndex === -1) control.input.selectedIndex = 0;
  }

  async function reload() {
    latest += 1;
    const mine = latest;
    rows.setAttribute("aria-busy", "true");
    try {
      const narrowing = Object.fromEntries(filters.map((filter) => [filter.name, filter.value]));
      const { page } = state;
      const wanted = { ...values, ...narrowing, ...ordered(), search: state.search, page, limit };
      const { data, pagination } = await get(query(path, wanted));
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

  function ordered() {
    if (!order) return {};
    const descending = order.value.startsWith("-");
    return { "sort[column]": order.value.replace("-", ""), "sort[direction]": descending ? "desc" : null };
  }

  /** `filters[event]` is `event` in the address of the page. */
  function plain(name) {
    return name.match(/\[(\w+)\]$/)?.[1] ?? name;
  }

  /** Writes into the address what is shown; a turned page is a step of its own for Back. */
  function remember(step) {
    if (!inAddress) return;
    const parts = controls.map((control) => [plain(control.name), control === order && isFirst() ? "" : control.value]);
    const wanted = { ...Object.fromEntries(parts), search: state.search, page: state.page > 1 ? state.page : "" };
    const next = query(location.pathname, wanted);
    if (next === location.pathname + location.search) return;
    history[step ? "pushState" : "replaceState"](history.state, "", next);
  }

  function isFirst() {
    return order.value === sorts[0][0];
  }

  function show(data, { currentPage, totalPages, totalItems }) {
    state.page = currentPage;
    shown = data;
    const narrowed = state.search !== "" || filters.some((filter) => filter.value !== "" && filter.value !== false);
    const focusedRow = rows.contains(rows.getRootNode().activeElement);
    (focusedRow ? refill : fill)(rows, data.map((record) => item(record, bulk ? tickBox(record) : null)));
    rows.hidden = data.length === 0;
    if (totalItems === 0) fill(status, narrowed ? t("list.none") : (empty ?? t(`${noun}.none`)));
    else status.textContent = t(`${noun}.count`, { count: totalItems });
    status.classList.toggle("empty", totalItems === 0);
    fill(pager, totalPages > 1 ? pages(currentPage, totalPages) : []);
    pager.hidden = totalPages <= 1;
    drawBar();
  }

  function tickBox(record) {
    const input = h("input", { type: "checkbox", "aria-label": t("list.choose", { name: record.username ?? record.name }) });
    input.checked = chosen.has(record.id);
    input.addEventListener("change", () => {
      if (input.checked) chosen.set(record.id, record);
      else chosen.delete(record.id);
      drawBar();
    });
    return h("label", { class: "row-box" }, input);
  }

  function drawBar() {
    if (!bulk) return;
    bar.hidden = chosen.size === 0;
    if (bar.hidden) return;
    const all = button(t("list.all"), () => choose(shown));
    const none = button(t("list.clear"), () => choose([]), { kind: "quiet" });
    const done = () => {
      chosen.clear();
      return reload();
    };
    const count = h("span", { role: "status" }, t("list.chosen", { count: chosen.size }));
    refill(bar, count, all, bulk([...chosen.values()], done), none);
  }

  function choose(records) {
    if (records.length === 0) chosen.clear();
    for (const record of records) chosen.set(record.id, record);
    for (const [i, record] of shown.entries()) {
      const input = rows.children[i]?.querySelector(".row-box input");
      if (input) input.checked = chosen.has(record.id);
    }
    drawBar();
  }

  function pages(current, total) {
    const turn = (text, page, off) => {
      const turner = button(text, async () => {
        state.page = page;
        remember(true);
        await reload();
        element.scrollIntoView({ block: "nearest" });
        pager.querySelector("[data-current]")?.focus();
      });
      turner.disabled = off;
      return turner;
    };
    return [
      turn(t("page.previous"), current - 1, current <= 1),
      h("span", { tabindex: "-1", "data-current": true }, t("page.of", { page: number(current), pages: number(total) })),
      turn(t("page.next"), current + 1, current >= total),
    ];
  }

  function fail(error) {
    const text = explain(error);
    if (text === null) return;
    rows.hidden = true;
    pager.hidden = true;
    status.classList.add("empty");
    fill(status, text, " ", button(t("again"), reload));
  }

  function searchBox() {
    const id = newId("search");
    const input = h("input", {
      id,
      type: "search",
      placeholder: t(`${noun}.search`),
      autocomplete: "off",
      spellcheck: "false",
      value: state.search,
      "data-search": inAddress,
    });
    let timer;
    input.addEventListener("input", () => {
      clearTimeout(timer);
      timer = setTimeout(() => {
        state.search = input.value.trim();
        state.page = 1;
        remember(false);
        reload();
      }, PAUSE);
    });
    return h("div", { class: "search" }, h("label", { for: id, class: "hidden" }, t(`${noun}.search`)), icon("search"), input);
  }

  for (const control of controls) {
    control.input.addEventListener("change", () => {
      state.page = 1;
      remember(true);
      reload();
    });
  }
  const tools =
    box || controls.length > 0
      ? h(
          "div",
          { class: "tools" },
          box,
          controls.map((control) => control.element),
        )
      : null;
  const element = h("div", { class: "list" }, tools, bar, status, rows, pager);
  fill(status, skeleton(4));
  rows.hidden = true;
  reload();
  return { element, reload };
}
