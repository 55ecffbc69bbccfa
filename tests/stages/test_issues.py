from datetime import datetime
from pathlib import Path
from typing import Any

import dataframely as dy
import polars as pl
import pytest

from forge.artifacts import Artifacts
from forge.build import Options, build
from forge.columns import dtypes
from forge.criteria import decide
from forge.events import Events
from forge.selection import Selection
from forge.settings import Settings
from forge.stage import Decided, stage
from forge.stages.hours import Hours
from forge.stages.issues import Issues, issues
from forge.stages.pull_requests import PullRequests
from forge.store import Store

HOUR = datetime(2026, 3, 2, 5)
EVENT = {
    "hour": HOUR,
    "type": "IssuesEvent",
    "created_at": datetime(2026, 3, 2, 5, 10),
    "opened_at": datetime(2026, 3, 2, 5, 10),
    "action": "opened",
    "is_merge": False,
    "repository_id": 42,
    "repo": "kestrel/ledger",
    "number": 3,
    "actor": "ada",
    "author": "ada",
    "author_type": "User",
    "title": "Halves are rounded up",
    "body": "2.5 becomes 3.",
    "labels": ["bug"],
}
PULL_REQUEST = {
    "repository_id": 42,
    "number": 7,
    "merged_at": datetime(2026, 3, 4),
    "linked_issues": [3],
}


def told(root: Path, *events: dict[str, Any], pulls: tuple[dict[str, Any], ...] = ({},)) -> Any:
    """The table of a month whose pull requests and events these are."""
    made = [EVENT | event | {"line": n} for n, event in enumerate(events, start=1)]
    pl.DataFrame(made, schema=dtypes(Events)).write_parquet(root / "events")
    name = Artifacts(root / "memo/artifacts").put((root / "events").read_bytes())
    hour = {"hour": HOUR, "status": "ok", "events": name if events else None}

    @stage
    def hours() -> Decided[Hours]:
        return decide(pl.LazyFrame([hour], schema=dtypes(Hours)), {})

    @stage
    def pull_requests() -> dy.LazyFrame[PullRequests]:
        known = [WHOLE | PULL_REQUEST | pull for pull in pulls]
        return pl.LazyFrame(known, schema=dtypes(PullRequests)).pipe(PullRequests.cast)

    chosen = [hours, pull_requests, issues]
    settings, selection = Settings(root=root), Selection("2026-03")
    now = datetime(2026, 4, 1)
    list(build(chosen, selection, settings, Options(), now=now, progress=lambda *_: None))
    return Store(root, "2026-03").scan("issues", Issues).collect()


WHOLE = {
    "enriched_by": "git",
    "repo": "kestrel/ledger",
    "base_commit": "b" * 40,
    "files": [],
    "changed_files": 0,
    "additions": 0,
    "deletions": 0,
}


def titles(root: Path, *events: dict[str, Any], **pulls: Any) -> list[str]:
    return told(root, *events, **pulls)["title"].to_list()


def test_issue_is_known_by_all_that_its_event_tells(tmp_path: Path) -> None:
    assert told(tmp_path, {}).to_dicts() == [
        {
            "repository_id": 42,
            "number": 7,
            "issue": 3,
            "title": "Halves are rounded up",
            "body": "2.5 becomes 3.",
            "author": "ada",
            "author_type": "User",
            "is_bot": False,
            "labels": ["bug"],
            "opened_at": datetime(2026, 3, 2, 5, 10),
            "edited_at": None,
            "told_at": datetime(2026, 3, 2, 5, 10),
            "source": "archive",
        }
    ]


def test_earliest_event_that_has_words_tells(tmp_path: Path) -> None:
    edited = {"title": "Edited", "created_at": datetime(2026, 3, 2, 6), "action": "closed"}
    first = {"title": "First", "created_at": datetime(2026, 3, 2, 5, 30), "action": "labeled"}
    empty = {"title": None, "created_at": datetime(2026, 3, 2, 5, 20)}
    blank = {"title": " ", "created_at": datetime(2026, 3, 2, 5, 20)}
    assert titles(tmp_path, edited, empty, first, blank) == ["First"]


