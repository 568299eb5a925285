"""Ceremonies to compare verifiers by: genuine answers with one or two things changed, in an order that a seed fixes."""

import hashlib
import itertools

from . import attestation, authenticator_data, client_data, credential, envelope, sign_in
from .answer import Answer, Change, Kind, base64url

__all__ = ["Answer", "Change", "Kind", "base64url", "changes", "pairs"]

SEED = 15
# Pairs that the standard need not refuse tell most: where either change is refused by all, so is the pair.
TOLERABLE_PAIRS = {"registration": 500, "sign-in": 400}
OTHER_PAIRS = 150


def changes(kind: Kind) -> list[Change]:
    found = client_data.changes(kind) + authenticator_data.changes(kind)
    if kind == "registration":
        found += credential.changes() + attestation.changes()
    else:
        found += sign_in.changes()
    found += envelope.changes(kind)
    assert len({change.name for change in found}) == len(found), "a name stands for one change"
    return found


def pairs(kind: Kind) -> list[tuple[Change, Change]]:
    """Some of all pairs of changes at different places. A further change displaces only a few of them."""
    possible = [pair for pair in itertools.combinations(changes(kind), 2) if pair[0].place != pair[1].place]
    possible.sort(key=drawn)
    tolerable = [pair for pair in possible if all(change.standard != "refuse" for change in pair)]
    others = [pair for pair in possible if any(change.standard == "refuse" for change in pair)]
    return tolerable[: TOLERABLE_PAIRS[kind]] + others[:OTHER_PAIRS]


def drawn(pair: tuple[Change, Change]) -> bytes:
    return hashlib.sha256(f"{SEED} {pair[0].name} {pair[1].name}".encode()).digest()
