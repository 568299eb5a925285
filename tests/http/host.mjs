// A small host with clients that know only name and password, as docs/clients.md tells it: Basic at /songs and /opds,
// Subsonic at /rest. It asks the server whether name and app password belong together.
//   node host.mjs BASE KEY SERVICE   prints its address

import { createServer } from "node:http";

const FEED = `<?xml version="1.0"?><feed xmlns="http://www.w3.org/2005/Atom"><title>books</title></feed>`;
const WANTED = { "WWW-Authenticate": 'Basic realm="music"' };

/** What a client has shown, as the server wants to have it; null if nothing. */
function shown(request, url) {
  if (url.pathname.startsWith("/rest/")) return ofSubsonic(url.searchParams);
  const [, given] = request.headers.authorization?.match(/^Basic (.+)$/i) ?? [];
  if (!given) return null;
  const text = Buffer.from(given, "base64").toString();
  const colon = text.indexOf(":");
  return { username: text.slice(0, colon), password: text.slice(colon + 1) };
}

function ofSubsonic(query) {
  const username = query.get("u");
  const password = query.get("p");
  if (password === null) return { username, token: query.get("t"), salt: query.get("s") };
  const hidden = password.match(/^enc:([\da-f]*)$/i)?.[1];
  return { username, password: hidden === undefined ? password : Buffer.from(hidden, "hex").toString() };
}

/** Starts one that asks the server at `base` by this API key, for this service. */
export async function startHost({ base, key, service }) {
  const ask = async (credential, client) => {
    const headers = { "X-API-Key": key, "Content-Type": "application/json" };
    const body = JSON.stringify({ ...credential, service, client });
    const answer = await fetch(`${base}/api/app-passwords/verify`, { method: "POST", headers, body });
    return { status: answer.status, again: answer.headers.get("retry-after"), body: await answer.json() };
  };
  const host = createServer(async (request, response) => {
    const url = new URL(request.url, "http://host");
    const subsonic = url.pathname.startsWith("/rest/");
    const say = (status, text, headers = {}) => response.writeHead(status, headers).end(text);
    const refuse = () => (subsonic ? say(200, inSubsonic("failed")) : say(401, "who?", WANTED));
    const credential = shown(request, url);
    if (!credential) return refuse();
    const { status, again, body } = await ask(credential, request.socket.remoteAddress);
    if (body.code === "app_password_refused") return refuse();
    if (status === 401) return say(500, "the host's own key is wrong");
    if (status !== 200) return say(status, "not now", again ? { "Retry-After": again } : {});
    if (subsonic) return say(200, inSubsonic("ok"));
    if (url.pathname === "/opds") return say(200, FEED, { "Content-Type": "application/atom+xml" });
    return say(200, `songs for ${body.user.username}`);
  });
  await new Promise((resolve) => host.listen(0, "127.0.0.1", resolve));
  return {
    origin: `http://127.0.0.1:${host.address().port}`,
    stop: () => new Promise((resolve) => host.close(resolve)),
  };
}

function inSubsonic(status) {
  const error = status === "ok" ? {} : { error: { code: 40, message: "Wrong username or password." } };
  return JSON.stringify({ "subsonic-response": { status, version: "1.16.1", ...error } });
}

if (process.argv[1] === import.meta.filename) {
  const [base, key, service] = process.argv.slice(2);
  console.log((await startHost({ base, key, service })).origin);
}
