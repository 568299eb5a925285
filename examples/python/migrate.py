"""An application's own users and passwords move to passkeys, one at each sign-in: docs/migrate.md says why it is as it is.

Wants the package `keyplate` and nothing else: `python migrate.py` makes a table, signs people in, and prints what happened.
"""

import contextlib
import hashlib
import hmac
import json
import os
import sqlite3
import tempfile
from pathlib import Path

import keyplate

TABLE = """CREATE TABLE people (
    id INTEGER PRIMARY KEY, name TEXT UNIQUE NOT NULL, email TEXT, email_confirmed INTEGER NOT NULL DEFAULT 0,
    is_admin INTEGER NOT NULL DEFAULT 0, is_disabled INTEGER NOT NULL DEFAULT 0, salt BLOB, hash BLOB)"""
# What the move adds to it.
MOVED = "ALTER TABLE people ADD COLUMN moved INTEGER NOT NULL DEFAULT 0"


def scrypt(password: str, salt: bytes) -> bytes:
    return hashlib.scrypt(password.encode(), salt=salt, n=2**14, r=8, p=1)


def sign_in(
    kp: keyplate.Keyplate, old: sqlite3.Connection, name: str, password: str, address: str | None = None
) -> keyplate.SignedIn | None:
    """By name and password, as ever; who comes in has moved. None is a refusal. The application counts wrong passwords as
    it did: Keyplate never sees one."""
    person = old.execute("SELECT * FROM people WHERE name = ? AND hash IS NOT NULL", (name,)).fetchone()
    if person is None:
        scrypt(password, bytes(16))  # takes as long, so that nobody learns who is there
        return None
    if not hmac.compare_digest(scrypt(password, person["salt"]), person["hash"]) or person["is_disabled"]:
        return None
    user = move(kp, old, person)
    if user is None:
        return None
    if any(passkey.usable for passkey in kp.list_passkeys(user.id)):
        drop_password(old, user)  # the application stopped between the passkey and this
        return None
    return kp.create_session(user.id, address=address)


def move(kp: keyplate.Keyplate, old: sqlite3.Connection, person: sqlite3.Row) -> keyplate.User | None:
    """The user that this person is from now on; None if they were moved before and have been deleted since."""
    # By the application's own key: a name or an address may be somebody else's choice.
    key = f"people/{person['id']}"
    user = kp.find_user_by_external_id(key)
    if user is None:
        if person["moved"]:
            return None
        try:
            user = kp.create_user(
                username=person["name"],
                email=person["email"],
                email_verified=bool(person["email_confirmed"]),
                external_id=key,
                role=keyplate.Role.ADMINISTRATOR if person["is_admin"] else keyplate.Role.USER,
                status=keyplate.UserStatus.DISABLED if person["is_disabled"] else keyplate.UserStatus.ACTIVE,
            )
        except keyplate.Conflict:
            user = kp.find_user_by_external_id(key)  # another request by the same person was quicker
            if user is None:
                raise  # the name or the address is somebody else's
    with old:
        old.execute("UPDATE people SET moved = 1 WHERE id = ?", (person["id"],))
    return user


def register(
    kp: keyplate.Keyplate, old: sqlite3.Connection, session: str, ceremony: str, response: str
) -> keyplate.PasskeyRegistration:
    """The browser's answer to `begin_passkey_registration`. The new session is in `signed_in`; the password is over."""
    who = kp.authenticate(session)
    registration = kp.acting_as(who.principal).finish_passkey_registration(ceremony, response)
    drop_password(old, kp.get_user(who.user_id))
    return registration


def drop_password(old: sqlite3.Connection, user: keyplate.User) -> None:
    if user.external_id is not None and user.external_id.startswith("people/"):
        with old:
            number = int(user.external_id.removeprefix("people/"))
            old.execute("UPDATE people SET salt = NULL, hash = NULL WHERE id = ?", (number,))


def move_key(kp: keyplate.Keyplate, owner: str, name: str, scopes: list[str], secret: str) -> None:
    """An API key that other programs have goes on with the secret it has. Applied again, this changes nothing."""
    kp.bootstrap(json.dumps({"api_keys": [{"owner": owner, "name": name, "scopes": scopes, "secret": secret}]}))


def misfits(old: sqlite3.Connection) -> list[str]:
    """Who could not be moved, and why: a rehearsal in a file of its own."""
    found = []
    with tempfile.TemporaryDirectory() as folder:
        with keyplate.open(Path(folder, "rehearsal.db"), origin="http://localhost") as kp:
            for person in old.execute("SELECT * FROM people ORDER BY id"):
                try:
                    kp.create_user(username=person["name"], email=person["email"])
                except keyplate.KeyplateError as error:
                    found.append(f"{person['name']}: {error}")
    return found


def table(path: Path) -> sqlite3.Connection:
    """The table as an application may have it, in a file of its own: Keyplate's is opened by Keyplate only."""
    old = sqlite3.connect(path)
    old.row_factory = sqlite3.Row
    old.execute(TABLE)
    for name, email, confirmed, is_admin, is_disabled in [
        ("ann", "ann@mail.example", 1, 1, 0),
        ("bob", "bob@mail.example", 0, 0, 0),
        ("carol", None, 0, 0, 1),
        ("dave the cook", None, 0, 0, 0),
    ]:
        salt = os.urandom(16)
        values = (name, email, confirmed, is_admin, is_disabled, salt, scrypt(f"{name}'s password", salt))
        old.execute(
            """INSERT INTO people (name, email, email_confirmed, is_admin, is_disabled, salt, hash)
                VALUES (?, ?, ?, ?, ?, ?, ?)""",
            values,
        )
    old.execute(MOVED)
    old.commit()
    return old


def main() -> None:
    with (
        tempfile.TemporaryDirectory() as folder,
        contextlib.closing(table(Path(folder, "old.db"))) as old,
        keyplate.open(Path(folder, "id.db"), origin="https://media.example") as kp,
    ):
        print("must be renamed first:", misfits(old))
        for name, password in [("ann", "ann's password"), ("ann", "a guess"), ("carol", "carol's password")]:
            signed_in = sign_in(kp, old, name, password)
            print(f"{name}, {password}:", "refused" if signed_in is None else signed_in.user.role)
        again = sign_in(kp, old, "ann", "ann's password")
        assert again is not None and kp.list_users().total == 1, "the same user, not a second one"
        ann = kp.acting_as(kp.authenticate(again.secret.reveal()).principal)
        try:
            ann.set_user_role(again.user.id, keyplate.Role.USER)
        except keyplate.StepUpRequired:
            print("a password is no passkey: ann may not change roles with it")
        print("for Ann's browser:", ann.begin_passkey_registration().options[:40], "…")
        secret = "the-secret-that-the-backup-has-had-for-years"
        move_key(kp, "ann", "backup", ["library:read"], secret)
        print("the old key is", kp.verify_api_key(secret).username + "'s")


if __name__ == "__main__":
    main()
