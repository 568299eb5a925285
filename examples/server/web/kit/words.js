// Words, numbers and dates in the language of whoever is in front of the page. The words stand in `messages/`, a file a
// language; a key there is the name of the thing said, or the code of an error.

const LISTED = globalThis.document?.querySelector('meta[name="keyplate-languages"]')?.content;
const KNOWN = LISTED ? LISTED.split(" ") : ["de", "en"];

/** What is spoken now: the catalogue's language, the locale of dates and numbers, and which way it is written. */
export const spoken = { language: null, locale: "en", direction: "ltr" };

let catalogue = {};
const own = {};
let tools = {};

/**
 * Chooses the language: the first of these wishes, and then of the browser's, that there is, else English. Dates and numbers
 * are written as in the person's own region, in that language.
 */
export async function speak(...wishes) {
  const wanted = [...wishes, ...(globalThis.navigator?.languages ?? [])].filter(Boolean);
  const language = wanted.map(known).find(Boolean) ?? "en";
  if (language !== spoken.language) {
    const module = await load(language);
    catalogue = module.default;
    spoken.language = module.about?.language ?? language;
    spoken.direction = module.about?.direction ?? "ltr";
  }
  spoken.locale = inRegion(spoken.language, wanted);
  tools = {};
}

function known(tag) {
  const same = (name) => KNOWN.find((one) => one.toLowerCase() === name.toLowerCase());
  return same(tag) ?? same(tag.split("-")[0]);
}

async function load(language) {
  try {
    return await import(`../messages/${language}.js`);
  } catch (error) {
    if (language === "en") throw error;
    return load("en");
  }
}

/** English for somebody in Switzerland has their dates: the language of the words, the region of the person. */
function inRegion(language, wanted) {
  for (const tag of wanted) {
    try {
      const locale = new Intl.Locale(tag);
      if (locale.language === language) return tag;
      const { region } = locale.maximize();
      return region ? `${language}-${region}` : language;
    } catch {
      // A wish that is no language tag.
    }
  }
  return language;
}

/** Sets some messages otherwise, by their keys: for a host that calls things by its own names. */
export function say(messages) {
  Object.assign(own, messages);
}

/** Is there a message of this key? */
export function has(key) {
  return key in own || key in catalogue;
}

/**
 * A message. `{name}` in it becomes the value of that name; `count` chooses the plural. Gives a text, or a list of pieces
 * where a value is an element.
 */
export function t(key, values = {}) {
  let text = own[key] ?? catalogue[key];
  if (text === undefined) return key;
  if (typeof text === "object") text = text[values.count] ?? text[plural(values.count)] ?? text.other;
  const pieces = text.split(/\{(\w+)\}/).map((piece, i) => (i % 2 === 0 ? piece : shown(values[piece])));
  return pieces.every((piece) => typeof piece === "string") ? pieces.join("") : pieces;
}

function shown(value) {
  if (typeof value === "number") return number(value);
  return value ?? "";
}

function tool(name, make) {
  tools[name] ??= make(spoken.locale);
  return tools[name];
}

function plural(count) {
  return tool("plural", (locale) => new Intl.PluralRules(locale)).select(count ?? 0);
}

export function number(value) {
  return tool("number", (locale) => new Intl.NumberFormat(locale)).format(value);
}

/** Date and time. */
export function moment(time) {
  return tool("moment", (locale) => new Intl.DateTimeFormat(locale, { dateStyle: "medium", timeStyle: "short" })).format(
    time,
  );
}

/** The date alone. */
export function day(time) {
  return tool("day", (locale) => new Intl.DateTimeFormat(locale, { dateStyle: "medium" })).format(time);
}

export function clockTime(time) {
  return tool("time", (locale) => new Intl.DateTimeFormat(locale, { timeStyle: "medium" })).format(time);
}

export function relative(value, unit) {
  return tool("relative", (locale) => new Intl.RelativeTimeFormat(locale, { numeric: "auto" })).format(value, unit);
}

/** “a, b and c”. */
export function listing(items) {
  return tool("list", (locale) => new Intl.ListFormat(locale)).format(items);
}

/** A length of time in a unit of `Intl`, such as 3 days. */
export function amount(value, unit) {
  return new Intl.NumberFormat(spoken.locale, { style: "unit", unit, unitDisplay: "long" }).format(value);
}

/** In the order in which people of this language look for names. */
export function inOrder(a, b) {
  return tool("order", (locale) => new Intl.Collator(locale, { numeric: true })).compare(a, b);
}

/** What a language calls itself. */
export function languageName(tag) {
  try {
    return new Intl.DisplayNames([tag], { type: "language" }).of(tag) ?? tag;
  } catch {
    return tag;
  }
}

export const languages = KNOWN;

await speak();
