// What somebody may use with their account, and the way there.

import { h } from "../parts/dom.js";
import { webAddress } from "../parts/format.js";
import { listOf } from "../parts/list.js";
import { link, row, section } from "../parts/parts.js";

/** The part of the account page. Administrators, too, see here only what is open to themselves. */
export function myServices(me) {
  const list = listOf({
    path: "/api/services",
    noun: "service",
    plural: "services",
    values: { user: me.id },
    empty: [
      "No service is open to you yet. ",
      me.isAdmin
        ? [h("a", { href: "/admin/services" }, "Say who may use which"), "."]
        : "An administrator decides who may use which.",
    ],
    item: (service) => serviceRow(service, me),
  });
  return section({ id: "services", title: "Your services", text: "What you may use with this account." }, list.element);
}

function serviceRow({ id, name, origins }, me) {
  const addresses = origins.toSorted((a, b) => secure(b) - secure(a));
  const [first, second] = addresses;
  const where = second ? addresses.map((origin) => h("a", { href: origin }, webAddress(origin))) : null;
  const nowhere = me.isAdmin
    ? [["It has no address yet. ", h("a", { href: `/admin/services/${id}` }, "Give it one"), "."]]
    : ["It has no address here. Ask an administrator where it is."];
  return row({
    title: name,
    picture: "apps",
    facts: where ?? (first ? [webAddress(first)] : nowhere),
    actions: first ? [link("Open", first, { label: `Open ${name}` })] : [],
  });
}

function secure(origin) {
  return Number(new URL(origin).protocol === "https:");
}
