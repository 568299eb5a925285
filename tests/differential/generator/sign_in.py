"""Changes of a sign-in's signature and user handle (sections 6.5.5 and 7.2)."""

from collections.abc import Callable
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature

from . import envelope
from .answer import Answer, Change, other_key, sha256
from .keys import Key, p256, p384, rsa2048

Apply = Callable[[Answer], None]
Signer = Callable[[bytes], bytes]

ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


def of(key: Callable[[], Key], signer: Callable[[Any], Signer] | None = None) -> Apply:
    """A credential of this key, which signs in this way."""

    def apply(answer: Answer) -> None:
        answer.key = key()
        answer.sign = signer(answer.key.private) if signer else answer.key.sign

    return apply


def signing(step: Callable[[bytes], bytes]) -> Apply:
    """The genuine key signs something else."""

    def apply(answer: Answer) -> None:
        sign = answer.sign
        assert sign
        answer.sign = lambda message: sign(step(message))

    return apply


def signature(step: Callable[[bytes], bytes]) -> Apply:
    return lambda answer: answer.signature_steps.append(step)


def numbers(step: Callable[[int, int], bytes]) -> Apply:
    """An ECDSA signature of the same r and s, or of others, in another form."""
    return signature(lambda der: step(*decode_dss_signature(der)))


def integer(value: bytes) -> bytes:
    return b"\x02" + bytes([len(value)]) + value


