"""The software authenticator and its browser: a genuine answer in parts, put together after they were changed.

What signs, signs what was changed, so a refusal is of the change and not of a broken signature.
"""

import base64
import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

from . import cbor
from .keys import Key, p256

RP_ID = "media.example"
ORIGIN = f"https://{RP_ID}"
UP, RESERVED_1, UV, BE, BS, RESERVED_2, AT, ED = (1 << bit for bit in range(8))

Kind = Literal["registration", "sign-in"]
BytesStep = Callable[[bytes], bytes]
TextStep = Callable[[str], str]
Text = TypeVar("Text", str, bytes)


def base64url(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).decode().rstrip("=")


def from_base64url(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def sha256(value: bytes) -> bytes:
    return hashlib.sha256(value).digest()


class Answer:
    """An answer to a ceremony of one kind, in parts that may be changed before `text` puts them together."""

    def __init__(self, kind: Kind, challenge: str, user_handle: bytes, credential_id: bytes, key: Key, counter: int):
        registers = kind == "registration"
        self.kind = kind
        self.key = key
        # Whose key signs, and in which way: of a sign-in, and of a self-attestation.
        self.sign = key.sign
        # Members of the client data by name, each as JSON text, in the order in which browsers write them.
        self.client = [
            ("type", '"webauthn.create"' if registers else '"webauthn.get"'),
            ("challenge", json.dumps(challenge)),
            ("origin", json.dumps(ORIGIN)),
            ("crossOrigin", "false"),
        ]
        self.client_steps: list[BytesStep] = []
        self.rp_id_hash = sha256(RP_ID.encode())
        self.flags = UP | UV | (AT if registers else 0)
        self.counter = counter
        self.aaguid = bytes(16)
        self.credential_id = credential_id
        self.credential_id_length: int | None = None
        self.key_step: Callable[[Key], bytes] = lambda key: cbor.mapping(key.members)
        self.has_credential = registers
        self.extensions = b""
        self.data_steps: list[BytesStep] = []
        self.format = cbor.text("none")
        self.statement: Callable[[bytes, bytes], bytes] = lambda data, client_hash: cbor.mapping([])
        self.wrapped: Callable[[bytes], bytes] = cbor.data
        self.object_step: Callable[[list[tuple[bytes, bytes]]], bytes] = cbor.mapping
        self.object_steps: list[BytesStep] = []
        self.signature_steps: list[BytesStep] = []
        self.user_handle = user_handle
        # Both of the answer itself, where nothing changes them.
        self.id: str | None = None
        self.raw_id: str | None = None
        # Changes of the JSON: of its members, then of its text.
        self.members_steps: list[Callable[[dict[str, Any]], None]] = []
        self.text_steps: list[TextStep] = []

    def set_client(self, name: str, value: str | None) -> None:
        """Another value of a member, as JSON text; a further member at the end; or none."""
        if value is None:
            self.client = [member for member in self.client if member[0] != name]
        elif name in dict(self.client):
            self.client = [(member, value if member == name else was) for member, was in self.client]
        else:
            self.client.append((name, value))

    def text(self) -> str:
        client_data = ("{" + ",".join(f'"{name}":{value}' for name, value in self.client) + "}").encode()
        client_data = stepped(client_data, self.client_steps)
        data = self.authenticator_data()
        response: dict[str, Any] = {"clientDataJSON": base64url(client_data)}
        if self.kind == "registration":
            response["attestationObject"] = base64url(self.attestation_object(data, sha256(client_data)))
            response["transports"] = ["internal", "hybrid"]
        else:
            signature = stepped(self.signed(data + sha256(client_data)), self.signature_steps)
            response["authenticatorData"] = base64url(data)
            response["signature"] = base64url(signature)
            response["userHandle"] = base64url(self.user_handle)
        own = base64url(self.credential_id)
        members: dict[str, Any] = {
            "id": own if self.id is None else self.id,
            "rawId": own if self.raw_id is None else self.raw_id,
            "type": "public-key",
            "authenticatorAttachment": "platform",
            "clientExtensionResults": {"credProps": {"rk": True}} if self.kind == "registration" else {},
            "response": response,
        }
        for change in self.members_steps:
            change(members)
        return stepped(json.dumps(members, ensure_ascii=False), self.text_steps)

    def signed(self, message: bytes) -> bytes:
        """A signature whose base64 has both padding and a letter in which it differs from base64url, so that changes of
        these always change something."""
        assert self.sign, "a key that signs in has a private one"
        for _ in range(100):
            signature = self.sign(message)
            if len(signature) % 3 and set("-_") & set(base64url(signature)):
                break
        return signature

    def authenticator_data(self) -> bytes:
        data = self.rp_id_hash + bytes([self.flags]) + self.counter.to_bytes(4, "big")
        if self.has_credential:
            length = len(self.credential_id) if self.credential_id_length is None else self.credential_id_length
            data += self.aaguid + length.to_bytes(2, "big") + self.credential_id + self.key_step(self.key)
        return stepped(data + self.extensions, self.data_steps)

    def attestation_object(self, data: bytes, client_hash: bytes) -> bytes:
        members = [
            (cbor.text("fmt"), self.format),
            (cbor.text("attStmt"), self.statement(data, client_hash)),
            (cbor.text("authData"), self.wrapped(data)),
        ]
        return stepped(self.object_step(members), self.object_steps)


def stepped(value: Text, steps: list[Callable[[Text], Text]]) -> Text:
    for step in steps:
        value = step(value)
    return value


@dataclass(frozen=True)
class Change:
    """One kind of change of an answer, and what the standard has a relying party of our policy do with it."""

    name: str
    # Two changes at the same place are no pair: the second would undo the first.
    place: str
    # "accept", "refuse", or "either" where no sentence decides.
    standard: str
    # The sentence: of WebAuthn Level 3 where nothing else is named.
    by: str
    apply: Callable[[Answer], None]


def other_key() -> Key:
    """A key of nobody."""
    return p256(999)
