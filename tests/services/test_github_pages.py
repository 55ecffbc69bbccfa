"""Further pages of lists, by a loopback GitHub."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from github_queries import Query
from github_replies import timed_out
from github_server import GitHub as Loopback
from github_server import published_schema, serve_github
from github_world import PullRequest, PullRequestChangedFile, Repository, World, node_id

from forge.artifacts import Artifacts
from forge.services import github_batches
from forge.services.github import GitHub
from forge.services.github_answers import Reply
from forge.services.github_documents import Page, by_names, by_nodes, by_numbers, by_pages
from forge.services.github_pages import Connection, Listed, MissingPageError, Pages
from forge.settings import Settings

FILES = Connection("PullRequest", "files", "ChangedFiles")
ID = 4_262_949_744


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch):
    monkeypatch.setattr(github_batches, "PAUSE", 0.001)


def pull(number: int, files: int, **known: Any) -> PullRequest:
    changed = tuple(PullRequestChangedFile(f"{number}/{n}.py") for n in range(files))
    return PullRequest(number, ID + number, files=changed, **known)


def node(number: int) -> str:
    return node_id("PullRequest", 42, ID + number)


def world(*pulls: PullRequest) -> World:
    return World((Repository("ada/tool", 42, pull_requests=pulls),))


def ask(loopback: Loopback, *asking: Callable[[Pages], Awaitable[Listed]]) -> list[Any]:
    settings = Settings(github_url=loopback.url, github_tokens=" ".join(loopback.tokens))

    async def all_of_them() -> list[Any]:
        async with GitHub.open(settings, Artifacts(Path())) as github:
            asked = [one(github.pages) for one in asking]
            return await asyncio.gather(*asked, return_exceptions=True)

    return asyncio.run(all_of_them())


def rest_of(number: int, **bounds: Any) -> Callable[[Pages], Awaitable[Listed]]:
    return lambda pages: pages.rest(FILES, node(number), None, **bounds)


def paths(listed: Listed) -> list[str]:
    return [file["path"] for file in listed.nodes]


def test_pages_are_followed_until_none_is_left():
    with serve_github(world(pull(7, 250))) as loopback:
        (listed,) = ask(loopback, rest_of(7))
    assert paths(listed) == [f"7/{n}.py" for n in range(250)]
    assert listed.is_whole
    assert len(loopback.asked) == 3


def test_what_has_come_already_is_not_asked_again():
    first = {
        "nodes": [{"path": "7/0.py"}, None, {"path": "7/1.py"}],
        "pageInfo": {"hasNextPage": True, "endCursor": "Y3Vyc29yOnYyOpEB"},
    }
    whole = first | {"pageInfo": {"hasNextPage": False, "endCursor": None}}
    with serve_github(world(pull(7, 5))) as loopback:
        listed, nothing = ask(
            loopback,
            lambda pages: pages.whole(FILES, node(7), first),
            lambda pages: pages.whole(FILES, node(7), whole),
        )
    assert paths(listed) == [f"7/{n}.py" for n in range(5)]
    assert (paths(nothing), nothing.is_whole) == (["7/0.py", "7/1.py"], True)
    assert len(loopback.asked) == 1


def test_pages_of_several_things_share_a_call():
    with serve_github(world(pull(7, 150), pull(8, 120), pull(9, 3))) as loopback:
        listed = ask(loopback, *(rest_of(number) for number in (7, 8, 9)))
    assert [len(one.nodes) for one in listed] == [150, 120, 3]
    assert [asked.cost for asked in loopback.asked] == [1, 1]


def test_a_bound_is_told():
    with serve_github(world(pull(7, 250))) as loopback:
        cut, exact = ask(loopback, rest_of(7, most=2), rest_of(7, most=3))
    assert (len(cut.nodes), cut.is_whole) == (200, False)
    assert (len(exact.nodes), exact.is_whole) == (250, True)


def test_a_page_of_what_is_gone_is_no_shorter_list():
    with serve_github(world(pull(7, 3, is_deleted=True), pull(8, 3))) as loopback:
        gone, there = ask(loopback, rest_of(7), rest_of(8))
    assert isinstance(gone, MissingPageError)
    assert gone.reply.error == "NOT_FOUND"
    assert len(there.nodes) == 3


def test_a_page_that_fails_for_a_while_is_asked_again():
    with serve_github(world(pull(7, 3)), passing={node(7): 2}) as loopback:
        (listed,) = ask(loopback, rest_of(7))
    assert len(listed.nodes) == 3


def test_a_page_that_fails_on_is_no_shorter_list():
    with serve_github(world(pull(7, 250)), touched=70) as loopback:
        (missing,) = ask(loopback, rest_of(7))
    assert isinstance(missing, MissingPageError)
    assert (missing.reply.may_pass, missing.reply.error) == (True, "RESOURCE_LIMITS_EXCEEDED")


def test_pages_that_are_too_much_at_once_are_asked_by_fewer():
    twenty = world(*(pull(n, 90) for n in range(1, 21)))
    with serve_github(twenty, touched=500, first=[timed_out()]) as loopback:
        listed = ask(loopback, *(rest_of(number) for number in range(1, 21)))
    assert [len(one.nodes) for one in listed] == [90] * 20


@pytest.mark.parametrize("ends", [["A", "A"], ["A", "B", "A"], [None]])
def test_cursors_that_lead_nowhere_end_and_are_told(ends):
    told = iter(ends)

    async def call(document: Any) -> list[Any]:
        page = {
            "nodes": [{"path": "a.py"}],
            "pageInfo": {"hasNextPage": True, "endCursor": next(told)},
        }
        return [Reply(page) for _ in document.places]

    listed = asyncio.run(Pages(call).rest(FILES, "PR_x", None))
    assert (len(listed.nodes), listed.is_whole) == (len(ends), False)


def one_more(things: int) -> list[Any]:
    ids, names = ["R_x"] * things, ["ada/tool"] * things
    pages = [Page("PullRequest", "files", "ChangedFiles", "PR_x", None)] * things
    return [
        by_nodes("Repository", ids),
        by_names("Repository", names),
        by_nodes("PullRequest", ids),
        by_numbers("PullRequest", [f"{name}#7" for name in names]),
        by_pages(pages),
    ]


@pytest.mark.parametrize("things", [1, 37, 38, 50, 62, 63, 149, 150])
def test_points_are_those_of_the_published_formula(things):
    for document in one_more(things):
        cost = published_schema().cost(Query(document.query, document.variables))
        assert document.points == cost.points, document.query


def test_documents_of_pages_are_of_the_published_schema():
    kinds = [("files", "ChangedFiles"), ("labels", "Labels")]
    kinds.append(("closingIssuesReferences", "ClosingIssues"))
    pages = [Page("PullRequest", *kind, "PR_x", cursor) for kind in kinds for cursor in (None, "A")]
    assert published_schema().read(by_pages(pages).query).errors == []
