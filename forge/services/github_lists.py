"""GitHub as it lists merges, for builds that have no archive of them."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Self

from forge.artifacts import Artifacts
from forge.services.github_calls import Calls
from forge.services.github_code import CodeSearch
from forge.services.github_connection import Connection
from forge.services.github_rest import Rest
from forge.services.github_search import Searches
from forge.services.github_walks import Walks
from forge.settings import Settings


@dataclass
class GitHubLists:
    """GitHub's searches and its repositories' own lists; what they hold is kept as artifacts."""

    connection: Connection
    rest: Rest
    artifacts: Artifacts
    searches: Searches = field(init=False)
    walks: Walks = field(init=False)
    code: CodeSearch = field(init=False)

    def __post_init__(self) -> None:
        calls = Calls(self.connection)
        self.searches = Searches(calls, self.artifacts)
        self.walks = Walks(calls, self.artifacts)
        self.code = CodeSearch(self.rest)

    @property
    def identity(self) -> str:
        """The address."""
        return self.connection.address.url

    @classmethod
    def open(cls, settings: Settings, artifacts: Artifacts) -> Self:
        """The GitHub that the settings name."""
        connection = Connection.open(settings)
        return cls(connection, Rest.open(connection, settings), artifacts)

    async def __aenter__(self) -> Self:
        await self.connection.__aenter__()
        return self

    async def __aexit__(self, *exc: object) -> None:
        for pages in (self.searches.pages, self.walks.pages):
            await pages.close()
        await self.connection.__aexit__(*exc)

    def tell_waits(self, tell: Callable[[str], None]) -> None:
        """Say to `tell` until when all tokens rest."""
        self.connection.tokens.tell_wait = tell
