// API keys: made, renewed and revoked; in one's own account and, for everybody's, in administration.

import { post, remove } from "../parts/api.js";
import { ask, note } from "../parts/dialogs.js";
import { h } from "../parts/dom.js";
import { field, form, ticks } from "../parts/forms.js";
import { ago, date } from "../parts/format.js";
import { badge, button, formDialog, row, showSecret } from "../parts/parts.js";

const DAY = 86_400_000;
const LIFETIMES = [
  ["30", "30 days"],
  ["90", "90 days"],
  ["365", "A year"],
  ["1825", "Five years"],
  ["date", "Until a date…"],
];
const AREAS = [
  ["users", "Users"],
  ["groups", "Groups"],
  ["services", "Services"],
  ["settings", "Settings"],
  ["signup_tokens", "Sign-up tokens"],
  ["one_time_tokens", "One-time codes"],
  ["passkeys", "Passkeys"],
  ["sessions", "Sessions"],
  ["keys", "API keys"],
  ["audit", "Audit log"],
];

/** One line of a list of keys. `owner` is named where the keys are everybody's. */
export function keyRow(key, { owner, canRenew = true, onChange }) {
  const ended = key.expiresAt && new Date(key.expiresAt) < new Date();
  const soon = key.expiresAt && !ended && new Date(key.expiresAt) - Date.now() < 14 * DAY;
  return row({
    title: key.name,
    picture: "key",
    badges: [ended ? badge("ended", "bad") : soon ? badge("ends soon", "wait") : null, scopeBadge(key.scopes)],
    facts: [
      owner ? ["of ", owner] : null,
      h("code", {}, key.prefix),
      key.description,
      key.lastUsedAt ? ["used ", ago(key.lastUsedAt)] : "never used",
      key.expiresAt ? [ended ? "ended " : "until ", date(key.expiresAt)] : "without end",
    ],
    actions: [
      canRenew ? button("Renew", () => renew(key, onChange), { label: `Renew ${key.name}` }) : null,
      button("Revoke", () => revoke(key, owner, onChange), { kind: "danger", label: `Revoke ${key.name}` }),
    ].filter(Boolean),
  });
}

function scopeBadge(scopes) {
  if (scopes.includes("*")) return badge(scopes.includes("roles:write") ? "everything and roles" : "everything");
  const shown = badge(scopes.length === 1 ? scopes[0] : `${scopes.length} scopes`);
  shown.title = scopes.join(", ");
  return shown;
}

function lifetimeFields(label) {
  const lifetime = field({ name: "lifetime", label, options: LIFETIMES, value: "90" });
  const until = field({
    name: "until",
    label: "Until",
    type: "date",
    required: false,
    min: new Date(Date.now() + DAY).toISOString().slice(0, 10),
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
  if (until.value) return new Date(`${until.value}T23:59:59`).toISOString();
  until.complain("Please choose a date.");
  until.focus();
  return null;
}

/** Asks what the key is to be, makes it, and shows its secret. */
export async function makeKey({ me, onChange }) {
  const created = await formDialog({
    title: "New API key",
    text: "For a script or a program that acts in your name.",
    wide: true,
    build: (close) => newKeyForm(me, close),
  });
  if (!created) return;
  await showSecret({
    title: `API key “${created.apiKey.name}”`,
    text: "Give it to the program that is to use it, as the header “X-API-Key” or “Authorization: Bearer”.",
    label: "API key",
    secret: created.token,
  });
  onChange();
}

function newKeyForm(me, close) {
  const name = field({
    name: "name",
    label: "Name",
    required: true,
    minlength: 3,
    maxlength: 50,
    hint: "What uses it; 3 to 50 characters.",
    autocomplete: "off",
  });
  const description = field({ name: "description", label: "Note", maxlength: 500, autocomplete: "off" });
  const end = lifetimeFields("Works for");
  const extent = field({
    name: "extent",
    label: "May do",
    options: [
      ["all", me.isAdmin ? "Everything but changing roles" : "Everything that you may do"],
      ["some", "Only what is chosen"],
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
    action: "Make key",
    cancel: () => close(),
    run: async (values) => {
      const expiresAt = chosenEnd(end);
      if (!expiresAt) return;
      const chosen = extent.value === "all" ? ["*"] : scopes.value;
      if (chosen.length === 0) return scopes.complain("Choose at least one thing that the key may do.");
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
  const options = AREAS.flatMap(([area, name]) => [
    [`${area}:read`, `${name}: look`, `${area}:read`],
    [`${area}:write`, `${name}: change`, `${area}:write`],
  ]);
  if (me.isAdmin) options.push(["roles:write", "Make administrators", "roles:write"]);
  const known = ticks({
    name: "scopes",
    label: "Scopes",
    hint: "A key can never do more than its owner at the time.",
    options,
  });
  const others = field({
    name: "others",
    label: "Other scopes",
    hint: "Those of your own applications, with spaces between, such as library:stream.",
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

async function renew(key, onChange) {
  const renewed = await formDialog({
    title: `Renew “${key.name}”`,
    text: "You get a new secret with a new end. The old one goes on working for a day, so that you can change it where it is used.",
    build: (close) => {
      const end = lifetimeFields("The new one works for");
      return form({
        parts: [end.lifetime, end.until],
        action: "Renew",
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
    title: `API key “${key.name}”`,
    text: "Put the new secret in place of the old one within a day.",
    label: "API key",
    secret: renewed.token,
  });
  onChange();
}

async function revoke(key, owner, onChange) {
  const done = await ask({
    title: `Revoke “${key.name}”?`,
    text: `Whatever uses this key${owner ? ` of ${owner}` : ""} is refused from now on. It cannot be taken back.`,
    action: "Revoke key",
    danger: true,
    run: () => remove(`/api/api-keys/${key.id}`),
  });
  if (!done) return;
  note(`The key “${key.name}” is revoked.`);
  onChange();
}
