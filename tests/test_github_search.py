"""Months whose merges GitHub's search lists, told by a loopback GitHub."""

import re
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from archives import full, packed, serve, trimmed
from github_replies import stalled
from github_server import GitHub, serve_github
from github_world import Actor, Repository, World
from listing import KEY, MERGES, MONTH, at, rows, run, settings, world

import forge

SEARCH = [*MONTH, "--hours", "5", "--source", "search"]


def hour_of(folder: Path, number: int) -> dict[str, Any]:
    names = ("searched_merges", "found_merges", "status", "detail")
    return dict(zip(names, rows(folder, "hours", *names)[number], strict=True))


def windows(github: GitHub) -> list[tuple[str, str]]:
    """First and last second of every page that was asked."""
    words = [str(asked.variables.get("w0")) for asked in github.asked]
    return re.findall(r"merged:2026-03-01T(\S+)Z\.\.2026-03-01T(\S+)Z", "\n".join(words))


def test_merge_that_the_search_finds_is_known_as_by_an_event_in_full(tmp_path):
    pull = at(599, number=7, author=Actor("dependabot", "Bot"), merged_by=Actor("bors"))
    with serve_github(world(pull)) as github:
        run(tmp_path, settings(github), *SEARCH, *MERGES)
    merges = forge.scan("merges", month="2026-03", root=tmp_path / "data").collect()
    assert merges.drop("change").to_dicts() == [
        {
            "repository_id": 1,
            "number": 7,
            "repo": "ann/tool",
            "merged_at": datetime(2026, 3, 1, 5, 9, 59),
            "merger": "bors",
            "author": "dependabot",
            "is_bot": True,
            "title": "Round half to even",
            "body": "Fixes #3.",
            "head_sha": "a" * 40,
            "head_ref": "fix-rounding",
            "base_ref": "main",
            "base_sha": "b" * 40,
            "merge_commit": "c" * 40,
            "pull_request_id": 4_000_000_007,
            "source": "search",
        }
    ]


def test_hour_of_more_than_a_thousand_merges_is_parted_until_all_are_listed(tmp_path):
    pulls = [at(n % 4, number=n + 1) for n in range(2500)]
    with serve_github(world(*pulls)) as github:
        built = run(tmp_path, settings(github), *SEARCH, *MERGES)
    assert len(rows(tmp_path, "merges", *KEY)) == 2500
    told = {"searched_merges": 2500, "found_merges": 2500, "status": "pending", "detail": None}
    assert hour_of(tmp_path, 5) == told
    assert "lists" not in built.stderr
    assert {("05:00:00", "05:59:59"), ("05:00:00", "05:29:59"), ("05:30:00", "05:59:59")} <= {
        *windows(github)
    }


def test_second_of_more_merges_than_can_be_listed_is_told_as_cut(tmp_path):
    pulls = [at(7, number=n + 1) for n in range(1204)]
    with serve_github(world(*pulls, at(8, number=5000))) as github:
        built = run(tmp_path, settings(github), *SEARCH, *MERGES)
    assert len(rows(tmp_path, "merges", *KEY)) == 1001
    assert hour_of(tmp_path, 5) == {
        "searched_merges": 1205,
        "found_merges": 1001,
        "status": "pending",
        "detail": "GitHub's search lists 1001 of 1205 merges",
    }
    assert "GitHub's search lists 1,001 of 1,205 merges of 1 hours" in built.stderr


def test_hour_begins_with_its_first_second_and_ends_before_the_next(tmp_path):
    before, first, last, after = at(-1, number=1), at(0, number=2), at(3599, number=3), at(3600)
    with serve_github(world(before, first, last, after)) as github:
        run(tmp_path, settings(github), *SEARCH, *MERGES)
        assert rows(tmp_path, "merges", *KEY) == [("ann/tool", 2), ("ann/tool", 3)]
        run(tmp_path, settings(github), *MONTH, "--hours", "6", "--source", "search", *MERGES)
    numbers = [number for _, number in rows(tmp_path, "merges", *KEY)]
    assert numbers == [2, 3, 3601], "what was found before stays beside what the next hour holds"
    assert windows(github) == [("05:00:00", "05:59:59"), ("06:00:00", "06:59:59")]


