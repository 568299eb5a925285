"""Changes of the JSON around an answer (section 5.1: RegistrationResponseJSON, AuthenticationResponseJSON)."""

import json
from collections.abc import Callable
from typing import Any

from .answer import Answer, Change, Kind, base64url

Apply = Callable[[Answer], None]
Members = dict[str, Any]

MISSING = object()


def top(name: str, value: Any) -> Apply:
    return members(lambda found: put(found, name, value))


def inner(name: str, value: Any) -> Apply:
    """Of the member `response`."""
    return in_response(lambda found: put(found, name, value))


def spelled(name: str, step: Callable[[str], str]) -> Apply:
    """Another spelling of bytes in `response`."""

    def change(found: Members) -> None:
        if isinstance(found.get(name), str):
            found[name] = step(found[name])

    return in_response(change)


def members(change: Callable[[Members], None]) -> Apply:
    return lambda answer: answer.members_steps.append(change)


def in_response(change: Callable[[Members], None]) -> Apply:
    """Where another change has left no response, there is nothing to change."""

    def apply(found: Members) -> None:
        if isinstance(found.get("response"), dict):
            change(found["response"])

    return members(apply)


def text(step: Callable[[str], str]) -> Apply:
    return lambda answer: answer.text_steps.append(step)


def put(found: Members, name: str, value: Any) -> None:
    if value is MISSING:
        found.pop(name, None)
    else:
        found[name] = value


def padded(value: str) -> str:
    return value + "=" * (-len(value) % 4 or 4)


def padded_client_data(answer: Answer) -> None:
    """With blanks behind it, if it would not want padding."""
    answer.client_steps.append(lambda data: data if len(data) % 3 else data + b" ")
    spelled("clientDataJSON", padded)(answer)


def in_base64(value: str) -> str:
    changed = value.replace("-", "+").replace("_", "/")
    assert changed != value, "nothing in these bytes tells the two alphabets apart"
    return changed


def ids(own: Callable[[str], str], raw: Callable[[str], str]) -> Apply:
    def apply(answer: Answer) -> None:
        value = base64url(answer.credential_id)
        answer.id, answer.raw_id = own(value), raw(value)

    return apply


def same(value: str) -> str:
    return value


def other(value: str) -> str:
    return base64url(b"another credential of 32 bytes..")


