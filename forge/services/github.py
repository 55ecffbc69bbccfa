"""GitHub: repositories and pull requests, many questions a call, and its own lists of merges."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Self

from forge.artifacts import Artifacts
from forge.effect import Failure, Row
from forge.errors import ServiceError
from forge.services import github_hints, github_pull_requests, github_repositories
from forge.services.github_answers import Reply
from forge.services.github_batches import Batches
from forge.services.github_calls import Calls
from forge.services.github_code import CodeSearch
from forge.services.github_connection import Connection
from forge.services.github_documents import (
    Document,
    by_names,
    by_nodes,
    by_numbers,
    pull_request_node,
    repository_node,
)
from forge.services.github_pages import MissingPageError, Pages
from forge.services.github_rest import Rest
from forge.services.github_search import Searches
from forge.services.github_walks import Walks
from forge.settings import Settings

REPOSITORIES = 500
NAMED = 100
LANGUAGES = 70
"""Repositories a call: two lists of each are 140 requests, which is one point."""
PULL_REQUESTS = 60
"""As many as cost 2 points: each asks for three lists and a count."""
FIRST_PULL_REQUESTS = 50
LARGEST_NUMBER = 2**31 - 1
"""GraphQL's integers have 32 bits; a call that holds a larger one is refused as a whole."""


