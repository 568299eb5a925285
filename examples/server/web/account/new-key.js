// A new API key, and a new secret for one that there is. Loaded when it is wanted.

import { post } from "../kit/calls.js";
import { h } from "../kit/dom.js";
import { field, form } from "../kit/forms.js";
import { dayOf, endOf } from "../kit/format.js";
import { formDialog } from "../kit/pieces.js";
import { showSecret } from "../kit/secrets.js";
import { ticks } from "../kit/ticks.js";
import { amount, t } from "../kit/words.js";

const DAY = 86_400_000;
const LIFETIMES = () => [
  ["30", amount(30, "day")],
  ["90", amount(90, "day")],
  ["365", amount(1, "year")],
  ["1825", amount(5, "year")],
  ["date", t("keys.untilDate")],
];
const AREAS = [
  "users",
  "groups",
  "services",
  "settings",
  "signup_tokens",
  "one_time_tokens",
  "passkeys",
  "sessions",
  "keys",
  "audit",
];

function lifetimeFields(label) {
  const lifetime = field({ name: "lifetime", label, options: LIFETIMES(), value: "90" });
  const until = field({
    name: "until",
    label: t("keys.until"),
    type: "date",
    required: false,
    min: dayOf(new Date(Date.now() + DAY)),
  });
  until.element.hidden = true;
  lifetime.input.addEventListener("change", () => {
    until.element.hidden = lifetime.value !== "date";
  });
  return { lifetime, until };
}

/** The end that was chosen, or null after a complaint. */
function chosenEnd({ lifetime, until }) {
  if (lifetime.value !== "date") return new Date(Date.now() + Number(lifetime.value) * DAY).toISOString();
  if (until.value) return endOf(until.value);
  until.complain(t("keys.chooseDate"));
  until.focus();
  return null;
}

/** Asks what the key is to be, makes it, and shows its secret. */
export async function makeKey({ me, onChange }) {
  const created = await formDialog({
    title: t("keys.new"),
    text: t("keys.new.text"),
    wide: true,
    build: (close) => newKeyForm(me, close),
  });
  if (!created) return;
  await showSecret({
    title: t("keys.title", { name: created.apiKey.name }),
    text: t("keys.secret.text"),
    label: t("keys.one"),
    secret: created.token,
  });
  onChange();
}

function newKeyForm(me, close) {
  const name = field({
    name: "name",
    label: t("name"),
    required: true,
    minlength: 3,
    maxlength: 50,
    hint: t("keys.name.hint"),
    autocomplete: "off",
  });
  const description = field({ name: "description", label: t("note"), maxlength: 500, autocomplete: "off" });
  const end = lifetimeFields(t("keys.worksFor"));
  const extent = field({
    name: "extent",
    label: t("keys.mayDo"),
    options: [
      ["all", t(me.isAdmin ? "keys.all.admin" : "keys.all")],
      ["some", t("keys.some")],
    ],
    value: "all",
  });
  const scopes = scopeFields(me);
  scopes.element.hidden = true;
  extent.input.addEventListener("change", () => {
    scopes.element.hidden = extent.value === "all";
  });
  return form({
    parts: [name, description, end.lifetime, end.until, extent, scopes],
    action: t("keys.create"),
    cancel: () => close(),
    run: async (values) => {
      const expiresAt = chosenEnd(end);
      if (!expiresAt) return;
      const chosen = extent.value === "all" ? ["*"] : scopes.value;
      if (chosen.length === 0) return scopes.complain(t("keys.chooseOne"));
      try {
        close(
          await post("/api/api-keys", {
            name: values.name,
            description: values.description || null,
            expiresAt,
            scopes: chosen,
          }),
        );
      } catch (error) {
        if (error.fields?.expiresAt) end.until.complain(error.fields.expiresAt);
        throw error;
      }
    },
  });
}

/** A line for each area, and the host's own scopes as text. */
function scopeFields(me) {
  const options = AREAS.flatMap((area) => [
    [`${area}:read`, t("scope.read", { area: t(`area.${area}`) }), `${area}:read`],
    [`${area}:write`, t("scope.write", { area: t(`area.${area}`) }), `${area}:write`],
  ]);
  if (me.isAdmin) options.push(["roles:write", t("scope.roles"), "roles:write"]);
  const known = ticks({
    name: "scopes",
    label: t("scopes"),
    hint: t("scopes.hint"),
    options,
  });
  const others = field({
    name: "others",
    label: t("scopes.other"),
    hint: t("scopes.other.hint"),
    autocomplete: "off",
    spellcheck: "false",
  });
  const element = h("div", { class: "scopes" }, known.element, others.element);
  return {
    name: "scopes",
    element,
    get value() {
      return [...known.value, ...others.value.split(/[\s,]+/).filter(Boolean)];
    },
    complain: (text) => known.complain(text),
    focus: () => known.focus(),
  };
}

/** Gives a key a new secret and a new end. */
export async function renew(key, onChange) {
  const renewed = await formDialog({
    title: t("renew.title", { name: key.name }),
    text: t("renew.text"),
    build: (close) => {
      const end = lifetimeFields(t("renew.worksFor"));
      return form({
        parts: [end.lifetime, end.until],
        action: t("renew"),
        cancel: () => close(),
        run: async () => {
          const expiresAt = chosenEnd(end);
          if (expiresAt) close(await post(`/api/api-keys/${key.id}/renew`, { expiresAt }));
        },
      });
    },
  });
  if (!renewed) return;
  await showSecret({
    title: t("keys.title", { name: key.name }),
    text: t("renew.secret.text"),
    label: t("keys.one"),
    secret: renewed.token,
  });
  onChange();
}
