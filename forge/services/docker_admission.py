"""Which containers run at a time: by workers, by the memory that they need, or one alone.

What is expected of a container is what others of its image used; where none has ended yet, its
limit, but no more than a worker's share of the machine, so that ignorance leaves nobody idle.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

SHARE = 0.9
"""Of the machine's memory: the rest is left to the engine and to forge itself."""
MARGIN = 1.25
"""Containers of one image differ a little."""
MOST_PASSED = 8
"""So many smaller ones may go before one that waits for room, and no more."""


@dataclass(frozen=True)
class Need:
    """What a container may use, of which image, and whether nothing may run beside it."""

    image: str
    memory_bytes: int
    is_alone: bool = False


@dataclass(eq=False)
class Stay:
    """A container's time on the machine; `had_company`: another ran beside it."""

    memory_bytes: int
    is_alone: bool
    had_company: bool = False


@dataclass(eq=False)
class Waiting:
    """A container that is not admitted yet, and how often others were before it."""

    stay: Stay
    admitted: asyncio.Future[None]
    passed: int = 0


@dataclass
class Admission:
    """The places of a machine, given in the order of arrival as far as memory allows."""

    workers: int
    memory_bytes: int
    peaks: dict[str, int] = field(default_factory=dict)
    running: list[Stay] = field(default_factory=list)
    queue: list[Waiting] = field(default_factory=list)

    @asynccontextmanager
    async def admitted(self, need: Need) -> AsyncIterator[Stay]:
        """Wait for a place, and hold it."""
        stay = Stay(self.expected(need), need.is_alone)
        waiting = Waiting(stay, asyncio.get_running_loop().create_future())
        self.queue.append(waiting)
        self._admit()
        try:
            await waiting.admitted
            yield stay
        finally:
            self._leave(waiting)

    def expected(self, need: Need) -> int:
        """Bytes that a container will need, never more than there are."""
        room = self._room
        peak = self.peaks.get(need.image)
        likely = room // self.workers if peak is None else int(MARGIN * peak)
        return min(need.memory_bytes, likely, room)

    def note(self, image: str, peak_bytes: int) -> None:
        """Remember what a container of an image used."""
        self.peaks[image] = max(peak_bytes, self.peaks.get(image, 0))

    @property
    def _room(self) -> int:
        return int(SHARE * self.memory_bytes)

    def _leave(self, waiting: Waiting) -> None:
        if waiting in self.queue:
            self.queue.remove(waiting)
        else:
            self.running.remove(waiting.stay)
        self._admit()

    def _admit(self) -> None:
        passed: list[Waiting] = []
        for waiting in [w for w in self.queue if not w.admitted.cancelled()]:
            if self._fits(waiting.stay):
                self._start(waiting)
                for one in passed:
                    one.passed += 1
            elif waiting.passed >= MOST_PASSED:
                return
            else:
                passed.append(waiting)

    def _fits(self, stay: Stay) -> bool:
        if not self.running:
            return True
        used = sum(other.memory_bytes for other in self.running)
        is_shared = not (stay.is_alone or any(other.is_alone for other in self.running))
        has_place = len(self.running) < self.workers
        return is_shared and has_place and used + stay.memory_bytes <= self._room

    def _start(self, waiting: Waiting) -> None:
        self.queue.remove(waiting)
        self.running.append(waiting.stay)
        if len(self.running) > 1:
            for stay in self.running:
                stay.had_company = True
        waiting.admitted.set_result(None)
