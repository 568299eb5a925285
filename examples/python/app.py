"""The first run of an application: claim setup, make an API key, and let a small web service ask for it.

Wants the package `keyplate` and nothing else: `python app.py`. With `--serve` it goes on answering on port 8000.
"""

import sys
import tempfile
import threading
import urllib.error
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import keyplate


def first_run(kp: keyplate.Keyplate) -> str:
    """Creates the first administrator and an API key of theirs. Returns the key's secret, which is shown only this once."""
    admin = kp.claim_setup(username="ann")
    session = kp.authenticate(admin.secret.reveal())
    ann = kp.acting_as(session.principal)
    key = ann.create_api_key(name="automation", scopes=["library:stream"])
    ann.complete_setup()
    return key.secret.reveal()


def service(kp: keyplate.Keyplate, port: int) -> ThreadingHTTPServer:
    """A web service that answers only to those who have a key."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            try:
                who = kp.verify_api_key(self.headers.get("X-API-Key", ""))
            except keyplate.InvalidCredential:
                self.answer(401, "Who are you?")
            except keyplate.KeyplateError as error:
                self.answer(503, str(error))
            else:
                self.answer(200, f"Hello {who.username}, you may {', '.join(who.scopes)}.")

        def answer(self, status: int, text: str) -> None:
            self.send_response(status)
            self.end_headers()
            self.wfile.write(text.encode() + b"\n")

        def log_message(self, format: str, *args: object) -> None:
            pass

    return ThreadingHTTPServer(("127.0.0.1", port), Handler)


def ask(address: str, key: str) -> str:
    request = urllib.request.Request(address, headers={"X-API-Key": key})
    try:
        with urllib.request.urlopen(request) as response:
            return str(response.read().decode().strip())
    except urllib.error.HTTPError as error:
        return f"{error.code} {error.read().decode().strip()}"


def main() -> None:
    serve = "--serve" in sys.argv
    with tempfile.TemporaryDirectory() as folder:
        with keyplate.open(Path(folder, "id.db"), origin="https://media.example") as kp:
            key = first_run(kp)
            server = service(kp, 8000 if serve else 0)
            thread = threading.Thread(target=server.serve_forever, daemon=True)
            thread.start()
            address = f"http://127.0.0.1:{server.server_port}/"
            print(f"API key: {key}")
            print("with it:", ask(address, key))
            print("without:", ask(address, "nonsense"))
            if serve:
                print(f"still answering on {address}; Ctrl-C ends it")
                thread.join()
            server.shutdown()


if __name__ == "__main__":
    main()
