"""Months of repositories that GitHub's search for code finds."""

from pathlib import Path

import polars as pl
import pytest
from github_code_search import incomplete
from github_server import GitHub, serve_github
from github_world import Repository, World
from listing import KEY, MERGES, MONTH, at, rows, run, settings

from forge.services import github_code

CONFIG = "asv.conf.json"
FIND = [*MONTH, "--hours", "5", "--source", "code-search", f"filename:{CONFIG}"]


def holder(number: int, *sizes: int) -> Repository:
    code = tuple((f"b{n}/{CONFIG}", size) for n, size in enumerate(sizes))
    return Repository(f"ann/r{number}", number, stars=99, code=code, pull_requests=(at(number),))


def told(folder: Path) -> list[tuple[str, list[str], str]]:
    table = pl.read_parquet(folder / "data/rejected/merges/month=2026-03/part.parquet")
    return table.select("fate", "reasons", "detail").rows()


def searches(github: GitHub) -> int:
    return sum(asked.path.startswith("/search/code") for asked in github.asked)


def test_repositories_that_hold_a_file_give_their_merges_once(tmp_path):
    fork = Repository("bob/r1", 9, fork_of="ann/r1", code=((CONFIG, 10),), pull_requests=(at(9),))
    without = Repository("ann/none", 8, code=(("setup.py", 10),), pull_requests=(at(8),))
    with serve_github(World((holder(1, 10, 20), holder(2, 30), fork, without))) as github:
        run(tmp_path, settings(github), *FIND, "--to", "pull_requests")
        calls = len(github.asked)
        run(tmp_path, settings(github), *FIND, *MERGES, "--force", "merges")
        assert len(github.asked) == calls
    assert rows(tmp_path, "merges", *KEY, "source") == [
        ("ann/r1", 2, "code_search"),
        ("ann/r2", 3, "code_search"),
    ]
    assert rows(tmp_path, "pull_requests", *KEY) == [("ann/r1", 2), ("ann/r2", 3)]
    assert told(tmp_path) == []
    assert searches(github) == 1


def test_search_that_counts_more_than_it_lists_is_parted_by_size(tmp_path):
    many = [holder(n + 1, *range(n * 600, n * 600 + 600)) for n in range(4)]
    with serve_github(World(tuple(many)), code_searches=999) as github:
        run(tmp_path, settings(github), *FIND, *MERGES)
    assert len(rows(tmp_path, "merges", *KEY)) == 4
    assert told(tmp_path) == []


def test_size_of_which_more_files_are_than_are_listed_is_told(tmp_path):
    with serve_github(World((holder(1, *[512] * 1100), holder(2, 7))), code_searches=999) as github:
        run(tmp_path, settings(github), *FIND, *MERGES)
    assert [repo for repo, _ in rows(tmp_path, "merges", *KEY)] == ["ann/r1", "ann/r2"]
    words = "GitHub's search lists 1001 of 1101 files, or ran out of time"
    assert told(tmp_path) == [("rejected", ["search_cut"], words)]


@pytest.mark.parametrize(("times", "cut"), [(1, 0), (2, 1)])
def test_search_that_ran_out_of_time_is_asked_once_more_and_then_told(tmp_path, times, cut):
    with serve_github(World((holder(1, 10),)), first=[incomplete()] * times) as github:
        run(tmp_path, settings(github), *FIND, *MERGES)
    assert searches(github) == 2
    assert len(told(tmp_path)) == cut


def test_query_that_github_does_not_take_is_told_in_its_words(tmp_path):
    words = [*FIND[:-1], "colour:blue"]
    with serve_github(World(())) as github:
        run(tmp_path, settings(github), *words, *MERGES)
    ((fate, reasons, detail),) = told(tmp_path)
    assert (fate, reasons) == ("rejected", ["search_refused"])
    assert detail.startswith("GitHub does not search for colour:blue: status 422")


def test_parts_by_size_meet_and_leave_nothing_out():
    assert 0 <= github_code.middle(0, 1) < 1
    least, most = 0, github_code.LARGEST
    while least < most:
        middle = github_code.middle(least, most)
        assert least <= middle < most
        least = middle + 1
