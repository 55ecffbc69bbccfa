"""Months of repositories that GitHub lists, named by the user or found by a file."""

import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
from archives import packed, serve, trimmed
from github_replies import stalled
from github_server import serve_github
from github_world import PullRequest, Repository, World
from listing import KEY, MERGES, MONTH, at, rows, run, settings, world

WALK = [*MONTH, "--hours", "5", "--source", "repositories", "mine.txt"]


def named(folder: Path, *repos: str) -> None:
    (folder / "mine.txt").write_text("".join(f"{repo}\n" for repo in repos))


def rejected(folder: Path) -> list[tuple[str, list[str], str]]:
    table = pl.read_parquet(folder / "data/rejected/merges/month=2026-03/part.parquet")
    return sorted(table.select("fate", "reasons", "detail").rows())


def test_named_repositories_give_what_they_merged_in_the_hours(tmp_path):
    named(tmp_path, "ann/tool", "ann/other")
    pulls = [at(-1, number=1), at(0, number=2), at(3599, number=3), at(3600, number=4)]
    other = Repository("ann/other", 2, pull_requests=(at(60),))
    unwanted = Repository("ann/unwanted", 3, pull_requests=(at(61),))
    with serve_github(World((*world(*pulls).repositories, other, unwanted))) as github:
        run(tmp_path, settings(github), *WALK, *MERGES)
    assert rows(tmp_path, "merges", *KEY, "repository_id", "source") == [
        ("ann/tool", 2, 1, "repositories"),
        ("ann/tool", 3, 1, "repositories"),
        ("ann/other", 61, 2, "repositories"),
    ]
    assert len(github.asked) == 1


def test_hours_between_those_that_are_wanted_stay_out(tmp_path):
    named(tmp_path, "ann/tool")
    words = [*MONTH, "--hours", "5,7", *WALK[5:], *MERGES]
    with serve_github(world(at(1), at(3601), at(7201))) as github:
        run(tmp_path, settings(github), *words)
    assert rows(tmp_path, "merges", *KEY) == [("ann/tool", 2), ("ann/tool", 7202)]


def test_walk_of_hours_that_are_not_over_is_asked_again(tmp_path):
    named(tmp_path, "ann/tool")
    month = f"{datetime.now(UTC):%Y-%m}"
    words = ["build", "--month", month, *WALK[5:], *MERGES]
    with serve_github(world(at(1))) as github:
        for _ in range(2):
            run(tmp_path, settings(github), *words)
    assert len(github.asked) == 2


def test_walk_ends_where_nothing_was_touched_since_the_hours_began(tmp_path):
    named(tmp_path, "ann/tool")
    later = [at(7200 + n, number=n + 1) for n in range(150)]
    touched = at(60, number=500, updated_at="2026-03-01T09:00:00Z")
    early = [at(n - 3600, number=n + 600) for n in range(500)]
    with serve_github(world(*later, touched, *early)) as github:
        run(tmp_path, settings(github), *WALK, *MERGES)
    assert rows(tmp_path, "merges", *KEY) == [("ann/tool", 500)]
    assert len(github.asked) == 3, "two pages, and the first once more"


@dataclass(frozen=True)
class Touched(World):
    """A world in which the oldest merge is touched while the first page is read."""

    looks: list[int] = field(default_factory=list)

    def pulls(self):
        self.looks.append(1)
        oldest, *others = super().pulls()
        when = "2026-03-02T00:00:00Z" if len(self.looks) > 1 else None
        old = {**vars(oldest), "updated_at": when}
        return [PullRequest(**old), *others]


def test_merge_that_is_touched_during_a_walk_is_not_missed(tmp_path):
    named(tmp_path, "ann/tool")
    steady = world(*(at(n, number=n + 1) for n in range(150)))
    with serve_github(Touched(steady.repositories)) as github:
        run(tmp_path, settings(github), *WALK, *MERGES)
    assert len(github.asked) == 3
    assert len(rows(tmp_path, "merges", *KEY)) == 150