def minimal(number: int) -> bytes:
    return integer(number.to_bytes(number.bit_length() // 8 + 1, "big"))


def sequence(*items: bytes, tag: bytes = b"\x30") -> bytes:
    content = b"".join(items)
    return tag + bytes([len(content)]) + content


def raw(r: int, s: int, size: int = 32) -> bytes:
    return r.to_bytes(size, "big") + s.to_bytes(size, "big")


def ecdsa(digest: hashes.HashAlgorithm) -> Callable[[ec.EllipticCurvePrivateKey], Signer]:
    return lambda private: lambda message: private.sign(message, ec.ECDSA(digest))


def pkcs1(digest: hashes.HashAlgorithm) -> Callable[[rsa.RSAPrivateKey], Signer]:
    return lambda private: lambda message: private.sign(message, padding.PKCS1v15(), digest)


def pss(private: rsa.RSAPrivateKey) -> Signer:
    scheme = padding.PSS(padding.MGF1(hashes.SHA256()), 32)
    return lambda message: private.sign(message, scheme, hashes.SHA256())


def negative(answer: Answer) -> None:
    """An r whose first bit says, where no zero stands before it, that it is negative."""
    sign = answer.sign
    assert sign

    def until_high(message: bytes) -> bytes:
        while True:
            r, s = decode_dss_signature(sign(message))
            if r >> 255:
                return sequence(integer(r.to_bytes(32, "big")), minimal(s))

    answer.sign = until_high


def handle(value: Any) -> Apply:
    return envelope.inner("userHandle", value)


def own() -> Key:
    return p256(7)


def changes() -> list[Change]:
    valid = "7.2 step 21"
    der = "6.5.5: ASN.1 DER"
    owner = "7.2 step 6"
    letters = "3: Base64url Encoding; no step verifies it"
    rs256 = "RFC 8017, section 8.2.2"
    signatures: list[tuple[str, str, str, Apply]] = [
        ("signature-by-es384", "accept", valid, of(lambda: p384(8))),
        ("signature-by-rs256", "accept", valid, of(rsa2048)),
        ("signature-by-another-key", "refuse", valid, lambda answer: setattr(answer, "sign", other_key().sign)),
        ("signature-by-another-algorithm", "refuse", valid, lambda answer: setattr(answer, "sign", rsa2048().sign)),
        ("signature-of-other-bytes", "refuse", valid, signing(lambda message: message[:-1] + bytes([message[-1] ^ 1]))),
        ("signature-without-client-data", "refuse", valid, signing(lambda message: message[:-32])),
        ("signature-without-authenticator-data", "refuse", valid, signing(lambda message: message[-32:])),
        ("signature-of-hash", "refuse", valid, signing(sha256)),
        ("signature-empty", "refuse", der, signature(lambda der: b"")),
        ("signature-cut-off", "refuse", der, signature(lambda der: der[:-1])),
        ("signature-with-byte-behind", "refuse", der, signature(lambda der: der + b"\x00")),
        ("signature-of-bits-turned", "refuse", valid, signature(lambda der: der[:-1] + bytes([der[-1] ^ 1]))),
        ("signature-raw", "refuse", der, numbers(raw)),
        ("signature-with-high-s", "accept", valid, numbers(lambda r, s: encode_dss_signature(r, max(s, ORDER - s)))),
        ("signature-with-low-s", "accept", valid, numbers(lambda r, s: encode_dss_signature(r, min(s, ORDER - s)))),
        ("signature-with-r-zero", "refuse", valid, numbers(lambda r, s: encode_dss_signature(0, s))),
        ("signature-with-s-zero", "refuse", valid, numbers(lambda r, s: encode_dss_signature(r, 0))),
        ("signature-with-r-and-order", "refuse", valid, numbers(lambda r, s: encode_dss_signature(r + ORDER, s))),
        ("signature-with-s-and-order", "refuse", valid, numbers(lambda r, s: encode_dss_signature(r, s + ORDER))),
        ("signature-with-negative-r", "refuse", der, negative),
        (
            "signature-with-zero-before-r",
            "refuse",
            der,
            numbers(lambda r, s: sequence(integer(bytes(2) + r.to_bytes(32, "big")), minimal(s))),
        ),
        ("signature-with-long-length", "refuse", der, signature(lambda der: der[:1] + b"\x81" + der[1:])),
        ("signature-of-no-length", "refuse", der, signature(lambda der: b"\x30\x80" + der[2:] + b"\0\0")),
        ("signature-with-third-number", "refuse", der, numbers(lambda r, s: sequence(minimal(r), minimal(s), minimal(1)))),
        ("signature-a-set", "refuse", der, numbers(lambda r, s: sequence(minimal(r), minimal(s), tag=b"\x31"))),
        ("signature-es256-with-sha384", "refuse", valid, of(own, ecdsa(hashes.SHA384()))),
        ("signature-es384-with-sha256", "refuse", valid, of(lambda: p384(8), ecdsa(hashes.SHA256()))),
        ("signature-rs256-with-pss", "refuse", rs256, of(rsa2048, pss)),
        ("signature-rs256-with-sha1", "refuse", rs256, of(rsa2048, pkcs1(hashes.SHA1()))),
        ("signature-rs256-with-sha512", "refuse", rs256, of(rsa2048, pkcs1(hashes.SHA512()))),
        ("signature-rs256-with-zero-before", "refuse", rs256, both(of(rsa2048), signature(lambda rsa: b"\0" + rsa))),
        ("signature-rs256-with-byte-behind", "refuse", rs256, both(of(rsa2048), signature(lambda rsa: rsa + b"\0"))),
        ("signature-rs256-cut-off", "refuse", rs256, both(of(rsa2048), signature(lambda rsa: rsa[:-1]))),
    ]
    handles: list[tuple[str, str, str, Apply]] = [
        ("handle-missing", "refuse", owner, handle(envelope.MISSING)),
        ("handle-null", "refuse", owner, handle(None)),
        ("handle-empty", "refuse", owner, handle("")),
        ("handle-of-somebody-else", "refuse", owner, handle("c29tZWJvZHkgZWxzZSdzIGhhbmRsZSwgMzIgYnl0ZXM")),
        ("handle-of-65-bytes", "refuse", owner, handle("A" * 87)),
        ("handle-a-number", "refuse", owner, handle(1)),
        ("handle-cut-off", "refuse", owner, envelope.spelled("userHandle", lambda value: value[:-4])),
        ("handle-padded", "either", letters, envelope.spelled("userHandle", envelope.padded)),
        ("handle-in-base64", "either", letters, envelope.spelled("userHandle", envelope.in_base64)),
    ]
    placed = [("signature", row) for row in signatures] + [("handle", row) for row in handles]
    return [Change(name, place, standard, by, apply) for place, (name, standard, by, apply) in placed]


def both(first: Apply, second: Apply) -> Apply:
    def apply(answer: Answer) -> None:
        first(answer)
        second(answer)

    return apply
