// The library for Node.js: every function of `keyplate.h`, as the header declares them, so that no list of them is kept here.
//
//     const kp = load("/usr/local/lib/libkeyplate.so", "/usr/local/include/keyplate.h");
//     kp.within((own) => kp.str(kp.user_get_username(own(kp.find_user_by_username(handle, "ann")))));
//
// A function that gives a status gives its result instead, and throws a KeyplateError when there is none. What it gives
// belongs to the caller: `own` frees it when `within` ends.

import { readFileSync } from "node:fs";
import koffi from "koffi";

/** What the library says: a status for HTTP, a name and a reason for the page, words for the log. */
export class KeyplateError extends Error {
  constructor(message, { name, httpStatus, reason, retrySeconds }) {
    super(message);
    Object.assign(this, { name, httpStatus, reason, retrySeconds });
  }
}

/** A record or a handle of the library's. Its type says by what it is freed. */
class Owned {
  constructor(type, pointer) {
    Object.assign(this, { type, pointer });
  }
}

const bare = (header) => header.replace(/\/\*[\s\S]*?\*\/|\/\/.*|^#.*$/gm, "");

/** Types and prototypes, declared to koffi. */
function declare(library, header) {
  const text = bare(header);
  const numbers = {};
  for (const [, name, body] of text.matchAll(/^enum (keyplate_\w+)[^{]*\{([^}]*)\}/gm)) {
    koffi.alias(name, "int32_t");
    for (const [, value, number] of body.matchAll(/KEYPLATE_(\w+) = (\d+)/g)) numbers[value] = Number(number);
  }
  koffi.struct("keyplate_str", { ptr: "void *", len: "size_t" });
  for (const [, name] of text.matchAll(/^typedef struct (keyplate\w*) \1;/gm)) {
    if (name !== "keyplate_str") koffi.opaque(name);
  }
  for (const [, result, name, parameters] of text.matchAll(/^typedef (\w+) \(\*(keyplate_\w+)\)\(([^)]*)\);/gm)) {
    koffi.proto(`${result} ${name}(${parameters})`);
  }
  const functions = {};
  for (const [, result, name, list] of text.matchAll(/^((?:const )?\w+ \*?)(keyplate_\w+)\(([^;]*)\);/gm)) {
    const parameters = list.split(",").map((parameter) => parameter.trim().replace(/\s+/g, " "));
    functions[name.slice("keyplate_".length)] = {
      call: library.func(`${result}${name}(${parameters.map(declared).join(", ")})`),
      // What comes out is written behind the last parameters but one, of the type that is freed by its own name.
      out: /^(keyplate\w*) \*\*out$/.exec(parameters.at(-2) ?? "")?.[1],
      fails: result.trim() === "keyplate_status" && parameters.at(-1) === "keyplate_error **error",
    };
  }
  return { functions, numbers };
}

function declared(parameter) {
  if (/^keyplate_(\w+_callback|data_free) /.test(parameter)) return parameter.replace(" ", " *");
  if (/\*\*(out|error)$|^(bool|int64_t) \*\w+$/.test(parameter)) return `_Out_ ${parameter}`;
  return parameter.replace("*const *", "**");
}

export function load(libraryPath, headerPath) {
  const { functions, numbers } = declare(koffi.load(libraryPath), readFileSync(headerPath, "utf8"));
  const raw = (name) => functions[name].call;
  const passed = (value) => (value instanceof Owned ? value.pointer : value);

  const str = ({ ptr, len }) => (ptr ? Buffer.from(koffi.decode(ptr, "uint8_t", Number(len))).toString() : "");
  const free = ({ type, pointer }) => raw(type === "keyplate" ? "free" : `${type.slice("keyplate_".length)}_free`)(pointer);

  function failed(status, error) {
    const wait = [0];
    const reason = str(raw("error_get_reason_json")(error));
    const told = {
      name: raw("status_name")(status),
      httpStatus: Number(raw("error_get_http_status")(error)),
      reason: reason === "" ? null : JSON.parse(reason),
      retrySeconds: raw("error_get_retry_after")(error, wait) ? Math.ceil(Number(wait[0]) / 1000) : 0,
    };
    const message = str(raw("error_get_message")(error));
    raw("error_free")(error);
    return new KeyplateError(message, told);
  }

  const kp = { numbers, str };
  for (const [name, { call, out, fails }] of Object.entries(functions)) {
    kp[name] = (...values) => {
      const place = [null];
      const error = [null];
      if (!fails) return call(...values.map(passed));
      const status = call(...values.map(passed), ...(out ? [place] : []), error);
      if (status !== numbers.STATUS_OK) throw failed(status, error[0]);
      return out && place[0] ? new Owned(out, place[0]) : null;
    };
  }

  /** A secret as text, from the record that has it. */
  kp.reveal = (secret) => str(kp.secret_reveal(secret));
  /** A text that the C face wants with its length. */
  kp.bytes = (text) => [text, Buffer.byteLength(text)];
  /** What `find_credential` or `find_cookie` found: it points into the texts, which stay where they are until it is read. */
  kp.found = (name, texts, ...rest) => {
    const kept = texts.map((text) => (text === undefined ? null : Buffer.from(`${text}\0`)));
    const found = str(raw(name)(...kept, ...rest));
    return kept.length === 0 ? "" : found;
  };
  /** Calls `f` with a function that keeps what it is given until `f` has ended. */
  kp.within = (f) => {
    const kept = [];
    const own = (owned) => {
      if (owned) kept.push(owned);
      return owned;
    };
    try {
      return f(own);
    } finally {
      for (const owned of kept.reverse()) free(owned);
    }
  };
  kp.free = free;
  /** Calls `listener` with the kind and the username of every event, after its commit. */
  kp.listen = (config, listener) => {
    const told = (event) => listener(
      kp.event_kind_name(kp.audit_event_get_kind(event)), str(kp.audit_event_get_username(event)));
    kp.config_set_events(config, koffi.register(told, "keyplate_event_callback *"), null, null);
  };
  return kp;
}
