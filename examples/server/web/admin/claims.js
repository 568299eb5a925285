// Claims of a user or of a group: names and texts that applications find in access tokens.

import { put } from "../kit/calls.js";
import { note } from "../kit/dialogs.js";
import { h, icon } from "../kit/dom.js";
import { form } from "../kit/forms.js";
import { section } from "../kit/pieces.js";
import { t } from "../kit/words.js";

/** The part of a page; `path` takes the whole list. */
export function claimsSection({ claims, path, text }) {
  const editor = claimsField(claims);
  return section(
    { id: "claims", title: t("claims"), text },
    h(
      "div",
      { class: "panel" },
      form({
        guarded: true,
        parts: [editor],
        action: t("claims.save"),
        run: async ({ claims: list }) => {
          const nameless = list.some(({ key }) => key === "");
          if (nameless) return editor.complain(t("claims.nameless"));
          await put(path, list);
          note(t("claims.saved"));
        },
      }),
    ),
  );
}

function claimsField(claims) {
  const lines = h("div", { class: "claims" });
  const problem = h("p", { class: "field-error", role: "alert", hidden: true });
  const none = h("p", { class: "hint" }, t("claims.none"));
  const input = (label, value, maxlength) =>
    h("input", { "aria-label": label, placeholder: label, value, maxlength, autocomplete: "off", spellcheck: "false" });
  const look = () => {
    none.hidden = lines.children.length > 0;
  };
  const addLine = ({ key, value }) => {
    const name = input(t("name"), key, 255);
    const line = h("div", { class: "claim" }, name, input(t("claims.value"), value, 5000));
    const out = h("button", { type: "button", class: "button", "aria-label": t("claims.remove") }, icon("close"));
    out.addEventListener("click", () => {
      line.remove();
      look();
      add.focus();
    });
    line.append(out);
    lines.append(line);
    look();
    return name;
  };
  const add = h("button", { type: "button", class: "button" }, icon("plus"), t("claims.add"));
  add.addEventListener("click", () => addLine({ key: "", value: "" }).focus());
  for (const claim of claims) addLine(claim);
  look();
  return {
    name: "claims",
    element: h("div", { class: "stack" }, none, lines, h("div", {}, add), problem),
    get value() {
      return [...lines.children].map((line) => {
        const [key, value] = line.querySelectorAll("input");
        return { key: key.value.trim(), value: value.value };
      });
    },
    complain(text) {
      problem.textContent = text ?? "";
      problem.hidden = !text;
    },
    focus() {
      (lines.querySelector("input") ?? add).focus();
    },
  };
}
