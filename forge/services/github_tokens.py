"""Tokens of GitHub, each with its points, and which of them the next call takes."""

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import httpx
from pydantic import SecretStr

from forge.services.github_answers import LONGEST_WAIT, LimitedError, reset_in

AT_ONCE = 100
"""Requests that GitHub takes at once, of all tokens together."""
TOKEN_AT_ONCE = 8
"""Far below what GitHub takes, because more of them at work do not come sooner."""
MINUTE = 60.0
MINUTE_POINTS = 2_000
MINUTE_SECONDS = 55.0
"""Of GitHub's own time: 60 it allows, and says to take the time that answers took for it."""
UNTOLD_WAIT = 60.0
LEAST_WAIT = 1.0
TELL_EVERY = 15.0


@dataclass
class Token:
    """A token and what GitHub last said of it; times are of the monotonic clock."""

    number: int
    secret: SecretStr
    remaining: int | None = None
    resets_at: float = 0.0
    quiet_until: float = 0.0
    limits: int = 0
    """Limits met in a row."""
    running: list[int] = field(default_factory=list)
    """Points of the calls on their way."""
    spent: deque[tuple[float, float]] = field(default_factory=deque)
    """When which points were spent."""
    took: deque[tuple[float, float]] = field(default_factory=deque)
    """When an answer came, and how long it took."""

    def left(self, now: float) -> float:
        """Points that no call on its way will take."""
        if self.remaining is None or self.resets_at <= now:
            return float("inf")
        return self.remaining - sum(self.running)

    def wait(self, points: int, now: float) -> float:
        """Seconds until it may be used for a call of so many points."""
        waits = [
            self.quiet_until - now,
            _wait(self.spent, MINUTE_POINTS - points, now),
            _wait(self.took, MINUTE_SECONDS, now),
        ]
        if self.left(now) < points:
            waits.append(self.resets_at - now)
        return min(max(waits), LONGEST_WAIT)

    def hear(self, headers: httpx.Headers, now: float) -> None:
        """Note what is left, as an answer says."""
        self.limits = 0
        remaining, seconds = headers.get("x-ratelimit-remaining", ""), reset_in(headers)
        if remaining.isascii() and remaining.isdigit() and seconds is not None:
            self.remaining, self.resets_at = int(remaining[:9]), now + seconds

    def rest(self, limited: LimitedError, now: float) -> None:
        """Leave it alone as long as GitHub says, longer each time where it says nothing useful."""
        doubled = UNTOLD_WAIT * 2 ** min(self.limits, 6)
        told = limited.seconds if limited.seconds is not None else doubled
        # What is told too short again and again is no better than nothing.
        seconds = max(told, LEAST_WAIT, doubled if self.limits > 2 else 0.0)
        self.quiet_until = max(self.quiet_until, now + min(seconds, LONGEST_WAIT))
        self.limits += 1


def _wait(spent: deque[tuple[float, float]], most: float, now: float) -> float:
    """Seconds until what was spent within the last minute is at most so much."""
    while spent and spent[0][0] <= now - MINUTE:
        spent.popleft()
    over, wait = sum(amount for _, amount in spent) - most, 0.0
    for at, amount in spent:
        if over <= 0:
            break
        over, wait = over - amount, at + MINUTE - now
    return wait


@dataclass
class Tokens:
    """All tokens; a call takes the one that has most points left."""

    tokens: list[Token]
    tell_wait: Callable[[str], None] | None = None
    """Hears until when all of them rest."""
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    @asynccontextmanager
    async def lent(self, points: int) -> AsyncIterator[Token]:
        """A token for one call of so many points, when one may be used."""
        token = await self._free(points)
        began = time.monotonic()
        token.running.append(points)
        token.spent.append((began, points))
        try:
            yield token
        finally:
            token.running.remove(points)
            token.took.append((time.monotonic(), time.monotonic() - began))
            self.changed.set()

    async def _free(self, points: int) -> Token:
        while True:
            now = time.monotonic()
            seconds = min(token.wait(points, now) for token in self.tokens)
            able = [t for t in self.tokens if t.wait(points, now) <= 0 and self._has_room(t)]
            if able:
                return max(able, key=lambda token: (token.left(now), -len(token.running)))
            if self.tell_wait and seconds > TELL_EVERY:
                self.tell_wait(until(seconds))
            await self._change(min(seconds, TELL_EVERY) if seconds > 0 else None)

    def _has_room(self, token: Token) -> bool:
        running = sum(len(other.running) for other in self.tokens)
        return running < AT_ONCE and len(token.running) < TOKEN_AT_ONCE

    async def _change(self, seconds: float | None) -> None:
        self.changed.clear()
        try:
            async with asyncio.timeout(seconds):
                await self.changed.wait()
        except TimeoutError:
            return


def until(seconds: float) -> str:
    """What to say of a wait.

    >>> until(0.0).startswith("waits for its limit until ")
    True
    """
    end = datetime.now(UTC) + timedelta(seconds=seconds, minutes=1)
    return f"waits for its limit until {end:%H:%M} UTC"
