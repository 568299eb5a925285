// The files that docs/proxy.md prints: each of its blocks begins with the path at which it belongs.

import { readFileSync } from "node:fs";

const TEXT = readFileSync(new URL("../../../docs/proxy.md", import.meta.url), "utf8");

/** The file of this path, as it is printed. */
export function printed(path) {
  const blocks = [...TEXT.matchAll(/^```\w*\n(# (\S+)\n.*?)^```$/gms)].filter(([, , name]) => name === path);
  if (blocks.length !== 1) throw new Error(`docs/proxy.md has ${blocks.length} blocks for ${path}`);
  return blocks[0][1];
}

/** What the document says to change for another service. */
export function forBooks(text) {
  return text.replaceAll("films", "books").replaceAll("8096", "8097");
}