@dataclass
class GitHub:
    """GitHub, or an Enterprise server: its GraphQL, and its REST for the rest.

    Lists of merges are kept as artifacts.
    """

    connection: Connection
    rest: Rest
    artifacts: Artifacts
    calls: Calls = field(init=False)
    repositories: Batches = field(init=False)
    named: Batches = field(init=False)
    languages: Batches = field(init=False)
    languages_named: Batches = field(init=False)
    pull_requests: Batches = field(init=False)
    numbered: Batches = field(init=False)
    pages: Pages = field(init=False)
    discussions: Batches = field(init=False)
    searches: Searches = field(init=False)
    walks: Walks = field(init=False)
    code: CodeSearch = field(init=False)

    def __post_init__(self) -> None:
        self.calls = Calls(self.connection)
        self.repositories = Batches(partial(self._ask, by_nodes, "Repository"), REPOSITORIES)
        self.named = Batches(partial(self._ask, by_names, "Repository"), NAMED)
        told = "RepositoryLanguages"
        self.languages = Batches(partial(self._ask, by_nodes, told), LANGUAGES)
        self.languages_named = Batches(partial(self._ask, by_names, told), LANGUAGES)
        pulls = (PULL_REQUESTS, FIRST_PULL_REQUESTS)
        self.pull_requests = Batches(partial(self._ask, by_nodes, "PullRequest"), *pulls)
        self.numbered = Batches(partial(self._ask, by_numbers, "PullRequest"), *pulls)
        self.pages = Pages(self._call)
        discussed = partial(github_hints.ask, self._call)
        self.discussions = Batches(discussed, github_hints.QUESTIONS)
        self.searches = Searches(self.calls, self.artifacts)
        self.walks = Walks(self.calls, self.artifacts)
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
        single = (found for found in vars(self).values() if isinstance(found, Batches))
        paged = (self.pages.batches, self.searches.pages, self.walks.pages)
        for batches in (*single, *paged):
            await batches.close()
        await self.connection.__aexit__(*exc)

    def tell_waits(self, tell: Callable[[str], None]) -> None:
        """Say to `tell` until when all tokens rest."""
        self.connection.tokens.waits.tell = tell

    async def repository(self, repository_id: int, repo: str) -> Row | Failure:
        """What a repository is, by its id, else by a name that it had."""
        found = await self._repository(repository_id, repo)
        if found.node is None or found.may_pass:
            return _failure(found, "repository", repo)
        if failure := github_repositories.refused(found.node, repository_id, repo):
            return failure
        root = await github_repositories.fork_root(found.node, self._parent)
        return github_repositories.row_of(found.node, root)

    async def contents(self, repository_id: int, repo: str) -> Row | Failure:
        """What languages and topics a repository has."""
        found = await _sought(repository_id, repo, self.languages, self.languages_named)
        if found.node is None or found.may_pass:
            return _failure(found, "repository", repo)
        failure = github_repositories.refused(found.node, repository_id, repo)
        return failure or github_repositories.contents_of(found.node)

    async def pull_request(
        self, repository_id: int, repo: str, number: int, pull_request_id: int | None
    ) -> Row | Failure:
        """What a merged pull request is, by its id, else by its repository's name and number."""
        if number > LARGEST_NUMBER:
            return _failure(Reply(None), "pull_request", f"{repo}#{number}")
        found = await self._pull_request(repository_id, repo, number, pull_request_id)
        if found.node is None or found.may_pass:
            return _failure(found, "pull_request", f"{repo}#{number}")
        if failure := github_pull_requests.refused(found.node, repository_id, repo, number):
            return failure
        try:
            return await github_pull_requests.told(found.node, f"{repo}#{number}", self.pages)
        except MissingPageError as missing:
            return _failure(missing.reply, "pull_request", f"{repo}#{number}")

    async def discussion(
        self, repository_id: int, repo: str, number: int, issues: list[int]
    ) -> Row | Failure:
        """What was said under issues before a pull request's first commit."""
        found = await self._discussion(repository_id, repo, number, issues)
        if found.node is None or found.may_pass:
            return _failure(found, "repository", repo)
        if failure := github_hints.refused(found.node, repository_id, repo, number):
            return failure
        try:
            return await github_hints.row_of(found.node, issues, self.pages)
        except MissingPageError as missing:
            return _failure(missing.reply, "issue", repo)

    async def _discussion(
        self, repository_id: int, repo: str, number: int, issues: list[int]
    ) -> Reply:
        if repository_id > 0:
            node = repository_node(repository_id)
            found = await self.discussions.ask(github_hints.question(node, number, issues))
            if found.may_pass or (found.node and found.node["databaseId"] == repository_id):
                return found
        return await self.discussions.ask(github_hints.question(repo, number, issues))

    async def _pull_request(
        self, repository_id: int, repo: str, number: int, pull_request_id: int | None
    ) -> Reply:
        if pull_request_id is not None and repository_id > 0:
            node = pull_request_node(repository_id, pull_request_id)
            found = await self.pull_requests.ask(node)
            is_it = found.node and github_pull_requests.is_of(found.node, repository_id, number)
            if found.may_pass or is_it:
                return found
        return await self.numbered.ask(f"{repo}#{number}")

    async def _repository(self, repository_id: int, repo: str) -> Reply:
        return await _sought(repository_id, repo, self.repositories, self.named)

    async def _parent(self, ancestor: github_repositories.Node) -> github_repositories.Node | None:
        repo = ancestor["nameWithOwner"]
        found = await self._repository(ancestor["databaseId"], repo)
        if found.may_pass:
            raise ServiceError(f"GitHub says {found.error} of {repo}\ntry again later")
        return found.node

    async def _ask(
        self, write: Callable[[str, list[str]], Document], fragment: str, questions: list[str]
    ) -> list[Reply]:
        return await self._call(write(fragment, questions))

    async def _call(self, document: Document) -> list[Reply]:
        answer = await self.calls.call(document, document.points)
        return answer.replies(document.places)


async def _sought(repository_id: int, repo: str, by_id: Batches, by_name: Batches) -> Reply:
    """A repository by its id, else by a name that it had."""
    if repository_id > 0:  # negative: forge derived it from the name
        found = await by_id.ask(repository_node(repository_id))
        if found.may_pass or (found.node and found.node["databaseId"] == repository_id):
            return found
    return await by_name.ask(repo)


def _failure(reply: Reply, what: str, name: str) -> Failure:
    if reply.may_pass:
        return Failure("infra", "not_answered", f"GitHub says {reply.error} of {name}")
    if reply.error in {None, "NOT_FOUND"}:
        return Failure("data", f"{what}_gone", f"GitHub shows no {name}: deleted or private")
    return Failure("data", f"{what}_refused", f"GitHub says {reply.error} of {name}")
