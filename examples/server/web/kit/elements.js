// All elements of the kit.

export { client } from "./calls.js";
export { say, speak } from "./words.js";
export { AccountElement } from "./account.js";
export { PasskeysElement } from "./passkeys.js";
export { SignInElement } from "./sign-in.js";
export { SignUpElement } from "./sign-up.js";
