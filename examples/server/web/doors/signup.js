// Signing up: the kit's element.

import "../kit/sign-up.js";
import { to } from "../kit/calls.js";
import { h } from "../kit/dom.js";
import { t } from "../kit/words.js";
import { entitle, place } from "./door.js";

// Old links have the token in the path; there it would stand in the browser's history and in logs.
const old = location.pathname.match(/\/st\/([^/]+)\/?$/);
if (old) history.replaceState(null, "", to(`/signup#token=${old[1]}`));

// The element reads the address when it is placed.

entitle(t("signUp"));
place(h("keyplate-sign-up", { next: to("/account") }));

// Another link opened in the same window changes only what is behind the #.
addEventListener("hashchange", () => location.reload());
