"""A month whose pull requests GitHub tells and whose candidates' commits git finds."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from archives import Loopback, full, issue, packed, serve, trimmed
from git_builds import kept, refused
from github_server import GitHub, serve_github
from github_world import Actor, Issue, PullRequest, PullRequestChangedFile, World
from github_world import Repository as Known
from histories import Repository
from pydantic import SecretStr

from forge.build import Options, build, stages_to
from forge.selection import Selection
from forge.settings import Settings
from forge.stages.candidates import candidates
from forge.stages.issues import issues
from forge.stages.patches import patches
from forge.stages.pull_requests import pull_requests
from forge.stages.statements import statements

MONTH = "2026-03"
NOW = datetime(2026, 4, 1)
FILES = (
    PullRequestChangedFile("fix.py", 1, 1),
    PullRequestChangedFile("tests/test_fix.py", 1, 1),
)
FIX = {"fix.py": "two\n", "tests/test_fix.py": "two\n"}


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    made = Repository(tmp_path / "served/ann/fix")
    made.commit("Begin", {"fix.py": "one\n", "tests/test_fix.py": "one\n"})
    return made


@pytest.fixture
def archive() -> Iterator[Loopback]:
    with serve() as archive:
        yield archive


def run(
    root: Path,
    repository: Repository,
    archive: Loopback,
    *known: PullRequest,
    events: Any = (),
    instead: Any = None,
) -> GitHub:
    """Build up to statements what GitHub knows and the archive tells of."""
    merges = [trimmed(number=one.number, repo="ann/fix", at="2026-03-31T05:10:00Z")
              | {"payload": _payload(one)} for one in known]  # fmt: skip
    archive.files = {"2026-03-01-5": packed(*([instead] if instead else merges), *events)}
    world = World((Known("ann/fix", 42, stars=50, pull_requests=known),))
    with serve_github(world) as github:
        settings = Settings(
            root=root,
            archive_url=archive.url,
            git_url=repository.template,
            github_url=github.url,
            github_tokens=[SecretStr(github.token)],
        )
        keep = ("issues",) if events else ()
        chosen = Selection(MONTH, window=(5,), sample=1.0, enrich="github", keep=keep)
        tables, progress = stages_to("statements"), lambda *_: None
        list(build(tables, chosen, settings, Options(), now=NOW, progress=progress))
    return github


def _payload(one: PullRequest) -> dict[str, Any]:
    payload = trimmed(number=one.number, repo="ann/fix")["payload"]
    payload["pull_request"] |= {"id": one.id}
    return payload


def merged(repository: Repository, number: int, **known: Any) -> PullRequest:
    told = {"title": "Count to two", "body": "It stopped at one.", "files": FILES}
    at = repository.now
    return PullRequest(number, 4_262_949_744 + number, merged_at=at, **(told | known))


def test_words_and_files_are_githubs_and_commits_are_gits(repository, archive, tmp_path):
    base = repository.head
    merge = repository.commit("Squashed and renamed", FIX)
    pull = merged(repository, 7, merge_commit=merge)

    run(tmp_path, repository, archive, pull)

    (told,) = kept(tmp_path, pull_requests, MONTH)
    assert (told["title"], told["merged_at"], told["enriched_by"]) == (
        "Count to two",
        repository.at,
        "github",
    )
    assert (told["merge_commit"], told["base_commit"]) == (merge, None)
    (cut,) = kept(tmp_path, patches, MONTH)
    assert (cut["base_commit"], cut["merge_commit"]) == (base, merge)
    (said,) = kept(tmp_path, statements, MONTH)
    assert said["problem_statement"] == "Count to two\n\nIt stopped at one."
    assert said["statement_source"] == "pull_request"


def test_a_description_that_was_empty_at_the_merge_stays_empty(repository, archive, tmp_path):
    merge = repository.commit("Squashed and renamed", FIX)
    pull = merged(repository, 7, merge_commit=merge, body="Edited: the fix counts from zero.")
    event = full(repo="ann/fix", title="Count to two", body=None)
    event["payload"]["pull_request"] |= {"id": pull.id}

    run(tmp_path, repository, archive, pull, instead=event)

    (told,) = kept(tmp_path, pull_requests, MONTH)
    assert (told["title"], told["body"], told["enriched_by"]) == ("Count to two", None, "github")


REPORT = Issue(3, title="It stops at one", body="Two is more.", author=Actor("grace-ci", "Bot"))


def test_an_issue_that_it_closes_is_the_statement_in_githubs_words(repository, archive, tmp_path):
    merge = repository.commit("Squashed and renamed", FIX)
    pull = merged(repository, 7, merge_commit=merge, closes=(REPORT, Issue(4, of="bob/other")))

    run(tmp_path, repository, archive, pull)

    (told,) = kept(tmp_path, pull_requests, MONTH)
    assert told["linked_issues"] == [3]
    assert kept(tmp_path, issues, MONTH) == [
        {
            "repository_id": 42,
            "number": 7,
            "issue": 3,
            "title": "It stops at one",
            "body": "Two is more.",
            "author": "grace-ci",
            "author_type": "Bot",
            "is_bot": True,
            "labels": None,
            "opened_at": datetime(2026, 2, 26, 8),
            "edited_at": None,
            "told_at": None,
            "source": "github",
        }
    ]
    (said,) = kept(tmp_path, statements, MONTH)
    assert said["problem_statement"] == "It stops at one\n\nTwo is more."
    assert (said["statement_source"], said["issue_numbers"]) == ("issue", [3])


def test_the_archives_words_of_an_issue_go_before_githubs(repository, archive, tmp_path):
    merge = repository.commit("Squashed and renamed", FIX)
    edited = replace(REPORT, last_edited_at="2026-03-31T00:00:00Z")
    pull = merged(repository, 7, merge_commit=merge, closes=(edited,))
    event = issue("closed", repo="ann/fix", body="1, and no more.", at="2026-03-01T05:10:00Z")

    run(tmp_path, repository, archive, pull, events=[event])

    (told,) = kept(tmp_path, issues, MONTH)
    assert (told["source"], told["edited_at"]) == ("archive", None)
    (said,) = kept(tmp_path, statements, MONTH)
    assert said["problem_statement"] == "Halves vanish\n\n1, and no more."
    assert (said["statement_source"], said["issue_numbers"]) == ("issue", [3])


def test_an_issue_that_was_edited_after_the_merge_says_nothing(repository, archive, tmp_path):
    merge = repository.commit("Squashed and renamed", FIX)
    edited = replace(REPORT, last_edited_at="2026-03-31T00:00:00Z")
    pull = merged(repository, 7, merge_commit=merge, closes=(edited,))

    run(tmp_path, repository, archive, pull)

    (told,) = kept(tmp_path, issues, MONTH)
    assert (told["source"], told["edited_at"]) == ("github", datetime(2026, 3, 31))
    (said,) = kept(tmp_path, statements, MONTH)
    assert said["problem_statement"] == "Count to two\n\nIt stopped at one."
    assert (said["statement_source"], said["issue_numbers"]) == ("pull_request", [])


def test_the_base_of_a_rebase_is_the_parent_of_its_first_commit(repository, archive, tmp_path):
    repository.branch("topic")
    own = [repository.commit("Count", {name: text}) for name, text in FIX.items()]
    head = repository.open(7)
    repository.switch()
    base = repository.commit("Meanwhile", {"other.py": "x\n"})
    last = repository.rebase(*own)
    pull = merged(repository, 7, merge_commit=last, head_ref_oid=head)

    run(tmp_path, repository, archive, pull)

    (cut,) = kept(tmp_path, patches, MONTH)
    assert (cut["base_commit"], cut["merge_commit"]) == (base, last)


def test_a_merge_that_git_does_not_have_has_its_reason(repository, archive, tmp_path):
    run(tmp_path, repository, archive, merged(repository, 7, merge_commit="c" * 40))
    assert refused(tmp_path, patches, MONTH) == [("rejected", ["commit_vanished"])]


def test_git_is_asked_of_candidates_alone(repository, archive, tmp_path):
    no_tests = merged(repository, 8, files=FILES[:1])
    bot = merged(repository, 9, author=Actor("kind-account", "Bot"))

    run(tmp_path, repository, archive, no_tests, bot)

    assert sorted(refused(tmp_path, candidates, MONTH)) == [
        ("rejected", ["has_tests"]),
        ("rejected", ["is_human"]),
    ]
    assert not (tmp_path / "mirrors").exists()
