"""Changes of the attestation object and its statement (sections 6.5.4 and 8). None was asked for."""

import datetime
from collections.abc import Callable

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from . import cbor
from .answer import Answer, Change, other_key
from .keys import ES256, Member

Apply = Callable[[Answer], None]
Pairs = list[Member]

SIGNATURE = cbor.data(b"\x30\x06\x02\x01\x01\x02\x01\x01")
RUBBISH = cbor.data(b"\x30\x03\x02\x01\x01")


def pairs(**members: bytes) -> bytes:
    return cbor.mapping((cbor.text(name), value) for name, value in members.items())


def statement(fmt: str, value: bytes) -> Apply:
    def apply(answer: Answer) -> None:
        answer.format = cbor.text(fmt)
        answer.statement = lambda data, client_hash: value

    return apply


def self_attested(answer: Answer, by_owner: bool = True) -> None:
    def signed(data: bytes, client_hash: bytes) -> bytes:
        # Where nobody has the key, its statement is one of somebody else.
        sign = (by_owner and answer.sign) or other_key().sign
        assert sign
        signature = of_one_length(sign, data + client_hash)
        return pairs(alg=dict(answer.key.members).get(cbor.integer(3), cbor.NULL), sig=cbor.data(signature))

    answer.format = cbor.text("packed")
    answer.statement = signed


def of_one_length(sign: Callable[[bytes], bytes], message: bytes) -> bytes:
    """ECDSA's vary, and whether what holds them wants padding in base64 is not to be a matter of chance."""
    for _ in range(100):
        signature = sign(message)
        if len(signature) % 3 == 2:
            break
    return signature


def certified(answer: Answer) -> None:
    """By a certificate as section 8.2.1 wants it, of an authority that nobody knows."""
    private = ec.derive_private_key(4711, ec.SECP256R1())
    parts = {
        NameOID.COUNTRY_NAME: "AQ",
        NameOID.ORGANIZATION_NAME: "Example",
        NameOID.ORGANIZATIONAL_UNIT_NAME: "Authenticator Attestation",
        NameOID.COMMON_NAME: "Example Authenticator",
    }
    name = x509.Name([x509.NameAttribute(oid, value) for oid, value in parts.items()])
    builder = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(private.public_key()).serial_number(1)
    )
    builder = builder.not_valid_before(datetime.datetime(2020, 1, 1)).not_valid_after(datetime.datetime(2049, 1, 1))
    builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
    certificate = builder.sign(private, hashes.SHA256(), ecdsa_deterministic=True).public_bytes(serialization.Encoding.DER)

    def signed(data: bytes, client_hash: bytes) -> bytes:
        signature = of_one_length(lambda message: private.sign(message, ec.ECDSA(hashes.SHA256())), data + client_hash)
        return pairs(alg=cbor.integer(ES256), sig=cbor.data(signature), x5c=cbor.array([cbor.data(certificate)]))

    answer.format = cbor.text("packed")
    answer.statement = signed


def members(step: Callable[[Pairs], bytes]) -> Apply:
    return lambda answer: setattr(answer, "object_step", step)


def encoded(step: Callable[[bytes], bytes]) -> Apply:
    return lambda answer: answer.object_steps.append(step)


def with_value(name: str, value: bytes) -> Callable[[Pairs], bytes]:
    encoded_name = cbor.text(name)
    return lambda pairs: cbor.mapping((key, value if key == encoded_name else was) for key, was in pairs)


def without(name: str) -> Callable[[Pairs], bytes]:
    return lambda pairs: cbor.mapping(pair for pair in pairs if pair[0] != cbor.text(name))


def numbered(pairs: Pairs) -> bytes:
    """The members by their numbers in order: some readers take these for the names."""
    return cbor.mapping((cbor.integer(number), value) for number, (_, value) in enumerate(pairs))


