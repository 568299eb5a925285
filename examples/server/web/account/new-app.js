// A new app password: what it is for, and its secret. Loaded when it is wanted.

import { get, post } from "../kit/calls.js";
import { h } from "../kit/dom.js";
import { field, form, tick } from "../kit/forms.js";
import { formDialog } from "../kit/pieces.js";
import { showSecret } from "../kit/secrets.js";
import { amount, t } from "../kit/words.js";
import { servicesOf } from "./apps.js";

const DAY = 86_400_000;
const LIFETIMES = () => [
  ["", t("withoutEnd.choice")],
  ["90", amount(90, "day")],
  ["365", amount(1, "year")],
];

/** Asks what it is for, makes it, and shows it. */
export async function makeApp(me, onChange) {
  const services = await servicesOf(me);
  const created = await formDialog({
    title: t("apps.new"),
    text: t("apps.new.text"),
    build: (close) => newAppForm(services, close),
  });
  if (!created) return;
  // By now they may be called otherwise.
  const { username } = await get("/api/users/me");
  await showSecret({
    title: t("apps.title", { name: created.name }),
    text: t("apps.secret.text", { username: h("strong", {}, username) }),
    label: t("apps.one"),
    secret: created.password,
  });
  onChange();
}

function newAppForm(services, close) {
  const name = field({
    name: "name",
    label: t("name"),
    required: true,
    maxlength: 100,
    hint: t("apps.name.hint"),
    autocomplete: "off",
    autofocus: true,
  });
  const service = field({
    name: "service",
    label: t("apps.service"),
    options: [["", t("apps.service.all")], ...services],
    hint: t("apps.service.hint"),
  });
  const recoverable = tick({
    name: "recoverable",
    label: t("apps.recoverable"),
    hint: t("apps.recoverable.hint"),
  });
  recoverable.element.hidden = true;
  service.input.addEventListener("change", () => {
    recoverable.element.hidden = service.value === "";
  });
  const lifetime = field({ name: "expiresAt", label: t("keys.worksFor"), options: LIFETIMES() });
  return form({
    parts: [name, service, recoverable, lifetime],
    action: t("apps.create"),
    cancel: () => close(),
    run: async (values) => {
      const days = Number(values.expiresAt);
      try {
        close(
          await post("/api/app-passwords", {
            name: values.name,
            service: values.service || null,
            recoverable: values.service !== "" && values.recoverable,
            expiresAt: days ? new Date(Date.now() + days * DAY).toISOString() : null,
          }),
        );
      } catch (error) {
        if (error.fields?.recoverable) error.fields.recoverable = t("apps.recoverable.off");
        throw error;
      }
    },
  });
}
