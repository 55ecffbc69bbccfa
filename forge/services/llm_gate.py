"""How many requests a model takes at once: half as many after a limit, more with every answer."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

UNTOLD_WAIT = 1.0
LONGEST_UNTOLD_WAIT = 30.0
TELL_EVERY = 15.0


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
    changed: asyncio.Event = field(default_factory=asyncio.Event)
    tell_wait: Callable[[str], None] | None = None

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
            self.changed.set()

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
            if self.tell_wait and seconds > TELL_EVERY:
                self.tell_wait(_until(seconds))
            await self._change(min(seconds, TELL_EVERY) if seconds > 0 else None)

    def _is_full(self) -> bool:
        return self.running >= int(self.room)

    async def _change(self, seconds: float | None) -> None:
        self.changed.clear()
        try:
            async with asyncio.timeout(seconds):
                await self.changed.wait()
        except TimeoutError:
            return


def _until(seconds: float) -> str:
    end = datetime.now(UTC) + timedelta(seconds=seconds, minutes=1)
    return f"waits for the model's limit until {end:%H:%M} UTC"
