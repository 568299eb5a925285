"""Changes of the authenticator data's fixed part and extensions (section 6.1), for either ceremony."""

import struct
from collections.abc import Callable

from . import cbor
from .answer import AT, BE, BS, ED, ORIGIN, RESERVED_1, RESERVED_2, UP, UV, Answer, Change, Kind, sha256
from .keys import p256

Apply = Callable[[Answer], None]


def flags(on: int = 0, off: int = 0) -> Apply:
    def apply(answer: Answer) -> None:
        answer.flags = answer.flags & ~off | on

    return apply


def rp_id(value: str) -> Apply:
    return lambda answer: setattr(answer, "rp_id_hash", sha256(value.encode()))


def extensions(value: bytes, with_flag: bool = True) -> Apply:
    def apply(answer: Answer) -> None:
        answer.extensions = value
        answer.flags |= ED if with_flag else 0

    return apply


def written(step: Callable[[bytes], bytes]) -> Apply:
    return lambda answer: answer.data_steps.append(step)


def credential(has: bool, flag: bool) -> Apply:
    """The attested credential data and its flag, whether they belong together or not."""

    def apply(answer: Answer) -> None:
        answer.has_credential = has
        answer.flags = answer.flags | AT if flag else answer.flags & ~AT

    return apply


def credential_in_sign_in(answer: Answer) -> None:
    """As of a registration, with the same credential."""
    answer.flags |= AT
    key = cbor.mapping(p256(7).members)
    attested = bytes(16) + struct.pack(">H", len(answer.credential_id)) + answer.credential_id + key
    answer.data_steps.insert(0, lambda data: data[:37] + attested + data[37:])


def changes(kind: Kind) -> list[Change]:
    section, first = ("7.1", 14) if kind == "registration" else ("7.2", 15)
    rp_step, presence, verification, backup = (f"{section} step {first + number}" for number in range(4))
    known = cbor.mapping([(cbor.text("minPinLength"), cbor.integer(4))])
    twice = cbor.mapping([(cbor.text("a"), cbor.integer(1)), (cbor.text("a"), cbor.integer(2))])
    long_head = cbor.head(cbor.MAP, 1, 1) + known[1:]
    canonical = "6.1: CTAP2 canonical CBOR, which no step verifies"
    table: list[tuple[str, str, str, str, Apply]] = [
        ("rp-id-of-somebody-else", "rp", "refuse", rp_step, rp_id("evil.example")),
        ("rp-id-of-a-parent", "rp", "refuse", rp_step, rp_id("example")),
        ("rp-id-an-origin", "rp", "refuse", rp_step, rp_id(ORIGIN)),
        ("rp-id-hash-of-zeros", "rp", "refuse", rp_step, lambda answer: setattr(answer, "rp_id_hash", bytes(32))),
        ("user-not-present", "up", "refuse", presence, flags(off=UP)),
        ("user-not-verified", "uv", "refuse", verification, flags(off=UV)),
        ("backup-eligible", "backup", "accept", backup, flags(on=BE)),
        ("backed-up", "backup", "accept", backup, flags(on=BE | BS)),
        ("backed-up-but-not-eligible", "backup", "refuse", backup, flags(on=BS)),
        ("first-reserved-flag", "reserved", "accept", "6.1: reserved for future use", flags(on=RESERVED_1)),
        ("second-reserved-flag", "reserved", "accept", "6.1: reserved for future use", flags(on=RESERVED_2)),
        ("extension-known", "extensions", "accept", "6.1; 9.5", extensions(known)),
        ("extension-map-empty", "extensions", "accept", "6.1", extensions(cbor.mapping([]))),
        ("extension-flag-without-data", "extensions", "refuse", "6.1", extensions(b"")),
        ("extension-data-without-flag", "extensions", "refuse", "6.1", extensions(known, with_flag=False)),
        ("extensions-a-list", "extensions", "refuse", "6.1: a CBOR map", extensions(cbor.array([cbor.integer(1)]))),
        ("extensions-a-number", "extensions", "refuse", "6.1: a CBOR map", extensions(cbor.integer(1))),
        (
            "extension-named-by-number",
            "extensions",
            "either",
            "9.1: identifiers are strings; no step verifies it",
            extensions(cbor.mapping([(cbor.integer(1), cbor.TRUE)])),
        ),
        ("extension-twice", "extensions", "either", "RFC 8949, section 5.6", extensions(twice)),
        ("extension-map-with-long-head", "extensions", "either", canonical, extensions(long_head)),
        (
            "extension-map-of-no-length",
            "extensions",
            "either",
            canonical,
            extensions(cbor.indefinite([(cbor.text("minPinLength"), cbor.integer(4))])),
        ),
        (
            "extension-of-500-levels",
            "extensions",
            "either",
            "CTAP 2.2, section 8: four levels; no step verifies it",
            extensions(cbor.mapping([(cbor.text("deep"), b"\x81" * 500 + cbor.NULL)])),
        ),
        ("extension-map-cut-off", "extensions", "refuse", "6.1", extensions(known[:-1])),
        ("data-with-byte-behind", "tail", "refuse", "6.1", written(lambda data: data + b"\x00")),
        ("data-with-map-behind", "tail", "refuse", "6.1", written(lambda data: data + cbor.mapping([]))),
        ("data-of-36-bytes", "tail", "refuse", "6.1", written(lambda data: data[:36])),
        ("data-empty", "tail", "refuse", "6.1", written(lambda data: b"")),
    ]
    if kind == "registration":
        table += [
            ("credential-without-flag", "attested", "refuse", "6.1", credential(True, False)),
            ("flag-without-credential", "attested", "refuse", "6.1", credential(False, True)),
            ("no-credential", "attested", "refuse", "7.1 step 20; 6.5.1", credential(False, False)),
            ("data-cut-off", "tail", "refuse", "6.1", written(lambda data: data[:-1])),
            ("counter-of-one", "counter", "accept", "6.1.1", lambda answer: setattr(answer, "counter", 1)),
            ("counter-near-its-end", "counter", "accept", "6.1.1", lambda answer: setattr(answer, "counter", 2**32 - 2)),
        ]
    else:
        table += [
            ("flag-without-credential", "attested", "refuse", "6.1", flags(on=AT)),
            ("credential-in-sign-in", "attested", "either", "6.1: no step verifies it", credential_in_sign_in),
            ("counter-the-same", "counter", "refuse", "7.2 step 22", lambda answer: setattr(answer, "counter", 7)),
            ("counter-gone-back", "counter", "refuse", "7.2 step 22", lambda answer: setattr(answer, "counter", 3)),
            ("counter-gone", "counter", "refuse", "7.2 step 22", lambda answer: setattr(answer, "counter", 0)),
            ("counter-far-ahead", "counter", "accept", "7.2 step 22", lambda answer: setattr(answer, "counter", 2**32 - 1)),
        ]
    return [Change(name, f"data.{place}", standard, by, apply) for name, place, standard, by, apply in table]
