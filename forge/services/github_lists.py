"""GitHub as it lists merges, for builds that have no archive of them."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Self

from forge.artifacts import Artifacts
from forge.effect import Failure, Row
from forge.services.github_calls import Calls
from forge.services.github_search import Searches
from forge.settings import Settings


@dataclass
class GitHubLists:
    """GitHub's search and its repositories' own lists; what they hold is kept as artifacts."""

    calls: Calls
    artifacts: Artifacts
    searches: Searches = field(init=False)

    def __post_init__(self) -> None:
        self.searches = Searches(self.calls, self.artifacts)

    @property
    def identity(self) -> str:
        """The address."""
        return self.calls.address.url

    @classmethod
    def open(cls, settings: Settings, artifacts: Artifacts) -> Self:
        """The GitHub that the settings name."""
        return cls(Calls.open(settings), artifacts)

    async def __aenter__(self) -> Self:
        await self.calls.__aenter__()
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.searches.pages.close()
        await self.calls.__aexit__(*exc)

    def tell_waits(self, tell: Callable[[str], None]) -> None:
        """Say to `tell` until when all tokens rest."""
        self.calls.tokens.tell_wait = tell

    async def hour(self, hour: datetime, query: str) -> Row | Failure:
        """The merges of an hour that GitHub's search finds."""
        return await self.searches.hour(hour, query)
