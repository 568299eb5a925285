// Administration: one document for all its parts; the path says which is shown.

import { show as audit } from "./admin_audit.js";
import { show as group } from "./admin_group.js";
import { show as groups } from "./admin_groups.js";
import { show as keys } from "./admin_keys.js";
import { show as service } from "./admin_service.js";
import { show as services } from "./admin_services.js";
import { show as settings } from "./admin_settings.js";
import { show as signup } from "./admin_signup.js";
import { show as token } from "./admin_token.js";
import { show as user } from "./admin_user.js";
import { show as users } from "./admin_users.js";
import { fill, h } from "./dom.js";
import { load } from "./forms.js";
import { link } from "./parts.js";
import { enter, pageHead } from "./shell.js";

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
