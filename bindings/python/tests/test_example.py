"""`examples/python/passkeys.py`, with a software authenticator in the place of a browser."""

import json
import runpy
import threading
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import keyplate

from conftest import browser

EXAMPLE = Path(__file__).parents[3] / "examples" / "python" / "passkeys.py"


def test_sign_up_and_sign_in(path: str, tmp_path: Path) -> None:
    example = runpy.run_path(str(EXAMPLE))
    phone, origin = tmp_path / "phone.json", example["ORIGIN"]

    def post(action: str, body: dict[str, Any]) -> Any:
        request = urllib.request.Request(f"{address}/{action}", json.dumps(body).encode())
        with urllib.request.urlopen(request) as response:
            return json.load(response)

    with keyplate.open(path, origin=origin) as kp:
        kp.update_settings(signup_mode=keyplate.SignupMode.OPEN)
        with example["service"](kp, 0) as server:
            threading.Thread(target=server.serve_forever, daemon=True).start()
            address = f"http://127.0.0.1:{server.server_port}"
            with urllib.request.urlopen(address) as page:
                assert b"navigator.credentials.create" in page.read()
            for action, asked in [("signup", "register"), ("login", "authenticate")]:
                begun = post(f"{action}/begin", {"username": "bob"})
                response = json.loads(browser(asked, phone, json.dumps(begun["options"]), origin))
                finish = {"ceremony": begun["ceremony"], "response": response}
                assert post(f"{action}/finish", finish) == {"username": "bob"}
            try:
                post("login/finish", finish)
            except urllib.error.HTTPError as error:
                assert json.load(error) == {"error": "passkey ceremony failed: the challenge was used before"}
            else:
                raise AssertionError("a ceremony was used twice")
            server.shutdown()
