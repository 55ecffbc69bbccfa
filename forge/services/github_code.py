"""GitHub's search for code: which repositories hold a file."""

from dataclasses import dataclass
from math import isqrt
from typing import NamedTuple, Self

from forge.effect import Failure, Row
from forge.services.github_answers import RefusedError
from forge.services.github_models import FoundCode, told
from forge.services.github_rest import Rest
from forge.services.github_search import CAP, TRIES

PAGE = 100
LARGEST = 2**24
"""Bytes of a file; GitHub's own searches for code end far below it, an Enterprise server's too."""
UNTAKEN = 422


class Hits(NamedTuple):
    """Files that GitHub counts and those that it lists, with the repositories that hold them."""

    files: int
    listed: int
    repositories: dict[int, str]
    is_whole: bool

    def and_(self, other: Self) -> "Hits":
        """Both together."""
        return Hits(
            self.files + other.files,
            self.listed + other.listed,
            self.repositories | other.repositories,
            self.is_whole and other.is_whole,
        )


@dataclass
class CodeSearch:
    """GitHub's search for code by REST."""

    rest: Rest

    async def repositories(self, query: str) -> Row | Failure:
        """The public repositories that hold what is sought, and how much of it was listed."""
        try:
            hits = await self._within(query, 0, LARGEST)
        except RefusedError as refused:
            words = f"GitHub does not search for {query}: {refused}"
            if refused.status == UNTAKEN:
                return Failure("data", "search_refused", words)
            return Failure("infra", "search_refused", words)
        named = [{"repository_id": n, "repo": repo} for n, repo in hits.repositories.items()]
        return {
            "repositories": sorted(named, key=lambda one: one["repository_id"]),
            "files": hits.files,
            "listed_files": hits.listed,
            "is_whole": hits.is_whole and hits.files == hits.listed,
        }

    async def _within(self, query: str, least: int, most: int) -> Hits:
        """What is found in files of so many bytes, in parts where that is more than is listed."""
        is_all = (least, most) == (0, LARGEST)
        words = query if is_all else f"{query} size:{least}..{most}"
        for _ in range(TRIES):
            pages = await self._pages(words, is_dividable=least < most)
            if pages[0].total_count > CAP and least < most:
                end = middle(least, most)
                earlier = await self._within(query, least, end)
                return earlier.and_(await self._within(query, end + 1, most))
            if not any(page.incomplete_results for page in pages):
                break
        return _hits(pages)

    async def _pages(self, words: str, *, is_dividable: bool) -> list[FoundCode]:
        found: list[FoundCode] = []
        asked: dict[str, str | int] = {"q": words, "per_page": PAGE}
        async for page in self.rest.pages("/search/code", asked, resource="code_search"):
            found.append(told(FoundCode, page.content))
            if is_dividable and found[0].total_count > CAP:
                break
        return found


def middle(least: int, most: int) -> int:
    """The last size of the first part of two: small files are the many.

    >>> middle(0, 2**24), middle(6, 7)
    (4095, 6)
    """
    return isqrt((least + 1) * (most + 1)) - 1


def _hits(pages: list[FoundCode]) -> Hits:
    items = [item for page in pages for item in page.items]
    return Hits(
        max(page.total_count for page in pages),
        len(items),
        {i.repository.id: i.repository.full_name for i in items if not i.repository.private},
        not any(page.incomplete_results for page in pages),
    )
