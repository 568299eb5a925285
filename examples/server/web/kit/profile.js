// The fields of a person, where one is made.

import { field } from "./forms.js";
import { t } from "./words.js";

/**
 * What signing up and set-up ask for. `email` is an address, or a domain such as `@mail.example`, that has to be used. A
 * username with `@` is for whoever sets up, and for administrators to give.
 */
export function profileFields({ email = null, mayBeAddress = false } = {}) {
  const domain = email?.startsWith("@");
  return {
    username: field({
      name: "username",
      label: t("username"),
      hint: t(mayBeAddress ? "username.hint.address" : "username.hint"),
      required: true,
      maxlength: 50,
      check: (text) => wrongName(text, mayBeAddress),
      autocomplete: "username",
      autocapitalize: "none",
      spellcheck: "false",
    }),
    firstName: field({ name: "firstName", label: t("firstName"), maxlength: 50, autocomplete: "given-name" }),
    lastName: field({ name: "lastName", label: t("lastName"), maxlength: 50, autocomplete: "family-name" }),
    email: field({
      name: "email",
      label: t("email"),
      type: "email",
      value: email && !domain ? email : "",
      hint: email ? t(domain ? "email.domain" : "email.alone", { email }) : null,
      required: Boolean(email),
      readonly: Boolean(email) && !domain,
      autocomplete: "email",
      maxlength: 254,
      check: (text) => (fits(text, email) ? null : t("email.wrong", { email })),
    }),
  };
}

/** Letters and digits at both ends; which letters there may be is for the server to say. */
function wrongName(text, mayBeAddress) {
  if (!(mayBeAddress ? /^[\p{L}\p{M}\p{N}_.@-]+$/u : /^[\p{L}\p{M}\p{N}_.-]+$/u).test(text)) return t("field.not_username");
  return /^[\p{L}\p{N}](.*[\p{L}\p{M}\p{N}])?$/su.test(text) ? null : t("field.bad_ends");
}

/** May this address use an invitation for that address, or that domain? The server compares in more ways than this. */
export function fits(text, wanted) {
  if (!wanted?.startsWith("@")) return true;
  const domain = text.slice(text.lastIndexOf("@")).toLowerCase();
  // A domain that is not in ASCII has two spellings.
  return domain === wanted.toLowerCase() || /[^\x20-\x7e]|xn--/i.test(domain + wanted);
}

/** Without what was left empty: there it would be an empty name, not none. */
export function filledIn(values) {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== ""));
}

/** The secret after `#token=` of this page's address, or null. */
export function tokenOfAddress() {
  return new URLSearchParams(location.hash.slice(1)).get("token") || null;
}
