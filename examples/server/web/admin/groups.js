// All groups.

import { post, to } from "../kit/calls.js";
import { fill } from "../kit/dom.js";
import { field, form } from "../kit/forms.js";
import { listOf } from "../kit/list.js";
import { button, formDialog, row } from "../kit/pieces.js";
import { t } from "../kit/words.js";
import { goTo } from "../parts/go.js";
import { entitle, pageHead } from "../parts/shell.js";

const SORTS = () => [
  ["friendlyName", t("sort.name")],
  ["name", t("sort.shortName")],
  ["-userCount", t("sort.members")],
  ["-createdAt", t("sort.newest")],
];

export function show({ main }) {
  entitle(t("groups"));
  const list = listOf({
    path: "/api/user-groups",
    noun: "groups",
    search: true,
    inAddress: true,
    sorts: SORTS(),
    item: (group) =>
      row({
        title: group.friendlyName,
        href: to(`/admin/groups/${group.id}`),
        picture: "group",
        facts: [group.name, t("members.count", { count: group.userCount })],
      }),
  });
  const add = button(t("groups.new"), createGroup, { kind: "primary", picture: "plus" });
  fill(main, pageHead({ title: t("groups"), action: add }), list.element);
}

/** The two names of a group. */
export function groupFields(group = {}) {
  return [
    field({
      name: "friendlyName",
      label: t("name"),
      value: group.friendlyName ?? "",
      required: true,
      maxlength: 50,
      hint: t("name.people"),
      autocomplete: "off",
    }),
    field({
      name: "name",
      label: t("shortName"),
      value: group.name ?? "",
      required: true,
      maxlength: 255,
      hint: t("groups.shortName.hint"),
      check: (text) => (text.includes(",") ? t("field.not_group_name") : null),
      autocomplete: "off",
      autocapitalize: "none",
      spellcheck: "false",
    }),
  ];
}

async function createGroup() {
  const group = await formDialog({
    title: t("groups.new"),
    build: (close) =>
      form({
        parts: groupFields(),
        action: t("groups.create"),
        cancel: () => close(),
        run: async (values) => close(await post("/api/user-groups", values)),
      }),
  });
  if (group) goTo(`/admin/groups/${group.id}`);
}
