// The application's name, and how long sessions last.

import { fill, h } from "../parts/dom.js";
import { note } from "../parts/dialogs.js";
import { field, form, load, tick } from "../parts/forms.js";
import { get, put } from "../parts/api.js";
import { section } from "../parts/parts.js";
import { entitle, pageHead } from "../parts/shell.js";

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

export async function show({ main, settings }) {
  entitle("Settings", settings);
  const reload = () =>
    load(main, allSettings, (all) => {
      fill(
        main,
        pageHead({ title: "Settings", text: "Who may sign up is set under “Sign-up”." }),
        application(all),
        sessions(all),
        auditLog(all),
      );
    });
  await reload();
}

function application(all) {
  return section(
    { id: "application", title: "Application" },
    h(
      "div",
      { class: "panel" },
      form({
        parts: [
          field({
            name: "appName",
            label: "Name",
            value: all.appName,
            required: true,
            maxlength: 100,
            hint: "What people know it by; it stands on every page.",
          }),
          tick({
            name: "allowUsernameChange",
            label: "People may change their own username",
            value: all.allowUsernameChange === "true",
          }),
        ],
        action: "Save",
        run: async (values) => {
          const saved = await saveSettings(values);
          document.querySelector(".brand span").textContent = saved.appName;
          note("Saved.");
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
    { id: "lengths", title: "Sessions", text: "For sign-ins and sessions from now on." },
    h(
      "div",
      { class: "panel" },
      form({
        parts: [
          number("sessionDuration", "Longest session, in days", DAY, "After this everybody has to sign in again."),
          number("sessionIdleDuration", "Unused session, in days", DAY, "A session that is not used for so long ends."),
          number(
            "stepUpDuration",
            "Fresh sign-in, in minutes",
            1,
            "For so long a sign-in with a passkey is enough for steps that want one, such as changing roles.",
          ),
        ],
        action: "Save",
        run: async (values) => {
          await saveSettings({
            sessionDuration: Number(values.sessionDuration) * DAY,
            sessionIdleDuration: Number(values.sessionIdleDuration) * DAY,
            stepUpDuration: Number(values.stepUpDuration),
          });
          note("Saved.");
        },
      }),
    ),
  );
}

function auditLog(all) {
  return section(
    { id: "audit", title: "Audit log", text: "Older entries are removed once a day." },
    h(
      "div",
      { class: "panel" },
      form({
        parts: [
          field({
            name: "auditRetentionDuration",
            label: "Keep entries, in days",
            type: "number",
            min: 30,
            step: "any",
            required: true,
            value: String(Number(all.auditRetentionDuration) / DAY),
            hint: "At least 30.",
          }),
        ],
        action: "Save",
        run: async (values) => {
          await saveSettings({ auditRetentionDuration: Number(values.auditRetentionDuration) * DAY });
          note("Saved.");
        },
      }),
    ),
  );
}
