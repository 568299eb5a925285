import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

import keyplate

ORIGIN = "https://media.example"


class BrowserError(Exception):
    """What a browser throws; `name` is its exception's."""

    def __init__(self, line: str) -> None:
        super().__init__(line)
        self.name = line.split(": ")[1]


def browser(action: str, state: Path, options: str, origin: str = ORIGIN, spoils: Sequence[str] = ()) -> str:
    """The answer of a software authenticator, which is kept in `state` and made when it is first asked.

    The action is `register` or `authenticate`; the spoils are those of `tests/testkit/README.md`.
    """
    program = os.environ.get("KEYPLATE_TESTKIT", "")
    if not os.access(program, os.X_OK):
        pytest.fail("KEYPLATE_TESTKIT does not name the program keyplate-testkit, which ./test builds", pytrace=False)
    if not state.exists():
        subprocess.run([program, "new", "--state", state], check=True)
    arguments = [program, action, f"--state={state}", f"--origin={origin}", *(f"--spoil={spoil}" for spoil in spoils)]
    done = subprocess.run(arguments, input=options, capture_output=True, encoding="utf-8")
    if done.returncode == 1:
        raise BrowserError(done.stderr.strip())
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@contextlib.contextmanager
def locked(path: str) -> Iterator[None]:
    """Another writer, in a process of its own: this one may not open the file by another SQLite."""
    program = (
        "import sqlite3, sys, time\n"
        "other = sqlite3.connect(sys.argv[1], isolation_level=None)\n"
        "other.execute('BEGIN IMMEDIATE')\n"
        "print('locked', flush=True)\n"
        "time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", program, path], stdout=subprocess.PIPE) as locker:
        try:
            assert locker.stdout is not None and locker.stdout.readline() == b"locked\n"
            yield
        finally:
            locker.kill()


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
