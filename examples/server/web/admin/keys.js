// Everybody's API keys.

import { get } from "../parts/api.js";
import { fill, h } from "../parts/dom.js";
import { keyRow } from "../account/keys.js";
import { listOf } from "../parts/list.js";
import { entitle, pageHead } from "../parts/shell.js";

export async function show({ main, me, settings }) {
  entitle("API keys", settings);
  const names = await get("/api/audit-logs/filters/users");
  const list = listOf({
    path: "/api/api-keys",
    noun: "API key",
    plural: "API keys",
    search: true,
    values: { all: "true" },
    empty: "Nobody has an API key.",
    item: (key) =>
      keyRow(key, {
        owner: names[key.userID] ?? "somebody",
        // A new secret is for its owner's eyes.
        canRenew: key.userID === me.id,
        onChange: () => list.reload(),
      }),
  });
  fill(
    main,
    pageHead({
      title: "API keys",
      text: ["Of all users. Your own are made in ", h("a", { href: "/account#keys" }, "your account"), "."],
    }),
    list.element,
  );
}
