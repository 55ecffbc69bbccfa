"""What a token has left of each of GitHub's limits; times are of the monotonic clock."""

from collections import deque
from dataclasses import dataclass, field
from typing import Literal

from forge.services.github_answers import LONGEST_WAIT

Resource = Literal["graphql", "core", "search", "code_search"]
"""What GitHub counts apart, as it names it in `x-ratelimit-resource`."""
MINUTE = 60.0
UNTOLD_WAIT = 60.0
LEAST_WAIT = 1.0
SHARPNESS = 2.0
"""Seconds by which the same reset may be told apart, for headers tell whole ones."""


@dataclass
class Pause:
    """How long something is left alone for limits that were met."""

    until: float = 0.0
    limits: int = 0
    """Met in a row."""

    def grow(self, seconds: float | None, now: float) -> None:
        """Leave it alone as long as GitHub says, longer each time where it says nothing useful."""
        doubled = UNTOLD_WAIT * 2 ** min(self.limits, 6)
        told = seconds if seconds is not None else doubled
        # What is told too short again and again is no better than nothing.
        wait = max(told, LEAST_WAIT, doubled if self.limits > 2 else 0.0)
        self.until = max(self.until, now + min(wait, LONGEST_WAIT))
        self.limits += 1


@dataclass
class Quota:
    """The points of one resource, as GitHub last said."""

    remaining: int | None = None
    resets_at: float = 0.0
    pause: Pause = field(default_factory=Pause)
    running: list[int] = field(default_factory=list)
    """Points of the calls on their way."""

    def left(self, now: float) -> float:
        """Points that no call on its way will take."""
        if self.remaining is None or self.resets_at <= now:
            return float("inf")
        return self.remaining - sum(self.running)

    def wait(self, points: int, now: float) -> float:
        """Seconds until so many points may be spent."""
        spent = self.resets_at - now if self.left(now) < points else 0.0
        return max(self.pause.until - now, spent)

    def hear(self, remaining: int, seconds: float, now: float) -> None:
        """Note what is left until it resets; answers may come in another order than they left."""
        is_over = self.resets_at - now <= SHARPNESS or now + seconds > self.resets_at + SHARPNESS
        is_new = self.remaining is None or is_over
        self.remaining = remaining if is_new else min(remaining, self.remaining or 0)
        self.resets_at = now + seconds


@dataclass
class Minute:
    """What one API was asked within the last minute, against what GitHub allows."""

    points: int
    seconds: float
    """Of GitHub's own time, and it says to take the time that answers took for it."""
    spent: deque[tuple[float, float]] = field(default_factory=deque)
    """When which points were spent."""
    took: deque[tuple[float, float]] = field(default_factory=deque)
    """When an answer came, and how long it took."""

    def wait(self, points: int, now: float) -> float:
        """Seconds until a call of so many points stays within it."""
        spent = _wait(self.spent, self.points - points, now)
        return max(spent, _wait(self.took, self.seconds, now))


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
