"""Credential keys: private ones from seeds, and their COSE_Key members (RFC 9052, RFC 9053)."""

import functools
import random
from collections.abc import Callable
from dataclasses import dataclass

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

from . import cbor

KTY, ALG = 1, 3
CRV, X, Y = -1, -2, -3
N, E = -1, -2
ES256, ES384, ES512, RS256, PS256, EDDSA = -7, -35, -36, -257, -37, -8

Member = tuple[bytes, bytes]


@dataclass(frozen=True)
class Key:
    """A credential's public key as COSE_Key members, and how it signs."""

    members: tuple[Member, ...]
    sign: Callable[[bytes], bytes] | None
    private: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | None = None

    def cose(self) -> bytes:
        return cbor.mapping(self.members)

    def replaced(self, label: int, value: bytes) -> "Key":
        """This key with another value of one member. Nothing signs for it any more."""
        encoded = cbor.integer(label)
        members = tuple((name, value if name == encoded else was) for name, was in self.members)
        return Key(members, None)

    def without(self, label: int) -> "Key":
        encoded = cbor.integer(label)
        return Key(tuple(member for member in self.members if member[0] != encoded), None)

    def with_more(self, *members: Member) -> "Key":
        return Key(self.members + members, self.sign, self.private)


def members(values: dict[int, int | bytes]) -> tuple[Member, ...]:
    return tuple(
        (cbor.integer(label), cbor.integer(value) if isinstance(value, int) else cbor.data(value))
        for label, value in values.items()
    )


@functools.cache
def elliptic(seed: int, curve: ec.EllipticCurve = ec.SECP256R1(), algorithm: int = ES256, crv: int = 1) -> Key:
    private = ec.derive_private_key(random.Random(seed).getrandbits(200) + 1, curve)
    numbers = private.public_key().public_numbers()
    size = (curve.key_size + 7) // 8
    x, y = (number.to_bytes(size, "big") for number in (numbers.x, numbers.y))
    digest = {ES256: hashes.SHA256(), ES384: hashes.SHA384(), ES512: hashes.SHA512()}[algorithm]

    def sign(message: bytes) -> bytes:
        return private.sign(message, ec.ECDSA(digest))

    return Key(members({KTY: 2, ALG: algorithm, CRV: crv, X: x, Y: y}), sign, private)


def p256(seed: int) -> Key:
    return elliptic(seed)


def p384(seed: int) -> Key:
    return elliptic(seed, ec.SECP384R1(), ES384, 2)


def p521(seed: int) -> Key:
    return elliptic(seed, ec.SECP521R1(), ES512, 3)


@functools.cache
def rsa2048() -> Key:
    private = rsa.generate_private_key(65537, 2048)

    def sign(message: bytes) -> bytes:
        return private.sign(message, padding.PKCS1v15(), hashes.SHA256())

    modulus = private.public_key().public_numbers().n
    return Key(rsa_members(modulus, 65537), sign, private)


def rsa_of(bits: int, exponent: int = 65537) -> Key:
    """An RSA key for registration alone: an odd number of that length, whose factors nobody knows."""
    modulus = random.Random(bits).getrandbits(bits) | 1 << bits - 1 | 1
    return Key(rsa_members(modulus, exponent), None)


def rsa_members(modulus: int, exponent: int, leading_zero: bytes = b"") -> tuple[Member, ...]:
    n = leading_zero + modulus.to_bytes((modulus.bit_length() + 7) // 8, "big")
    e = exponent.to_bytes(max(1, (exponent.bit_length() + 7) // 8), "big")
    return members({KTY: 3, ALG: RS256, N: n, E: e})
