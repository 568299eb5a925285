// Where somebody is signed in: one's own sessions, and for administrators a user's.

import { remove } from "./calls.js";
import { ask, note } from "./dialogs.js";
import { ago, date, device } from "./format.js";
import { listOf } from "./list.js";
import { badge, button, row, section } from "./pieces.js";
import { has, t } from "./words.js";

/** The part of a page; `path` is where the sessions are, and `of` the name of a user who is somebody else. */
export function sessionsSection({ path = "/api/sessions", of = null } = {}) {
  const list = listOf({
    path,
    noun: "sessions",
    item: (session) => sessionRow(session, () => list.reload()),
    onLoad: (data, { totalItems }) => {
      all.hidden = of ? totalItems === 0 : totalItems < 2;
    },
  });
  const whose = of ? "sessions.user" : "sessions.own";
  const all = button(t(`${whose}.end`), async () => {
    const done = await ask({
      title: t(`${whose}.end.title`, { name: of }),
      text: t(`${whose}.end.text`),
      action: t(`${whose}.end`),
      danger: true,
      run: () => remove(path),
    });
    if (!done) return;
    note(t(`${whose}.ended`, { name: of }));
    await list.reload();
  });
  const about = { id: "sessions", title: t("sessions"), text: t(`${whose}.text`), action: all };
  return { element: section(about, list.element), reload: list.reload };
}

function sessionRow(session, onChange) {
  const name = session.deviceName || device(session.userAgent);
  const end = async () => {
    const done = await ask({
      title: t("sessions.one.title", { name }),
      text: t("sessions.one.text"),
      action: t("signOut"),
      danger: true,
      run: () => remove(`/api/sessions/${session.id}`),
    });
    if (!done) return;
    note(t("sessions.one.ended", { name }));
    await onChange();
  };
  const method = has(`method.${session.method}`) ? session.method : "other";
  return row({
    title: name,
    picture: "device",
    badges: [session.current ? badge(t("sessions.this"), "good") : null],
    facts: [
      session.ipAddress,
      t("sessions.by", { method: t(`method.${method}`), when: ago(session.signedInAt) }),
      session.current ? null : t("seen", { when: ago(session.lastSeenAt) }),
      t("until", { when: date(session.expiresAt) }),
    ],
    actions: session.current ? [] : [button(t("signOut"), end, { label: t("signOut.of", { name }) })],
  });
}