def changes(kind: Kind) -> list[Change]:
    dictionary = "5.1: the shape of the JSON; no step verifies it"
    required = "5.1: a required member"
    letters = "3: Base64url Encoding; no step verifies it"
    unnamed = "5.1: further members are no error"
    hint = "5.1: a hint; no step verifies it"
    identity = "5.1: id is rawId in base64url"
    elsewhere = ("either", "6.5.1; no step compares them") if kind == "registration" else ("refuse", "7.2 step 6")
    table: list[tuple[str, str, str, str, Apply]] = [
        ("id-missing", "id", "refuse", required, top("id", MISSING)),
        ("raw-id-missing", "id", "refuse", required, top("rawId", MISSING)),
        ("id-null", "id", "refuse", required, top("id", None)),
        ("id-a-number", "id", "refuse", required, top("id", 1)),
        ("id-of-another-credential", "id", "refuse", identity, ids(other, same)),
        ("raw-id-of-another-credential", "id", "refuse", identity, ids(same, other)),
        ("both-ids-of-another-credential", "id", *elsewhere, ids(other, other)),
        ("both-ids-padded", "id", "either", letters, ids(padded, padded)),
        ("both-ids-empty", "id", "refuse", identity, ids(lambda _: "", lambda _: "")),
        ("kind-other", "kind", "refuse", '5.1: "public-key"', top("type", "password")),
        ("kind-missing", "kind", "refuse", required, top("type", MISSING)),
        ("kind-null", "kind", "refuse", required, top("type", None)),
        ("response-missing", "response", "refuse", required, top("response", MISSING)),
        ("response-null", "response", "refuse", required, top("response", None)),
        ("response-a-list", "response", "refuse", required, top("response", [])),
        ("response-of-values-in-a-list", "response", "refuse", dictionary, members(response_in_a_list)),
        ("client-data-missing", "client", "refuse", required, inner("clientDataJSON", MISSING)),
        ("client-data-null", "client", "refuse", required, inner("clientDataJSON", None)),
        ("client-data-padded", "client", "either", letters, padded_client_data),
        (
            "client-data-with-line-break",
            "client",
            "either",
            letters,
            spelled("clientDataJSON", lambda it: f"{it[:40]}\n{it[40:]}"),
        ),
        (
            "client-data-with-star",
            "client",
            "either",
            letters,
            spelled("clientDataJSON", lambda it: f"{it[:40]}*{it[40:]}"),
        ),
        ("attachment-unknown", "attachment", "either", hint, top("authenticatorAttachment", "in-between")),
        ("attachment-null", "attachment", "accept", hint, top("authenticatorAttachment", None)),
        ("attachment-missing", "attachment", "accept", hint, top("authenticatorAttachment", MISSING)),
        ("attachment-a-number", "attachment", "either", hint, top("authenticatorAttachment", 1)),
        ("results-missing", "results", "either", dictionary, top("clientExtensionResults", MISSING)),
        ("results-null", "results", "either", dictionary, top("clientExtensionResults", None)),
        ("results-a-list", "results", "either", dictionary, top("clientExtensionResults", [])),
        (
            "results-unknown",
            "results",
            "accept",
            "9: outputs nobody asked for may be ignored",
            top("clientExtensionResults", {"new": 1}),
        ),
        ("members-unknown", "unknown", "accept", unnamed, top("more", {"than": ["that"]})),
        ("members-unknown-in-response", "unknown", "accept", unnamed, inner("more", 1.5)),
        ("members-of-70000-letters", "unknown", "either", "RFC 8259, section 9", top("more", "x" * 70_000)),
        ("json-with-blanks", "text", "accept", "RFC 8259, section 2", text(lambda it: f"\r\n\t {it} \n")),
        ("json-with-text-behind", "text", "refuse", "RFC 8259, section 2", text(lambda it: it + "x")),
        ("json-cut-off", "text", "refuse", "RFC 8259, section 2", text(lambda it: it[:-1])),
        ("json-in-a-list", "text", "refuse", dictionary, text(lambda it: f"[{it}]")),
        ("json-of-values-in-a-list", "text", "refuse", dictionary, text(values_in_a_list)),
        ("json-in-a-string", "text", "refuse", dictionary, text(lambda it: '"{}"')),
        ("json-with-byte-order-mark", "text", "either", "RFC 8259, section 8.1", text(lambda it: "\ufeff" + it)),
        ("json-with-comment", "text", "refuse", "RFC 8259, section 2", text(lambda it: it[:-1] + "/* */}")),
        (
            "json-with-kind-twice",
            "kind",
            "either",
            "RFC 8259, section 4",
            text(lambda it: it[:-1] + ', "type": "public-key"}'),
        ),
        ("json-with-not-a-number", "text", "refuse", "RFC 8259, section 6", text(lambda it: it[:-1] + ', "more": NaN}')),
        (
            "json-with-escapes",
            "text",
            "accept",
            "RFC 8259, section 7",
            text(lambda it: it.replace("public-key", "public\\u002dkey")),
        ),
    ]
    if kind == "registration":
        table += [
            ("object-missing", "object", "refuse", required, inner("attestationObject", MISSING)),
            ("object-null", "object", "refuse", required, inner("attestationObject", None)),
            ("object-padded", "object", "either", letters, spelled("attestationObject", padded)),
            ("object-in-base64", "object", "either", letters, spelled("attestationObject", in_base64)),
            ("transports-missing", "transports", "accept", hint, inner("transports", MISSING)),
            ("transports-null", "transports", "either", dictionary, inner("transports", None)),
            ("transports-unknown", "transports", "accept", "5.2.1: unknown values SHOULD be stored", inner("transports", ["usb", "telepathy"])),
            ("transports-with-number", "transports", "either", dictionary, inner("transports", ["usb", 5])),
            ("transports-a-string", "transports", "either", dictionary, inner("transports", "usb")),
            ("not-discoverable", "results", "refuse", "10.1.3, as a discoverable one is required", top("clientExtensionResults", {"credProps": {"rk": False}})),
            ("discoverable-by-word", "results", "either", dictionary, top("clientExtensionResults", {"credProps": {"rk": "yes"}})),
            ("properties-null", "results", "either", dictionary, top("clientExtensionResults", {"credProps": None})),
            ("convenience-members-wrong", "convenience", "accept", "5.2.1.1: made from the attestation object", in_response(convenience)),
        ]  # fmt: skip
    else:
        table += [
            ("data-missing", "data", "refuse", required, inner("authenticatorData", MISSING)),
            ("data-null", "data", "refuse", required, inner("authenticatorData", None)),
            ("data-padded", "data", "either", letters, spelled("authenticatorData", padded)),
            ("data-in-base64", "data", "either", letters, spelled("authenticatorData", in_base64)),
            ("signature-missing", "signature", "refuse", required, inner("signature", MISSING)),
            ("signature-null", "signature", "refuse", required, inner("signature", None)),
            ("signature-padded", "signature", "either", letters, spelled("signature", padded)),
            ("signature-in-base64", "signature", "either", letters, spelled("signature", in_base64)),
            ("attestation-in-sign-in", "attestation", "accept", unnamed, inner("attestationObject", "oA")),
        ]
    return [
        Change(f"json-{name}" if not name.startswith("json-") else name, f"json.{place}", standard, by, apply)
        for name, place, standard, by, apply in table
    ]


def response_in_a_list(found: Members) -> None:
    """The values alone, in the order of the dictionary: some readers take it for the dictionary."""
    found["response"] = list(found.get("response", {}).values())


def values_in_a_list(value: str) -> str:
    found = json.loads(value)
    return json.dumps([found.get(name) for name in ("id", "rawId", "type", "response", "clientExtensionResults")])


def convenience(found: Members) -> None:
    found |= {"publicKey": "AAAA", "publicKeyAlgorithm": -8, "authenticatorData": "AAAA"}
