"""Sign-up and sign-in by a passkey: a page, and the requests that it makes.

Wants the package `keyplate` and nothing else: `python passkeys.py`, then open http://localhost:8000. On localhost browsers
offer passkeys without TLS.
"""

import json
import tempfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import keyplate

PORT = 8000
ORIGIN = f"http://localhost:{PORT}"

PAGE = """<!doctype html>
<title>Keyplate</title>
<input id="username" placeholder="user name"> <button id="signup">Sign up</button> <button id="login">Sign in</button>
<p id="said"></p>
<script>
const post = async (path, body) => {
  const response = await fetch(path, { method: "POST", body: JSON.stringify(body) });
  const answer = await response.json();
  if (!response.ok) throw new Error(answer.error);
  return answer;
};
// By hand, and not by `toJSON()`: it throws on what some password managers hand back, and older browsers lack it.
const bytes = (text) => Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (c) => c.charCodeAt(0));
const text = (buffer) => btoa(Array.from(new Uint8Array(buffer), (byte) => String.fromCharCode(byte)).join(""))
  .replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
const decoded = (options) => ({
  ...options,
  challenge: bytes(options.challenge),
  ...(options.user && { user: { ...options.user, id: bytes(options.user.id) } }),
});
const parts = ["clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle"];
const encoded = ({ rawId, response }) => ({
  id: text(rawId),
  rawId: text(rawId),
  type: "public-key",
  response: Object.fromEntries(parts.filter((name) => response[name]).map((name) => [name, text(response[name])])),
});
const browser = {
  signup: (options) => navigator.credentials.create({ publicKey: decoded(options) }),
  login: (options) => navigator.credentials.get({ publicKey: decoded(options) }),
};
const run = async (action) => {
  const { ceremony, options } = await post(`/${action}/begin`, { username: username.value });
  const response = encoded(await browser[action](options));
  const who = await post(`/${action}/finish`, { ceremony, response });
  said.textContent = `Hello ${who.username}.`;
};
for (const action of ["signup", "login"]) {
  document.getElementById(action).onclick = () => run(action).catch((error) => { said.textContent = error.message; });
}
</script>
"""


def begun(ceremony: keyplate.PasskeyCeremony) -> dict[str, Any]:
    """What the page wants: the options for its browser, and the name of the ceremony, which it gives back."""
    return {"ceremony": ceremony.ceremony, "options": json.loads(ceremony.options)}


def signed_in(result: keyplate.SignedIn) -> dict[str, Any]:
    """A real application would set `result.secret` as its session cookie."""
    return {"username": result.user.username}


def answer(stranger: keyplate.Keyplate, path: str, body: dict[str, Any]) -> dict[str, Any]:
    match path:
        case "/signup/begin":
            return begun(stranger.begin_passkey_signup(username=body["username"]))
        case "/signup/finish":
            return signed_in(stranger.finish_passkey_signup(body["ceremony"], json.dumps(body["response"])))
        case "/login/begin":
            return begun(stranger.begin_passkey_login())
        case "/login/finish":
            return signed_in(stranger.finish_passkey_login(body["ceremony"], json.dumps(body["response"])))
    raise KeyError(path)


def service(kp: keyplate.Keyplate, port: int) -> ThreadingHTTPServer:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send(200, "text/html", PAGE)

        def do_POST(self) -> None:
            try:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                stranger = kp.anonymous(address=self.client_address[0], user_agent=self.headers["User-Agent"])
                self.send(200, "application/json", json.dumps(answer(stranger, self.path, body)))
            except keyplate.KeyplateError as error:
                self.send(400, "application/json", json.dumps({"error": str(error)}))
            except (KeyError, TypeError, ValueError):
                self.send(400, "application/json", json.dumps({"error": "what is that?"}))

        def send(self, status: int, kind: str, text: str) -> None:
            self.send_response(status)
            self.send_header("Content-Type", f"{kind}; charset=utf-8")
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, format: str, *args: object) -> None:
            pass

    return ThreadingHTTPServer(("127.0.0.1", port), Handler)


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        with keyplate.open(Path(folder, "id.db"), origin=ORIGIN) as kp:
            kp.update_settings(signup_mode=keyplate.SignupMode.OPEN)
            print(f"{ORIGIN} is there; Ctrl-C ends it")
            service(kp, PORT).serve_forever()


if __name__ == "__main__":
    main()
