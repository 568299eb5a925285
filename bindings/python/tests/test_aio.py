"""`keyplate.aio`: its threads, and what becomes of calls that nobody waits for."""

import asyncio
import contextvars
import gc
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

import keyplate
from keyplate import _threads, aio

from conftest import ORIGIN, locked


def threads() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("keyplate-")]


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_reads_and_the_hosts_threads_do_not_wait_for_writers(path: str) -> None:
    async def main() -> None:
        async with await aio.open(path, origin=ORIGIN, busy_timeout_ms=60_000) as kp:
            session = (await kp.claim_setup(username="ann")).secret.reveal()
            with locked(path):
                writes = [asyncio.create_task(kp.create_user(username=f"user{n}")) for n in range(32)]
                await asyncio.sleep(0.1)
                for _ in range(20):
                    began = time.monotonic()
                    assert (await kp.verify_session(session)).username == "ann"
                    assert await asyncio.to_thread(lambda: 7) == 7
                    assert time.monotonic() - began < 1
                await asyncio.gather(*(kp.list_users() for _ in range(50)))
                assert not any(write.done() for write in writes)
                assert (threads().count("keyplate-read"), threads().count("keyplate-write")) == (8, 4)
            made = await asyncio.gather(*writes)
            assert len({user.username for user in made}) == 32
            assert (await kp.list_users(limit=1)).total == 33

    asyncio.run(main())


def test_a_cancelled_call_that_has_begun_is_done(path: str) -> None:
    async def main() -> None:
        async with await aio.open(path, origin=ORIGIN, busy_timeout_ms=60_000) as kp:
            with locked(path):
                writes = [asyncio.create_task(kp.create_user(username=f"user{n}")) for n in range(10)]
                await asyncio.sleep(0.2)
                for write in writes:
                    write.cancel()
                ended = await asyncio.gather(*writes, return_exceptions=True)
                assert all(isinstance(error, asyncio.CancelledError) for error in ended)
            while (await kp.list_users()).total < 4:
                await asyncio.sleep(0.01)
            await kp.create_user(username="last")
            names = [user.username for user in (await kp.list_users()).items]
            assert sorted(names) == ["last", "user0", "user1", "user2", "user3"], "the others had not begun"

    asyncio.run(main())


def test_threads_end_with_the_last_handle_and_without_work(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> None:
        kp = await aio.open(path, origin=ORIGIN)
        view = await kp.with_client()
        await kp.create_user(username="ann")
        assert threads()
        await kp.close()
        await kp.close()
        assert (await view.list_users()).total == 1
        with pytest.raises(ValueError):
            await kp.list_users()
        await view.close()
        wait_until(lambda: not threads())
        with pytest.raises(ValueError):
            await view.create_user(username="ben")

        # Nobody closes it, and it is used no more.
        left = await aio.open(path, origin=ORIGIN)
        await left.list_users()
        del left
        gc.collect()
        wait_until(lambda: not threads())

        monkeypatch.setattr(_threads, "_IDLE", 0.05)
        async with await aio.open(path, origin=ORIGIN) as kp:
            await asyncio.gather(*(kp.list_users() for _ in range(20)))
            wait_until(lambda: not threads())
            assert (await kp.list_users()).total == 1

    asyncio.run(main())


def test_a_database_that_does_not_open_leaves_no_thread(tmp_path: Path) -> None:
    async def main() -> None:
        with pytest.raises(keyplate.Configuration):
            await aio.open(tmp_path / "none" / "id.db", origin=ORIGIN)

    asyncio.run(main())
    gc.collect()
    wait_until(lambda: not threads())


def test_several_loops_share_a_handle(path: str) -> None:
    async def begin() -> aio.Keyplate:
        return await aio.open(path, origin=ORIGIN)

    async def work(number: int) -> None:
        await asyncio.gather(*(kp.create_user(username=f"user-{number}-{index}") for index in range(10)))

    kp = asyncio.run(begin())
    loops = [threading.Thread(target=lambda n=n: asyncio.run(work(n))) for n in range(4)]
    for loop in loops:
        loop.start()
    for loop in loops:
        loop.join()
    assert asyncio.run(kp.list_users(limit=1)).total == 40
    asyncio.run(kp.close())


def test_a_loop_that_closes_first_hears_nothing(path: str) -> None:
    program = """
        import asyncio, sys, keyplate
        from keyplate import aio

        async def main():
            kp = await aio.open(sys.argv[1], origin="https://media.example")
            for n in range(8):
                asyncio.create_task(kp.create_user(username=f"user{n}"))
            await asyncio.sleep(0)
            return kp

        for _ in range(2):
            kp = asyncio.run(main())
            asyncio.run(kp.close())
    """
    ended = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program), path], capture_output=True, encoding="utf-8", timeout=60
    )
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", "")
    with keyplate.open(path, origin=ORIGIN) as kp:
        assert kp.list_users().total >= 4


