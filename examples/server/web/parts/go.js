// To another part of administration, without a new document.

import { to } from "../kit/calls.js";

export function goTo(path) {
  document.dispatchEvent(new CustomEvent("keyplate-go", { detail: to(path) }));
}
