"""Months whose answers do not fit into memory are written slice by slice."""

import sys
from pathlib import Path

import polars as pl
import pytest
from archives import packed, serve, trimmed
from github_server import serve_github
from github_world import PullRequest, PullRequestChangedFile, Repository, World
from polars.testing import assert_frame_equal
from test_github_month import settings

import forge.recall
import forge.store
from forge.cli import exit_code

FILES = (PullRequestChangedFile("tool.py"), PullRequestChangedFile("tests/test_tool.py"))
PULLS = tuple(PullRequest(number, title=f"Round {number}", files=FILES) for number in (7, 8, 9))
WORLD = World(
    (
        Repository("ann/tool", 1, stars=500, pull_requests=PULLS),
        Repository("bob/tool", 2, stars=40, pull_requests=PULLS[:1]),
        Repository("ann/small", 3, stars=9, pull_requests=PULLS),
        Repository("cat/tool", 4, stars=90, pull_requests=PULLS),
    )
)
MERGES = [
    trimmed(repository_id=n, repo=one.name_with_owner, number=number)
    for n, one in enumerate(WORLD.repositories, 1)
    for number in (7, 8, 9)
]
BUILD = ["forge", "build", "--month", "2026-03", "--hours", "5", "--to", "candidates"]


def rows(root: str, table: str) -> pl.DataFrame:
    return pl.read_parquet(Path(root) / table / "month=2026-03" / "*.parquet")


@pytest.mark.parametrize("slice_rows", [1, 3])
def test_what_is_written_in_slices_is_what_is_written_at_once(tmp_path, monkeypatch, slice_rows):
    monkeypatch.chdir(tmp_path)
    with serve({"2026-03-01-5": packed(*MERGES)}) as archive, serve_github(WORLD) as github:
        for name, value in settings(github, archive.url).items():
            monkeypatch.setenv(name, value)
        for root in ("whole", "sliced"):
            monkeypatch.setattr(sys, "argv", [*BUILD, "--root", root])
            assert not exit_code()
            monkeypatch.setattr(forge.recall, "SPILL_ROWS", slice_rows)
            monkeypatch.setattr(forge.store, "SLICE_ROWS", slice_rows)
    for table in ("repositories", "pull_requests", "candidates"):
        for held in (table, f"rejected/{table}"):
            assert_frame_equal(rows("sliced", held), rows("whole", held))
    assert rows("sliced", "pull_requests")["title"].to_list() == [
        *("Round 7", "Round 8", "Round 9", "Round 7", "Round 7", "Round 8", "Round 9"),
    ]