def test_a_call_has_the_callers_context(path: str) -> None:
    request: contextvars.ContextVar[str] = contextvars.ContextVar("request")
    heard: dict[str | None, str] = {}

    def listen(event: keyplate.AuditEvent) -> None:
        heard[event.username] = request.get("none")

    async def main() -> None:
        async with await aio.open(path, origin=ORIGIN, events=listen) as kp:

            async def create(name: str) -> None:
                request.set(f"of {name}")
                await kp.create_user(username=name)

            await asyncio.gather(*(create(f"user{n}") for n in range(12)))

    asyncio.run(main())
    assert heard == {f"user{n}": f"of user{n}" for n in range(12)}


@pytest.mark.parametrize("exception", [KeyboardInterrupt, SystemExit])
def test_what_stops_the_program_comes_out(path: str, exception: type[BaseException]) -> None:
    def listen(event: keyplate.AuditEvent) -> None:
        raise exception(event.username)

    async def main() -> None:
        kp = await aio.open(path, origin=ORIGIN, events=listen)
        await kp.create_user(username="ann")

    with pytest.raises(exception):
        asyncio.run(main())
    with keyplate.open(path, origin=ORIGIN) as kp:
        assert kp.find_user_by_username("ann") is not None


def test_control_c_is_heard_at_once(path: str) -> None:
    program = """
        import asyncio, signal, sys, keyplate
        from keyplate import aio
        signal.signal(signal.SIGINT, signal.default_int_handler)

        async def main():
            kp = await aio.open(sys.argv[1], origin="https://media.example", busy_timeout_ms=60_000)
            writes = [asyncio.create_task(kp.create_user(username=f"user{n}")) for n in range(8)]
            await asyncio.sleep(0.2)
            print("waiting", flush=True)
            await asyncio.gather(*writes)

        try:
            asyncio.run(main())
        except KeyboardInterrupt:
            print("interrupted", flush=True)
    """
    keyplate.open(path, origin=ORIGIN).close()
    with locked(path), subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(program), path], stdout=subprocess.PIPE, encoding="utf-8"
    ) as waiting:
        assert waiting.stdout is not None and waiting.stdout.readline() == "waiting\n"
        asked = time.monotonic()
        waiting.send_signal(signal.SIGINT)
        assert waiting.stdout.readline() == "interrupted\n"
        assert time.monotonic() - asked < 2
        assert waiting.wait(20) == 0, "and it ends although the lock is still held"


# D4
def test_a_forked_child_has_threads_of_its_own(path: str) -> None:
    kp = asyncio.run(aio.open(path, origin=ORIGIN))
    asyncio.run(kp.create_user(username="parent"))
    for number in range(3):
        child = os.fork()
        if child == 0:
            try:
                signal.alarm(20)
                asyncio.run(kp.create_user(username=f"child{number}"))
                os._exit(0)
            except BaseException:
                os._exit(1)
        assert os.waitpid(child, 0)[1] == 0
    assert asyncio.run(kp.list_users()).total == 4
    asyncio.run(kp.close())


def test_without_a_loop_it_says_so(path: str) -> None:
    kp = asyncio.run(aio.open(path, origin=ORIGIN))
    with pytest.raises(RuntimeError, match="asyncio event loop"):
        kp.list_users().send(None)
    asyncio.run(kp.close())
