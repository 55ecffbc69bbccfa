"""Lists whose pages lead nowhere or around, by a loopback GitHub."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from github_replies import Reply, said
from github_server import serve_github
from github_world import Repository, World

from forge.artifacts import Artifacts
from forge.errors import ServiceError
from forge.services.github import GitHub
from forge.settings import Settings

WORLD = World((Repository("ada/tool", 42),))
SINCE, UNTIL = datetime(2026, 3, 1, 5), datetime(2026, 3, 1, 6)
EARLY = "2026-02-26T10:00:00Z"
CURSORS = pytest.mark.parametrize("cursors", [("A", "A"), ("A", "B", "A"), (None,)])


def asked(
    folder: Path, first: list[Reply], ask: Callable[[GitHub], Awaitable[Any]]
) -> tuple[Any, int]:
    """What comes of the replies that are planted, and how many of them were taken."""

    async def once(url: str, token: str) -> Any:
        settings = Settings(memo=folder, github_url=url, github_tokens=token)
        async with GitHub.open(settings, Artifacts(folder)) as github:
            return await ask(github)

    with serve_github(WORLD, first=first) as loopback:
        return asyncio.run(once(loopback.url, loopback.token)), len(loopback.asked)


def page(cursor: str | None, **told: Any) -> dict[str, Any]:
    return {"pageInfo": {"hasNextPage": True, "endCursor": cursor}, "nodes": [], **told}


def comment(body: str) -> dict[str, Any]:
    return {"author": None, "authorAssociation": "NONE", "body": body, "createdAt": EARLY,
            "lastEditedAt": None, "isMinimized": False}  # fmt: skip


@CURSORS
def test_search_whose_pages_lead_nowhere_is_asked_again_by_a_later_build(tmp_path, cursors):
    pages = [said(200, {"data": {"s0": page(cursor, issueCount=7)}}) for cursor in cursors]
    failure, calls = asked(tmp_path, pages, lambda g: g.searches.hour(SINCE, "language:go"))
    assert (failure.kind, failure.reason, calls) == ("infra", "not_answered", len(cursors))
    assert "language:go lead nowhere" in failure.detail


@CURSORS
def test_walk_whose_pages_lead_nowhere_is_no_shorter_list(tmp_path, cursors):
    told = [{"isPrivate": False, "pullRequests": page(cursor)} for cursor in cursors]
    pages = [said(200, {"data": {"w0": one}}) for one in told]
    failure, calls = asked(tmp_path, pages, lambda g: g.walks.repository("ada/x", SINCE, UNTIL))
    assert (failure.kind, failure.reason, calls) == ("infra", "not_answered", len(cursors))
    assert "ada/x lead nowhere" in failure.detail


@CURSORS
def test_comments_whose_pages_lead_nowhere_are_told_once_and_as_cut(tmp_path, cursors):
    told = [page(cursor, nodes=[comment(f"Page {n}")]) for n, cursor in enumerate(cursors)]
    pull = {"createdAt": "2026-03-01T00:00:00Z", "commits": {"nodes": []}}
    first = {"databaseId": 42, "pullRequest": pull, "i3": {"id": "I_x", "comments": told[0]}}
    planted = [{"d0": first}, *({"g0": {"comments": one}} for one in told[1:])]
    replies = [said(200, {"data": one}) for one in planted]
    found, calls = asked(tmp_path, replies, lambda g: g.discussion(42, "ada/tool", 7, [3]))
    assert [one["body"] for one in found["comments"]] == [f"Page {n}" for n in range(len(cursors))]
    assert (found["is_cut"], calls) == (True, len(cursors))


@pytest.mark.parametrize("links", [["/a"], ["/b", "/a"], ["/b", "/b"]])
def test_pages_of_rest_that_lead_around_end(tmp_path, links):
    async def every(github: GitHub) -> None:
        async for _ in github.rest.pages("/a"):
            pass

    pages = [said(200, [], link=f'<{link}>; rel="next"') for link in links]
    with pytest.raises(ServiceError, match="around in circles"):
        asked(tmp_path, pages, every)
