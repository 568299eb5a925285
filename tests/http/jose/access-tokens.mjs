// A service in another process: it knows Keyplate's address and its own name, and verifies tokens by `jose`.
// Usage: node access-tokens.mjs BASE_URL

import { createRemoteJWKSet, jwtVerify, SignJWT } from "jose";

const base = process.argv[2];

function check(name, expected, actual) {
  const same = JSON.stringify(expected) === JSON.stringify(actual);
  console.log(same ? `ok jose: ${name}` : `not ok jose: ${name}: expected ${expected}, got ${actual}`);
}

async function call(method, path, headers = {}, body = undefined) {
  const response = await fetch(base + path, { method, headers, body: body && JSON.stringify(body) });
  const text = await response.text();
  return { status: response.status, headers: response.headers, json: text ? JSON.parse(text) : null };
}

const keys = createRemoteJWKSet(new URL("/.well-known/jwks.json", base), { cooldownDuration: 0 });
const verify = (token, audience = "films") =>
  jwtVerify(token, keys, { issuer: base, audience, algorithms: ["EdDSA"], typ: "at+jwt" }).then(
    (verified) => verified.payload,
    (error) => error.code,
  );

const claimed = await call("POST", "/api/one-time-access-token/setup");
const bearer = { Authorization: `Bearer ${claimed.headers.get("set-cookie").split(";")[0].split("=")[1]}` };
const films = await call("POST", "/api/services", bearer, { slug: "films", isOpenToEveryone: true });
check("a service", 201, films.status);

const issued = await call("POST", "/api/services/films/access-token", bearer, { ttl: "5m" });
check("a token", 201, issued.status);
const payload = await verify(issued.json.token);
check("who it is", [claimed.json.id, "admin", "films"], [payload.sub, payload.preferred_username, payload.aud]);
check("five minutes", true, [300, 301].includes(payload.exp - payload.iat));
check("for no other service", "ERR_JWT_CLAIM_VALIDATION_FAILED", await verify(issued.json.token, "music"));
check("not when it was changed", "ERR_JWS_SIGNATURE_VERIFICATION_FAILED", await verify(changed(issued.json.token)));
const symmetric = await new SignJWT(payload)
  .setProtectedHeader({ alg: "HS256", typ: "at+jwt" })
  .sign(new TextEncoder().encode("x".repeat(32)));
check("not by another algorithm", "ERR_JOSE_ALG_NOT_ALLOWED", await verify(symmetric));

const replayed = await call("GET", "/api/users", { Authorization: `Bearer ${issued.json.token}` });
check("no credential at Keyplate", [401, "token_invalid_or_expired"], [replayed.status, replayed.json.code]);

function changed(token) {
  const [header, , signature] = token.split(".");
  const body = Buffer.from(JSON.stringify({ ...payload, preferred_username: "eve" })).toString("base64url");
  return [header, body, signature].join(".");
}
