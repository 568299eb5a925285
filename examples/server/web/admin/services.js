// All services: what people reach with their accounts here, and to whom it is open.

import { post, to } from "../kit/calls.js";
import { fill, h } from "../kit/dom.js";
import { field, form } from "../kit/forms.js";
import { webAddress } from "../kit/format.js";
import { listOf } from "../kit/list.js";
import { badge, button, formDialog, row } from "../kit/pieces.js";
import { listing, t } from "../kit/words.js";
import { goTo } from "../parts/go.js";
import { entitle, pageHead } from "../parts/shell.js";

export function show({ main }) {
  entitle(t("services"));
  const services = listOf({
    path: "/api/services",
    noun: "services",
    search: true,
    inAddress: true,
    item: serviceRow,
  });
  const add = button(t("services.new"), createService, { kind: "primary", picture: "plus" });
  fill(main, pageHead({ title: t("services"), text: t("services.text"), action: add }), services.element);
}

/** A service as administrators see it in lists. */
export function serviceRow(service) {
  return row({
    title: service.name,
    href: to(`/admin/services/${service.id}`),
    picture: "apps",
    badges: [accessBadge(service)],
    facts: [
      service.isOpenToEveryone || service.userGroups.length === 0 ? null : t("services.openTo", { groups: groupNames(service) }),
      ...service.origins.map(webAddress),
      h("code", {}, service.slug),
    ],
  });
}

/** “Family” and “Friends”: quoted, because names may hold anything. */
function groupNames(service) {
  const names = service.userGroups.map(({ friendlyName }) => (friendlyName ? `“${friendlyName}”` : t("group.some")));
  return listing(names);
}

/** To whom a service is open, in a word. */
export function accessBadge(service) {
  if (service.isOpenToEveryone) return badge(t("services.everyone"), "good");
  const groups = service.userGroups.length;
  return groups > 0 ? badge(t("groups.count", { count: groups })) : badge(t("services.closed"), "wait");
}

/** The names of a service, and where it is; `renames` warns of what hangs on the short one. */
export function serviceFields(service = {}, { renames = false } = {}) {
  return [
    field({
      name: "name",
      label: t("name"),
      value: service.name ?? "",
      required: true,
      maxlength: 100,
      hint: t("name.people"),
      autocomplete: "off",
    }),
    field({
      name: "slug",
      label: t("shortName"),
      value: service.slug ?? "",
      required: true,
      maxlength: 64,
      hint: t(renames ? "services.slug.rename" : "services.slug.hint"),
      check: (text) => (/^[a-z][a-z0-9_.-]*$/.test(text) ? null : t("field.not_slug")),
      autocomplete: "off",
      autocapitalize: "none",
      spellcheck: "false",
    }),
    field({
      name: "origins",
      label: t("services.addresses"),
      value: (service.origins ?? []).join("\n"),
      rows: 2,
      hint: t("services.addresses.hint"),
      dir: "ltr",
      autocapitalize: "none",
      spellcheck: "false",
    }),
  ];
}

/** What the fields say, as the server takes it. */
export function serviceValues({ origins, ...names }) {
  return { ...names, origins: origins.split(/[\s,]+/).filter(Boolean).map(tidied) };
}

/** Who copies an address brings along a slash at its end, or large letters. */
function tidied(text) {
  const url = URL.canParse(text) ? new URL(text) : null;
  return url && [`${url.origin}/`, url.origin].includes(url.href) ? url.origin : text;
}

/** Says in this page's words what is wrong with the addresses, or with a short name that is kept for something else. */
export function explained(error) {
  if (error.details?.fields?.some(({ field, code }) => field === "slug" && code === "reserved")) {
    error.fields.slug = t("services.slug.area");
  }
  if (error.fields?.origins) {
    error.fields.origins = t("services.addresses.wrong");
  }
  return error;
}

async function createService() {
  const service = await formDialog({
    title: t("services.new"),
    text: t("services.new.text"),
    build: (close) =>
      form({
        parts: serviceFields(),
        action: t("services.create"),
        cancel: () => close(),
        run: async (values) => {
          try {
            close(await post("/api/services", serviceValues(values)));
          } catch (error) {
            throw explained(error);
          }
        },
      }),
  });
  if (service) goTo(`/admin/services/${service.id}`);
}
