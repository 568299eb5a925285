from collections.abc import Iterator
from pathlib import Path

import pytest

import keyplate

ORIGIN = "https://media.example"


@pytest.fixture
def path(tmp_path: Path) -> str:
    return str(tmp_path / "id.db")


@pytest.fixture
def kp(path: str) -> Iterator[keyplate.Keyplate]:
    with keyplate.open(path, origin=ORIGIN) as handle:
        yield handle


@pytest.fixture
def ann(kp: keyplate.Keyplate) -> keyplate.Keyplate:
    """A handle with the rights of the first administrator."""
    session = kp.claim_setup(username="ann").secret.reveal()
    return kp.acting_as(kp.authenticate(session).principal)