@pytest.mark.parametrize(
    "event",
    [
        {"opened_at": datetime(2026, 3, 4, 0, 0, 1), "created_at": datetime(2026, 3, 5)},
        {"opened_at": None, "created_at": datetime(2026, 3, 5)},
        {"repository_id": 43},
        {"number": 4},
        {"type": "PullRequestEvent"},
        {"title": None},
    ],
)
def test_other_event_tells_of_no_issue_of_the_pull_request(
    tmp_path: Path, event: dict[str, Any]
) -> None:
    assert titles(tmp_path, event) == []


def test_issue_that_was_there_before_the_merge_counts_whenever_it_is_told_of(
    tmp_path: Path,
) -> None:
    assert titles(tmp_path, {"created_at": datetime(2026, 3, 5)}) == ["Halves are rounded up"]


def test_pull_request_is_no_issue_of_itself(tmp_path: Path) -> None:
    assert titles(tmp_path, {"number": 7}, pulls=({"linked_issues": [7]},)) == []


def test_every_pull_request_has_each_issue_that_it_closes(tmp_path: Path) -> None:
    pulls = ({"linked_issues": [3, 5]}, {"number": 8, "linked_issues": [3]}, {"number": 9})
    rows = told(tmp_path, {}, {"number": 5}, pulls=(*pulls[:2], pulls[2] | {"linked_issues": []}))
    assert rows.select("number", "issue").rows() == [(7, 3), (7, 5), (8, 3)]


def test_issue_without_a_body_is_one(tmp_path: Path) -> None:
    assert told(tmp_path, {"body": None})["body"].to_list() == [None]


@pytest.mark.parametrize(("author", "is_bot"), [("ci[bot]", True), ("ada", False), (None, None)])
def test_bot_is_told_by_its_name(tmp_path: Path, author: str | None, *, is_bot: bool) -> None:
    assert told(tmp_path, {"author": author})["is_bot"].to_list() == [is_bot]


TODAY = {
    "number": 3,
    "title": "Halves are rounded",
    "body": None,
    "author": "grace",
    "author_type": "User",
    "opened_at": datetime(2026, 3, 2, 5, 10),
    "edited_at": datetime(2026, 3, 9),
}


def test_issue_that_no_event_tells_of_is_known_by_what_github_tells(tmp_path: Path) -> None:
    assert told(tmp_path, pulls=({"issues": [TODAY]},)).to_dicts() == [
        {
            "repository_id": 42,
            "number": 7,
            "issue": 3,
            "title": "Halves are rounded",
            "body": None,
            "author": "grace",
            "author_type": "User",
            "is_bot": False,
            "labels": None,
            "opened_at": datetime(2026, 3, 2, 5, 10),
            "edited_at": datetime(2026, 3, 9),
            "told_at": None,
            "source": "github",
        }
    ]


def test_words_of_an_event_go_before_githubs_issue_by_issue(tmp_path: Path) -> None:
    pulls = (
        {"linked_issues": [3, 5], "issues": [TODAY | {"number": 5}, TODAY]},
        {"number": 8, "linked_issues": [5], "issues": [TODAY | {"number": 5}]},
        {"number": 9, "linked_issues": [], "issues": []},
    )
    rows = told(tmp_path, {}, pulls=pulls)
    assert rows.select("number", "issue", "source").rows() == [
        (7, 3, "archive"),
        (7, 5, "github"),
        (8, 5, "github"),
    ]


@pytest.mark.parametrize("known", [{"opened_at": datetime(2026, 3, 4, 0, 0, 1)}, {"title": " "}])
def test_what_was_opened_after_the_merge_or_says_nothing_is_no_issue_of_github_either(
    tmp_path: Path, known: dict[str, Any]
) -> None:
    assert titles(tmp_path, pulls=({"issues": [TODAY | known]},)) == []


def test_archive_without_issues_makes_an_empty_table(tmp_path: Path) -> None:
    assert told(tmp_path).is_empty()
