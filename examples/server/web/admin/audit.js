// The audit log: what happened, narrowed to a kind of event or to a user.

import { get } from "../parts/api.js";
import { fill, h } from "../parts/dom.js";
import { field } from "../parts/forms.js";
import { ago, device, many, moment } from "../parts/format.js";
import { listOf } from "../parts/list.js";
import { badge } from "../parts/parts.js";
import { entitle, pageHead } from "../parts/shell.js";

export async function show({ main, settings }) {
  entitle("Audit log", settings);
  const [events, users] = await Promise.all([
    get("/api/audit-logs/filters/events"),
    get("/api/audit-logs/filters/users"),
  ]);
  const event = field({
    name: "filters[event]",
    label: "Event",
    options: [["", "All events"], ...events.map((name) => [name, words(name)])],
  });
  const byName = Object.entries(users).sort(([, a], [, b]) => a.localeCompare(b));
  const user = field({
    name: "filters[userId]",
    label: "User",
    options: [["", "All users"], ...byName],
    value: new URLSearchParams(location.search).get("user") ?? "",
  });
  const list = listOf({
    path: "/api/audit-logs/all",
    noun: "event",
    plural: "events",
    filters: [event, user],
    limit: 50,
    empty: "Nothing has happened yet.",
    item: eventRow,
  });
  fill(
    main,
    pageHead({ title: "Audit log", text: "What was changed, who came in, and who was refused. The newest first." }),
    list.element,
  );
}

/** `USER_CREATED` is “User created”. */
function words(name) {
  const text = name
    .toLowerCase()
    .replaceAll("_", " ")
    .replace(/\bapi\b/, "API")
    .replace("one time", "one-time");
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** What an administrator should not pass over. */
function warning(name) {
  if (name.endsWith("_REFUSED")) return badge("refused", "wait");
  return /GUESSING|BEHIND|COLLIDE|RESET|RECOVERY/.test(name) ? badge("look at this", "bad") : null;
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
        count ? badge(`${count} times`) : null,
      ),
      h(
        "p",
        { class: "row-facts" },
        [
          about,
          opened,
          whose ? `for ${whose}` : null,
          actor && actor !== about ? `by ${actor}` : null,
          event.ipAddress,
          event.device ? device(event.device) : null,
        ]
          .filter(Boolean)
          .map((fact) => h("span", {}, fact)),
      ),
      h("details", {}, h("summary", {}, "Details"), h("dl", {}, pairs(event, more))),
    ),
  );
}

/** To whom a service was opened; the log has it as two values. */
function openedTo(name, details) {
  if (name !== "SERVICE_ACCESS_CHANGED") return null;
  if (details.for_everyone === "true") return "open to everyone now";
  return Number(details.groups) > 0 ? `open to ${many(Number(details.groups), "group")} now` : "closed now";
}

function pairs(event, more) {
  const known = [
    ["Time", moment(event.createdAt)],
    ["Actor", event.actorUsername],
    ["User", event.username],
    ["Address", event.ipAddress],
    ["Browser", event.device],
    ["More", more.join("; ")],
  ];
  return known.filter(([, value]) => value).map(([name, value]) => [h("dt", {}, name), h("dd", {}, value)]);
}
