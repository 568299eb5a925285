// App passwords: one's own, and for administrators a user's, listed and revoked.

import { every, remove, to } from "../kit/calls.js";
import { ask, note } from "../kit/dialogs.js";
import { h } from "../kit/dom.js";
import { ago, date, nameOf } from "../kit/format.js";
import { listOf } from "../kit/list.js";
import { badge, button, row, section } from "../kit/pieces.js";
import { t } from "../kit/words.js";

const PATH = "/api/app-passwords";

/** The part of the account page. */
export function appsOfMine(me) {
  const list = appList(me);
  const make = async () => (await import("./new-app.js")).makeApp(me, list.reload);
  const link = h("a", { href: to("/device") }, t("apps.device"));
  const action = button(t("apps.new"), make, { picture: "plus" });
  return section({ id: "apps", title: t("apps"), text: t("apps.text", { link }), action }, list.element);
}

/** The part of a user's page. */
export function appsOf(user) {
  const list = appList(user, nameOf(user));
  return section({ id: "apps", title: t("apps"), text: t("apps.text.of") }, list.element);
}

/** The names of the services that are open to somebody, by their ids. */
export async function servicesOf(user) {
  const services = await every("/api/services", { user: user.id });
  return new Map(services.map(({ id, name }) => [id, name]));
}

function appList(user, owner) {
  let services;
  // Most have none for a service: then nobody is asked.
  const nameOfService = (id) => {
    services ??= servicesOf(user);
    const named = h("span", {}, "…");
    services.then(
      (names) => named.replaceWith(names.get(id) ?? t("apps.closed")),
      () => named.replaceWith(t("apps.closed")),
    );
    return named;
  };
  const list = listOf({
    path: PATH,
    values: { user: user.id },
    noun: "apps",
    item: (app) => appRow(app, nameOfService, owner, () => list.reload()),
    onLoad: () => {
      services = undefined;
    },
  });
  return list;
}

function appRow(app, nameOfService, owner, onChange) {
  const ended = app.expiresAt && new Date(app.expiresAt) < new Date();
  return row({
    title: app.name,
    picture: "apps",
    badges: [
      ended ? badge(t("ended"), "bad") : null,
      app.recoverable ? badge(t("apps.recoverable.badge"), "wait") : null,
      app.scopes.length > 0 ? badge(app.scopes.join(", ")) : null,
    ],
    facts: [
      app.serviceId ? t("apps.for", { service: nameOfService(app.serviceId) }) : t("apps.forAll"),
      t("made", { when: date(app.createdAt) }),
      app.lastUsedAt ? t("used", { when: ago(app.lastUsedAt) }) : t("neverUsed"),
      app.expiresAt ? t(ended ? "endedOn" : "until", { when: date(app.expiresAt) }) : t("withoutEnd"),
    ],
    actions: [
      button(t("revoke"), () => revoke(app, owner, onChange), { kind: "danger", label: t("revoke.of", { name: app.name }) }),
    ],
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
