"""Hints of a month's candidates, by the command line and a loopback GitHub."""

from dataclasses import replace
from typing import Any

import pytest
from archives import packed, serve, trimmed
from github_server import serve_github
from github_world import Commit, Issue, IssueComment, PullRequest, Repository, World
from test_github_month import BUILD, FIX, run, settings

import forge

TO_HINTS = [*BUILD, "--sample", "100%", "--to", "hints"]


def asked_for(number: int, **known: Any) -> PullRequest:
    """A pull request that closes an issue: its own number and ten."""
    comment = IssueComment(f"Words on {number + 10}", created_at="2026-02-26T10:00:00Z")
    issue = Issue(number + 10, id=number + 10, comments=(comment,))
    commits = (Commit("a" * 40, authored_date="2026-02-27T09:00:00Z"),)
    return replace(FIX, number=number, id=number, closes=(issue,), commits=commits, **known)


PULLS = (
    asked_for(1),
    asked_for(2, files=FIX.files[:1]),
    replace(asked_for(3), closes=(), body="It lost halves."),
)
WORLD = World((Repository("ann/tool", 1, stars=500, pull_requests=PULLS),))


def merge(number: int) -> dict[str, Any]:
    event = trimmed(number=number, repository_id=1, repo="ann/tool")
    event["payload"]["pull_request"]["id"] = number
    return event


@pytest.fixture(scope="module")
def archive():
    with serve({"2026-03-01-5": packed(*map(merge, (1, 2, 3)))}) as archive:
        yield archive.url


def test_candidates_alone_are_asked_about_and_a_rebuild_asks_nothing(tmp_path, archive):
    with serve_github(WORLD) as github:
        given = settings(github, archive)
        built = run(tmp_path, given, *TO_HINTS, "--enrich", "github")
        calls = len(github.asked)
        again = run(tmp_path, given, *TO_HINTS, "--enrich", "github", "--force", "hints")
        assert (len(github.asked), again.returncode) == (calls, 0)
    assert built.returncode == 0, built.stderr
    (asked,) = [asked.query for asked in github.asked if "FirstCommit" in asked.query]
    assert ("issue(number: 11)" in asked, "issue(number: 12)" in asked) == (True, False)
    rows = forge.scan("hints", month="2026-03", root=tmp_path / "data").sort("number").collect()
    assert rows.select("number", "hints_text", "hints_reason").rows() == [
        (1, "Words on 11", None),
        (3, None, "no_linked_issue"),
    ]
