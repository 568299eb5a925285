// Times, lengths and devices, in words.

import { h } from "./dom.js";
import { amount, day, moment as written, relative, t } from "./words.js";

const UNITS = [
  ["year", 31_557_600],
  ["month", 2_629_800],
  ["week", 604_800],
  ["day", 86_400],
  ["hour", 3_600],
  ["minute", 60],
];

/** How long ago, or how long still; the exact time when it is pointed at. */
export function ago(text) {
  const time = new Date(text);
  return h("time", { datetime: text, title: written(time) }, inWords((time - Date.now()) / 1000));
}

function inWords(seconds) {
  for (const [unit, length] of UNITS) {
    if (Math.abs(seconds) >= length) return relative(Math.round(seconds / length), unit);
  }
  return seconds > 0 ? t("time.soon") : t("time.now");
}

/** Date and time. */
export function moment(text) {
  return h("time", { datetime: text }, written(new Date(text)));
}

/** The date alone. */
export function date(text) {
  return h("time", { datetime: text, title: written(new Date(text)) }, day(new Date(text)));
}

/** A length of time: `30 days`, `12 hours`. */
export function length(seconds) {
  for (const [unit, size] of UNITS.slice(2)) {
    if (seconds >= size && seconds % size === 0) return amount(seconds / size, unit);
  }
  return amount(Math.round(seconds / 60), "minute");
}

/** A time as a field for dates has it: the day on which it is here, not in Greenwich. */
export function dayOf(text) {
  if (!text) return "";
  const time = new Date(text);
  const two = (value) => String(value).padStart(2, "0");
  return `${time.getFullYear()}-${two(time.getMonth() + 1)}-${two(time.getDate())}`;
}

/** The last second of such a day, here. */
export function endOf(text) {
  return text ? new Date(`${text}T23:59:59`).toISOString() : null;
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
  if (!userAgent) return t("device.unknown");
  const find = (table) => table.find(([pattern]) => pattern.test(userAgent))?.[1];
  const browser = find(BROWSERS);
  const system = find(SYSTEMS);
  if (browser && system) return t("device.on", { browser, system });
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

/** The first letters of a name, at most two. */
export function initials(name) {
  const words = name.split(/[\s._-]+/).filter((word) => /[\p{L}\p{N}]/u.test(word));
  const first = (word) => word?.match(/[\p{L}\p{N}]/u)?.[0] ?? "";
  return (first(words[0]) + (words.length > 1 ? first(words.at(-1)) : "")).toLocaleUpperCase() || "?";
}
