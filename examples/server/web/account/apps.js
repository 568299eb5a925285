// App passwords: one's own, made and revoked, and for administrators a user's.

import { every, get, post, remove, to } from "../kit/calls.js";
import { ask, note } from "../kit/dialogs.js";
import { h } from "../kit/dom.js";
import { field, form, load, tick } from "../kit/forms.js";
import { ago, date, nameOf } from "../kit/format.js";
import { listOf } from "../kit/list.js";
import { badge, button, formDialog, row, section } from "../kit/pieces.js";
import { showSecret } from "../kit/secrets.js";
import { amount, t } from "../kit/words.js";

const PATH = "/api/app-passwords";
const DAY = 86_400_000;
const LIFETIMES = () => [
  ["", t("withoutEnd.choice")],
  ["90", amount(90, "day")],
  ["365", amount(1, "year")],
];

/** The part of the account page. */
export function appsOfMine(me) {
  const box = h("div", {});
  const make = button(t("apps.new"), () => makeApp(me, () => show()), { picture: "plus" });
  const show = () => load(box, () => servicesOf(me), (services) => appList(me, services, t("apps.none.own")));
  show();
  const link = h("a", { href: to("/device") }, t("apps.device"));
  return section({ id: "apps", title: t("apps"), text: t("apps.text", { link }), action: make }, box);
}

/** The part of a user's page. */
export function appsOf(user) {
  const box = h("div", {});
  load(box, () => servicesOf(user), (services) => appList(user, services, t("apps.none"), nameOf(user)));
  return section({ id: "apps", title: t("apps"), text: t("apps.text.of") }, box);
}

/** The names of the services that are open to somebody, by their ids. */
async function servicesOf(user) {
  const services = await every("/api/services", { user: user.id });
  return new Map(services.map(({ id, name }) => [id, name]));
}

function appList(user, services, empty, owner) {
  const list = listOf({
    path: PATH,
    values: { user: user.id },
    noun: "apps",
    empty,
    item: (app) => appRow(app, services, owner, () => list.reload()),
  });
  return list.element;
}

function appRow(app, services, owner, onChange) {
  const ended = app.expiresAt && new Date(app.expiresAt) < new Date();
  const service = services.get(app.serviceId) ?? t("apps.closed");
  const scopes = app.scopes.length > 0 ? badge(app.scopes.join(", ")) : null;
  return row({
    title: app.name,
    picture: "apps",
    badges: [ended ? badge(t("ended"), "bad") : null, app.recoverable ? badge(t("apps.recoverable.badge"), "wait") : null, scopes],
    facts: [
      app.serviceId ? t("apps.for", { service }) : t("apps.forAll"),
      t("made", { when: date(app.createdAt) }),
      app.lastUsedAt ? t("used", { when: ago(app.lastUsedAt) }) : t("neverUsed"),
      app.expiresAt ? t(ended ? "endedOn" : "until", { when: date(app.expiresAt) }) : t("withoutEnd"),
    ],
    actions: [
      button(t("revoke"), () => revoke(app, owner, onChange), { kind: "danger", label: t("revoke.of", { name: app.name }) }),
    ],
  });
}

/** Asks what it is for, makes it, and shows it. */
async function makeApp(me, onChange) {
  const services = await servicesOf(me);
  const created = await formDialog({
    title: t("apps.new"),
    text: t("apps.new.text"),
    build: (close) => newAppForm(services, close),
  });
  if (!created) return;
  // By now they may be called otherwise.
  const { username } = await get("/api/users/me");
  await showSecret({
    title: t("apps.title", { name: created.name }),
    text: t("apps.secret.text", { username: h("strong", {}, username) }),
    label: t("apps.one"),
    secret: created.password,
  });
  onChange();
}

function newAppForm(services, close) {
  const name = field({
    name: "name",
    label: t("name"),
    required: true,
    maxlength: 100,
    hint: t("apps.name.hint"),
    autocomplete: "off",
    autofocus: true,
  });
  const service = field({
    name: "service",
    label: t("apps.service"),
    options: [["", t("apps.service.all")], ...services],
    hint: t("apps.service.hint"),
  });
  const recoverable = tick({
    name: "recoverable",
    label: t("apps.recoverable"),
    hint: t("apps.recoverable.hint"),
  });
  recoverable.element.hidden = true;
  service.input.addEventListener("change", () => {
    recoverable.element.hidden = service.value === "";
  });
  const lifetime = field({ name: "expiresAt", label: t("keys.worksFor"), options: LIFETIMES() });
  return form({
    parts: [name, service, recoverable, lifetime],
    action: t("apps.create"),
    cancel: () => close(),
    run: async (values) => {
      const days = Number(values.expiresAt);
      try {
        close(
          await post(PATH, {
            name: values.name,
            service: values.service || null,
            recoverable: values.service !== "" && values.recoverable,
            expiresAt: days ? new Date(Date.now() + days * DAY).toISOString() : null,
          }),
        );
      } catch (error) {
        if (error.fields?.recoverable) error.fields.recoverable = t("apps.recoverable.off");
        throw error;
      }
    },
  });
}

async function revoke(app, owner, onChange) {
  const done = await ask({
    title: t("revoke.title", { name: app.name }),
    text: owner ? t("apps.revoke.text.of", { owner }) : t("apps.revoke.text"),
    action: t("apps.revoke"),
    danger: true,
    run: () => remove(`${PATH}/${app.id}`),
  });
  if (!done) return;
  note(t("apps.revoked", { name: app.name }));
  onChange();
}
