from datetime import datetime
from pathlib import Path
from typing import Any

import dataframely as dy
import polars as pl
import pytest
from github_replies import forbidden
from github_server import GitHub, serve_github
from github_world import (
    Actor,
    Commit,
    Issue,
    IssueComment,
    PullRequest,
    Repository,
    World,
    node_id,
)
from pydantic import SecretStr

from forge.build import Options, Outcome, build
from forge.columns import dtypes
from forge.criteria import decide
from forge.effect import TRIES
from forge.errors import ServiceError
from forge.selection import Selection
from forge.services import github_batches
from forge.settings import Settings
from forge.stage import Decided, stage
from forge.stages.candidates import Candidates
from forge.stages.hints import Hints, hints
from forge.stages.pull_requests import PullRequests
from forge.store import Store

MONTH = "2026-03"
FIX = PullRequest(7, commits=(Commit("a" * 40, authored_date="2026-02-27T09:00:00Z"),))
EARLY = "2026-02-26T10:00:00Z"
PULL = {
    "repository_id": 42,
    "number": 7,
    "repo": "ada/tool",
    "merged_at": datetime(2026, 3, 4),
    "linked_issues": [3],
    "enriched_by": "github",
    "files": [],
    "changed_files": 0,
    "additions": 0,
    "deletions": 0,
}
CANDIDATE = {
    "repository_id": 42,
    "repo": "ada/tool",
    "language": "python",
    "merged_at": datetime(2026, 3, 4),
    "test_files": 1,
    "code_files": 1,
    "changed_files": 2,
    "changed_lines": 9,
}


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch):
    monkeypatch.setattr(github_batches, "PAUSE", 0.001)


def said(body: str, at: str = EARLY, **told: Any) -> IssueComment:
    return IssueComment(body, created_at=at, **told)


def world(*comments: IssueComment, **known: Any) -> World:
    issues = (Issue(3, comments=comments),)
    told = {"name_with_owner": "ada/tool", "pull_requests": (FIX,), "issues": issues} | known
    return World((Repository(**told),))


def made(
    root: Path, github: GitHub, *pulls: dict[str, Any], enrich: str = "github", retry: str = ""
) -> Outcome:
    """Build the hints of candidates 7, 8 … whose pull requests say what is given."""
    rows = [PULL | {"number": n} | pull for n, pull in enumerate(pulls or ({},), 7)]

    @stage
    def pull_requests() -> Decided[PullRequests]:
        return decide(pl.LazyFrame(rows, schema=dtypes(PullRequests)), {})

    @stage
    def candidates(pull_requests: dy.LazyFrame[PullRequests]) -> Decided[Candidates]:  # noqa: ARG001 - its upstream
        known = [CANDIDATE | {"number": row["number"]} for row in rows]
        return decide(pl.LazyFrame(known, schema=dtypes(Candidates)), {})

    tokens = [SecretStr(github.token)] if enrich == "github" else []
    settings = Settings(root=root, github_url=github.url, github_tokens=tokens)
    chosen, options = Selection(MONTH, enrich=enrich), Options(retry=frozenset(retry.split()))
    tables, now = [pull_requests, candidates, hints], datetime(2026, 4, 1)
    built = build(tables, chosen, settings, options, now=now, progress=lambda *_: None)
    return [*built][-1]


def told(root: Path) -> list[dict[str, Any]]:
    return Store(root, MONTH).scan("hints", Hints).sort("number").collect().to_dicts()


def hint(root: Path, *comments: IssueComment, **pull: Any) -> dict[str, Any]:
    with serve_github(world(*comments)) as github:
        made(root, github, pull)
    (row,) = told(root)
    return row


def test_hints_are_joined_by_newlines_in_order_of_issue_and_time(tmp_path):
    issues = (
        Issue(9, id=9, comments=(said("Of nine", "2026-02-25T10:00:00Z"),)),
        Issue(3, id=3, comments=(said("Of three"), said("Later", "2026-02-27T08:59:59Z"))),
    )
    with serve_github(world(issues=issues)) as github:
        made(tmp_path, github, {"linked_issues": [3, 9]})
    (row,) = told(tmp_path)
    assert (row["hints_text"], row["hints_reason"]) == ("Of three\nLater\nOf nine", None)
    assert [comment["left_out"] for comment in row["comments"]] == [None] * 3
    assert (row["opened_at"], row["first_commit_at"]) == (
        datetime(2026, 2, 28, 12),
        datetime(2026, 2, 27, 9),
    )


@pytest.mark.parametrize(
    ("known", "why"),
    [
        ({"last_edited_at": "2026-02-27T08:59:59Z"}, None),
        ({"last_edited_at": "2026-02-27T09:00:00Z"}, "edited"),
        ({"last_edited_at": "2026-03-09T09:00:00Z"}, "edited"),
        ({"is_minimized": True}, "minimized"),
        ({"author": Actor("kind-account", "Bot")}, "bot"),
        ({"author": Actor("Dependabot")}, "bot"),
        ({"author": None}, None),
    ],
)
def test_a_comment_that_is_no_hint_says_why_and_leaves_the_others(tmp_path, known, why):
    row = hint(tmp_path, said("Try even.", **known), said("Or odd."))
    assert row["hints_text"] == ("Or odd." if why else "Try even.\nOr odd.")
    assert [comment["left_out"] for comment in row["comments"]] == [why, None]