def changes() -> list[Change]:
    supported, verified, decoded = "7.1 step 21", "7.1 step 22", "7.1 step 13"
    shape = "6.5.4: the shape of an attestation object"
    canonical = "6.5.4: CTAP2 canonical CBOR; no step verifies it"
    certificate = cbor.array([RUBBISH])
    tpm = pairs(
        ver=cbor.text("2.0"), alg=cbor.integer(-257), x5c=certificate, sig=SIGNATURE, certInfo=RUBBISH, pubArea=RUBBISH
    )
    table: list[tuple[str, str, str, str, Apply]] = [
        (
            "none-with-statement",
            "statement",
            "refuse",
            "8.7",
            statement("none", pairs(alg=cbor.integer(ES256), sig=SIGNATURE)),
        ),
        ("none-with-unknown-member", "statement", "refuse", "8.7", statement("none", pairs(unknown=cbor.TRUE))),
        ("none-with-a-list", "statement", "refuse", "8.7", statement("none", cbor.array([]))),
        ("none-with-null", "statement", "refuse", "8.7", statement("none", cbor.NULL)),
        ("format-unknown", "statement", "refuse", supported, statement("unheard-of", cbor.mapping([]))),
        ("format-in-capitals", "statement", "refuse", supported, statement("NONE", cbor.mapping([]))),
        ("format-empty", "statement", "refuse", supported, statement("", cbor.mapping([]))),
        ("format-a-number", "statement", "refuse", shape, lambda answer: setattr(answer, "format", cbor.integer(1))),
        ("packed-self", "statement", "accept", verified, self_attested),
        (
            "packed-self-by-another-key",
            "statement",
            "refuse",
            verified,
            lambda answer: self_attested(answer, by_owner=False),
        ),
        ("packed-certified", "statement", "accept", "7.1 step 24: none was asked for", certified),
        ("packed-empty", "statement", "refuse", verified, statement("packed", cbor.mapping([]))),
        (
            "packed-rubbish-certificate",
            "statement",
            "refuse",
            verified,
            statement("packed", pairs(alg=cbor.integer(ES256), sig=SIGNATURE, x5c=certificate)),
        ),
        ("tpm-rubbish", "statement", "refuse", verified, statement("tpm", tpm)),
        (
            "android-key-rubbish",
            "statement",
            "refuse",
            verified,
            statement("android-key", pairs(alg=cbor.integer(ES256), sig=SIGNATURE, x5c=certificate)),
        ),
        (
            "safety-net-rubbish",
            "statement",
            "refuse",
            verified,
            statement("android-safetynet", pairs(ver=cbor.text("1"), response=cbor.data(b"e30.e30.AAAA"))),
        ),
        ("u2f-rubbish", "statement", "refuse", verified, statement("fido-u2f", pairs(sig=SIGNATURE, x5c=certificate))),
        ("apple-rubbish", "statement", "refuse", verified, statement("apple", pairs(x5c=certificate))),
        ("object-without-format", "object", "refuse", shape, members(without("fmt"))),
        ("object-without-statement", "object", "refuse", shape, members(without("attStmt"))),
        ("object-without-data", "object", "refuse", shape, members(without("authData"))),
        ("object-with-data-as-text", "object", "refuse", shape, members(with_value("authData", cbor.text("a" * 200)))),
        ("object-with-data-null", "object", "refuse", shape, members(with_value("authData", cbor.NULL))),
        (
            "object-with-unknown-member",
            "object",
            "either",
            "6.5.4: no step verifies it",
            members(lambda pairs: cbor.mapping([*pairs, (cbor.text("epAtt"), cbor.TRUE)])),
        ),
        (
            "object-with-format-twice",
            "object",
            "either",
            "RFC 8949, section 5.6",
            members(lambda pairs: cbor.mapping([*pairs, (cbor.text("fmt"), cbor.text("none"))])),
        ),
        ("object-in-other-order", "object", "accept", decoded, members(lambda pairs: cbor.mapping(pairs[::-1]))),
        ("object-of-no-length", "object", "either", canonical, members(cbor.indefinite)),
        (
            "object-with-long-length",
            "object",
            "either",
            canonical,
            members(lambda pairs: cbor.head(cbor.MAP, 3, 2) + b"".join(key + value for key, value in pairs)),
        ),
        (
            "object-with-data-in-pieces",
            "object",
            "either",
            canonical,
            members(lambda pairs: cbor.mapping([*pairs[:2], (pairs[2][0], b"\x5f" + pairs[2][1] + cbor.BREAK)])),
        ),
        ("object-with-numbers-for-names", "object", "refuse", shape, members(numbered)),
        (
            "object-of-values-in-a-list",
            "object",
            "refuse",
            shape,
            members(lambda pairs: cbor.array(value for _, value in pairs)),
        ),
        ("object-of-20000-levels", "object-bytes", "refuse", shape, encoded(lambda data: b"\x81" * 20_000 + data)),
        ("object-of-huge-length", "object-bytes", "refuse", decoded, encoded(lambda data: b"\x5b" + b"\xff" * 8 + data)),
        ("object-tagged", "object-bytes", "either", canonical, encoded(lambda data: cbor.tagged(55799, data))),
        ("object-with-byte-behind", "object-bytes", "refuse", decoded, encoded(lambda data: data + b"\x00")),
        ("object-twice", "object-bytes", "refuse", decoded, encoded(lambda data: data + data)),
        ("object-cut-off", "object-bytes", "refuse", decoded, encoded(lambda data: data[:-1])),
        ("object-with-byte-order-mark", "object-bytes", "refuse", decoded, encoded(lambda data: b"\xef\xbb\xbf" + data)),
        ("object-empty", "object-bytes", "refuse", decoded, encoded(lambda data: b"")),
    ]
    return [Change(name, f"attestation.{place}", standard, by, apply) for name, place, standard, by, apply in table]
