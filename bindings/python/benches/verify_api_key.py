"""Verifies API keys of prepared data, for `cargo xtask bench`: for each line `FROM COUNT` so many, from that one on;
answers with the nanoseconds. `verify_api_key.py FOLDER` asks the library, with `--floor` Python's own modules.
"""

import hashlib
import sqlite3
import sys
import time
from collections.abc import Callable
from pathlib import Path

LOOK_UP = """
    SELECT users.id, users.username, users.role, api_keys.id, api_keys.scopes, api_keys.expires_at
    FROM api_keys JOIN users ON users.id = api_keys.owner_id
    WHERE api_keys.secret_hash = ?1 AND api_keys.revoked_at IS NULL
      AND (api_keys.expires_at IS NULL OR api_keys.expires_at > ?2)
      AND users.status = 'active' AND (users.expires_at IS NULL OR users.expires_at > ?2)
"""


def with_library(path: Path) -> Callable[[str], object]:
    import keyplate

    return keyplate.open(path, origin="https://media.example").verify_api_key


def by_hand(path: Path) -> Callable[[str], object]:
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA cache_size = -4096")
    execute, sha256, now = connection.execute, hashlib.sha256, time.time

    def verify(secret: str) -> object:
        row = execute(LOOK_UP, (sha256(secret.encode()).digest(), int(now() * 1000))).fetchone()
        if row is None:
            raise PermissionError("unknown key")
        return row

    return verify


def main() -> None:
    folder = Path(sys.argv[1])
    verify = (by_hand if "--floor" in sys.argv else with_library)(folder / "id.db")
    secrets = (folder / "secrets").read_text().split("\n")
    for line in sys.stdin:
        start, count = map(int, line.split())
        turn = [secrets[n % len(secrets)] for n in range(start, start + count)]
        began = time.perf_counter_ns()
        for secret in turn:
            verify(secret)
        print(time.perf_counter_ns() - began, flush=True)


main()
