"""Discussions before a fix as the service tells them, by a loopback GitHub."""

import asyncio
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from github_replies import timed_out
from github_server import GitHub as Loopback
from github_server import published_schema, serve_github
from github_world import Actor, Commit, Issue, IssueComment, PullRequest, Repository, World

from forge.artifacts import Artifacts
from forge.services import github_batches
from forge.services.github import GitHub
from forge.services.github_documents import Discussed, by_discussions
from forge.settings import Settings

BEGUN, OPENED = "2026-02-27T09:00:00Z", "2026-02-28T12:00:00Z"
FIX = PullRequest(7, commits=(Commit("a" * 40, authored_date=BEGUN),), created_at=OPENED)


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch):
    monkeypatch.setattr(github_batches, "PAUSE", 0.001)


def world(*issues: Issue, fix: PullRequest = FIX, **known: Any) -> World:
    told = {"name_with_owner": "ada/tool", "pull_requests": (fix,), "issues": issues} | known
    return World((Repository(**told),))


def ask(loopback: Loopback, *questions: tuple[int, str, int, list[int]]) -> list[Any]:
    settings = Settings(github_url=loopback.url, github_tokens=" ".join(loopback.tokens))

    async def all_of_them() -> list[Any]:
        async with GitHub.open(settings, Artifacts(Path())) as github:
            asking = [github.discussion(*question) for question in questions]
            return await asyncio.gather(*asking)

    return asyncio.run(all_of_them())


def said(body: str, at: str, **told: Any) -> IssueComment:
    return IssueComment(body, created_at=at, **told)


def issue(number: int, *comments: IssueComment) -> Issue:
    return Issue(number, id=100 + number, comments=comments)


def told(*issues: Issue, fix: PullRequest = FIX) -> Any:
    with serve_github(world(*issues, fix=fix)) as loopback:
        (found,) = ask(loopback, (42, "ada/tool", 7, [one.number for one in issues]))
    return found


def bodies(found: dict[str, Any]) -> list[str]:
    return [comment["body"] for comment in found["comments"]]


def test_a_comment_is_told_with_all_that_may_speak_against_it():
    edited, bot = "2026-03-02T00:00:00Z", Actor("stale", "Bot")
    early = said("Banker's, please.", "2026-02-26T10:00:00Z", author_association="MEMBER",
                 last_edited_at=edited)  # fmt: skip
    hidden = said("Still there?", "2026-02-26T11:00:00Z", author=bot, is_minimized=True)
    gone = said("+1", "2026-02-26T12:00:00Z", author=None)

    found = told(issue(3, early, hidden, gone))

    common = {"issue": 3, "association": "NONE", "edited_at": None, "is_minimized": False}
    assert found == {
        "opened_at": datetime(2026, 2, 28, 12),
        "first_commit_at": datetime(2026, 2, 27, 9),
        "found_issues": [3],
        "is_cut": False,
        "comments": [
            common | {"body": "Banker's, please.", "author": "grace", "author_type": "User",
                      "association": "MEMBER", "edited_at": datetime(2026, 3, 2),
                      "commented_at": datetime(2026, 2, 26, 10)},
            common | {"body": "Still there?", "author": "stale", "author_type": "Bot",
                      "is_minimized": True, "commented_at": datetime(2026, 2, 26, 11)},
            common | {"body": "+1", "author": None, "author_type": None,
                      "commented_at": datetime(2026, 2, 26, 12)},
        ],
    }  # fmt: skip


@pytest.mark.parametrize(
    ("at", "is_told"),
    [
        ("2026-02-27T08:59:59Z", True),
        ("2026-02-27T09:00:00Z", False),
        ("2026-02-27T09:00:01Z", False),
    ],
)
def test_only_what_was_said_before_the_second_of_the_first_commit_is_told(at, is_told):
    assert bool(told(issue(3, said("Try even.", at)))["comments"]) is is_told


def test_a_commit_dated_after_its_pull_request_was_opened_lets_nothing_later_in():
    fix = replace(FIX, commits=(Commit("a" * 40, authored_date="2030-01-01T00:00:00Z"),))
    early, late = said("Early", "2026-02-28T11:00:00Z"), said("Late", "2026-02-28T12:00:00Z")
    assert bodies(told(issue(3, early, late), fix=fix)) == ["Early"]


def test_the_first_commit_is_the_first_that_github_lists():
    later = Commit("b" * 40, authored_date="2026-02-28T10:00:00Z")
    fix = replace(FIX, commits=(*FIX.commits, later))
    assert told(issue(3), fix=fix)["first_commit_at"] == datetime(2026, 2, 27, 9)


def test_a_pull_request_without_commits_has_no_time_of_its_first_one():
    assert told(issue(3), fix=replace(FIX, commits=()))["first_commit_at"] is None


@pytest.mark.parametrize(
    "at", ["10000-01-01T00:00:00Z", "0000-01-01T00:00:00Z", "9999-12-31T23:59:59-05:00"]
)
def test_a_first_commit_of_a_date_beyond_the_calendar_has_no_time_and_costs_no_hint(at):
    fix = replace(FIX, commits=(Commit("a" * 40, authored_date=at),))
    found = told(issue(3, said("Early", "2026-02-28T11:00:00Z")), fix=fix)
    assert (found["first_commit_at"], bodies(found)) == (None, ["Early"])


def test_comments_come_by_issue():
    one, two = said("Of three", "2026-02-26T10:00:00Z"), said("Of nine", "2026-02-25T10:00:00Z")
    found = told(issue(3, one), issue(9, two))
    assert [(c["issue"], c["body"]) for c in found["comments"]] == [(3, "Of three"), (9, "Of nine")]