def test_qualifiers_are_searched_with_and_pages_are_followed(tmp_path):
    go = Repository("ann/go", 2, languages=(("Go", 1),), pull_requests=(at(1),))
    python = Repository("ann/py", 3, pull_requests=tuple(at(n) for n in range(350)))
    with serve_github(World((go, python))) as github:
        run(tmp_path, settings(github), *SEARCH, "language:python", *MERGES)
    assert {repo for repo, _ in rows(tmp_path, "merges", *KEY)} == {"ann/py"}
    assert len(rows(tmp_path, "merges", *KEY)) == 350
    assert len(github.asked) == 4
    assert "language:python" not in github.asked[0].query, "words go as a variable alone"


@dataclass(frozen=True)
class Moving(World):
    """A world in which one more is merged with each look at it, so many times."""

    looks: list[int] = field(default_factory=list)
    moves: int = 99

    def pulls(self):
        self.looks.append(1)
        more = min(len(self.looks), self.moves)
        late = (at(1000 + n, repository=self.repositories[0]) for n in range(more))
        return [*super().pulls(), *late]


@pytest.mark.parametrize(("moves", "found", "calls"), [(1, 151, 2), (3, 153, 4), (99, 0, 4)])
def test_answer_that_changes_while_it_is_read_is_asked_once_more_and_then_told(
    tmp_path, moves, found, calls
):
    steady = world(*map(at, range(150)))
    with serve_github(Moving(steady.repositories, moves=moves)) as github:
        run(tmp_path, settings(github), *SEARCH, *MERGES)
    told = hour_of(tmp_path, 5)
    assert len(github.asked) == calls
    if found:
        assert (told["searched_merges"], told["found_merges"]) == (found, found)
    else:
        assert told["found_merges"] < told["searched_merges"] == 154
        assert "merges" in told["detail"]


def test_hour_that_the_search_cannot_know_yet_is_pending_and_not_asked(tmp_path):
    now = datetime.now(UTC)
    hour = str((now.day - 1) * 24 + now.hour)
    words = ["build", "--month", f"{now:%Y-%m}", "--hours", hour, "--source", "search", *MERGES]
    with serve_github(world()) as github:
        run(tmp_path, settings(github), *words)
        again = run(tmp_path, settings(github), *words, "--dry-run").stdout
    assert github.asked == []
    assert "1 pending" in again


@pytest.mark.parametrize(
    ("event", "merged_at", "title", "author"),
    [
        (full(title="as of then"), datetime(2026, 3, 1, 5, 9, 59), "as of then", "grace"),
        (trimmed(), datetime(2026, 3, 1, 5, 8), "as of now", "ada"),
    ],
)
def test_merge_of_an_hour_held_is_one_row_and_completed_by_the_search(
    tmp_path, event, merged_at, title, author
):
    known = {"name_with_owner": "kestrel/new-name", "id": 42}
    both = replace(at(480, number=7), title="as of now")
    here = Repository(**known, pull_requests=(both, at(481, number=8)))
    with serve({"2026-03-01-5": packed(event)}) as archive, serve_github(World((here,))) as github:
        given = settings(github, archive.url)
        run(tmp_path, given, *MONTH, "--hours", "5", *MERGES)
        run(tmp_path, given, *SEARCH, *MERGES)
    assert archive.asked == ["2026-03-01-5.json.gz"]
    names = ("repo", "number", "merged_at", "title", "author", "merge_commit", "source")
    assert rows(tmp_path, "merges", *names) == [
        ("kestrel/ledger", 7, merged_at, title, author, "c" * 40, "archive"),
        ("kestrel/new-name", 8, datetime(2026, 3, 1, 5, 8, 1), "Round half to even", "ada",
         "c" * 40, "search"),
    ]  # fmt: skip


