// What somebody may use with their account, and the way there.

import { to } from "../kit/calls.js";
import { h } from "../kit/dom.js";
import { webAddress } from "../kit/format.js";
import { listOf } from "../kit/list.js";
import { link, row, section } from "../kit/pieces.js";
import { t } from "../kit/words.js";

/** The part of the account page. Administrators, too, see here only what is open to themselves. */
export function myServices(me) {
  const list = listOf({
    path: "/api/services",
    noun: "services",
    values: { user: me.id },
    empty: me.isAdmin
      ? t("services.mine.none.admin", { link: h("a", { href: to("/admin/services") }, t("services.open")) })
      : t("services.mine.none"),
    item: (service) => serviceRow(service, me),
  });
  return section({ id: "services", title: t("services.mine"), text: t("services.mine.text") }, list.element);
}

function serviceRow({ id, name, origins }, me) {
  const addresses = origins.toSorted((a, b) => secure(b) - secure(a));
  const [first, second] = addresses;
  const where = second ? addresses.map((origin) => h("a", { href: origin }, webAddress(origin))) : null;
  const give = h("a", { href: to(`/admin/services/${id}`) }, t("services.address.give"));
  const nowhere = me.isAdmin ? t("services.address.none.admin", { link: give }) : t("services.address.none");
  return row({
    title: name,
    picture: "apps",
    facts: where ?? (first ? [webAddress(first)] : [nowhere]),
    actions: first ? [link(t("open"), first, { label: t("open.of", { name }) })] : [],
  });
}

function secure(origin) {
  return Number(new URL(origin).protocol === "https:");
}
