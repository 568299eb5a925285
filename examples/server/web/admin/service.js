// One service: who may use it, its names and addresses, its end.

import { every, get, put, remove, to } from "../kit/calls.js";
import { ask, note } from "../kit/dialogs.js";
import { fill, h, refill } from "../kit/dom.js";
import { field, form, load, tick } from "../kit/forms.js";
import { button, section } from "../kit/pieces.js";
import { t } from "../kit/words.js";
import { goTo } from "../parts/go.js";
import { entitle, pageHead } from "../parts/shell.js";
import { behindProxy } from "./proxy.js";
import { accessBadge, explained, serviceFields, serviceValues } from "./services.js";
import { groupTicks } from "./users.js";

const CHOICES = () => [
  ["nobody", t("access.nobody")],
  ["groups", t("access.groups")],
  ["everyone", t("access.everyone")],
];

export async function show({ main, id }) {
  const reload = () =>
    load(
      main,
      () => Promise.all([get(`/api/services/${id}`), every("/api/user-groups", { "sort[column]": "friendlyName" })]),
      ([service, groups]) => {
        entitle(service.name);
        refill(
          main,
          pageHead({
            title: service.name,
            text: [service.slug, " ", accessBadge(service)],
            back: ["/admin/services", t("services")],
          }),
          access(service, groups, reload),
          details(service, reload),
          behindProxy(service),
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
  const choice = field({ name: "choice", label: t("access.to"), options: CHOICES(), value: choiceOf(service), hint: "…" });
  const chosen = service.userGroups.map((group) => group.id);
  const ticks = groupTicks(groups, chosen);
  const effect = choice.element.querySelector(".hint");
  effect.setAttribute("role", "status");
  const look = () => {
    ticks.element.hidden = choice.value !== "groups";
    fill(effect, effects(choice.value, groups));
  };
  choice.input.addEventListener("change", look);
  look();
  return section(
    { id: "access", title: t("access") },
    h(
      "div",
      { class: "panel" },
      form({
        guarded: true,
        parts: [choice, ticks],
        action: t("access.save"),
        run: async (values) => {
          if (values.choice === "groups" && values.userGroupIds.length === 0) {
            ticks.complain(t("access.tick"));
            ticks.focus();
            return;
          }
          await put(`/api/services/${service.id}/access`, {
            isOpenToEveryone: values.choice === "everyone",
            // Whoever opens it to everyone finds the groups again when they narrow it.
            userGroupIds: values.choice === "nobody" ? [] : values.userGroupIds,
          });
          note(t("saved"));
          await reload();
        },
      }),
    ),
  );
}

function effects(choice, groups) {
  if (choice === "nobody") return t("access.nobody.hint");
  if (choice === "everyone") return t("access.everyone.hint");
  return groups.length === 0
    ? [t("groups.none.short"), " ", h("a", { href: to("/admin/groups") }, t("groups.first"))]
    : t("access.groups.hint");
}

function details(service, reload) {
  return section(
    { id: "details", title: t("services.details") },
    h(
      "div",
      { class: "panel" },
      form({
        guarded: true,
        parts: [...serviceFields(service, { renames: true }), tokenTick(service)],
        action: t("save"),
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
          note(t("saved"));
          await reload();
        },
      }),
    ),
  );
}

function tokenTick({ wantsToken }) {
  return tick({ name: "wantsToken", label: t("services.token"), hint: t("services.token.hint"), value: wantsToken });
}

function end(service) {
  const erase = async () => {
    const done = await ask({
      title: t("services.delete.title", { name: service.name }),
      text: [
        t("services.delete.text"),
        t("services.delete.stays"),
      ],
      action: t("services.delete"),
      danger: true,
      run: () => remove(`/api/services/${service.id}`),
    });
    if (done) goTo("/admin/services");
  };
  return section({
    id: "end",
    title: t("delete"),
    text: t("services.delete.hint"),
    action: button(t("services.delete"), erase, { kind: "danger" }),
  });
}