@pytest.mark.parametrize(
    "comments",
    [(), (said("Done in #7.", "2026-02-27T09:00:00Z"),), (said("Hi", author=Actor("x", "Bot")),)],
)
def test_who_was_asked_and_has_nothing_to_tell_has_an_empty_text(tmp_path, comments):
    row = hint(tmp_path, *comments)
    assert (row["hints_text"], row["hints_reason"]) == ("", None)


def test_what_was_said_after_the_pull_request_was_opened_is_no_hint(tmp_path):
    commits = (Commit("a" * 40, authored_date="2026-03-05T00:00:00Z"),)
    late = PullRequest(7, commits=commits)
    comment = said("See the pull request.", "2026-02-28T12:00:00Z")
    with serve_github(world(comment, pull_requests=(late,))) as github:
        made(tmp_path, github)
    assert told(tmp_path)[0]["hints_text"] == ""


@pytest.mark.parametrize(
    ("pull", "known", "reason"),
    [
        ({"linked_issues": []}, {}, "no_linked_issue"),
        ({"enriched_by": "git"}, {}, "not_asked"),
        ({"linked_issues": [404]}, {}, "no_issue_found"),
        ({}, {"pull_requests": (PullRequest(7),)}, "no_first_commit"),
        ({}, {"pull_requests": ()}, "pull_request_gone"),
        ({}, {"fate": "private"}, "repository_gone"),
        ({}, {"id": 43}, "repository_replaced"),
    ],
)
def test_a_candidate_of_whom_nothing_is_known_stays_with_its_reason(tmp_path, pull, known, reason):
    with serve_github(world(said("Try even."), **known)) as github:
        made(tmp_path, github, pull)
    (row,) = told(tmp_path)
    nothing = ("hints_text", "comments")
    assert ([row[name] for name in nothing], row["hints_reason"]) == ([None, None], reason)


@pytest.mark.parametrize("enrich", ["git", "github"])
def test_nobody_is_asked_about_what_git_has_told(tmp_path, enrich):
    with serve_github(world(said("Try even."))) as github:
        made(tmp_path, github, {"enriched_by": "git"}, enrich=enrich)
    (row,) = told(tmp_path)
    assert (row["hints_text"], row["hints_reason"], github.asked) == (None, "not_asked", [])


def test_every_candidate_has_its_row_in_its_order(tmp_path):
    with serve_github(world(said("Try even."))) as github:
        outcome = made(tmp_path, github, {}, {"linked_issues": []}, {})
    assert [(row["number"], row["hints_reason"]) for row in told(tmp_path)] == [
        (7, None),
        (8, "no_linked_issue"),
        (9, "pull_request_gone"),
    ]
    assert outcome.record.failures == {"data": 1}


@pytest.mark.parametrize(("count", "is_cut"), [(10, False), (11, True)])
def test_of_many_issues_ten_are_asked_about_and_the_cut_is_told(tmp_path, count, is_cut):
    issues = tuple(Issue(n, id=n, comments=(said(f"Of {n}"),)) for n in range(20, 20 + count))
    with serve_github(world(issues=issues)) as github:
        made(tmp_path, github, {"linked_issues": [*range(20, 20 + count)]})
    (row,) = told(tmp_path)
    assert row["hints_text"] == "\n".join(f"Of {n}" for n in range(20, 30))
    assert row["is_cut"] is is_cut


def test_a_month_that_is_built_again_asks_nothing_and_retries_what_is_wished(tmp_path):
    with serve_github(world()) as github:
        made(tmp_path, github, {}, {})
        calls = len(github.asked)
        assert (made(tmp_path, github, {}, {}).is_fresh, len(github.asked)) == (True, calls)
        made(tmp_path, github, {}, {}, retry="data")
        assert len(github.asked) > calls


def test_who_is_not_answered_is_open_until_the_tries_are_used_up(tmp_path):
    passing = {node_id("Repository", 42): 99}
    with serve_github(world(said("Try even.")), passing=passing) as github:
        for _ in range(TRIES - 1):
            outcome = made(tmp_path, github)
            assert (outcome.record.open, told(tmp_path)) == (1, [])
        made(tmp_path, github)
    (row,) = told(tmp_path)
    assert (row["hints_text"], row["hints_reason"]) == (None, "not_answered")


def test_candidates_wait_for_the_next_build_where_github_is_down(tmp_path):
    with serve_github(world(said("Try even.")), first=[forbidden()]) as github:
        with pytest.raises(ServiceError, match="GitHub refuses a call"):
            made(tmp_path, github)
        assert told(tmp_path) == []
        made(tmp_path, github)
    assert told(tmp_path)[0]["hints_text"] == "Try even."
