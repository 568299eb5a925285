"""Changes of a new credential: its id and its public key (sections 6.5.1 and 5.8.5; RFC 9052, 9053, 8230, 8812)."""

import itertools
from collections.abc import Callable

from cryptography.hazmat.primitives.asymmetric import ec

from . import cbor
from .answer import Answer, Change
from .keys import (
    ALG, CRV, EDDSA, ES256, ES384, KTY, PS256, RS256, X, Y,
    Key, elliptic, members, p256, p384, p521, rsa2048, rsa_members, rsa_of,
)  # fmt: skip

Apply = Callable[[Answer], None]

# A point of P-256 by its seed, whose members are changed below.
BASE = p256(7)
X_OF_BASE, Y_OF_BASE = (dict(BASE.members)[cbor.integer(label)][2:] for label in (X, Y))
RSA_N = rsa_of(2048)
ONE_BYTE = itertools.count()


def key(changed: Key) -> Apply:
    def apply(answer: Answer) -> None:
        answer.key = changed
        answer.sign = changed.sign

    return apply


def number(label: int, value: int) -> Apply:
    return key(BASE.replaced(label, cbor.integer(value)))


def written(step: Callable[[Key], bytes]) -> Apply:
    """The genuine key, written in another way. It still signs."""
    return lambda answer: setattr(answer, "key_step", step)


