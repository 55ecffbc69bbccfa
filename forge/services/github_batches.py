"""Single questions gathered into calls of many, which shrink and grow with what GitHub takes."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import NamedTuple

from forge.errors import ServiceError
from forge.services.github_answers import OverloadedError, Reply

LINGER = 0.02
"""Seconds that a call waits for more questions."""
GATHERING = 2
"""Calls on their way from which on no other goes that is not full: theirs bring more questions."""
PAUSE = 0.5
LONGEST_PAUSE = 8.0
PROBES = 10
"""Calls in a row that came to nothing, one after the other, after which GitHub counts as down."""
TRIES = 3
HEAVY_TRIES = 9
"""Of what is too much among others: so many halves bring the largest call to a single question."""


class Asked(NamedTuple):
    """A question on its way, and how often it was asked."""

    question: str
    reply: "asyncio.Future[Reply]"
    tries: int = 1


@dataclass
class Batches:
    """Questions that wait for a call; `send` asks many and returns their replies in order."""

    send: Callable[[list[str]], Awaitable[list[Reply]]]
    largest: int
    size: int = 0
    is_shy: bool = False
    """Whether the last call was too much: then they go one at a time, until one is answered."""
    probes: int = 0
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    waiting: list[Asked] = field(default_factory=list)
    calls: set[asyncio.Task[None]] = field(default_factory=set)
    timer: asyncio.TimerHandle | None = None

    def __post_init__(self) -> None:
        self.size = self.size or self.largest

    async def ask(self, question: str) -> Reply:
        """What becomes of one question."""
        if not self.calls:
            self.is_shy, self.probes = False, 0
        loop = asyncio.get_running_loop()
        asked = Asked(question, loop.create_future())
        self._add([asked])
        return await asked.reply

    async def close(self) -> None:
        """Let go of what is on its way."""
        for call in self.calls:
            call.cancel()
        await asyncio.gather(*self.calls, return_exceptions=True)

    def _add(self, several: list[Asked]) -> None:
        self.waiting += several
        while len(self.waiting) >= self.size:
            self._start()
        self._linger()

    def _linger(self) -> None:
        if self.waiting and self.timer is None:
            self.timer = asyncio.get_running_loop().call_later(LINGER, self._linger_ended)

    def _linger_ended(self) -> None:
        self.timer = None
        if self.waiting and len(self.calls) < GATHERING:
            self._start()

    def _start(self) -> None:
        batch, self.waiting = self.waiting[: self.size], self.waiting[self.size :]
        # Who asked may have run out of time.
        if batch := [asked for asked in batch if not asked.reply.done()]:
            call = asyncio.get_running_loop().create_task(self._call(batch))
            self.calls.add(call)
            call.add_done_callback(self._end)

    def _end(self, call: asyncio.Task[None]) -> None:
        self.calls.discard(call)
        self._linger()

    async def _call(self, batch: list[Asked]) -> None:
        if not self.is_shy:
            await self._send(batch)
            return
        async with self.turn:
            if self.probes > PROBES:
                _fail(batch, _down("too many calls came to nothing"))
            elif len(batch) > self.size:
                self._add(batch)
            else:
                self.probes += 1
                await self._send(batch)

    async def _send(self, batch: list[Asked]) -> None:
        try:
            replies = await self.send([asked.question for asked in batch])
        except OverloadedError as error:
            await self._retreat(batch, error)
        except Exception as error:  # noqa: BLE001 - whoever asked is told, whatever it is
            _fail(batch, error)
        else:
            self.is_shy, self.probes = False, 0
            self._hand_out(batch, replies)

    def _hand_out(self, batch: list[Asked], replies: list[Reply]) -> None:
        again = []
        for asked, reply in zip(batch, replies, strict=True):
            is_crowded = reply.is_heavy and len(batch) > 1
            if reply.may_pass and asked.tries < (HEAVY_TRIES if is_crowded else TRIES):
                again.append(asked._replace(tries=asked.tries + 1))
            elif not asked.reply.done():
                asked.reply.set_result(reply)
        if any(reply.is_heavy for reply in replies):
            self.size = max(1, min(self.size, len(batch) // 2))
        else:
            self.size = min(self.largest, self.size + self.largest // 20 + 1)
        self._add(again)

    async def _retreat(self, batch: list[Asked], error: OverloadedError) -> None:
        """Ask the same again by calls of half the size, after a pause."""
        self.is_shy = True
        self.size = max(1, min(self.size, len(batch) // 2))
        await asyncio.sleep(min(PAUSE * 2**self.probes, LONGEST_PAUSE))
        if self.probes > PROBES or (len(batch) == 1 and batch[0].tries >= TRIES):
            _fail(batch, _down(str(error)))
        else:
            grown = 1 if len(batch) == 1 else 0
            self._add([asked._replace(tries=asked.tries + grown) for asked in batch])


def _down(words: str) -> ServiceError:
    return ServiceError(f"GitHub does not answer even single questions: {words}\ntry again later")


def _fail(batch: list[Asked], error: Exception) -> None:
    for asked in batch:
        if not asked.reply.done():
            asked.reply.set_exception(error)
