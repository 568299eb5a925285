// The fields of a person, where one is made.

import { field } from "../parts/forms.js";

/**
 * What signing up and set-up ask for. `email` is an address, or a domain such as `@mail.example`, that has to be used. A
 * username with `@` is for whoever sets up, and for administrators to give.
 */
export function profileFields({ email = null, mayBeAddress = false } = {}) {
  const domain = email?.startsWith("@");
  return {
    username: field({
      name: "username",
      label: "Username",
      hint: `Letters, digits and . _ -${mayBeAddress ? " @" : ""}; it may be seen by others.`,
      required: true,
      maxlength: 50,
      autocomplete: "username",
      autocapitalize: "none",
      spellcheck: "false",
    }),
    firstName: field({ name: "firstName", label: "First name", maxlength: 50, autocomplete: "given-name" }),
    lastName: field({ name: "lastName", label: "Last name", maxlength: 50, autocomplete: "family-name" }),
    email: field({
      name: "email",
      label: "E-mail",
      type: "email",
      value: email && !domain ? email : "",
      hint: emailHint(email, domain),
      required: Boolean(email),
      readonly: Boolean(email) && !domain,
      autocomplete: "email",
      maxlength: 254,
    }),
  };
}

function emailHint(email, domain) {
  if (!email) return null;
  return domain
    ? `This invitation is for addresses that end in ${email}.`
    : "This invitation is for this address alone.";
}

/** Without what was left empty: there it would be an empty name, not none. */
export function filledIn(values) {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== ""));
}

/** The secret after `#token=` of this page's address, or null. */
export function tokenOfAddress() {
  return new URLSearchParams(location.hash.slice(1)).get("token") || null;
}
