"""Waits for limits: until something changes, told again and again."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

TELL_EVERY = 15.0


@dataclass
class Waits:
    """Those who wait for somebody's limit; `tell` hears until when."""

    whose: str
    tell: Callable[[str], None] | None = None
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    async def rest(self, seconds: float) -> None:
        """Wait so long, or until something changes; for that alone where there are none."""
        if self.tell and seconds > TELL_EVERY:
            self.tell(until(self.whose, seconds))
        self.changed.clear()
        with suppress(TimeoutError):
            async with asyncio.timeout(min(seconds, TELL_EVERY) if seconds > 0 else None):
                await self.changed.wait()


def until(whose: str, seconds: float) -> str:
    """What to say of a wait.

    >>> until("its", 0.0).startswith("waits for its limit until ")
    True
    """
    end = datetime.now(UTC) + timedelta(seconds=seconds, minutes=1)
    return f"waits for {whose} limit until {end:%H:%M} UTC"
