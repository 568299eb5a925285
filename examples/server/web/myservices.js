// What somebody may use with his account, and the way there.

import { h } from "./dom.js";
import { webAddress } from "./format.js";
import { listOf } from "./list.js";
import { row, section } from "./parts.js";

/** The part of the account page. An administrator too sees here what is open to himself. */
export function myServices(me) {
  const list = listOf({
    path: "/api/services",
    noun: "service",
    plural: "services",
    values: { user: me.id },
    empty: me.isAdmin
      ? "No service is open to you yet. Under “Services” you say who may use which."
      : "No service is open to you yet. An administrator decides who may use which.",
    item: serviceRow,
  });
  return section({ id: "services", title: "Your services", text: "What you may use with this account." }, list.element);
}

function serviceRow(service) {
  const [first] = service.origins.toSorted((a, b) => secure(b) - secure(a));
  const facts =
    service.origins.length > 1
      ? service.origins.map((origin) => h("a", { href: origin }, webAddress(origin)))
      : service.origins.map(webAddress);
  return row({
    title: service.name,
    href: first,
    picture: "apps",
    facts: facts.length > 0 ? facts : ["It has no address here. Ask an administrator where it is."],
  });
}

function secure(origin) {
  return Number(new URL(origin).protocol === "https:");
}
