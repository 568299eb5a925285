// Where nothing is.

import { to } from "../kit/calls.js";
import { fill, h } from "../kit/dom.js";
import { link } from "../kit/pieces.js";
import { t } from "../kit/words.js";
import { entitle, main } from "./door.js";

entitle(t("missing"));
fill(
  main,
  h("header", { class: "door-head" }, h("h1", {}, t("missing.title")), h("p", { class: "lead" }, t("missing.text"))),
  h("p", { class: "door-actions" }, link(t("missing.start"), to("/"), { kind: "primary" })),
);
main.removeAttribute("aria-busy");
