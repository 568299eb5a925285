"""Keyplate as a judge: each ceremony is begun and finished by the library itself, through its Python face.

A ceremony's challenge and a user's handle are random, so they are asked for here, before an answer is made.
"""

import json
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

import keyplate
from generator import Answer, Change, Kind, base64url
from generator.answer import ORIGIN, from_base64url
from generator.keys import Key, p256

COUNTER = 7


@dataclass(frozen=True)
class Ceremony:
    """What the other judges need to know of a ceremony, and what Keyplate said."""

    kind: Kind
    answer: str
    challenge: str
    user_handle: str
    # Of a sign-in, what was registered.
    credential_id: str
    public_key: str
    ours: str

    def asked(self) -> str:
        """One line for a judge."""
        return json.dumps({"counter": COUNTER, **vars(self)})


class Judge:
    def __init__(self) -> None:
        self.folder = tempfile.TemporaryDirectory()
        self.kp = keyplate.open(Path(self.folder.name, "id.db"), origin=ORIGIN)
        self.kp.update_settings(
            signup_mode=keyplate.SignupMode.OPEN,
            open_signups_per_hour_in_all=100_000,
            # As the other two, which refuse a counter that goes back.
            counter_policy=keyplate.CounterPolicy.DENY,
        )
        self.number = 0

    def __enter__(self) -> "Judge":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.kp.close()
        self.folder.cleanup()

    def judge(self, kind: Kind, changes: Sequence[Change]) -> Ceremony:
        return self.register(changes) if kind == "registration" else self.sign_in(changes)

    def register(self, changes: Sequence[Change]) -> Ceremony:
        ceremony, challenge, handle = self.begun_signup()
        answer = self.answer("registration", challenge, handle, changes)
        text = answer.text()
        verdict = verdict_of(lambda: self.kp.finish_passkey_signup(ceremony, text))
        if verdict == "accept" and answer.sign:
            # What registers must sign in, or somebody has a passkey that never works.
            again = self.sign_in_with(answer.key, answer.credential_id, handle)
            verdict = verdict if again == "accept" else "registers what never signs in"
        return Ceremony("registration", text, challenge, base64url(handle), base64url(answer.credential_id), "", verdict)

    def sign_in(self, changes: Sequence[Change]) -> Ceremony:
        signup, signup_challenge, handle = self.begun_signup()
        ceremony, challenge = self.begun_login()
        answer = self.answer("sign-in", challenge, handle, changes)
        self.kp.finish_passkey_signup(
            signup, Answer("registration", signup_challenge, handle, answer.credential_id, answer.key, COUNTER).text()
        )
        text = answer.text()
        verdict = verdict_of(lambda: self.kp.finish_passkey_login(ceremony, text))
        return Ceremony(
            "sign-in",
            text,
            challenge,
            base64url(handle),
            base64url(answer.credential_id),
            base64url(answer.key.cose()),
            verdict,
        )

    def sign_in_with(self, key: Key, credential_id: bytes, handle: bytes) -> str:
        ceremony, challenge = self.begun_login()
        answer = Answer("sign-in", challenge, handle, credential_id, key, 2**32 - 1)
        return verdict_of(lambda: self.kp.finish_passkey_login(ceremony, answer.text()))

    def answer(self, kind: Kind, challenge: str, handle: bytes, changes: Sequence[Change]) -> Answer:
        credential_id = self.number.to_bytes(8, "big") * 4
        counter = COUNTER + 1 if kind == "sign-in" else 0
        answer = Answer(kind, challenge, handle, credential_id, p256(7), counter)
        for change in changes:
            change.apply(answer)
        return answer

    def begun_signup(self) -> tuple[str, str, bytes]:
        """A ceremony, its challenge and the handle of who is to be."""
        while True:
            self.number += 1
            begun = self.kp.begin_passkey_signup(username=f"user{self.number}")
            options = json.loads(begun.options)
            if tells_alphabets_apart(options["challenge"]) and tells_alphabets_apart(options["user"]["id"]):
                return begun.ceremony, options["challenge"], from_base64url(options["user"]["id"])

    def begun_login(self) -> tuple[str, str]:
        while True:
            begun = self.kp.begin_passkey_login()
            challenge = json.loads(begun.options)["challenge"]
            if tells_alphabets_apart(challenge):
                return begun.ceremony, challenge


def verdict_of(call: Callable[[], object]) -> str:
    try:
        call()
    except keyplate.PasskeyCeremonyFailed:
        return "refuse"
    except Exception as error:
        # A stranger must not be able to cause any other error.
        return f"fails with {type(error).__name__}: {error}"
    return "accept"


def tells_alphabets_apart(text: str) -> bool:
    """Base64url that would be another text in base64, so that the change which writes it so does change it."""
    return bool(set("-_") & set(text))
