"""What questions cost: how many a call takes, GitHub's points for it, and the hours of a token."""

from dataclasses import dataclass
from typing import NamedTuple

from forge.services.github_documents import points_of
from forge.services.github_quotas import MINUTE
from forge.services.github_tokens import GRAPHQL_MINUTE

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

    def hours(self, tokens: int) -> float:
        """How long so many tokens take at least.

        A token has its points by the hour, and of GitHub's own time so many seconds a minute; a
        call is taken to need `CALL_SECONDS` of it. Tokens are taken to be of different users.
        """
        by_points = self.points / HOUR_POINTS
        _, seconds = GRAPHQL_MINUTE
        by_time = self.calls * CALL_SECONDS * MINUTE / seconds / 3_600
        return max(by_points, by_time) / tokens


@dataclass(frozen=True)
class Price:
    """One kind of question: how many a call takes at most, and the lists that each asks for."""

    a_call: int
    lists: int = 0

    def load(self, questions: int) -> Load:
        """What so many questions take, by calls of full size and one of what is left.

        >>> Price(60, lists=4).load(125)
        Load(calls=3, points=5)
        """
        whole, rest = divmod(questions, self.a_call)
        points = whole * points_of(self.a_call * self.lists)
        points += points_of(rest * self.lists) if rest else 0
        return Load(whole + bool(rest), points)
