// One's own account: the kit's element, and with it the services and the API keys.

import "../kit/account.js";
import { currentSession } from "../kit/calls.js";
import { fill, h } from "../kit/dom.js";
import { speakFor } from "../kit/element.js";
import { load } from "../kit/forms.js";
import { date, nameOf } from "../kit/format.js";
import { listOf } from "../kit/list.js";
import { button, section } from "../kit/pieces.js";
import { t } from "../kit/words.js";
import { enter, entitle, pageHead } from "../parts/shell.js";
import { appsOfMine } from "./apps.js";
import { keyRow } from "./keys.js";
import { myServices } from "./myservices.js";

const main = document.getElementById("main");

function show({ me, session }) {
  entitle(t("account"));
  const account = h("keyplate-account");
  account.known = { me, session };
  // By a recovery code, or a link from another device, nothing else is open yet.
  if (!["recovery", "deviceLink"].includes(session.method)) {
    const [before, ...after] = [myServices(me), appsOfMine(me), keys(me)];
    account.append(h("div", { slot: "before" }, before), ...after.map((part) => h("div", { slot: "after" }, part)));
  }
  account.addEventListener("keyplate-saved", async ({ detail }) => {
    if (detail.language && (await speakFor(detail.user))) location.reload();
  });
  fill(
    main,
    pageHead({
      title: t("account"),
      person: { id: me.id, name: nameOf(me) },
      text: [nameOf(me), me.expiresAt ? [" · ", t("ends", { when: date(me.expiresAt) })] : ""],
    }),
    account,
  );
  const wanted = location.hash.slice(1);
  if (wanted) setTimeout(() => document.getElementById(wanted)?.scrollIntoView(), 300);
}

function keys(me) {
  const list = listOf({
    path: "/api/api-keys",
    noun: "keys",
    empty: t("keys.none.own"),
    item: (key) => keyRow(key, { onChange: () => list.reload() }),
  });
  const makeKey = async () => (await import("./new-key.js")).makeKey({ me, onChange: () => list.reload() });
  const make = button(t("keys.new"), makeKey, { picture: "plus" });
  return section({ id: "keys", title: t("keys"), text: t("keys.text"), action: make }, list.element);
}

load(
  main,
  async () => {
    const [entered, session] = await Promise.all([enter(), currentSession()]);
    return { ...entered, session };
  },
  show,
);