def credential_id(length: int, told: int | None = None) -> Apply:
    def apply(answer: Answer) -> None:
        answer.credential_id = answer.credential_id[:8] * (length // 8 + 1)
        answer.credential_id = answer.credential_id[:length]
        answer.credential_id_length = told

    return apply


def one_byte_id(answer: Answer) -> None:
    """Another one each time, since an id is registered once."""
    answer.credential_id = bytes([next(ONE_BYTE)])


def aaguid(value: bytes) -> Apply:
    return lambda answer: setattr(answer, "aaguid", value)


def signed_aside(algorithm: int, modulus: bytes, exponent: bytes) -> Key:
    return Key(members({KTY: 3, ALG: algorithm, -1: modulus, -2: exponent}), None)


def relabelled(key: Key, labels: dict[int, bytes]) -> bytes:
    names = {cbor.integer(label): other for label, other in labels.items()}
    return cbor.mapping((names.get(label, label), value) for label, value in key.members)


def changes() -> list[Change]:
    n = dict(RSA_N.members)[cbor.integer(-1)][3:]
    size = "RFC 8812, section 2"
    numbers = "RFC 8017, section 3.1"
    octets = "RFC 8230, section 4"
    offered = "7.1 step 20"
    curve = "5.8.5"
    lengths = "RFC 9053, section 7.1.1"
    optional = "6.5.1: no other optional member; no step verifies it"
    canonical = "6.5.1: CTAP2 canonical CBOR; no step verifies it"
    point = "SEC 1, section 3.2.2; no step verifies it"
    own = BASE.with_more
    table: list[tuple[str, str, str, str, Apply]] = [
        ("id-of-no-byte", "id", "refuse", "4: a credential id has at least 16 bytes", credential_id(0)),
        ("id-of-one-byte", "id", "either", "4: at least 16 bytes; no step verifies it", one_byte_id),
        ("id-of-16-bytes", "id", "accept", "7.1 step 25", credential_id(16)),
        ("id-of-1023-bytes", "id", "accept", "7.1 step 25", credential_id(1023)),
        ("id-of-1024-bytes", "id", "refuse", "7.1 step 25", credential_id(1024)),
        ("id-longer-than-the-data", "id", "refuse", "6.5.1", credential_id(32, told=65535)),
        ("id-said-one-shorter", "id", "refuse", "6.5.1", credential_id(32, told=31)),
        ("id-said-one-longer", "id", "refuse", "6.5.1", credential_id(32, told=33)),
        ("aaguid-known", "aaguid", "accept", "6.5.1", aaguid(bytes.fromhex("fbfc3007154e4ecc8c0b6e020557d7bd"))),
        ("key-es384", "key", "accept", offered, key(p384(8))),
        ("key-rs256", "key", "accept", offered, lambda answer: key(rsa2048())(answer)),
        ("key-es512", "key", "refuse", offered, key(p521(8))),
        ("key-eddsa", "key", "refuse", offered, key(Key(members({KTY: 1, ALG: EDDSA, CRV: 6, X: X_OF_BASE}), None))),
        ("key-ps256", "key", "refuse", offered, key(signed_aside(PS256, n, b"\1\0\1"))),
        ("key-rs1", "key", "refuse", offered, key(signed_aside(-65535, n, b"\1\0\1"))),
        (
            "key-es256k",
            "key",
            "refuse",
            offered,
            key(elliptic(8, ec.SECP256K1(), ES256, 8).replaced(ALG, cbor.integer(-47))),
        ),
        ("algorithm-missing", "key", "refuse", offered, key(BASE.without(ALG))),
        ("algorithm-zero", "key", "refuse", offered, number(ALG, 0)),
        ("algorithm-by-name", "key", "refuse", offered, key(BASE.replaced(ALG, cbor.text("ES256")))),
        ("algorithm-a-float", "key", "refuse", offered, key(BASE.replaced(ALG, b"\xf9\xc7\x00"))),
        (
            "algorithm-a-bignum",
            "key",
            "either",
            "RFC 8949, section 3.4.3",
            key(BASE.replaced(ALG, cbor.tagged(3, cbor.data(b"\x06")))),
        ),
        (
            "p384-called-es256",
            "key",
            "refuse",
            curve,
            key(elliptic(9, ec.SECP384R1(), ES384, 2).replaced(ALG, cbor.integer(ES256))),
        ),
        ("p256-called-es384", "key", "refuse", curve, number(ALG, ES384)),
        ("p256-called-rs256", "key", "refuse", curve, number(ALG, RS256)),
        ("rsa-called-es256", "key", "refuse", curve, key(RSA_N.replaced(ALG, cbor.integer(ES256)))),
        ("secp256k1-called-es256", "key", "refuse", curve, key(elliptic(8, ec.SECP256K1(), ES256, 8))),
        ("secp256k1-called-p256", "key", "either", point, key(elliptic(8, ec.SECP256K1(), ES256, 1))),
        ("key-type-okp-of-es256", "key", "refuse", "RFC 9053, section 2.1", number(KTY, 1)),
        ("key-type-symmetric", "key", "refuse", "RFC 9053, section 2.1", number(KTY, 4)),
        ("key-type-missing", "key", "refuse", "RFC 9052, section 7", key(BASE.without(KTY))),
        ("curve-p384-of-es256", "key", "refuse", curve, number(CRV, 2)),
        ("curve-ed25519-of-es256", "key", "refuse", curve, number(CRV, 6)),
        ("curve-by-name", "key", "refuse", curve, key(BASE.replaced(CRV, cbor.text("P-256")))),
        ("curve-missing", "key", "refuse", curve, key(BASE.without(CRV))),
        ("x-missing", "key", "refuse", lengths, key(BASE.without(X))),
        ("y-missing", "key", "refuse", lengths, key(BASE.without(Y))),
        ("x-without-last-byte", "key", "refuse", lengths, key(BASE.replaced(X, cbor.data(X_OF_BASE[:-1])))),
        ("x-with-leading-zero", "key", "refuse", lengths, key(BASE.replaced(X, cbor.data(b"\0" + X_OF_BASE)))),
        ("x-empty", "key", "refuse", lengths, key(BASE.replaced(X, cbor.data(b"")))),
        ("x-text", "key", "refuse", lengths, key(BASE.replaced(X, cbor.text("x" * 32)))),
        ("y-a-sign", "key", "refuse", curve, key(BASE.replaced(Y, cbor.TRUE))),
        ("point-not-on-curve", "key", "either", point, key(BASE.replaced(Y, cbor.data(X_OF_BASE)))),
        (
            "point-of-zeros",
            "key",
            "either",
            point,
            key(BASE.replaced(X, cbor.data(bytes(32))).replaced(Y, cbor.data(bytes(32)))),
        ),
        ("point-beyond-the-field", "key", "either", point, key(BASE.replaced(X, cbor.data(b"\xff" * 32)))),
        ("rsa-of-1024-bits", "key", "refuse", size, key(rsa_of(1024))),
        ("rsa-of-2047-bits", "key", "refuse", size, key(rsa_of(2047))),
        ("rsa-of-3072-bits", "key", "accept", size, key(rsa_of(3072))),
        ("rsa-of-4096-bits", "key", "accept", size, key(rsa_of(4096))),
        ("rsa-exponent-3", "key", "accept", numbers, key(rsa_of(2048, 3))),
        ("rsa-exponent-1", "key", "refuse", numbers, key(rsa_of(2048, 1))),
        ("rsa-exponent-even", "key", "refuse", numbers, key(rsa_of(2048, 65536))),
        ("rsa-exponent-3-in-three-bytes", "key", "refuse", octets, key(signed_aside(RS256, n, b"\0\0\3"))),
        ("rsa-exponent-missing", "key", "refuse", octets, key(RSA_N.without(-2))),
        ("rsa-modulus-even", "key", "refuse", numbers, key(signed_aside(RS256, n[:-1] + b"\0", b"\1\0\1"))),
        (
            "rsa-modulus-with-leading-zero",
            "key",
            "refuse",
            octets,
            key(Key(rsa_members(int.from_bytes(n, "big"), 65537, b"\0"), None)),
        ),
        ("rsa-exponent-with-leading-zero", "key", "refuse", octets, key(signed_aside(RS256, n, b"\0\1\0\1"))),
        ("key-with-id", "key", "either", optional, key(own((cbor.integer(2), cbor.data(b"kid"))))),
        ("key-with-operations", "key", "either", optional, key(own((cbor.integer(4), cbor.array([cbor.integer(2)]))))),
        ("key-with-private-part", "key", "either", optional, key(own((cbor.integer(-4), cbor.data(bytes(32)))))),
        ("key-with-named-member", "key", "either", optional, key(own((cbor.text("extra"), cbor.TRUE)))),
        ("key-with-x-twice", "key", "either", "RFC 8949, section 5.6", key(own((cbor.integer(X), cbor.data(bytes(32)))))),
        ("key-in-other-order", "key", "either", canonical, written(lambda key: cbor.mapping(key.members[::-1]))),
        ("key-of-no-length", "key", "either", canonical, written(lambda key: cbor.indefinite(key.members))),
        (
            "key-with-long-numbers",
            "key",
            "either",
            canonical,
            written(lambda key: cbor.mapping([(cbor.head(cbor.UNSIGNED, KTY, 1), key.members[0][1]), *key.members[1:]])),
        ),
        (
            "key-with-labels-as-floats",
            "key",
            "refuse",
            "RFC 9052, section 1.5",
            written(lambda key: relabelled(key, {KTY: b"\xf9\x3c\x00"})),
        ),
        (
            "key-with-label-true",
            "key",
            "refuse",
            "RFC 9052, section 1.5",
            written(lambda key: relabelled(key, {KTY: cbor.TRUE})),
        ),
        ("key-tagged", "key", "either", canonical, written(lambda key: cbor.tagged(55799, cbor.mapping(key.members)))),
        (
            "key-a-list",
            "key",
            "refuse",
            "RFC 9052, section 7",
            written(lambda key: cbor.array(value for _, value in key.members)),
        ),
        ("key-empty", "key", "refuse", "RFC 9052, section 7", written(lambda key: cbor.mapping([]))),
        ("key-in-bytes", "key", "refuse", "6.5.1", written(lambda key: cbor.data(cbor.mapping(key.members)))),
        ("key-bare-point", "key", "refuse", "6.5.1", written(lambda key: b"\x04" + X_OF_BASE + Y_OF_BASE)),
    ]
    return [Change(name, f"credential.{place}", standard, by, apply) for name, place, standard, by, apply in table]
