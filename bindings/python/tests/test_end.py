"""How it ends: exit beside threads, handles that nobody can reach, Ctrl-C, sub-interpreters."""

import gc
import os
import signal
import subprocess
import sys
import textwrap
import time
import weakref
from pathlib import Path

import pytest

import keyplate

from conftest import ORIGIN, locked


def run(program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program), *arguments],
        capture_output=True,
        encoding="utf-8",
        timeout=60,
    )


def test_exit_beside_threads_that_are_in_calls_and_callbacks(tmp_path: Path) -> None:
    program = """
        import sys, threading, time, keyplate
        heard = lambda event: time.sleep(0.002)
        kp = keyplate.open(sys.argv[1], origin="https://media.example", events=heard)
        user = kp.create_user(username="ann")

        def work(n):
            while True:
                kp.update_user(user.id, display_name=f"{n} {time.monotonic_ns()}")
                kp.get_user(user.id)
                kp.with_client().get_user(user.id)

        for n in range(6):
            threading.Thread(target=work, args=(n,), daemon=True).start()
        time.sleep(0.05)
    """
    for n in range(50):
        ended = run(program, str(tmp_path / f"{n}.db"))
        assert (ended.returncode, ended.stderr) == (0, "")


def test_the_thread_that_ends_the_process_may_still_call(tmp_path: Path) -> None:
    program = """
        import atexit, sys
        def last():
            kp.create_user(username="late")
            print(heard[-1])
        atexit.register(last)
        import keyplate
        heard = []
        kp = keyplate.open(
            sys.argv[1], origin="https://media.example", events=lambda event: heard.append(event.username)
        )
    """
    ended = run(program, str(tmp_path / "id.db"))
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "late\n", "")


def descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="counts descriptors in /proc")
@pytest.mark.parametrize("derived", [False, True])
def test_a_handle_in_a_circle_with_its_callback_is_collected(tmp_path: Path, derived: bool) -> None:
    class Listener:
        def __init__(self, path: Path) -> None:
            self.kp = keyplate.open(path, origin=ORIGIN, events=self.hear)
            if derived:
                self.kp = self.kp.with_client()

        def hear(self, event: keyplate.AuditEvent) -> None:
            self.kp.get_user(event.user_id or "")

    gc.collect()
    before = descriptors()
    gone = []
    for n in range(1000):
        listener = Listener(tmp_path / f"{n % 4}.db")
        gone.append(weakref.ref(listener))
        del listener
        if n % 50 == 49:
            gc.collect()
    assert all(reference() is None for reference in gone)
    assert descriptors() == before


def test_what_can_be_reached_is_not_collected(path: str) -> None:
    heard: list[str | None] = []

    class Listener:
        def hear(self, event: keyplate.AuditEvent) -> None:
            heard.append(event.username)

    # Core alone holds the listener.
    kp = keyplate.open(path, origin=ORIGIN, events=Listener().hear)
    views = [kp.with_client(), kp.anonymous()]
    for _ in range(3):
        gc.collect()
    views[0].create_user(username="ann")
    del views
    gc.collect()
    kp.create_user(username="ben")
    del kp
    gc.collect()
    assert heard == ["ann", "ben"]


@pytest.mark.parametrize("exception", [SystemExit, KeyboardInterrupt])
def test_a_sink_can_stop_the_program(path: str, exception: type[BaseException]) -> None:
    stopping = False

    def listen(event: keyplate.AuditEvent) -> None:
        if stopping:
            raise exception(event.username)

    with keyplate.open(path, origin=ORIGIN, events=listen) as kp:
        stopping = True
        with pytest.raises(exception) as raised:
            kp.create_user(username="ben")
        assert raised.value.args == ("ben",)
        stopping = False
        assert kp.find_user_by_username("ben") is not None, "its work was done"


def test_control_c_ends_a_wait_for_another_writer(path: str) -> None:
    program = """
        import signal, sys, time, keyplate
        signal.signal(signal.SIGINT, signal.default_int_handler)
        kp = keyplate.open(sys.argv[1], origin="https://media.example", busy_timeout_ms=60_000)
        print("waiting", flush=True)
        try:
            kp.create_user(username="ben")
        except KeyboardInterrupt:
            print("interrupted", flush=True)
    """
    keyplate.open(path, origin=ORIGIN).close()
    with subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(program), path], stdout=subprocess.PIPE, encoding="utf-8"
    ) as waiting:
        assert waiting.stdout is not None
        with locked(path):
            assert waiting.stdout.readline() == "waiting\n"
            time.sleep(0.3)
            asked = time.monotonic()
            waiting.send_signal(signal.SIGINT)
            assert waiting.stdout.readline() == "interrupted\n"
            assert time.monotonic() - asked < 5, "not after a minute"


def test_a_sub_interpreter_is_told_that_it_cannot(tmp_path: Path) -> None:
    program = """
        try:
            import _xxsubinterpreters as interpreters
        except ImportError:
            import _interpreters as interpreters
        import keyplate
        other = interpreters.create()
        code = "try:\\n import keyplate\\nexcept ImportError as error:\\n print('refused', flush=True)"
        interpreters.run_string(other, code)
        interpreters.destroy(other)
        print("here", flush=True)
    """
    ended = run(program)
    assert (ended.returncode, ended.stdout) == (0, "refused\nhere\n"), ended.stderr
