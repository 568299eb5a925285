// All groups.

import { post } from "../parts/api.js";
import { fill } from "../parts/dom.js";
import { field, form } from "../parts/forms.js";
import { many } from "../parts/format.js";
import { listOf } from "../parts/list.js";
import { button, formDialog, row } from "../parts/parts.js";
import { entitle, pageHead } from "../parts/shell.js";

export function show({ main, settings }) {
  entitle("Groups", settings);
  const list = listOf({
    path: "/api/user-groups",
    noun: "group",
    plural: "groups",
    search: true,
    values: { "sort[column]": "friendlyName" },
    empty: "No groups yet. Groups say which services and rights somebody has in your applications.",
    item: (group) =>
      row({
        title: group.friendlyName,
        href: `/admin/groups/${group.id}`,
        picture: "group",
        facts: [group.name, many(group.userCount, "member")],
      }),
  });
  const add = button("New group", makeGroup, { kind: "primary", picture: "plus" });
  fill(main, pageHead({ title: "Groups", action: add }), list.element);
}

/** The two names of a group. */
export function groupFields(group = {}) {
  return [
    field({
      name: "friendlyName",
      label: "Name",
      value: group.friendlyName ?? "",
      required: true,
      maxlength: 50,
      hint: "For people.",
      autocomplete: "off",
    }),
    field({
      name: "name",
      label: "Short name",
      value: group.name ?? "",
      required: true,
      maxlength: 255,
      hint: "For applications: no commas",
      autocomplete: "off",
      autocapitalize: "none",
      spellcheck: "false",
    }),
  ];
}

async function makeGroup() {
  const group = await formDialog({
    title: "New group",
    build: (close) =>
      form({
        parts: groupFields(),
        action: "Make group",
        cancel: () => close(),
        run: async (values) => close(await post("/api/user-groups", values)),
      }),
  });
  if (group) location.assign(`/admin/groups/${group.id}`);
}
