"""Pull requests as the service tells them, by a loopback GitHub."""

import asyncio
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from github_replies import said, timed_out
from github_server import GitHub as Loopback
from github_server import published_schema, serve_github
from github_world import (
    Actor,
    Issue,
    Label,
    PullRequest,
    PullRequestChangedFile,
    Repository,
    World,
)

from forge.artifacts import Artifacts
from forge.services import github_batches
from forge.services.github import GitHub
from forge.services.github_documents import by_nodes, by_numbers, pull_request_node
from forge.settings import Settings

ID = 4_262_949_744
FIX = PullRequest(
    7,
    ID,
    title="Round half to even",
    body="Fixes #3.",
    author=Actor("ada"),
    files=(
        PullRequestChangedFile("src/round.py", 3, 1),
        PullRequestChangedFile("tests/data.bin", 0, 0, "ADDED"),
        PullRequestChangedFile("tests/old.py", 0, 0, "RENAMED"),
    ),
    labels=(Label("bug"),),
    closes=(
        Issue(3, last_edited_at="2026-03-02T09:00:00Z"),
        Issue(9, of="bob/other"),
        Issue(4, title="Thirds vanish", body="", author=None),
    ),
)


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch):
    monkeypatch.setattr(github_batches, "PAUSE", 0.001)


def world(*pull_requests: PullRequest, **known: Any) -> World:
    other = Repository("bob/other", 43)
    return World(
        (
            Repository(
                **{"name_with_owner": "ada/tool", "id": 42, "pull_requests": pull_requests} | known
            ),
            other,
        )
    )


def ask(loopback: Loopback, *questions: tuple[int, str, int, int | None]) -> list[Any]:
    settings = Settings(github_url=loopback.url, github_tokens=" ".join(loopback.tokens))

    async def all_of_them() -> list[Any]:
        async with GitHub.open(settings, Artifacts(Path())) as github:
            asking = [github.pull_request(*question) for question in questions]
            return await asyncio.gather(*asking, return_exceptions=True)

    return asyncio.run(all_of_them())


def many(count: int) -> tuple[PullRequest, ...]:
    return tuple(replace(FIX, number=n, id=ID + n, title=f"T{n}") for n in range(1, count + 1))


def test_a_pull_request_is_told_with_all_that_a_candidate_needs():
    with serve_github(world(FIX)) as loopback:
        (found,) = ask(loopback, (42, "ada/tool", 7, ID))
    lines = {"previous_path": None, "additions": 0, "deletions": 0}
    assert found == {
        "title": "Round half to even",
        "body": "Fixes #3.",
        "author": "ada",
        "is_bot": False,
        "association": "CONTRIBUTOR",
        "merged_at": datetime(2026, 3, 1, 5, 9, 59),
        "head_sha": "a" * 40,
        "base_ref": "main",
        "base_sha": "b" * 40,
        "merge_commit": "c" * 40,
        "commits": 0,
        "changed_files": 3,
        "additions": 3,
        "deletions": 1,
        "files": [
            lines | {"path": "src/round.py", "additions": 3, "deletions": 1, "is_binary": False},
            lines | {"path": "tests/data.bin", "is_binary": None},
            lines | {"path": "tests/old.py", "is_binary": False},
        ],
        "labels": ["bug"],
        "issues": [
            {
                "number": 3,
                "title": "Halves vanish",
                "body": "1.5 gives 1.",
                "author": "grace",
                "author_type": "User",
                "opened_at": datetime(2026, 2, 26, 8),
                "edited_at": datetime(2026, 3, 2, 9),
            },
            {
                "number": 4,
                "title": "Thirds vanish",
                "body": None,
                "author": None,
                "author_type": None,
                "opened_at": datetime(2026, 2, 26, 8),
                "edited_at": None,
            },
        ],
    }


