"""What one call does not list of a thing: further pages of its lists, many of them a call."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import msgspec

from forge.services.github_answers import Reply
from forge.services.github_batches import Batches
from forge.services.github_documents import Document, Page, by_pages

LARGEST = 50
START = 20
"""Pages a call: each may be a hundred records."""
MOST_PAGES = 30
Node = dict[str, Any]


class MissingPageError(Exception):
    """A page does not come; `reply` has what GitHub says in its place."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(reply.error or "a page does not come")
        self.reply = reply


class Connection(NamedTuple):
    """A list of something: the type that has it, its field there, and the fragment of a page.

    The fragment asks for `pageInfo { hasNextPage endCursor }` beside the nodes.
    """

    owner: str
    field: str
    fragment: str


class Listed(NamedTuple):
    """Entries of a list, and whether they are all."""

    nodes: list[Node]
    is_whole: bool


@dataclass
class Pages:
    """Pages of anybody's lists; `call` sends a document and returns what became of its questions.

    An entry that GitHub hides from a token is null, and left out.
    """

    call: Callable[[Document], Awaitable[list[Reply]]]
    batches: Batches = field(init=False)

    def __post_init__(self) -> None:
        self.batches = Batches(self._ask, LARGEST, START)

    async def whole(
        self, of: Connection, node: str, first: Node | None, *, most: int = MOST_PAGES
    ) -> Listed:
        """What a list holds whose first page has come, `most` further pages at most."""
        listed, after = nodes_of(first), _next(first)
        if after is None:
            return Listed(listed, not _has_more(first))
        rest = await self.rest(of, node, after, most=most)
        return Listed(listed + rest.nodes, rest.is_whole)

    async def rest(
        self, of: Connection, node: str, after: str | None, *, most: int = MOST_PAGES
    ) -> Listed:
        """What lies behind a cursor, or all where there is none, `most` pages at most.

        MissingPageError where one does not come: what is listed is never silently shorter.
        """
        listed: list[Node] = []
        seen = {after}
        for _ in range(most):
            page = await self.page(of, node, after)
            listed += nodes_of(page)
            after = _next(page)
            if after is None or after in seen:
                return Listed(listed, not _has_more(page))
            seen.add(after)
        return Listed(listed, is_whole=False)

    async def page(self, of: Connection, node: str, after: str | None) -> Node:
        """One page of a list; MissingPageError where it does not come."""
        question = Page(*of, node, after)
        reply = await self.batches.ask(msgspec.json.encode(question).decode())
        if reply.node is None or reply.may_pass:
            raise MissingPageError(reply)
        return reply.node

    async def _ask(self, questions: list[str]) -> list[Reply]:
        pages = [msgspec.json.decode(question, type=Page) for question in questions]
        return await self.call(by_pages(pages))


def nodes_of(page: Node | None) -> list[Node]:
    """The entries of a page that are to be seen."""
    return [one for one in (page or {}).get("nodes") or [] if one]


def _has_more(page: Node | None) -> bool:
    return bool(page and page["pageInfo"]["hasNextPage"])


def _next(page: Node | None) -> str | None:
    """The cursor of what comes after a page, where something does."""
    return page["pageInfo"]["endCursor"] if page and _has_more(page) else None