@dataclass(frozen=True)
class Retitled(World):
    """A world in which somebody gives merges another title with each look."""

    looks: list[int] = field(default_factory=list)

    def pulls(self):
        self.looks.append(1)
        return [replace(pull, title=f"Title {len(self.looks)}") for pull in super().pulls()]


def test_renamed_repository_is_one_and_gone_ones_are_told(tmp_path):
    named(tmp_path, "ann/tool", "bob/tool", "ann/gone", "ann/closed")
    gone = Repository("ann/gone", 2, fate="deleted")
    closed = Repository("ann/closed", 3, fate="protected")
    here = world(at(1), former=("bob/tool",))
    with serve_github(Retitled((*here.repositories, gone, closed))) as github:
        run(tmp_path, settings(github), *WALK, *MERGES)
    assert rows(tmp_path, "merges", *KEY) == [("ann/tool", 2)]
    assert rejected(tmp_path) == [
        ("rejected", ["repository_gone"], "GitHub shows no ann/gone: deleted or private"),
        ("rejected", ["repository_refused"], "GitHub says FORBIDDEN of ann/closed"),
    ]


def test_merge_of_an_hour_held_is_one_row_and_completed_by_the_walk(tmp_path):
    named(tmp_path, "kestrel/ledger")
    here = Repository("kestrel/ledger", 42, stars=99, pull_requests=(at(480, number=7), at(481)))
    held = packed(trimmed(), trimmed(repository_id=43, repo="a/b", number=9))
    with serve({"2026-03-01-5": held}) as archive, serve_github(World((here,))) as github:
        given = settings(github, archive.url)
        run(tmp_path, given, *MONTH, "--hours", "5", *MERGES)
        run(tmp_path, given, *WALK, *MERGES)
    names = (*KEY, "merged_at", "title", "source")
    title = "Round half to even"
    assert len(archive.asked) == 1
    assert rows(tmp_path, "merges", *names) == [
        ("kestrel/ledger", 7, datetime(2026, 3, 1, 5, 8), title, "archive"),
        ("kestrel/ledger", 482, datetime(2026, 3, 1, 5, 8, 1), title, "repositories"),
        ("a/b", 9, datetime(2026, 3, 1, 5, 10), None, "archive"),
    ]


def test_named_repositories_go_on_to_pull_requests_and_their_names_are_bounds(tmp_path):
    named(tmp_path, "ann/tool")
    with serve_github(world(at(1))) as github:
        built = run(tmp_path, settings(github), *WALK, "--to", "pull_requests")
    assert rows(tmp_path, "pull_requests", *KEY, "enriched_by") == [("ann/tool", 2, "github")]
    assert "stopped after" not in built.stderr


def test_killed_walk_asks_no_answered_repository_again(tmp_path):
    names = [f"ann/r{n}" for n in range(30)]
    named(tmp_path, *names)
    worlds = World(tuple(Repository(name, n + 1, pull_requests=(at(n),))
                         for n, name in enumerate(names)))  # fmt: skip
    with serve_github(worlds, first=[None, None, *[stalled()] * 9]) as github:
        given = settings(github)
        process = subprocess.Popen(
            [sys.executable, "-m", "forge", *WALK, *MERGES], cwd=tmp_path, env=given
        )
        while not (told := answered(tmp_path)):
            assert process.poll() is None
            time.sleep(0.01)
        time.sleep(1)
        process.send_signal(signal.SIGKILL)
        process.wait()
        told, before = answered(tmp_path), len(github.asked)
        run(tmp_path, given, *WALK, *MERGES)
    again = [name for asked in github.asked[before:] for name in asked.variables.values()]
    repos = [name for name in again if str(name).startswith("r")]
    assert 0 < told < 30
    assert len(repos) == len(set(repos)) == 30 - told
    assert len(rows(tmp_path, "merges", *KEY)) == 30


def answered(folder: Path) -> int:
    files = (folder / "data/memo/walk_repository").glob("journal-*.jsonl")
    return sum(len(file.read_text().splitlines()) for file in files)
