"""What questions cost: how many a call takes, GitHub's points for it, and the hours of a token."""

from dataclasses import dataclass
from typing import NamedTuple

from forge.services.github_tokens import MINUTE, MINUTE_SECONDS

HOUR_POINTS = 5_000
"""What a token has."""
CALL_SECONDS = 1.0
"""An estimate: GitHub's own time for a call of full size; nobody has published it."""


class Load(NamedTuple):
    """Calls and their points."""

    calls: int
    points: int

    def plus(self, other: "Load") -> "Load":
        """Both together.

        >>> Load(2, 3).plus(Load(1, 2))
        Load(calls=3, points=5)
        """
        return Load(self.calls + other.calls, self.points + other.points)

    def minus(self, other: "Load") -> "Load":
        """What is left of it without another that it holds."""
        return Load(self.calls - other.calls, self.points - other.points)

    def hours(self, tokens: int) -> float:
        """How long so many tokens take at least.

        A token has its points by the hour, and of GitHub's own time so many seconds a minute; a
        call is taken to need `CALL_SECONDS` of it. Tokens are taken to be of different users.
        """
        by_points = self.points / HOUR_POINTS
        by_time = self.calls * CALL_SECONDS * MINUTE / MINUTE_SECONDS / 3_600
        return max(by_points, by_time) / tokens


@dataclass(frozen=True)
class Price:
    """One kind of question: how many a call takes at most, and the lists that each asks for."""

    a_call: int
    lists: int = 0

    def of_call(self, questions: int) -> int:
        """Points of one call: a hundredth of its lists, halves up, and at least one.

        >>> Price(60, lists=4).of_call(60), Price(500).of_call(500)
        (2, 1)
        """
        return max(1, (questions * self.lists + 50) // 100)

    def load(self, questions: int) -> Load:
        """What so many questions take, by calls of full size and one of what is left.

        >>> Price(60, lists=4).load(125)
        Load(calls=3, points=5)
        """
        whole, rest = divmod(questions, self.a_call)
        points = whole * self.of_call(self.a_call) + (self.of_call(rest) if rest else 0)
        return Load(whole + bool(rest), points)
