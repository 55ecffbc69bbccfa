"""Merges as GitHub lists them, by a loopback GitHub: what a list may hold, and keep."""

import asyncio
import tracemalloc
from collections.abc import Awaitable, Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from github_replies import said
from github_server import serve_github
from github_world import PullRequest, Repository, World

from forge.artifacts import Artifacts
from forge.services.github import GitHub
from forge.settings import Settings

SINCE, UNTIL = datetime(2026, 3, 1, 5), datetime(2026, 3, 1, 6)
WORDS = "w" * 30_000
LATER = tuple(
    PullRequest(n, n, body=WORDS, merged_at="2026-03-01T07:00:00Z") for n in range(1, 2_001)
)
WANTED = PullRequest(9_999, 9_999, body=WORDS, merged_at="2026-03-01T05:30:00Z")
WORLD = World((Repository("ada/tool", 42, pull_requests=(*LATER, WANTED)),))
MERGE = {"number": 7, "fullDatabaseId": "12", "title": "Round", "body": "", "author": None,
         "mergedAt": "2026-03-01T05:10:00Z", "updatedAt": "2026-03-01T05:10:00Z",
         "repository": {"databaseId": 42, "nameWithOwner": "ada/tool"}, "mergedBy": None,
         "headRefOid": "a" * 40, "headRefName": "fix", "baseRefName": "main",
         "baseRefOid": "b" * 40, "mergeCommit": None}  # fmt: skip
NAMELESS = {"repository": {"databaseId": None, "nameWithOwner": "ada/tool"}}


def ask(folder: Path, question: Callable[[GitHub], Awaitable[Any]], *first: Any) -> Any:
    async def once(url: str, token: str) -> Any:
        settings = Settings(memo=folder, github_url=url, github_tokens=token)
        async with GitHub.open(settings, Artifacts(folder)) as github:
            return await question(github)

    with serve_github(WORLD, first=[*first]) as loopback:
        return asyncio.run(once(loopback.url, loopback.token))


@pytest.fixture
def traced() -> Iterator[None]:
    tracemalloc.start()
    yield
    tracemalloc.stop()


@pytest.mark.parametrize("unknown", [{"mergedAt": None}, NAMELESS])
def test_merge_that_github_tells_by_half_costs_no_other_of_its_hour(tmp_path, unknown):
    nodes = [MERGE | {"number": 8} | unknown, None, MERGE]
    page = {"pageInfo": {"hasNextPage": False, "endCursor": None}, "issueCount": 3, "nodes": nodes}
    twice = [said(200, {"data": {"s0": page}})] * 2
    found = ask(tmp_path, lambda github: github.searches.hour(SINCE, ""), *twice)
    assert (found["searched_merges"], found["found_merges"]) == (3, 1)


@pytest.mark.usefixtures("traced")
def test_walk_keeps_no_words_of_merges_outside_its_hours(tmp_path):
    found = ask(tmp_path, lambda github: github.walks.repository("ada/tool", SINCE, UNTIL))
    _, peak = tracemalloc.get_traced_memory()
    assert found["found_merges"] == 1
    assert peak < len(LATER) * len(WORDS) / 2
