// The audit log: what happened, narrowed to a kind of event or to a user.

import { get } from "../kit/calls.js";
import { fill, h } from "../kit/dom.js";
import { field } from "../kit/forms.js";
import { ago, device, moment } from "../kit/format.js";
import { listOf } from "../kit/list.js";
import { badge } from "../kit/pieces.js";
import { has, inOrder, t } from "../kit/words.js";
import { entitle, pageHead } from "../parts/shell.js";

export async function show({ main }) {
  entitle(t("audit"));
  const [events, users] = await Promise.all([
    get("/api/audit-logs/filters/events"),
    get("/api/audit-logs/filters/users"),
  ]);
  const event = field({
    name: "filters[event]",
    label: t("audit.event"),
    options: [["", t("audit.events")], ...events.map((name) => [name, words(name)]).sort(byText)],
  });
  const byName = Object.entries(users).sort(byText);
  const user = field({
    name: "filters[userId]",
    label: t("user"),
    options: [["", t("audit.users")], ...byName],
  });
  const list = listOf({
    path: "/api/audit-logs/all",
    noun: "audit",
    inAddress: true,
    filters: [event, user],
    limit: 50,
    item: eventRow,
  });
  fill(
    main,
    pageHead({ title: t("audit"), text: t("audit.text") }),
    list.element,
  );
}

function byText([, a], [, b]) {
  return inOrder(a, b);
}

/** `USER_CREATED` is “User created”; a kind that is newer than these messages is said in its own words. */
function words(name) {
  if (has(`event.${name}`)) return t(`event.${name}`);
  const text = name
    .toLowerCase()
    .replaceAll("_", " ")
    .replace(/\bapi\b/, "API")
    .replace("one time", "one-time");
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** What an administrator should not pass over. */
function warning(name) {
  if (name.endsWith("_REFUSED")) return badge(t("audit.refused"), "wait");
  return /GUESSING|BEHIND|COLLIDE|RESET|RECOVERY/.test(name) ? badge(t("audit.warning"), "bad") : null;
}

function eventRow(event) {
  const { subject, count, ...details } = event.data;
  // Of a code only dots are kept.
  const about = /\w/.test(subject ?? "") ? subject : event.username;
  const actor = event.actorUsername;
  // A code or an invitation is about somebody besides.
  const whose = event.username !== about && event.username !== actor ? event.username : null;
  const opened = openedTo(event.kind, details);
  const more = Object.entries(opened ? {} : details).map(([name, value]) => `${name.replaceAll("_", " ")}: ${value}`);
  return h(
    "li",
    { class: "row event" },
    h("p", { class: "event-time" }, ago(event.createdAt)),
    h(
      "div",
      { class: "row-text" },
      h(
        "p",
        { class: "row-title" },
        h("span", {}, words(event.kind)),
        warning(event.kind),
        count ? badge(t("audit.times", { count: Number(count) })) : null,
      ),
      h(
        "p",
        { class: "row-facts" },
        [
          about,
          opened,
          whose ? t("audit.for", { name: whose }) : null,
          actor && actor !== about ? t("audit.by", { name: actor }) : null,
          event.ipAddress,
          event.device ? device(event.device) : null,
        ]
          .filter(Boolean)
          .map((fact) => h("span", {}, fact)),
      ),
      h("details", {}, h("summary", {}, t("audit.details")), h("dl", {}, pairs(event, more))),
    ),
  );
}

/** To whom a service was opened; the log has it as two values. */
function openedTo(name, details) {
  if (name !== "SERVICE_ACCESS_CHANGED") return null;
  if (details.for_everyone === "true") return t("audit.everyone");
  return Number(details.groups) > 0 ? t("audit.groups", { count: Number(details.groups) }) : t("audit.closed");
}

function pairs(event, more) {
  const known = [
    [t("audit.time"), moment(event.createdAt)],
    [t("audit.actor"), event.actorUsername],
    [t("user"), event.username],
    [t("audit.address"), event.ipAddress],
    [t("audit.browser"), event.device],
    [t("audit.more"), more.join("; ")],
  ];
  return known.filter(([, value]) => value).map(([name, value]) => [h("dt", {}, name), h("dd", {}, value)]);
}
