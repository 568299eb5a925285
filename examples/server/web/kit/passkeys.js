// <keyplate-passkeys>: the passkeys of who is signed in.

import { define, KeyplateElement } from "./element.js";
import { myPasskeys } from "./my-passkeys.js";

/** Event: `keyplate-passkeys` with the passkeys that there are, whenever that changes. */
export class PasskeysElement extends KeyplateElement {
  async look() {
    return null;
  }

  show() {
    this.step(myPasskeys({ onLoaded: (passkeys) => this.announce("passkeys", { passkeys }) }));
  }
}

define("keyplate-passkeys", PasskeysElement);
