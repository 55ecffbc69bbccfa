"""GitHub's search for merged pull requests: windows of time that hold no more than it lists."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from forge.artifacts import Artifacts
from forge.effect import Failure, Row
from forge.found import Node, kept, seen
from forge.services.github_answers import Reply
from forge.services.github_batches import Batches
from forge.services.github_calls import Calls
from forge.services.github_list_documents import by_searches

CAP = 1_000
"""Results that GitHub lists of a search, however many it counts."""
ONE_HOUR, ONE_SECOND = timedelta(hours=1), timedelta(seconds=1)
SETTLED = timedelta(minutes=15)
"""After which an hour is searched: the index of GitHub's search lags behind."""
TRIES = 2
"""How often a window is read whose answer changes meanwhile."""
MERGED = "is:pr is:merged is:public"


class UnansweredError(Exception):
    """A question that GitHub did not answer, as the failure that it is."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.reason)
        self.failure = failure


class Listed(NamedTuple):
    """How many merges a window holds by GitHub's count, and those of them that it lists."""

    total: int
    nodes: dict[tuple[int, int], Node]


@dataclass
class Searches:
    """GitHub's search by a connection."""

    calls: Calls
    artifacts: Artifacts
    pages: Batches = field(init=False)

    def __post_init__(self) -> None:
        self.pages = Batches(self._ask, 1)

    async def hour(self, hour: datetime, query: str) -> Row | Failure:
        """The merges of an hour, in a file, and how many there are."""
        if now() < hour + ONE_HOUR + SETTLED:
            words = f"GitHub's search may not know all merges of {hour:%Y-%m-%d %H}:00 yet"
            return Failure("pending", "too_young", words)
        try:
            listed = await self._between(hour, hour + ONE_HOUR, query)
        except UnansweredError as unanswered:
            return unanswered.failure
        return {
            "searched_merges": listed.total,
            "found_merges": len(listed.nodes),
            "found": await asyncio.to_thread(kept, self.artifacts, listed.nodes.values()),
        }

    async def _between(self, start: datetime, end: datetime, query: str) -> Listed:
        """The merges of a window, its start included and its end not."""
        words = sought(start, end, query)
        for _ in range(TRIES):
            first = await self._page(words)
            if first["issueCount"] > CAP and end - start > ONE_SECOND:
                middle = start + (end - start) // ONE_SECOND // 2 * ONE_SECOND
                earlier = await self._between(start, middle, query)
                later = await self._between(middle, end, query)
                return Listed(earlier.total + later.total, earlier.nodes | later.nodes)
            pages = [first, *[page async for page in self._following(words, first)]]
            listed = _listed(pages)
            if len(listed.nodes) == min(listed.total, CAP):
                break
        return listed

    async def _following(self, words: str, page: Node) -> AsyncIterator[Node]:
        told: set[str] = set()
        while after := following(page, told, words):
            page = await self._page(words, after)
            yield page

    async def _page(self, words: str, after: str = "") -> Node:
        return answered(await self.pages.ask(f"{after}\n{words}"), "search", words)

    async def _ask(self, questions: list[str]) -> list[Reply]:
        document = by_searches(questions)
        return (await self.calls.call(document, document.points)).replies(document.places)


def sought(start: datetime, end: datetime, query: str) -> str:
    """The words for the merges of a window, in whole seconds: GitHub's ranges hold both ends.

    >>> sought(datetime(2026, 3, 1, 5), datetime(2026, 3, 1, 6), "language:go")
    'is:pr is:merged is:public merged:2026-03-01T05:00:00Z..2026-03-01T05:59:59Z language:go'
    """
    window = f"{start.isoformat()}Z..{(end - ONE_SECOND).isoformat()}Z"
    return f"{MERGED} merged:{window} {query}".rstrip()


def answered(reply: Reply, what: str, name: str) -> Node:
    """The node of a reply; raises what became of the question instead."""
    if reply.node is not None and not reply.may_pass:
        return reply.node
    if reply.may_pass or reply.error is None:
        raise UnansweredError(
            Failure("infra", "not_answered", f"GitHub says {reply.error} of {name}")
        )
    if reply.error == "NOT_FOUND":
        words = f"GitHub shows no {name}: deleted or private"
        raise UnansweredError(Failure("data", f"{what}_gone", words))
    raise UnansweredError(
        Failure("data", f"{what}_refused", f"GitHub says {reply.error} of {name}")
    )


def following(page: Node, told: set[str], name: str) -> str | None:
    """The cursor of the page after one, if there is any; `told` holds those that led here."""
    after = page["pageInfo"]["endCursor"]
    if not page["pageInfo"]["hasNextPage"]:
        return None
    if not after or after in told:
        words = f"GitHub's pages of {name} lead nowhere"
        raise UnansweredError(Failure("infra", "not_answered", words))
    told.add(after)
    return str(after)


def now() -> datetime:
    """The time, UTC, without its zone."""
    return datetime.now(UTC).replace(tzinfo=None)


def _listed(pages: list[Node]) -> Listed:
    nodes = [node for page in pages for node in seen(page["nodes"])]
    merges = {(node["repository"]["databaseId"], node["number"]): node for node in nodes}
    return Listed(max(page["issueCount"] for page in pages), merges)
