// Administration: one document for all its parts; the path says which is shown.

import { show as audit } from "./audit.js";
import { show as group } from "./group.js";
import { show as groups } from "./groups.js";
import { show as keys } from "./keys.js";
import { show as service } from "./service.js";
import { show as services } from "./services.js";
import { show as settings } from "./settings.js";
import { show as signup } from "./signup.js";
import { show as token } from "./token.js";
import { show as user } from "./user.js";
import { show as users } from "./users.js";
import { fill, h } from "../parts/dom.js";
import { load } from "../parts/forms.js";
import { link } from "../parts/parts.js";
import { enter, pageHead } from "../parts/shell.js";

const PARTS = { users, groups, services, signup, keys, audit, settings };
const SINGLE = { users: user, groups: group, services: service, signup: token };

const main = document.getElementById("main");
const [part, id] = location.pathname.split("/").slice(2);

if (!part) location.replace("/admin/users");
else load(main, () => enter("Administration"), begin);

function begin({ me, settings: known }) {
  const show = id ? SINGLE[part] : PARTS[part];
  if (!me.isAdmin)
    return refuse(
      "This part is for administrators",
      "Your account is not one of them. If it should be, ask an administrator.",
    );
  if (!show) return refuse("There is no such page", "The address may be mistyped.");
  return show({ main, me, settings: known, id });
}

function refuse(title, text) {
  fill(main, pageHead({ title, text }), h("p", {}, link("Go to your account", "/account")));
}