@pytest.mark.parametrize(
    ("author", "login", "is_bot"),
    [(Actor("renovate", "Bot"), "renovate", True), (None, None, None)],
)
def test_an_author_is_a_machine_by_its_account_and_unknown_when_it_is_gone(author, login, is_bot):
    with serve_github(world(replace(FIX, author=author))) as loopback:
        (found,) = ask(loopback, (42, "ada/tool", 7, ID))
    assert (found["author"], found["is_bot"]) == (login, is_bot)


@pytest.mark.parametrize(
    ("question", "known"),
    [
        ((42, "ada/tool", 7, 999), {}),
        ((42, "ada/tool", 7, ID + 1), {}),
        ((42, "ada/tool", 7, None), {}),
        ((-5, "ada/tool", 7, None), {}),
        ((42, "old/tool", 7, None), {"former": ("old/tool",)}),
    ],
)
def test_what_its_id_does_not_lead_to_is_found_by_name_and_number(question, known):
    other = replace(FIX, number=8, id=ID + 1, title="Another")
    with serve_github(world(FIX, other, **known)) as loopback:
        (found,) = ask(loopback, question)
    assert found["title"] == "Round half to even"


@pytest.mark.parametrize(
    ("pull_request", "known", "reason"),
    [
        (replace(FIX, is_deleted=True), {}, ("data", "pull_request_gone")),
        (FIX, {"fate": "private"}, ("data", "pull_request_gone")),
        (FIX, {"fate": "protected"}, ("data", "pull_request_refused")),
        (FIX, {"id": 44}, ("data", "pull_request_replaced")),
        (replace(FIX, merged_at=None), {}, ("data", "not_merged")),
        (replace(FIX, changed_files=3_001), {}, ("policy", "too_many_files")),
        (replace(FIX, changed_files=3_000), {}, ("data", "files_not_listed")),
        (replace(FIX, changed_files=4), {}, ("data", "files_not_listed")),
        (replace(FIX, changed_files=2), {}, ("data", "files_not_listed")),
    ],
)
def test_what_cannot_be_had_is_an_answer_with_its_reason(pull_request, known, reason):
    with serve_github(world(pull_request, **known)) as loopback:
        (found,) = ask(loopback, (42, "ada/tool", 7, ID))
    assert (found.kind, found.reason) == reason


def changed(count: int) -> tuple[PullRequestChangedFile, ...]:
    return tuple(PullRequestChangedFile(f"src/{n}.py") for n in range(count))


def test_lists_that_one_call_cuts_are_told_to_their_end():
    large = replace(
        FIX,
        files=changed(3_000),
        labels=tuple(Label(f"l{n}") for n in range(21)),
        closes=tuple(Issue(n) for n in range(100, 311)),
    )
    with serve_github(world(large)) as loopback:
        (found,) = ask(loopback, (42, "ada/tool", 7, ID))
    assert [file["path"] for file in found["files"]] == [f"src/{n}.py" for n in range(3_000)]
    assert found["labels"] == [f"l{n}" for n in range(21)]
    assert [issue["number"] for issue in found["issues"]] == [*range(100, 311)]
    assert len(loopback.asked) == 1 + 29 + 1 + 3


def test_pages_are_asked_by_the_id_that_github_tells():
    pull = replace(FIX, files=changed(101), node_id="PR_of_another_making")
    with serve_github(world(pull)) as loopback:
        (found,) = ask(loopback, (42, "ada/tool", 7, ID))
    assert len(found["files"]) == 101


def test_files_of_several_pull_requests_share_the_calls_of_their_pages():
    pulls = [replace(one, files=changed(100 + one.number)) for one in many(20)]
    with serve_github(world(*pulls)) as loopback:
        answers = ask(loopback, *[(42, "ada/tool", n, ID + n) for n in range(1, 21)])
    assert [len(answer["files"]) for answer in answers] == [*range(101, 121)]
    assert len(loopback.asked) == 2


