"""The threads of `keyplate.aio`. The event loop's own executor is the host's: calls that wait for a lock must not take its
threads, and calls that read must not wait for those that write.
"""

from __future__ import annotations

import asyncio
import contextvars
import os
import threading
import weakref
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from functools import partial
from typing import Any, Generic, ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

# At most so many calls of each kind are under way for a database; the others wait for their turn. Core has 16 connections
# that read. Writers wait for each other: more than one thread is only for an event sink that takes long.
_READS = 8
_WRITES = 4
# A thread that has had nothing to do for so long ends, in seconds.
_IDLE = 5.0


class _Work(Generic[T]):
    """A call and where its result goes."""

    def __init__(self, call: Callable[[], T]) -> None:
        self.call = call
        self.future: Future[T] = Future()

    def run(self) -> None:
        if not self.future.set_running_or_notify_cancel():
            return
        try:
            result = self.call()
        except BaseException as error:
            # `KeyboardInterrupt` of a callback, too, is for whoever awaits.
            self.future.set_exception(error)
        else:
            self.future.set_result(result)


class _Pool:
    """Threads of one kind, which start when they are wanted and end when they are not.

    They are daemons, so that nobody who cancelled a call waits for it at exit, except as `_native._at_exit` does.
    """

    def __init__(self, name: str, most: int) -> None:
        self._name = name
        self._most = most
        self.begin()
        _pools.add(self)

    def begin(self) -> None:
        """With no threads: at first, and in a child of `fork`, where none is left and the lock may be held for ever."""
        self._changed = threading.Condition()
        self._waiting: deque[_Work[Any]] = deque()
        self._threads = 0
        self._idle = 0
        self._closed = False

    def submit(self, work: _Work[Any]) -> None:
        with self._changed:
            self._waiting.append(work)
            if len(self._waiting) <= self._idle:
                self._changed.notify()
            elif self._threads < self._most:
                self._threads += 1
                threading.Thread(target=self._serve, name=self._name, daemon=True).start()

    def close(self) -> None:
        """What waits is still done."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def _next(self) -> _Work[Any] | None:
        with self._changed:
            while not self._waiting:
                self._idle += 1
                woken = not self._closed and self._changed.wait(_IDLE)
                self._idle -= 1
                if not woken and not self._waiting:
                    self._threads -= 1
                    return None
            return self._waiting.popleft()

    def _serve(self) -> None:
        while work := self._next():
            work.run()
            # The result is not kept while nothing else is to do.
            del work


_pools: weakref.WeakSet[_Pool] = weakref.WeakSet()


def _begin_anew() -> None:
    for pool in list(_pools):
        pool.begin()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_begin_anew)


class Threads:
    """The threads of one open database, for all of its handles. They end with the last of these."""

    def __init__(self) -> None:
        self._reads = _Pool("keyplate-read", _READS)
        self._writes = _Pool("keyplate-write", _WRITES)
        self._handles = 0
        # Also if a handle is never closed.
        weakref.finalize(self, _close, self._reads, self._writes)

    def enter(self) -> None:
        self._handles += 1

    def leave(self) -> None:
        self._handles -= 1
        if self._handles == 0:
            _close(self._reads, self._writes)

    async def read(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        return await _awaited(self._reads, partial(function, *args, **kwargs))

    async def write(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        return await _awaited(self._writes, partial(function, *args, **kwargs))


def _close(*pools: _Pool) -> None:
    for pool in pools:
        pool.close()


async def _awaited(pool: _Pool, call: Callable[[], T]) -> T:
    try:
        loop = asyncio.get_running_loop()
    except RuntimeError:
        raise RuntimeError("keyplate.aio wants a running asyncio event loop; elsewhere, call `keyplate` in a thread") from None
    work = _Work(partial(contextvars.copy_context().run, call))
    pool.submit(work)
    return await asyncio.wrap_future(work.future, loop=loop)
