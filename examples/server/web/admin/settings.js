// The application's name, and how long sessions last.

import { get, put } from "../kit/calls.js";
import { note } from "../kit/dialogs.js";
import { fill, h } from "../kit/dom.js";
import { field, form, load, tick } from "../kit/forms.js";
import { section } from "../kit/pieces.js";
import { t } from "../kit/words.js";
import { entitle, pageHead, rename } from "../parts/shell.js";

const PATH = "/api/application-configuration";

/** All settings, by their keys; each value is text. */
export async function allSettings() {
  return byKey(await get(`${PATH}/all`));
}

/** Sets some and leaves the others. */
export async function saveSettings(changes) {
  return byKey(await put(PATH, changes));
}

function byKey(list) {
  return Object.fromEntries(list.map(({ key, value }) => [key, value]));
}

export async function show({ main }) {
  entitle(t("settings"));
  const reload = () =>
    load(main, allSettings, (all) => {
      fill(
        main,
        pageHead({ title: t("settings"), text: t("settings.text") }),
        application(all),
        sessions(all),
        auditLog(all),
      );
    });
  await reload();
}

function application(all) {
  return section(
    { id: "application", title: t("settings.application") },
    h(
      "div",
      { class: "panel" },
      form({
        guarded: true,
        parts: [
          field({
            name: "appName",
            label: t("name"),
            value: all.appName,
            required: true,
            maxlength: 100,
            hint: t("settings.name.hint"),
          }),
          tick({
            name: "allowUsernameChange",
            label: t("settings.rename"),
            value: all.allowUsernameChange === "true",
          }),
        ],
        action: t("save"),
        run: async (values) => {
          const saved = await saveSettings(values);
          rename(saved.appName);
          note(t("saved"));
        },
      }),
    ),
  );
}

// The server counts in minutes; nobody else counts days so.
const DAY = 24 * 60;

function sessions(all) {
  const number = (name, label, unit, hint) =>
    field({
      name,
      label,
      type: "number",
      min: 0,
      step: "any",
      required: true,
      value: String(Number(all[name]) / unit),
      hint,
    });
  return section(
    { id: "lengths", title: t("sessions"), text: t("settings.sessions.text") },
    h(
      "div",
      { class: "panel" },
      form({
        guarded: true,
        parts: [
          number("sessionDuration", t("settings.longest"), DAY, t("settings.longest.hint")),
          number("sessionIdleDuration", t("settings.unused"), DAY, t("settings.unused.hint")),
          number(
            "stepUpDuration",
            t("settings.fresh"),
            1,
            t("settings.fresh.hint"),
          ),
        ],
        action: t("save"),
        run: async (values) => {
          await saveSettings({
            sessionDuration: Number(values.sessionDuration) * DAY,
            sessionIdleDuration: Number(values.sessionIdleDuration) * DAY,
            stepUpDuration: Number(values.stepUpDuration),
          });
          note(t("saved"));
        },
      }),
    ),
  );
}

function auditLog(all) {
  return section(
    { id: "audit", title: t("audit"), text: t("settings.audit.text") },
    h(
      "div",
      { class: "panel" },
      form({
        guarded: true,
        parts: [
          field({
            name: "auditRetentionDuration",
            label: t("settings.keep"),
            type: "number",
            min: 30,
            step: "any",
            required: true,
            value: String(Number(all.auditRetentionDuration) / DAY),
            hint: t("settings.keep.hint"),
          }),
        ],
        action: t("save"),
        run: async (values) => {
          await saveSettings({ auditRetentionDuration: Number(values.auditRetentionDuration) * DAY });
          note(t("saved"));
        },
      }),
    ),
  );
}
