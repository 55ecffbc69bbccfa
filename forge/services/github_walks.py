"""A repository's merges as GitHub lists them, from the latest touched one back."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import datetime

from forge.artifacts import Artifacts
from forge.effect import Failure, Row
from forge.found import Node, kept, moment_of, seen
from forge.services.github_answers import Reply
from forge.services.github_batches import Batches
from forge.services.github_calls import Calls
from forge.services.github_list_documents import by_walks
from forge.services.github_search import UnansweredError, answered, following

AT_ONCE = 5
"""Pages of so many repositories a call: each has a hundred pull requests with their texts."""


@dataclass
class Walks:
    """Lists of repositories by a connection."""

    calls: Calls
    artifacts: Artifacts
    pages: Batches = field(init=False)

    def __post_init__(self) -> None:
        self.pages = Batches(self._ask, AT_ONCE)

    async def repository(self, repo: str, since: datetime, until: datetime) -> Row | Failure:
        """What a repository merged from a time on and before another, in a file."""
        try:
            merges = await self._merged(repo, since, until)
        except UnansweredError as unanswered:
            return unanswered.failure
        return {
            "found_merges": len(merges),
            "found": await asyncio.to_thread(kept, self.artifacts, merges.values()),
        }

    async def _merged(self, repo: str, since: datetime, until: datetime) -> dict[int, Node]:
        # No merge is touched before it is merged: what was touched earlier was merged earlier.
        merges, pages, began = dict[int, Node](), 0, since
        async for nodes in self._pages(repo, since):
            began = moment_of(nodes[0]["updatedAt"]) if nodes and not pages else began
            pages += 1
            merges |= _within(nodes, since, until)
        if pages > 1:
            # What is touched meanwhile moves from pages to come to those that were read.
            async for nodes in self._pages(repo, began):
                merges |= _within(nodes, since, until)
        return merges

    async def _pages(self, repo: str, since: datetime) -> AsyncIterator[list[Node]]:
        """Pages of merges, down to the one where all further ones were touched earlier."""
        after: str | None = ""
        told: set[str] = set()
        while after is not None:
            page = await self._page(repo, after)
            nodes = seen(page["nodes"])
            yield nodes
            is_over = any(moment_of(node["updatedAt"]) < since for node in nodes)
            after = None if is_over else following(page, told, repo)

    async def _page(self, repo: str, after: str) -> Node:
        found = answered(await self.pages.ask(f"{after}\n{repo}"), "repository", repo)
        if found["isPrivate"]:
            raise UnansweredError(Failure("data", "repository_private", f"{repo} is private"))
        page: Node = found["pullRequests"]
        return page

    async def _ask(self, questions: list[str]) -> list[Reply]:
        document = by_walks(questions)
        return (await self.calls.call(document, document.points)).replies(document.places)


def _within(nodes: list[Node], since: datetime, until: datetime) -> dict[int, Node]:
    return {n["number"]: n for n in nodes if since <= moment_of(n["mergedAt"]) < until}
