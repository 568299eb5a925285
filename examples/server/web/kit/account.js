// <keyplate-account>: one's own profile, passkeys and sessions.

import { client, currentSession, get, put } from "./calls.js";
import { note } from "./dialogs.js";
import { fill, h } from "./dom.js";
import { define, KeyplateElement } from "./element.js";
import { field, form, pair } from "./forms.js";
import { isUsable, myPasskeys } from "./my-passkeys.js";
import { sessionsSection } from "./my-sessions.js";
import { notice, section } from "./pieces.js";
import { languageName, languages, listing, t } from "./words.js";

/**
 * Events: `keyplate-saved` with the user, `keyplate-passkeys` with the passkeys. The slots `before` and `after` take what the
 * host shows besides, under the advice and at the end.
 */
export class AccountElement extends KeyplateElement {
  /** What the page has asked for already: `me` and `session`. */
  known = {};

  async look() {
    const { me: owner, session: now } = this.known;
    const asked = [owner ?? get("/api/users/me"), client.settings(), now ?? currentSession()];
    const [me, settings, session] = await Promise.all(asked);
    // By a link from another device of theirs, only its passkey is open.
    const newDevice = session.method === "deviceLink" ? (await import("./new-device.js")).newDevice : null;
    return { me, settings, session, newDevice };
  }

  show({ me, settings, session, newDevice }) {
    if (newDevice) return this.step(newDevice(me));
    const advice = h("div", { class: "advice" });
    // A recovery code opens the passkeys and nothing else, until there is a new one.
    const recovers = session.method === "recovery";
    const sessions = recovers ? null : sessionsSection();
    let now = session;
    const passkeys = myPasskeys({
      onLoaded: (list) => {
        fill(advice, adviceFor(list, now));
        this.announce("passkeys", { passkeys: list });
      },
      onAdded: async () => {
        // The first passkey turns such a session into another one, which may do everything.
        if (recovers) return location.reload();
        now = await currentSession();
        await sessions.reload();
      },
    });
    this.step(
      advice,
      recovers ? null : h("slot", { name: "before" }),
      recovers ? null : this.#profile(me, settings),
      passkeys,
      sessions?.element,
      recovers ? null : h("slot", { name: "after" }),
    );
  }

  #profile(me, settings) {
    const groups = me.userGroups.map((group) => group.friendlyName ?? group.name ?? t("group.some"));
    const mayRename = settings.allowUsernameChange === "true";
    const text = (name, rest = {}) =>
      field({ name, label: t(name), value: me[name] ?? "", maxlength: 50, ...rest });
    const about = {
      id: "profile",
      title: t("profile"),
      text: groups.length > 0 ? t("profile.groups", { groups: listing(groups) }) : null,
    };
    return section(
      about,
      h(
        "div",
        { class: "panel", part: "panel" },
        form({
          guarded: true,
          parts: [
            text("username", {
              required: true,
              readonly: !mayRename,
              hint: mayRename ? null : t("profile.fixed"),
              autocomplete: "username",
              spellcheck: "false",
            }),
            text("displayName", { maxlength: 100, hint: t("displayName.hint"), autocomplete: "nickname" }),
            pair(text("firstName", { autocomplete: "given-name" }), text("lastName", { autocomplete: "family-name" })),
            text("email", {
              type: "email",
              maxlength: 254,
              hint: me.email ? t(me.emailVerified ? "email.verified" : "email.unverified") : null,
              autocomplete: "email",
            }),
            field({ name: "locale", label: t("language"), options: choices(me.locale), value: me.locale ?? "" }),
          ],
          action: t("save"),
          run: async (values) => {
            const { username, ...rest } = values;
            const body = { ...rest, email: values.email || null, locale: values.locale || null };
            const saved = await put("/api/users/me", mayRename ? { ...body, username } : body);
            note(t("profile.saved"));
            await client.tellBrowser();
            this.announce("saved", { user: saved, language: saved.locale !== me.locale });
          },
        }),
      ),
    );
  }
}

/** The languages that there are, and the one that somebody has already. */
function choices(locale) {
  const tags = new Set(languages);
  if (locale) tags.add(locale);
  return [["", t("language.browser")], ...[...tags].map((tag) => [tag, languageName(tag)])];
}

/** What somebody should do before they lock themselves out. */
function adviceFor(passkeys, session) {
  const usable = passkeys.filter(isUsable);
  if (session.method === "recovery") return notice("warning", t("advice.recovery"), t("advice.recovery.text"));
  if (usable.length === 0) {
    const why = session.method === "oneTimeToken" ? t("advice.none.code") : t("advice.none.text");
    return notice("warning", t("advice.none"), why);
  }
  if (usable.length === 1 && !usable[0].backupState) return notice("info", t("advice.one"), t("advice.one.text"));
  return null;
}

define("keyplate-account", AccountElement);
