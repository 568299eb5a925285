// One's own account: services, profile, passkeys, sessions, API keys.

import { get, put, remove } from "../parts/api.js";
import { ask, note } from "../parts/dialogs.js";
import { fill, h } from "../parts/dom.js";
import { field, form, load, pair } from "../parts/forms.js";
import { ago, date, device, nameOf } from "../parts/format.js";
import { keyRow, makeKey } from "./keys.js";
import { listOf } from "../parts/list.js";
import { myPasskeys } from "./mypasskeys.js";
import { myServices } from "./myservices.js";
import { tellBrowser } from "../parts/passkeys.js";
import { badge, button, notice, row, section } from "../parts/parts.js";
import { enter, pageHead } from "../parts/shell.js";

const main = document.getElementById("main");

function show({ me, settings, session }) {
  const wayIn = h("div", {});
  const signedIn = sessions();
  let now = session;
  const passkeys = myPasskeys({
    onLoaded: (list) => fill(wayIn, advice(list, now)),
    // The first passkey turns a session by a code or by set-up into another one.
    onAdded: async () => {
      now = await currentSession();
      signedIn.reload();
    },
  });
  fill(
    main,
    pageHead({ title: "Your account", text: [nameOf(me), me.expiresAt ? [" · ends ", date(me.expiresAt)] : ""] }),
    wayIn,
    myServices(me),
    profile(me, settings),
    passkeys,
    signedIn.element,
    keys(me),
  );
  if (location.hash) document.getElementById(location.hash.slice(1))?.scrollIntoView();
}

async function currentSession() {
  const { data } = await get("/api/sessions?limit=100");
  return data.find((session) => session.current);
}

/** What somebody should do before they lock themselves out. */
function advice(passkeys, session) {
  const usable = passkeys.filter((passkey) => passkey.usable !== false);
  if (session?.method === "recovery") {
    return notice(
      "warning",
      "You are here by a recovery code",
      "Within 15 minutes of it you can add a passkey and delete those that you have lost. Do it now: the code works no second time.",
    );
  }
  if (usable.length === 0) {
    const why = session?.method === "oneTimeToken" ? "You came in by a code, which works only once. " : "";
    return notice(
      "warning",
      "You have no passkey",
      `${why}Without one you cannot sign in again by yourself. Add one below.`,
    );
  }
  if (usable.length === 1 && !usable[0].backupState) {
    return notice(
      "info",
      "You have one passkey, on one device",
      "If you lose the device you lose the way in. Add a second passkey on another device, or a security key.",
    );
  }
  return null;
}

function profile(me, settings) {
  const mayRename = settings.allowUsernameChange === "true";
  const username = field({
    name: "username",
    label: "Username",
    value: me.username,
    required: true,
    readonly: !mayRename,
    hint: mayRename ? null : "Only an administrator can change it.",
    autocomplete: "username",
    maxlength: 50,
    spellcheck: "false",
  });
  const displayName = field({
    name: "displayName",
    label: "Display name",
    value: me.displayName,
    maxlength: 100,
    hint: "What others see; else it is made of your names.",
    autocomplete: "nickname",
  });
  const firstName = field({
    name: "firstName",
    label: "First name",
    value: me.firstName,
    maxlength: 50,
    autocomplete: "given-name",
  });
  const lastName = field({
    name: "lastName",
    label: "Last name",
    value: me.lastName,
    maxlength: 50,
    autocomplete: "family-name",
  });
  const email = field({
    name: "email",
    label: "E-mail",
    type: "email",
    value: me.email ?? "",
    hint: me.email ? (me.emailVerified ? "Verified. A new address has to be verified again." : "Not verified.") : null,
    autocomplete: "email",
    maxlength: 254,
  });
  return section(
    {
      id: "profile",
      title: "Profile",
      text:
        me.userGroups.length > 0
          ? ["Your groups: ", me.userGroups.map((group) => group.friendlyName ?? group.name ?? "a group").join(", ")]
          : null,
    },
    h(
      "div",
      { class: "panel" },
      form({
        parts: [username, displayName, pair(firstName, lastName), email],
        action: "Save",
        run: async (values) => {
          const { username: name, ...rest } = values;
          const body = { ...rest, email: values.email || null, locale: me.locale };
          await put("/api/users/me", mayRename ? { ...body, username: name } : body);
          note("Your profile is saved.");
          await tellBrowser();
        },
      }),
    ),
  );
}

const METHODS = {
  setup: "set-up",
  signUp: "sign-up",
  oneTimeToken: "a code",
  recovery: "a recovery code",
  passkey: "a passkey",
  host: "another application",
};

function sessions() {
  const list = listOf({
    path: "/api/sessions",
    noun: "session",
    plural: "sessions",
    item: (session) => sessionRow(session, () => list.reload()),
  });
  const others = button("Sign out everywhere else", async () => {
    const done = await ask({
      title: "Sign out everywhere else?",
      text: "All your other browsers and devices have to sign in again. This one stays signed in.",
      action: "Sign out everywhere else",
      danger: true,
      run: () => remove("/api/sessions"),
    });
    if (!done) return;
    note("You are signed out everywhere else.");
    list.reload();
  });
  const about = { id: "sessions", title: "Sessions", text: "Where you are signed in.", action: others };
  return { element: section(about, list.element), reload: list.reload };
}

function sessionRow(session, onChange) {
  const name = session.deviceName || device(session.userAgent);
  const revoke = button(
    "Sign out",
    async () => {
      const done = await ask({
        title: `Sign out “${name}”?`,
        text: "Whoever uses it there has to sign in again.",
        action: "Sign out",
        danger: true,
        run: () => remove(`/api/sessions/${session.id}`),
      });
      if (!done) return;
      note(`“${name}” is signed out.`);
      onChange();
    },
    { label: `Sign out ${name}` },
  );
  return row({
    title: name,
    picture: "device",
    badges: [session.current ? badge("this one", "good") : null],
    facts: [
      session.ipAddress,
      ["signed in with ", METHODS[session.method] ?? "another way", " ", ago(session.signedInAt)],
      session.current ? null : ["seen ", ago(session.lastSeenAt)],
      ["until ", date(session.expiresAt)],
    ],
    actions: session.current ? [] : [revoke],
  });
}

function keys(me) {
  const list = listOf({
    path: "/api/api-keys",
    noun: "API key",
    plural: "API keys",
    empty: "No API keys. Make one for a script or a program that is to act in your name.",
    item: (key) => keyRow(key, { onChange: () => list.reload() }),
  });
  const make = button("New API key", () => makeKey({ me, onChange: () => list.reload() }), { picture: "plus" });
  return section(
    { id: "keys", title: "API keys", text: "For scripts and programs that act in your name.", action: make },
    list.element,
  );
}

load(
  main,
  async () => {
    const entered = await enter("Your account");
    return { ...entered, session: await currentSession() };
  },
  show,
);
