// All services: what people reach with their accounts here, and to whom it is open.

import { post } from "../parts/api.js";
import { fill, h } from "../parts/dom.js";
import { field, form } from "../parts/forms.js";
import { many, webAddress } from "../parts/format.js";
import { listOf } from "../parts/list.js";
import { badge, button, formDialog, row } from "../parts/parts.js";
import { entitle, pageHead } from "../parts/shell.js";

export function show({ main, settings }) {
  entitle("Services", settings);
  const services = listOf({
    path: "/api/services",
    noun: "service",
    plural: "services",
    search: true,
    empty:
      "No services yet. A service is an application that people use with their account here, such as a media library. " +
      "Make one, and say who may use it.",
    item: serviceRow,
  });
  const add = button("New service", makeService, { kind: "primary", picture: "plus" });
  const text = "What people use with their account here. Each is open to everyone, to some groups, or to nobody.";
  fill(main, pageHead({ title: "Services", text, action: add }), services.element);
}

/** A service as administrators see it in lists. */
export function serviceRow(service) {
  return row({
    title: service.name,
    href: `/admin/services/${service.id}`,
    picture: "apps",
    badges: [accessBadge(service)],
    facts: [
      service.isOpenToEveryone || service.userGroups.length === 0 ? null : `open to ${groupNames(service)}`,
      ...service.origins.map(webAddress),
      h("code", {}, service.slug),
    ],
  });
}

const sentence = new Intl.ListFormat("en");

/** “Family” and “Friends”: quoted, because names may hold anything. */
function groupNames(service) {
  const names = service.userGroups.map(({ friendlyName }) => (friendlyName ? `“${friendlyName}”` : "a group"));
  return sentence.format(names);
}

/** To whom a service is open, in a word. */
export function accessBadge(service) {
  if (service.isOpenToEveryone) return badge("open to everyone", "good");
  const groups = service.userGroups.length;
  return groups > 0 ? badge(many(groups, "group")) : badge("closed", "wait");
}

/** The names of a service, and where it is; `renames` warns of what hangs on the short one. */
export function serviceFields(service = {}, { renames = false } = {}) {
  const change = " API keys name it in their scopes: those that name the former one do not reach the service any more.";
  return [
    field({
      name: "name",
      label: "Name",
      value: service.name ?? "",
      required: true,
      maxlength: 100,
      hint: "For people.",
      autocomplete: "off",
    }),
    field({
      name: "slug",
      label: "Short name",
      value: service.slug ?? "",
      required: true,
      maxlength: 64,
      hint: `For programs: small letters, digits and _ . -, a letter first.${renames ? change : ""}`,
      autocomplete: "off",
      autocapitalize: "none",
      spellcheck: "false",
    }),
    field({
      name: "origins",
      label: "Addresses",
      value: (service.origins ?? []).join("\n"),
      rows: 2,
      hint: "Where people find it: one https:// address a line, without a path.",
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
    error.fields.slug = "This is the name of an area of scopes.";
  }
  if (error.fields?.origins) {
    error.fields.origins =
      "Each line must be an http:// or https:// address: a name in small letters, perhaps a port, and nothing after it.";
  }
  return error;
}

async function makeService() {
  const service = await formDialog({
    title: "New service",
    text: "It is closed at first. Who may use it is the next thing you say.",
    build: (close) =>
      form({
        parts: serviceFields(),
        action: "Make service",
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
  if (service) location.assign(`/admin/services/${service.id}`);
}
