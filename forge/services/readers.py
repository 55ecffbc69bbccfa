"""Processes that read files side by side, and end with the one that started them."""

import asyncio
import multiprocessing
import os
import signal
from collections.abc import Awaitable, Callable
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field
from multiprocessing.connection import wait
from threading import Thread
from typing import TypeVar

R = TypeVar("R")


class KilledError(Exception):
    """A reader ended before it answered, such as for want of memory."""


@dataclass
class Readers:
    """So many processes at most; each starts when there is work for it."""

    processes: int
    pool: ProcessPoolExecutor = field(init=False)

    def __post_init__(self) -> None:
        self._start()

    async def read(self, function: Callable[[], R]) -> R:
        """What the function returns; KilledError where its process ended before."""
        pool = self.pool
        try:
            return await to_end(asyncio.wrap_future(pool.submit(function)))
        except BrokenProcessPool:
            if pool is self.pool:
                self._start()
            raise KilledError("a process that read an hour was killed") from None

    def close(self) -> None:
        """End them."""
        self.pool.shutdown()

    def _start(self) -> None:
        # Not forked: threads of Polars and of the event loop do not survive that.
        spawned = multiprocessing.get_context("spawn")
        self.pool = ProcessPoolExecutor(self.processes, spawned, initializer=_end_with_parent)


async def to_end(work: Awaitable[R]) -> R:
    """What the work gives; when cancelled it is awaited, for what it writes nobody would remove."""
    future = asyncio.ensure_future(work)
    try:
        await asyncio.wait([future])
    except asyncio.CancelledError:
        await asyncio.wait([future])
        future.exception()
        raise
    return future.result()


def _end_with_parent() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent ends them when it has what it wants
    parent = multiprocessing.parent_process()
    if parent:
        Thread(target=_wait_for, args=(parent.sentinel,), daemon=True).start()


def _wait_for(sentinel: int) -> None:
    wait([sentinel])
    os._exit(1)
