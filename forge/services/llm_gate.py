"""How many requests a model takes at once: half as many after a limit, more with every answer."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from forge.services.waits import Waits

UNTOLD_WAIT = 1.0
LONGEST_UNTOLD_WAIT = 30.0


@dataclass
class Gate:
    """Requests on their way to one model; times are of the monotonic clock."""

    most: int
    room: float = 0.0
    running: int = 0
    quiet_until: float = 0.0
    halved_at: float = 0.0
    limits: int = 0
    """Limits met in a row."""
    waits: Waits = field(default_factory=lambda: Waits("the model's"))

    def __post_init__(self) -> None:
        self.room = self.room or float(self.most)

    @asynccontextmanager
    async def entered(self) -> AsyncIterator[float]:
        """A place for one request, which began at that time, when there is one."""
        await self._enter()
        self.running += 1
        try:
            yield time.monotonic()
        finally:
            self.running -= 1
            self.waits.changed.set()

    def grow(self) -> None:
        """Note an answer: as many as there is room for make room for one more."""
        self.limits = 0
        self.room = min(float(self.most), self.room + 1 / self.room)

    def rest(self, seconds: float | None, began: float) -> None:
        """Note a limit: all wait as long as it says, and those to come are half as many."""
        now = time.monotonic()
        untold = min(UNTOLD_WAIT * 2**self.limits, LONGEST_UNTOLD_WAIT)
        self.quiet_until = max(self.quiet_until, now + (untold if seconds is None else seconds))
        # What was on its way beside the first that met a limit tells nothing new.
        if began >= self.halved_at:
            self.room, self.halved_at = max(1.0, self.room / 2), now
            self.limits = min(self.limits + 1, 10)

    async def _enter(self) -> None:
        while (seconds := self.quiet_until - time.monotonic()) > 0 or self._is_full():
            await self.waits.rest(seconds)

    def _is_full(self) -> bool:
        return self.running >= int(self.room)
