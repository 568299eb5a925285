"""Changes of the client data (WebAuthn Level 3, section 5.8.1), for either ceremony."""

import json
from collections.abc import Callable

from .answer import ORIGIN, RP_ID, Answer, Change, Kind

# The numbers of the same steps in sections 7.1 and 7.2.
STEPS = {
    "registration": {"decode": 5, "parse": 6, "type": 7, "challenge": 8, "origin": 9, "cross": 10, "top": 11},
    "sign-in": {"decode": 8, "parse": 9, "type": 10, "challenge": 11, "origin": 12, "cross": 13, "top": 14},
}

Apply = Callable[[Answer], None]


def member(name: str, value: str | None) -> Apply:
    return lambda answer: answer.set_client(name, value)


def origin(value: str) -> Apply:
    return member("origin", json.dumps(value))


def encoded(step: Callable[[bytes], bytes]) -> Apply:
    return lambda answer: answer.client_steps.append(step)


def of_challenge(step: Callable[[str], str]) -> Apply:
    """Another spelling of the right challenge, which has a letter in which base64 and base64url differ."""

    def apply(answer: Answer) -> None:
        answer.set_client("challenge", step(dict(answer.client)["challenge"]))

    return apply


def cross_origin(value: str, top: str | None = None) -> Apply:
    def apply(answer: Answer) -> None:
        answer.set_client("crossOrigin", value)
        if top is not None:
            answer.set_client("topOrigin", json.dumps(top))

    return apply


def twice(name: str, value: str, last: bool) -> Apply:
    """A second member of the name before or behind the genuine one."""

    def apply(answer: Answer) -> None:
        answer.client.insert(len(answer.client) if last else 0, (name, value))

    return apply


def values_in_a_list(data: bytes) -> bytes:
    """The values alone, in the order of the dictionary: some readers take it for the dictionary."""
    try:
        return json.dumps(list(json.loads(data).values())).encode()
    except ValueError:
        return b"[" + data + b"]"