def many(count: int, day: str = "2026-02-01") -> tuple[IssueComment, ...]:
    return tuple(said(f"C{n}", f"{day}T{n // 60:02}:{n % 60:02}:00Z") for n in range(count))


@pytest.mark.parametrize(
    ("comments", "early", "calls"),
    [
        (many(100), 100, 1),
        (many(101), 101, 2),
        (many(250), 250, 3),
        (many(250, "2026-03-01"), 0, 1),
        (many(120) + many(300, "2026-03-01"), 120, 2),
        (many(100) + many(300, "2026-03-01"), 100, 2),
    ],
)
def test_further_pages_are_asked_only_while_comments_are_early(comments, early, calls):
    with serve_github(world(issue(3, *comments))) as loopback:
        (found,) = ask(loopback, (42, "ada/tool", 7, [3]))
    assert bodies(found) == [f"C{n}" for n in range(early)]
    assert (len(loopback.asked), found["is_cut"]) == (calls, False)


@pytest.mark.parametrize(("count", "is_cut"), [(1_000, False), (1_001, True)])
def test_of_an_issue_a_thousand_comments_are_read_and_a_cut_is_told(count, is_cut):
    with serve_github(world(issue(3, *many(count)))) as loopback:
        (found,) = ask(loopback, (42, "ada/tool", 7, [3]))
    assert (len(found["comments"]), found["is_cut"]) == (1_000, is_cut)
    assert len(loopback.asked) == 10


def test_numbers_of_pull_requests_and_of_nothing_are_no_issues():
    other = replace(FIX, number=5, id=9, comments=(said("LGTM", "2026-02-26T10:00:00Z"),))
    here = issue(3, said("Here", "2026-02-26T10:00:00Z"))
    with serve_github(world(here, pull_requests=(FIX, other))) as loopback:
        (found,) = ask(loopback, (42, "ada/tool", 7, [3, 5, 404]))
    assert (found["found_issues"], bodies(found)) == ([3], ["Here"])


@pytest.mark.parametrize(
    ("question", "known"),
    [
        ((42, "gone/name", 7, [3]), {}),
        ((42, "old/tool", 7, [3]), {"former": ("old/tool",)}),
        ((-5, "old/tool", 7, [3]), {"former": ("old/tool",)}),
    ],
)
def test_a_repository_that_moved_is_found_by_its_id_or_its_former_name(question, known):
    with serve_github(world(issue(3), **known)) as loopback:
        (found,) = ask(loopback, question)
    assert found["found_issues"] == [3]


@pytest.mark.parametrize(
    ("known", "fix", "reason"),
    [
        ({}, {"is_deleted": True}, ("data", "pull_request_gone")),
        ({}, {"number": 8}, ("data", "pull_request_gone")),
        ({"fate": "private"}, {}, ("data", "repository_gone")),
        ({"fate": "deleted"}, {}, ("data", "repository_gone")),
        ({"fate": "protected"}, {}, ("data", "repository_refused")),
        ({"id": 44}, {}, ("data", "repository_replaced")),
    ],
)
def test_what_cannot_be_had_is_an_answer_with_its_reason(known, fix, reason):
    with serve_github(world(issue(3), fix=replace(FIX, **fix), **known)) as loopback:
        (found,) = ask(loopback, (42, "ada/tool", 7, [3]))
    assert (found.kind, found.reason) == reason


def crowd(count: int, issues: int) -> World:
    fixes = tuple(replace(FIX, number=1000 + n, id=n) for n in range(1, count + 1))
    comments = many(3)
    return world(*[issue(n, *comments) for n in range(1, issues + 1)], pull_requests=fixes)


@pytest.mark.parametrize(("issues", "cost"), [(1, 1), (2, 2), (10, 6)])
def test_fifty_pull_requests_a_call_cost_what_is_reckoned_for_them(issues, cost):
    with serve_github(crowd(100, issues)) as loopback:
        numbers = [*range(1, issues + 1)]
        answers = ask(loopback, *[(42, "ada/tool", 1000 + n, numbers) for n in range(1, 101)])
    assert {tuple(answer["found_issues"]) for answer in answers} == {tuple(numbers)}
    assert [asked.cost for asked in loopback.asked] == [cost] * 2
    assert by_discussions([Discussed("ada/tool", 7, numbers)] * 50).points == cost
    assert {asked.kind for asked in loopback.asked} == {"answer"}


def test_calls_that_time_out_or_are_cut_are_asked_again_by_halves():
    faults = {"touched": 60, "first": [timed_out(), None, timed_out(504)]}
    with serve_github(crowd(50, 2), **faults) as loopback:
        answers = ask(loopback, *[(42, "ada/tool", 1000 + n, [1, 2]) for n in range(1, 51)])
    assert [len(answer["comments"]) for answer in answers] == [6] * 50


def test_calls_of_which_only_single_questions_can_be_answered_shrink_until_they_are():
    # 11 nodes a question: two at once are too many, at 50, 25, 12, 6, 3 and 2 a call.
    with serve_github(crowd(50, 2), touched=20) as loopback:
        answers = ask(loopback, *[(42, "ada/tool", 1000 + n, [1, 2]) for n in range(1, 51)])
    assert [len(answer["comments"]) for answer in answers] == [6] * 50


def test_an_issue_that_is_gone_hides_no_error_that_may_pass():
    # The first issue is gone for good, the second is cut off: only what is told may be final.
    with serve_github(crowd(1, 2), touched=4) as loopback:
        (found,) = ask(loopback, (42, "ada/tool", 1001, [404, 1]))
    assert (found.kind, found.reason) == ("infra", "not_answered")


def test_documents_of_discussions_are_of_the_published_schema():
    some = [Discussed("R_kgDOABPHjQ", 7, [3, 9]), Discussed("ada/tool", 8, [3])]
    assert published_schema().read(by_discussions(some).query).errors == []
