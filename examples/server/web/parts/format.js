// Times, lengths and devices, in words.

import { h } from "./dom.js";

const UNITS = [
  ["year", 31_557_600],
  ["month", 2_629_800],
  ["week", 604_800],
  ["day", 86_400],
  ["hour", 3_600],
  ["minute", 60],
];

const relative = new Intl.RelativeTimeFormat("en", { numeric: "auto" });
const exact = new Intl.DateTimeFormat("en", { dateStyle: "medium", timeStyle: "short" });
const day = new Intl.DateTimeFormat("en", { dateStyle: "medium" });

/** How long ago, or how long still; the exact time when it is pointed at. */
export function ago(text) {
  const time = new Date(text);
  return h("time", { datetime: text, title: exact.format(time) }, inWords((time - Date.now()) / 1000));
}

function inWords(seconds) {
  for (const [unit, length] of UNITS) {
    if (Math.abs(seconds) >= length) return relative.format(Math.round(seconds / length), unit);
  }
  return seconds > 0 ? "in a moment" : "just now";
}

/** Date and time. */
export function moment(text) {
  return h("time", { datetime: text }, exact.format(new Date(text)));
}

/** The date alone. */
export function date(text) {
  return h("time", { datetime: text, title: exact.format(new Date(text)) }, day.format(new Date(text)));
}

/** A length of time: `30 days`, `12 hours`. */
export function length(seconds) {
  for (const [unit, size] of UNITS.slice(2)) {
    if (seconds >= size && seconds % size === 0) return many(seconds / size, unit);
  }
  return many(Math.round(seconds / 60), "minute");
}

export function many(count, noun, plural = `${noun}s`) {
  return `${count.toLocaleString("en")} ${count === 1 ? noun : plural}`;
}

// In this order: every browser claims to be several others.
const BROWSERS = [
  [/Edg(e|A|iOS)?\//, "Edge"],
  [/OPR\//, "Opera"],
  [/Firefox\/|FxiOS\//, "Firefox"],
  [/CriOS\/|Chrome\//, "Chrome"],
  [/Safari\//, "Safari"],
  [/curl\//, "curl"],
];
const SYSTEMS = [
  [/Android/, "Android"],
  [/iPhone|iPad/, "iOS"],
  [/Windows/, "Windows"],
  [/Mac OS X|Macintosh/, "macOS"],
  [/CrOS/, "ChromeOS"],
  [/Linux|X11/, "Linux"],
];

/** What a user agent most likely is: `Firefox on Linux`. */
export function device(userAgent) {
  if (!userAgent) return "Unknown device";
  const find = (table) => table.find(([pattern]) => pattern.test(userAgent))?.[1];
  const browser = find(BROWSERS);
  const system = find(SYSTEMS);
  if (browser && system) return `${browser} on ${system}`;
  return browser ?? system ?? userAgent.slice(0, 60);
}

/** An origin as people say it: `films.example`. */
export function webAddress(origin) {
  return new URL(origin).host;
}

/** The name to greet somebody by. */
export function nameOf(user) {
  return user.displayName || [user.firstName, user.lastName].filter(Boolean).join(" ") || user.username;
}