def test_hour_held_stays_while_its_search_fails_and_is_searched_again(tmp_path):
    event = full(repository_id=1, repo="ann/tool", number=7)
    known = world(at(30, number=7), at(31, number=8))
    with serve({"2026-03-01-5": packed(event)}) as archive, serve_github(known) as github:
        given = settings(github, archive.url)
        run(tmp_path, given, *MONTH, "--hours", "5", *MERGES)
        down = given | {"FORGE_GITHUB_URL": "http://127.0.0.1:9"}
        run(tmp_path, down, *SEARCH, *MERGES, code=4)
        held = hour_of(tmp_path, 5)
        run(tmp_path, given, *SEARCH, *MERGES)
    assert held["status"] == "ok"
    assert "does not answer" in held["detail"]
    assert rows(tmp_path, "merges", "number", "source") == [(7, "archive"), (8, "search")]


def test_description_that_was_empty_at_the_merge_is_not_completed_by_one_of_today(tmp_path):
    event = full(repository_id=1, repo="ann/tool", number=7, body=None)
    with (
        serve({"2026-03-01-5": packed(event)}) as archive,
        serve_github(world(at(30, number=7, body="Edited since."))) as github,
    ):
        run(tmp_path, settings(github, archive.url), *MONTH, "--hours", "5", *MERGES)
        run(tmp_path, settings(github, archive.url), *SEARCH, *MERGES)
    assert rows(tmp_path, "merges", "number", "body", "source") == [(7, None, "archive")]


def test_build_without_the_source_leaves_out_what_it_found_and_says_so(tmp_path):
    with (
        serve({"2026-03-01-5": packed(trimmed())}) as archive,
        serve_github(world(at(1))) as github,
    ):
        given = settings(github, archive.url)
        run(tmp_path, given, *SEARCH, *MERGES)
        calls = len(github.asked)
        planned = run(tmp_path, given, *MONTH, "--hours", "5", *MERGES, "--dry-run").stdout
        assert 'flag source: "search" is now "archive"' in planned
        run(tmp_path, given, *MONTH, "--hours", "5", *MERGES)
        assert [source for (source,) in rows(tmp_path, "merges", "source")] == ["archive"]
        run(tmp_path, given, *SEARCH, *MERGES)
        sources = [source for (source,) in rows(tmp_path, "merges", "source")]
        assert sorted(sources) == ["archive", "search"]
    assert len(github.asked) == calls == 1


def test_killed_search_asks_no_answered_hour_again(tmp_path):
    pulls = [at(3600 * n + 1, number=n + 1) for n in range(12)]
    words = [*MONTH, "--hours", "5-16", "--source", "search", *MERGES]
    first = [None] * 6 + [stalled()] * 4
    with serve_github(world(*pulls), first=first) as github:
        given = settings(github)
        process = subprocess.Popen([sys.executable, "-m", "forge", *words], cwd=tmp_path, env=given)
        while len(journaled(tmp_path)) < 6:
            assert process.poll() is None
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
        process.wait()
        before = len(windows(github))
        run(tmp_path, given, *words)
    asked = [first for first, _ in windows(github)[before:]]
    assert len(asked) == len(set(asked)) == 6
    assert len(rows(tmp_path, "merges", *KEY)) == 12


def journaled(folder: Path) -> list[str]:
    files = (folder / "data/memo/search_hour").glob("journal-*.jsonl")
    return [line for file in files for line in file.read_text().splitlines(keepends=True)]


def test_month_that_was_searched_goes_on_to_pull_requests(tmp_path):
    small = Repository("ann/small", 2, stars=9, pull_requests=(at(2),))
    worlds = World((*world(at(1)).repositories, small))
    with serve_github(worlds) as github:
        built = run(tmp_path, settings(github), *SEARCH, "--to", "pull_requests")
        unbounded = run(tmp_path, settings(github), *SEARCH)
    assert rows(tmp_path, "pull_requests", *KEY, "enriched_by") == [("ann/tool", 2, "github")]
    assert "stopped after candidates" in unbounded.stderr
    assert built.stderr.count("stopped after") == 0
