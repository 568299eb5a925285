"""Two examples, `examples/python/passkeys.py` and `migrate.py`, with a software authenticator in the place of a browser."""

import contextlib
import json
import runpy
import threading
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import pytest

import keyplate

from conftest import ORIGIN, browser

ROOT = Path(__file__).parents[3]
EXAMPLES = ROOT / "examples" / "python"


def test_sign_up_and_sign_in(path: str, tmp_path: Path) -> None:
    example = runpy.run_path(str(EXAMPLES / "passkeys.py"))
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


def test_passwords_move_to_passkeys(kp: keyplate.Keyplate, tmp_path: Path) -> None:
    example = runpy.run_path(str(EXAMPLES / "migrate.py"))
    sign_in, register = example["sign_in"], example["register"]
    phone, password = tmp_path / "phone.json", "bob's password"

    with contextlib.closing(example["table"](tmp_path / "old.db")) as old:

        def row(name: str) -> Any:
            return old.execute("SELECT * FROM people WHERE name = ?", (name,)).fetchone()

        # Somebody is called like another's number: he is not taken for him.
        kp.create_user(username="2", email="people/2@mail.example")
        ann = sign_in(kp, old, "ann", "ann's password").user
        assert (ann.role, ann.email_verified, ann.external_id) == (keyplate.Role.ADMINISTRATOR, True, "people/1")
        assert sign_in(kp, old, "nobody", password) is None
        assert sign_in(kp, old, "carol", "carol's password") is None, "disabled before the move"
        assert kp.find_user_by_username("carol") is None
        assert example["move"](kp, old, row("carol")).status == keyplate.UserStatus.DISABLED

        bob = sign_in(kp, old, "bob", password)
        assert bob.user.username == "bob" and not bob.user.email_verified
        kp.disable_user(bob.user.id)
        with pytest.raises(keyplate.AccountDisabled):
            sign_in(kp, old, "bob", password)
        kp.enable_user(bob.user.id)
        session = sign_in(kp, old, "bob", password).secret.reveal()

        begun = kp.acting_as(kp.authenticate(session).principal).begin_passkey_registration()
        spoiled = browser("register", tmp_path / "other.json", begun.options, spoils=["challenge"])
        with pytest.raises(keyplate.PasskeyCeremonyFailed):
            register(kp, old, session, begun.ceremony, spoiled)
        assert row("bob")["hash"] is not None, "without a passkey the password stays"

        kept = (row("bob")["salt"], row("bob")["hash"])
        begun = kp.acting_as(kp.authenticate(session).principal).begin_passkey_registration()
        done = register(kp, old, session, begun.ceremony, browser("register", phone, begun.options))
        assert row("bob")["hash"] is None and done.signed_in is not None
        assert sign_in(kp, old, "bob", password) is None
        login = kp.begin_passkey_login()
        by_passkey = kp.finish_passkey_login(login.ceremony, browser("authenticate", phone, login.options, ORIGIN))
        assert by_passkey.user.id == bob.user.id

        # The application stopped after the passkey and before the password was dropped.
        old.execute("UPDATE people SET salt = ?, hash = ? WHERE name = 'bob'", kept)
        assert sign_in(kp, old, "bob", password) is None
        assert row("bob")["hash"] is None

        # Whom an administrator has deleted since, the old password does not make again.
        old.execute("UPDATE people SET salt = ?, hash = ? WHERE name = 'bob'", kept)
        kp.delete_user(bob.user.id)
        assert sign_in(kp, old, "bob", password) is None
        assert kp.find_user_by_username("bob") is None


def test_what_the_document_shows_is_in_the_example() -> None:
    document = (ROOT / "docs" / "migrate.md").read_text(encoding="utf-8")
    blocks = [part.split("```")[0] for part in document.split("```python\n")[1:]]
    assert blocks
    for block in blocks:
        assert block in (EXAMPLES / "migrate.py").read_text(encoding="utf-8"), block
