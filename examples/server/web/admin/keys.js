// Everybody's API keys.

import { keyRow } from "../account/keys.js";
import { get, to } from "../kit/calls.js";
import { fill, h } from "../kit/dom.js";
import { listOf } from "../kit/list.js";
import { t } from "../kit/words.js";
import { entitle, pageHead } from "../parts/shell.js";

export async function show({ main, me }) {
  entitle(t("keys"));
  const names = await get("/api/audit-logs/filters/users");
  const list = listOf({
    path: "/api/api-keys",
    noun: "keys",
    search: true,
    inAddress: true,
    values: { all: "true" },
    item: (key) =>
      keyRow(key, {
        owner: names[key.userID] ?? t("somebody"),
        // A new secret is for its owner's eyes.
        canRenew: key.userID === me.id,
        onChange: () => list.reload(),
      }),
  });
  const own = h("a", { href: to("/account#keys") }, t("keys.account"));
  fill(main, pageHead({ title: t("keys"), text: t("keys.all.text", { link: own }) }), list.element);
}
