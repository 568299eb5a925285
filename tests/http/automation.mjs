// From an empty server to a working API key with nothing but `fetch`, and bodies that are mere strings: `fetch` then
// says `text/plain`, as the scripts of many people do. Usage: node automation.mjs BASE_URL

const base = process.argv[2];

function check(name, expected, actual) {
  const same = JSON.stringify(expected) === JSON.stringify(actual);
  console.log(same ? `ok node: ${name}` : `not ok node: ${name}: expected ${expected}, got ${actual}`);
}

async function call(method, path, headers = {}, body = undefined) {
  const response = await fetch(base + path, { method, headers, body });
  const text = await response.text();
  return { status: response.status, headers: response.headers, json: text ? JSON.parse(text) : null };
}

function firstCookie(reply) {
  return reply.headers.get("set-cookie").split(";")[0].split("=")[1];
}

const setUp = () => call("POST", "/api/one-time-access-token/setup");

const first = await setUp();
check("setup", [200, "admin", true], [first.status, first.json.username, first.json.isAdmin]);
const second = await setUp();
check("setup again, the same administrator", [200, first.json.id], [second.status, second.json.id]);
const bearer = { Authorization: `Bearer ${firstCookie(second)}` };

const expiresAt = new Date(Date.now() + 365 * 24 * 3600 * 1000).toISOString();
const wanted = JSON.stringify({ name: "自动化密钥", description: "made by a script", expiresAt });
const made = await call("POST", "/api/api-keys", bearer, wanted);
check("a key", [201, "自动化密钥"], [made.status, made.json.apiKey.name]);
check("its end", expiresAt, new Date(made.json.apiKey.expiresAt).toISOString());
const key = { "X-API-Key": made.json.token };

const users = await call("GET", "/api/users", key);
check("users", [200, 1, "admin"], [users.status, users.json.pagination.totalItems, users.json.data[0].username]);
const bob = await call("POST", "/api/users", key, JSON.stringify({ username: "bob", firstName: "Bob" }));
check("a user made by the key", [201, "bob"], [bob.status, bob.json.username]);

const complete = await call("POST", "/api/setup/complete", bearer);
check("complete", [200, ["自动化密钥"]], [complete.status, complete.json.apiKeys.map((k) => k.name)]);
check("the setup value is dead", 401, (await call("GET", "/api/users", bearer)).status);
check("the older route is closed", [409, "setup_already_completed"], await setUp().then((r) => [r.status, r.json.code]));
const json = { "Content-Type": "application/json" };
const late = await call("POST", "/api/signup/setup", json, '{"username":"eve"}');
check("the newer route is closed", [409, "setup_already_completed"], [late.status, late.json.code]);
check("the key still works", 200, (await call("GET", "/api/users", key)).status);