@pytest.mark.parametrize(
    ("error", "kind", "reason"),
    [
        ({"type": "NOT_FOUND"}, "data", "pull_request_gone"),
        ({"type": "FORBIDDEN"}, "data", "pull_request_refused"),
        ({}, "infra", "not_answered"),
        ({"type": "RESOURCE_LIMITS_EXCEEDED"}, "infra", "not_answered"),
    ],
)
def test_a_pull_request_of_which_a_page_does_not_come_is_not_told(error, kind, reason):
    told = {"data": {"g0": None}, "errors": [error | {"path": ["g0"], "message": "No."}]}
    pull = replace(FIX, files=changed(101))
    with serve_github(world(pull), first=[None, *[said(200, told)] * 3]) as loopback:
        (found,) = ask(loopback, (42, "ada/tool", 7, ID))
    assert (found.kind, found.reason) == (kind, reason)


def test_a_list_that_says_it_goes_on_but_not_where_is_not_taken_for_whole():
    cut = {"nodes": [{"name": "l20"}], "pageInfo": {"hasNextPage": True, "endCursor": None}}
    page = said(200, {"data": {"g0": {"labels": cut}}})
    pull = replace(FIX, labels=tuple(Label(f"l{n}") for n in range(22)))
    with serve_github(world(pull), first=[None, page]) as loopback:
        (found,) = ask(loopback, (42, "ada/tool", 7, ID))
    assert (found.kind, found.reason) == ("data", "not_listed")


def test_calls_grow_to_sixty_pull_requests_and_never_cost_more_than_two_points():
    with serve_github(world(*many(1_500))) as loopback:
        settings = Settings(github_url=loopback.url, github_tokens=loopback.token)

        async def in_turns() -> None:
            async with GitHub.open(settings, Artifacts(Path())) as github:
                for first in range(1, 1_500, 300):
                    numbers = range(first, first + 300)
                    await asyncio.gather(
                        *(github.pull_request(42, "ada/tool", n, ID + n) for n in numbers)
                    )

        asyncio.run(in_turns())
    sizes = [len(asked.variables["n0"]) for asked in loopback.asked]
    assert sizes[:6] == [50] * 6
    assert (max(sizes), sizes[-1]) == (60, 60)
    assert {asked.cost for asked in loopback.asked} == {2}


def test_pull_requests_are_asked_fifty_a_call_for_two_points():
    with serve_github(world(*many(200))) as loopback:
        answers = ask(loopback, *[(42, "ada/tool", n, ID + n) for n in range(1, 201)])
    assert [answer["title"] for answer in answers] == [f"T{n}" for n in range(1, 201)]
    assert [asked.cost for asked in loopback.asked] == [2] * 4


def test_calls_that_time_out_or_are_cut_are_asked_again_by_halves():
    faults = {"touched": 100, "first": [timed_out(), None, timed_out(504)]}
    with serve_github(world(*many(100)), **faults) as loopback:
        answers = ask(loopback, *[(42, "ada/tool", n, ID + n) for n in range(1, 101)])
    assert [answer["title"] for answer in answers] == [f"T{n}" for n in range(1, 101)]


def test_what_one_call_asks_stays_below_the_ceilings_of_github():
    with serve_github(world(*many(2_000))) as loopback:
        ask(loopback, *[(42, "ada/tool", n, ID + n) for n in range(1, 2_001)])
    assert loopback.limits.most_at_once <= 8
    assert {asked.kind for asked in loopback.asked} == {"answer"}


def test_documents_of_pull_requests_are_of_the_published_schema():
    document = by_nodes("PullRequest", [pull_request_node(42, ID + n) for n in range(50)])
    assert published_schema().read(document.query).errors == []
    named = by_numbers("PullRequest", [f"ada/tool#{n}" for n in range(1, 51)])
    assert published_schema().read(named.query).errors == []


def test_a_number_beyond_what_github_counts_is_gone_and_spoils_no_call():
    with serve_github(world(FIX)) as loopback:
        here, gone = ask(loopback, (-5, "ada/tool", 7, None), (-5, "ada/tool", 2**31, None))
    assert here["title"] == "Round half to even"
    assert (gone.kind, gone.reason) == ("data", "pull_request_gone")