def changes(kind: Kind) -> list[Change]:
    section = "7.1" if kind == "registration" else "7.2"

    def step(name: str) -> str:
        return f"{section} step {STEPS[kind][name]}"

    other = "webauthn.get" if kind == "registration" else "webauthn.create"
    own = "webauthn.create" if kind == "registration" else "webauthn.get"
    table: list[tuple[str, str, str, str, Apply]] = [
        ("type-of-other-ceremony", "type", "refuse", step("type"), member("type", json.dumps(other))),
        ("type-missing", "type", "refuse", step("type"), member("type", None)),
        ("type-null", "type", "refuse", step("type"), member("type", "null")),
        ("type-in-capitals", "type", "refuse", step("type"), member("type", json.dumps(own.upper()))),
        ("type-with-escape", "type", "accept", step("parse"), member("type", json.dumps(own).replace(".", "\\u002e"))),
        ("type-twice-wrong-last", "type", "either", "RFC 8259, section 4", twice("type", json.dumps(other), True)),
        ("type-twice-wrong-first", "type", "either", "RFC 8259, section 4", twice("type", json.dumps(other), False)),
        ("challenge-of-another-ceremony", "challenge", "refuse", step("challenge"), member("challenge", f'"{"A" * 43}"')),
        ("challenge-missing", "challenge", "refuse", step("challenge"), member("challenge", None)),
        ("challenge-empty", "challenge", "refuse", step("challenge"), member("challenge", '""')),
        ("challenge-null", "challenge", "refuse", step("challenge"), member("challenge", "null")),
        ("challenge-a-number", "challenge", "refuse", step("challenge"), member("challenge", "1")),
        (
            "challenge-padded",
            "challenge",
            "refuse",
            step("challenge"),
            of_challenge(lambda text: text.removesuffix('"') + '="'),
        ),
        (
            "challenge-in-base64",
            "challenge",
            "refuse",
            step("challenge"),
            of_challenge(lambda text: text.replace("-", "+").replace("_", "/")),
        ),
        (
            "challenge-with-blank-behind",
            "challenge",
            "refuse",
            step("challenge"),
            of_challenge(lambda text: text.removesuffix('"') + ' "'),
        ),
        (
            "challenge-with-other-spare-bits",
            "challenge",
            "refuse",
            step("challenge"),
            of_challenge(lambda text: text[:-2] + chr(ord(text[-2]) + 1) + '"'),
        ),
        ("origin-of-somebody-else", "origin", "refuse", step("origin"), origin("https://evil.example")),
        ("origin-of-a-subdomain", "origin", "refuse", step("origin"), origin(f"https://www.{RP_ID}")),
        ("origin-with-our-name-in-front", "origin", "refuse", step("origin"), origin(f"{ORIGIN}.evil.example")),
        ("origin-with-other-port", "origin", "refuse", step("origin"), origin(f"{ORIGIN}:8443")),
        ("origin-without-tls", "origin", "refuse", step("origin"), origin(f"http://{RP_ID}")),
        ("origin-with-default-port", "origin", "refuse", step("origin"), origin(f"{ORIGIN}:443")),
        ("origin-with-slash", "origin", "refuse", step("origin"), origin(f"{ORIGIN}/")),
        ("origin-in-capitals", "origin", "refuse", step("origin"), origin("https://MEDIA.example")),
        ("origin-null", "origin", "refuse", step("origin"), member("origin", "null")),
        ("origin-missing", "origin", "refuse", step("origin"), member("origin", None)),
        ("origin-in-a-list", "origin", "refuse", step("origin"), member("origin", json.dumps([ORIGIN]))),
        (
            "origin-with-escapes",
            "origin",
            "accept",
            step("parse"),
            member("origin", json.dumps(ORIGIN).replace("/", "\\/")),
        ),
        ("cross-origin", "frame", "refuse", step("cross"), cross_origin("true")),
        ("cross-origin-missing", "frame", "accept", step("cross"), member("crossOrigin", None)),
        ("cross-origin-null", "frame", "accept", step("cross"), cross_origin("null")),
        ("cross-origin-a-string", "frame", "either", "5.8.1: a Boolean", cross_origin('"true"')),
        ("cross-origin-with-top-origin", "frame", "refuse", step("cross"), cross_origin("true", "https://evil.example")),
        ("top-origin-alone", "frame", "refuse", step("top"), cross_origin("false", "https://evil.example")),
        ("top-origin-null", "frame", "either", "5.8.1: a string", member("topOrigin", "null")),
        (
            "member-unknown",
            "unknown",
            "accept",
            "5.8.1: tolerant of unknown keys",
            member("other_keys_can_be_added", '"here"'),
        ),
        ("member-of-500-levels", "unknown", "either", "RFC 8259, section 9", member("deep", "[" * 500 + "]" * 500)),
        ("member-of-huge-number", "unknown", "either", "RFC 8259, section 6", member("huge", "1" + "0" * 400)),
        ("member-of-half-a-surrogate", "unknown", "either", "RFC 8259, section 8.2", member("half", '"\\ud800"')),
        ("member-not-a-number", "unknown", "refuse", "RFC 8259, section 6", member("number", "NaN")),
        (
            "token-binding-supported",
            "binding",
            "accept",
            "5.8.1: reserved",
            member("tokenBinding", '{"status":"supported"}'),
        ),
        (
            "token-binding-not-supported",
            "binding",
            "accept",
            "5.8.1: reserved",
            member("tokenBinding", '{"status":"not-supported"}'),
        ),
        ("token-binding-of-another-shape", "binding", "accept", "5.8.1: reserved", member("tokenBinding", '"unused"')),
        (
            "client-data-with-byte-order-mark",
            "bytes",
            "accept",
            step("decode"),
            encoded(lambda data: b"\xef\xbb\xbf" + data),
        ),
        (
            "client-data-not-utf-8",
            "bytes",
            "accept",
            step("decode"),
            encoded(lambda data: data.replace(b"}", b',"bytes":"\xff\xfe"}')),
        ),
        (
            "client-data-in-utf-16",
            "bytes",
            "refuse",
            step("decode"),
            encoded(lambda data: data.decode(errors="replace").encode("utf-16-le")),
        ),
        (
            "client-data-with-white-space",
            "bytes",
            "accept",
            step("parse"),
            encoded(lambda data: b" \r\n\t" + data + b"\n "),
        ),
        ("client-data-with-form-feed", "bytes", "refuse", "RFC 8259, section 2", encoded(lambda data: b"\x0c" + data)),
        ("client-data-with-zero-byte-behind", "bytes", "refuse", step("parse"), encoded(lambda data: data + b"\x00")),
        ("client-data-twice", "bytes", "refuse", step("parse"), encoded(lambda data: data + data)),
        ("client-data-with-comma-at-the-end", "bytes", "refuse", step("parse"), encoded(lambda data: data[:-1] + b",}")),
        ("client-data-cut-off", "bytes", "refuse", step("parse"), encoded(lambda data: data[:-1])),
        ("client-data-a-list", "bytes", "refuse", step("type"), encoded(lambda data: b"[" + data + b"]")),
        ("client-data-of-values-in-a-list", "bytes", "refuse", step("type"), encoded(values_in_a_list)),
        ("client-data-empty", "bytes", "refuse", step("parse"), encoded(lambda data: b"")),
    ]
    return [Change(name, f"client.{place}", standard, by, apply) for name, place, standard, by, apply in table]
