"""A killed build of pull requests, and the build that goes on."""

import subprocess
import sys
import time
from pathlib import Path

import pytest
from archives import packed, serve, trimmed
from github_replies import stalled
from github_server import serve_github
from github_world import PullRequest, Repository, World
from test_github_month import run, settings

import forge

EVENT_ID = trimmed()["payload"]["pull_request"]["id"]
WORLD = World(
    tuple(
        Repository(f"ann/r{n}", n, stars=99, pull_requests=(PullRequest(7, id=EVENT_ID),))
        for n in range(1, 251)
    )
)
MERGES = [trimmed(repository_id=n, repo=f"ann/r{n}") for n in range(1, 251)]
BUILD = ("build", "--month", "2026-03", "--hours", "5", "--to", "pull_requests")


def journaled(folder: Path) -> int:
    files = (folder / "data/memo/read_pull_request").glob("journal-*.jsonl")
    return sum(file.read_text().count("\n") for file in files)


def _wait_until_nothing_comes(process: "subprocess.Popen[bytes]", folder: Path) -> None:
    """All that came is journaled when every other call stalls."""
    before, since = 0, time.monotonic()
    while not before or time.monotonic() < since + 2:
        assert process.poll() is None
        if (held := journaled(folder)) != before:
            before, since = held, time.monotonic()
        time.sleep(0.01)


def asked_after(variables: dict[str, list[str]]) -> list[str]:
    return [one for ids in variables.values() for one in ids if one.startswith("PR_")]


@pytest.mark.parametrize("whole_calls", [1, 3])
def test_a_killed_build_asks_of_no_pull_request_twice_that_was_answered(tmp_path, whole_calls):
    of_repositories = 1 + 4  # what they are, and 70 a call what they hold
    first = [None] * (of_repositories + whole_calls) + [stalled()] * 8
    with (
        serve({"2026-03-01-5": packed(*MERGES)}) as archive,
        serve_github(WORLD, first=first) as github,
    ):
        given = settings(github, archive.url)
        process = subprocess.Popen([sys.executable, "-m", "forge", *BUILD], cwd=tmp_path, env=given)
        _wait_until_nothing_comes(process, tmp_path)
        process.kill()
        process.wait()
        answered, before = journaled(tmp_path), len(github.asked)
        assert 0 < answered < len(MERGES)
        github.first.clear()
        assert run(tmp_path, given, *BUILD).returncode == 0
        again = [one for asked in github.asked[before:] for one in asked_after(asked.variables)]
    assert len(again) == len(set(again)) == len(MERGES) - answered
    rows = forge.scan("pull_requests", month="2026-03", root=tmp_path / "data").collect()
    assert rows.height == len(MERGES)
