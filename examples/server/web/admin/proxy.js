// A service behind a proxy that asks this server about each visitor: the proxy's files, ready to copy.

import { fill, h, newId } from "../kit/dom.js";
import { field } from "../kit/forms.js";
import { notice, section } from "../kit/pieces.js";
import { copyButton } from "../kit/secrets.js";
import { t } from "../kit/words.js";
import { proxyFiles } from "./proxy-files.js";

const PROXIES = [
  ["nginx", "nginx"],
  ["caddy", "Caddy"],
  ["traefik", "Traefik"],
];

export function behindProxy(service) {
  const hosts = hostsOf(service);
  const frame = { id: "proxy", title: t("proxy"), text: t("proxy.text") };
  if (hosts.length === 0) {
    return section(frame, h("div", { class: "panel" }, h("p", { class: "hint" }, t("proxy.noAddress"))));
  }
  const address = place("address", t("proxy.address"), t("proxy.address.hint"), "127.0.0.1:8096");
  const keyplate = place("keyplate", t("proxy.keyplate"), t("proxy.keyplate.hint"), "127.0.0.1:1411");
  const boxes = PROXIES.map(([name, title]) => ({ name, each: box(t("proxy.each")), once: box(t("proxy.once")), title }));
  const write = () => {
    const files = proxyFiles({
      slug: service.slug,
      hosts,
      identity: location.hostname,
      authority: location.host,
      keyplate: keyplate.value || "127.0.0.1:1411",
      address: address.value || "127.0.0.1:8096",
    });
    for (const { name, each, once } of boxes) {
      each.write(files[name].each);
      once.write(files[name].once);
    }
  };
  for (const { input } of [address, keyplate]) input.addEventListener("input", write);
  write();
  return section(
    frame,
    h(
      "div",
      { class: "panel stack" },
      notice("warning", t("proxy.alone"), t("proxy.alone.text")),
      address.element,
      keyplate.element,
      boxes.map(({ title, each, once }) =>
        h("details", { class: "proxy-file" }, h("summary", {}, title), each.element, once.element),
      ),
    ),
  );
}

/** Of the addresses with https, for which the files are. */
function hostsOf({ origins }) {
  const urls = origins.map((origin) => new URL(origin)).filter(({ protocol }) => protocol === "https:");
  return [...new Set(urls.map(({ hostname }) => hostname))];
}

function place(name, label, hint, value) {
  const rest = { dir: "ltr", autocapitalize: "none", autocomplete: "off", spellcheck: "false" };
  return field({ name, label, hint, value, required: true, maxlength: 100, ...rest });
}

/** A file under its name, with its button. */
function box(title) {
  const id = newId("file");
  const text = h("textarea", { id, readonly: true, wrap: "off", dir: "ltr", spellcheck: "false", class: "file" });
  const head = h("div", { class: "file-head" });
  return {
    element: h("div", { class: "file-box" }, head, text),
    write: (file) => {
      text.value = file;
      text.rows = Math.min(file.split("\n").length, 14);
      fill(head, h("label", { for: id, class: "label" }, title), copyButton(file, text));
    },
  };
}
