// One service: who may use it, its names and addresses, its end.

import { accessBadge, explained, serviceFields, serviceValues } from "./services.js";
import { groupTicks } from "./users.js";
import { every, get, put, remove } from "../parts/api.js";
import { ask, note } from "../parts/dialogs.js";
import { fill, h, refill } from "../parts/dom.js";
import { field, form, load } from "../parts/forms.js";
import { button, section } from "../parts/parts.js";
import { entitle, pageHead } from "../parts/shell.js";

const CHOICES = [
  ["nobody", "Nobody: it is closed"],
  ["groups", "The members of some groups"],
  ["everyone", "Everyone who has an account"],
];

export async function show({ main, settings, id }) {
  const reload = () =>
    load(
      main,
      () => Promise.all([get(`/api/services/${id}`), every("/api/user-groups", { "sort[column]": "friendlyName" })]),
      ([service, groups]) => {
        entitle(service.name, settings);
        refill(
          main,
          pageHead({
            title: service.name,
            text: [service.slug, " ", accessBadge(service)],
            back: ["/admin/services", "Services"],
          }),
          access(service, groups, reload),
          details(service, reload),
          end(service),
        );
      },
    );
  await reload();
}

function choiceOf(service) {
  if (service.isOpenToEveryone) return "everyone";
  return service.userGroups.length > 0 ? "groups" : "nobody";
}

function access(service, groups, reload) {
  const choice = field({ name: "choice", label: "Open to", options: CHOICES, value: choiceOf(service), hint: "…" });
  const chosen = service.userGroups.map((group) => group.id);
  const ticks = groupTicks(groups, chosen, "Groups");
  const effect = choice.element.querySelector(".hint");
  effect.setAttribute("role", "status");
  const look = () => {
    ticks.element.hidden = choice.value !== "groups";
    fill(effect, effects(choice.value, groups));
  };
  choice.input.addEventListener("change", look);
  look();
  return section(
    { id: "access", title: "Who may use it" },
    h(
      "div",
      { class: "panel" },
      form({
        parts: [choice, ticks],
        action: "Save who may use it",
        run: async (values) => {
          if (values.choice === "groups" && values.userGroupIds.length === 0) {
            ticks.complain("Tick at least one group. With none the service is closed.");
            ticks.focus();
            return;
          }
          await put(`/api/services/${service.id}/access`, {
            isOpenToEveryone: values.choice === "everyone",
            // Whoever opens it to everyone finds the groups again when they narrow it.
            userGroupIds: values.choice === "nobody" ? [] : values.userGroupIds,
          });
          note("Saved.");
          await reload();
        },
      }),
    ),
  );
}

function effects(choice, groups) {
  if (choice === "nobody") return "Nobody gets in, administrators neither.";
  if (choice === "everyone") return "Also everyone who gets an account later.";
  return groups.length === 0
    ? ["There are no groups yet. ", h("a", { href: "/admin/groups" }, "Make one"), " first."]
    : "Administrators get in only where they are members too.";
}

function details(service, reload) {
  return section(
    { id: "details", title: "Names and addresses" },
    h(
      "div",
      { class: "panel" },
      form({
        parts: serviceFields(service, { renames: true }),
        action: "Save",
        run: async (values) => {
          const path = `/api/services/${service.id}`;
          // The server takes the whole service: somebody else may have opened or closed it since this page was opened.
          const { isOpenToEveryone, userGroups } = await get(path);
          const rest = { isOpenToEveryone, userGroupIds: userGroups.map((group) => group.id) };
          try {
            await put(path, { ...serviceValues(values), ...rest });
          } catch (error) {
            throw explained(error);
          }
          note("Saved.");
          await reload();
        },
      }),
    ),
  );
}

function end(service) {
  const erase = async () => {
    const done = await ask({
      title: `Delete the service “${service.name}”?`,
      text: [
        "Nobody gets into it by an account of this server any more, and it goes from people's lists.",
        "Users, groups and the application itself stay. It cannot be taken back; to keep people out for a while, close it.",
      ],
      action: "Delete service",
      danger: true,
      run: () => remove(`/api/services/${service.id}`),
    });
    if (done) location.assign("/admin/services");
  };
  return section({
    id: "end",
    title: "Delete",
    text: "For good. The application itself is not touched.",
    action: button("Delete service", erase, { kind: "danger" }),
  });
}
