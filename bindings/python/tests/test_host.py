"""What the host gives: event sink, time source, threads, processes, an event loop."""

import asyncio
import contextlib
import multiprocessing
import os
import pickle
import sys
import threading
from collections.abc import Callable
from datetime import datetime, timezone

import pytest

import keyplate
from keyplate import aio

from conftest import ORIGIN


# E1
def test_events_are_heard_and_may_call_back(path: str) -> None:
    heard: list[tuple[keyplate.EventKind, str | None]] = []

    def listen(event: keyplate.AuditEvent) -> None:
        heard.append((event.kind, event.username))
        assert kp.find_user_by_username("ben") is not None

    with keyplate.open(path, origin=ORIGIN, events=listen) as kp:
        kp.create_user(username="ben")
    assert (keyplate.EventKind.USER_CREATED, "ben") in heard


@pytest.mark.parametrize("exception", [RuntimeError, ValueError, StopIteration])
def test_what_a_sink_raises_changes_nothing(
    path: str, exception: type[BaseException], monkeypatch: pytest.MonkeyPatch
) -> None:
    raised: list[object] = []
    monkeypatch.setattr(sys, "unraisablehook", lambda args: raised.append(args.exc_value))

    def break_down(event: keyplate.AuditEvent) -> None:
        raise exception(event.kind)

    with keyplate.open(path, origin=ORIGIN, events=break_down) as kp:
        user = kp.create_user(username="ben")
        assert kp.get_user(user.id) == user
    assert raised and all(isinstance(error, exception) for error in raised)
    with pytest.raises(TypeError):
        keyplate.open(path, origin=ORIGIN, events=7)  # type: ignore[arg-type]


def test_the_host_tells_the_time(path: str) -> None:
    now = datetime(2100, 1, 1, 12, 0, 0, 5000, tzinfo=timezone.utc)
    with keyplate.open(path, origin=ORIGIN, time_source=lambda: now) as kp:
        assert kp.create_user(username="ben").created_at == now


@pytest.mark.parametrize(
    "nonsense", [None, "noon", datetime(2100, 1, 1), RuntimeError("no clock")], ids=repr
)
def test_a_broken_time_source_is_an_ordinary_error(
    path: str, nonsense: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    raised: list[object] = []
    monkeypatch.setattr(sys, "unraisablehook", lambda args: raised.append(args.exc_value))
    now = datetime(2026, 11, 1, tzinfo=timezone.utc)
    broken = False

    def tell_time() -> datetime:
        if broken and isinstance(nonsense, BaseException):
            raise nonsense
        return nonsense if broken else now  # type: ignore[return-value]

    with keyplate.open(path, origin=ORIGIN, time_source=tell_time) as kp:
        session = kp.claim_setup(username="ann").secret.reveal()
        broken = True
        calls: list[Callable[[], object]] = [
            lambda: kp.create_user(username="ben"),
            lambda: kp.authenticate(session),
            lambda: kp.purge_expired(),
        ]
        for call in calls:
            with pytest.raises(keyplate.Internal, match="the time source failed"):
                call()
            assert raised
        broken = False
        assert kp.authenticate(session).username == "ann"
        assert kp.create_user(username="carl").created_at == now


@pytest.mark.parametrize("odd", [datetime(1970, 1, 1), datetime.max])
def test_no_time_ends_the_process(path: str, odd: datetime) -> None:
    now = datetime(2026, 11, 1, tzinfo=timezone.utc)
    times = [now]
    with keyplate.open(path, origin=ORIGIN, time_source=lambda: times[-1]) as kp:
        kp.claim_setup(username="ann")
        times.append(odd.replace(tzinfo=timezone.utc))
        calls: list[Callable[[], object]] = [
            lambda: kp.create_user(username="ben"),
            lambda: kp.create_session(kp.list_users().items[0].id),
            lambda: kp.purge_expired(),
        ]
        for call in calls:
            with contextlib.suppress(keyplate.KeyplateError):  # A panic would be no `KeyplateError`.
                call()
        times.append(now)
        kp.reset_clock()
        assert kp.create_user(username="carl").created_at == now


# D3: one writes at a time, and nobody is turned away.
def test_threads_share_a_handle(kp: keyplate.Keyplate) -> None:
    def work(number: int) -> None:
        for index in range(20):
            kp.create_user(username=f"user-{number}-{index}")

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert kp.list_users(limit=1).total == 80


# D4
def test_a_forked_child_works_and_its_work_stays(kp: keyplate.Keyplate) -> None:
    stop = threading.Event()
    errors: list[BaseException] = []

    def write() -> None:
        index = 0
        while not stop.wait(0.002):  # SQLite's locks are not fair: a writer without pauses starves other processes
            try:
                kp.create_user(username=f"busy-{index}")
            except BaseException as error:
                errors.append(error)
            index += 1

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for number in range(5):
            child = os.fork()
            if child == 0:
                try:
                    kp.create_user(username=f"child-{number}")
                    os._exit(0)
                except BaseException:
                    os._exit(1)
            assert os.waitpid(child, 0)[1] == 0
    finally:
        stop.set()
        writer.join()
    assert not errors
    assert all(kp.find_user_by_username(f"child-{number}") for number in range(5))


def add_user(path: str) -> None:
    with keyplate.open(path, origin=ORIGIN) as kp:
        kp.create_user(username="other")


# D4
def test_another_process_shares_the_file(kp: keyplate.Keyplate, path: str) -> None:
    process = multiprocessing.get_context("spawn").Process(target=add_user, args=(path,))
    process.start()
    process.join()
    assert process.exitcode == 0
    assert kp.find_user_by_username("other") is not None


def test_asyncio_has_the_same_names(path: str) -> None:
    async def first_run() -> str:
        async with await aio.open(path, origin=ORIGIN) as kp:
            admin = await kp.claim_setup(username="ann")
            session = await kp.authenticate(admin.secret.reveal())
            ann = await kp.acting_as(session.principal)
            key = await ann.create_api_key(name="automation", scopes=["users:read"])
            with pytest.raises(keyplate.InvalidInput):
                await ann.create_user(username="")
            who = await asyncio.gather(*(kp.verify_api_key(key.secret.reveal()) for _ in range(8)))
            return who[-1].username

    assert asyncio.run(first_run()) == "ann"
    methods = {name for name in dir(keyplate.Keyplate) if not name.startswith("_")}
    assert methods == {name for name in dir(aio.Keyplate) if not name.startswith("_")}


def test_errors_can_be_pickled(kp: keyplate.Keyplate) -> None:
    with pytest.raises(keyplate.InvalidInput) as caught:
        kp.create_user(username="")
    copy = pickle.loads(pickle.dumps(caught.value))
    assert (type(copy), copy.field, copy.code) == (keyplate.InvalidInput, "username", 1)
    with pytest.raises(keyplate.PasskeyCeremonyFailed) as failed:
        kp.finish_passkey_login("x", "{}")
    assert pickle.loads(pickle.dumps(failed.value)).reason == failed.value.passkey_failure


def test_every_code_has_its_class() -> None:
    classes = {cls.__name__ for cls in keyplate.KeyplateError.__subclasses__()}
    codes = {code.name.title().replace("_", "") for code in keyplate.ErrorCode if code}
    assert classes == codes
