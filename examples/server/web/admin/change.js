// Changes of a user.

import { get, put } from "../kit/calls.js";

/**
 * Changes some things. The server takes the whole user, so they are fetched right before: somebody else may have changed
 * them since this page was opened.
 */
export async function changeUser(user, changes) {
  const path = `/api/users/${user.id}`;
  const { username, email, emailVerified, firstName, lastName, displayName, isAdmin, locale, disabled } =
    await get(path);
  const whole = { username, email, emailVerified, firstName, lastName, displayName, isAdmin, locale, disabled };
  await put(path, { ...whole, ...changes });
}
