// Verifies API keys of prepared data, for `cargo xtask bench`: `verify_api_key.c`, in JavaScript.
//
//     node verify_api_key.mjs LIBRARY FOLDER

import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { load } from "../../examples/node/keyplate.js";

const [library, folder] = process.argv.slice(2);
const kp = load(library, new URL("../../include/keyplate.h", import.meta.url));
const handle = kp.within((own) => kp.open(own(kp.config_new(`${folder}/id.db`, "https://media.example"))));
const secrets = readFileSync(`${folder}/secrets`, "utf8").trim().split("\n");

for await (const line of createInterface(process.stdin)) {
  const [from, count] = line.split(" ").map(Number);
  const began = process.hrtime.bigint();
  for (let n = from; n < from + count; n++) {
    kp.free(kp.verify_api_key(handle, ...kp.bytes(secrets[n % secrets.length])));
  }
  console.log(String(process.hrtime.bigint() - began));
}
kp.free(handle);
