"""What is left to ask GitHub, told before it is asked."""

import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from archives import packed, serve, trimmed
from github_server import GitHub, serve_github
from github_world import PullRequest, Repository, World
from test_github_month import settings

from forge.cli import exit_code

MONTH = ("build", "--month", "2026-03", "--hours", "5")
DRY = (*MONTH, "--dry-run")
PULLS = tuple(PullRequest(number, id=number) for number in (7, 8))
WORLD = World(
    (
        Repository("ann/tool", 1, stars=500, pull_requests=PULLS),
        Repository("bob/tool", 2, stars=40, pull_requests=PULLS),
        Repository("ann/small", 3, stars=9, pull_requests=PULLS),
    )
)
MERGES = [
    trimmed(repository_id=1, repo="ann/tool", number=7),
    trimmed(repository_id=1, repo="ann/tool", number=8),
    trimmed(repository_id=2, repo="bob/tool", number=7),
    trimmed(repository_id=2, repo="bob/tool", number=8),
    trimmed(repository_id=3, repo="ann/small", number=7),
]
FITS = "  fits an hour of 1 token"


@pytest.fixture(scope="module")
def archive() -> Iterator[str]:
    with serve({"2026-03-01-5": packed(*MERGES), "2026-03-01-6": packed()}) as archive:
        yield archive.url


@pytest.fixture
def github(archive, tmp_path, monkeypatch) -> Iterator[GitHub]:
    """A loopback GitHub that the settings name, in a folder of one's own."""
    with serve_github(WORLD) as github:
        for name, value in settings(github, archive).items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("DOCKER_HOST", "unix:///nowhere/docker.sock")
        monkeypatch.chdir(tmp_path)
        yield github


@pytest.fixture
def forge(monkeypatch, capsys) -> Callable[..., str]:
    """Run a command line, and read what it says."""

    def run(*words: str) -> str:
        capsys.readouterr()
        monkeypatch.setattr(sys, "argv", ["forge", *words])
        code, said = exit_code(), capsys.readouterr()
        assert not code, said.err
        return said.out

    return run


def about(told: str) -> list[str]:
    """The lines of a command about GitHub."""
    lines = told.splitlines()
    first = [n for n, line in enumerate(lines) if line.startswith("GitHub: ")]
    return lines[first[0] : first[0] + 2] if first else []


def figures(told: str) -> Any:
    """What a script is told of GitHub."""
    return json.loads(told)["github"]


def test_what_is_left_is_told_before_repositories_are_asked_after_and_no_more(forge, github):
    both = [DRY, ("status",)]
    forge(*MONTH, "--to", "merges")
    all_of_it = "3 repositories and at most 5 pull requests to ask: at most 3 calls, 3 points"
    assert [about(forge(*words)) for words in both] == [
        [f"GitHub: {all_of_it}, less than 0.1 hours", FITS]
    ] * 2

    forge(*MONTH, "--to", "repositories")
    # That of few stars is out, and its pull request with it.
    of_kept = "4 pull requests to ask: 1 call, 1 point"
    assert [about(forge(*words)) for words in both] == [
        [f"GitHub: {of_kept}, less than 0.1 hours", FITS]
    ] * 2

    forge(*MONTH, "--to", "pull_requests")
    calls = len(github.asked)
    assert [about(forge(*words)) for words in both] == [[], []]
    assert about(forge(*DRY, "--force", "pull_requests")) == []
    assert len(github.asked) == calls


@pytest.mark.usefixtures("github")
def test_json_of_both_commands_has_the_same_figures(forge):
    forge(*MONTH, "--to", "merges")
    assert figures(forge("status", "--json")) == {"2026-03": figures(forge(*DRY, "--json"))}
    assert figures(forge(*DRY, "--json")) == {
        "repositories": 3,
        "pull_requests": 5,
        "discussions": 0,
        "is_at_most": True,
        "calls": 3,
        "points": 3,
        "hours": 0.001,
        "tokens": 1,
        "is_token_set": True,
        "share_to_cut": 0.0,
    }


def test_nothing_is_written_and_nobody_asked(forge, github, tmp_path):
    for table in ("merges", "repositories"):
        forge(*MONTH, "--to", table)
        before, calls = written(tmp_path), len(github.asked)
        for words in (DRY, ("status",)):
            assert about(forge(*words))
        assert (written(tmp_path), len(github.asked)) == (before, calls)


def written(folder: Path) -> dict[Path, int]:
    return {path: path.stat().st_mtime_ns for path in folder.rglob("*")}


@pytest.mark.usefixtures("github")
@pytest.mark.parametrize("source", [(), ("--source", "search", "language:python")])
def test_without_merges_it_is_told_what_to_build_first(forge, source):
    told = forge(*DRY, *source).splitlines()
    assert told[-2:] == [
        "GitHub: what to ask is known when merges is built:",
        "  the same command with --to merges in place of --dry-run",
    ]
    assert figures(forge(*DRY, *source, "--json")) == {"must_be_built": "merges"}


@pytest.mark.usefixtures("github")
def test_figures_of_merges_that_would_be_made_again_say_so(forge):
    forge(*MONTH, "--to", "merges")
    words = "  as of the merges at hand, which would be made again"
    assert words not in forge(*DRY).splitlines()
    assert words in forge(*DRY, "--source", "search").splitlines()
    forge(*MONTH, "--to", "candidates")
    words = "GitHub: nothing to ask of the merges at hand, which would be made again"
    assert words not in forge(*DRY).splitlines()
    assert forge(*DRY, "--source", "search").splitlines()[-1] == words


@pytest.mark.usefixtures("github")
def test_what_another_build_was_answered_is_not_counted(forge, monkeypatch, tmp_path):
    monkeypatch.setenv("FORGE_MEMO", str(tmp_path / "memo"))
    forge(*MONTH, "--to", "pull_requests", "--root", "other")
    forge(*MONTH, "--to", "merges")
    assert about(forge(*DRY)) == []
    # Another GitHub has answered nothing.
    monkeypatch.setenv("FORGE_GITHUB_URL", "http://127.0.0.1:9")
    assert figures(forge(*DRY, "--json"))["pull_requests"] == 5


@pytest.mark.usefixtures("github")
def test_answers_that_limits_need_not_are_not_asked_again(forge):
    forge(*MONTH, "--to", "repositories")
    fewer = figures(forge(*DRY, "--limit", "repositories.stars=100", "--json"))
    more = figures(forge(*DRY, "--limit", "repositories.stars=1", "--json"))
    assert (fewer["repositories"], fewer["pull_requests"]) == (0, 2)
    # What it is in is asked of the one that was out, too.
    assert (more["repositories"], more["pull_requests"], more["calls"]) == (1, 5, 2)


@pytest.mark.usefixtures("github")
def test_bounds_count_and_status_takes_those_of_the_last_build_to_stand(forge, tmp_path):
    (tmp_path / "mine").write_text("ann/tool\nbob/tool\n")
    (tmp_path / "never").write_text("bob/tool#8\n")
    bounds = ("--repositories", "mine", "--exclude", "never")
    forge(*MONTH, "--to", "merges")
    told = figures(forge(*DRY, *bounds, "--json"))
    assert (told["repositories"], told["pull_requests"]) == (2, 3)
    assert figures(forge("status", "--json"))["2026-03"]["repositories"] == 3
    forge(*MONTH, *bounds, "--to", "repositories")
    for more in ((), ("--limit", "repositories.stars=1")):
        told = figures(forge("status", "--json", *more))["2026-03"]
        assert (told["repositories"], told["pull_requests"]) == (0, 3)


@pytest.mark.usefixtures("github")
def test_git_asks_nothing_and_a_wish_for_github_is_planned_without_a_token(forge, monkeypatch):
    forge(*MONTH, "--to", "merges")
    told = about(forge(*DRY, "--enrich", "git"))
    assert told == ["GitHub: nothing to ask, git tells of everything"]
    monkeypatch.setenv("FORGE_GITHUB_TOKENS", "")
    assert about(forge(*DRY)) == about(forge("status")) == []
    told = about(forge(*DRY, "--enrich", "github"))
    assert told[1] == "  fits an hour of 1 token (none is set)"


@pytest.mark.usefixtures("github")
def test_an_hour_without_merges_leaves_nothing_to_ask(forge):
    hour = ("build", "--month", "2026-03", "--hours", "6")
    forge(*hour, "--to", "merges")
    assert about(forge(*hour, "--dry-run")) == about(forge("status")) == []


@pytest.mark.usefixtures("github")
def test_a_pool_is_asked_by_names(forge, tmp_path):
    (tmp_path / "mine.txt").write_text("ann/tool#7\nann/tool#8\nbob/tool#7\n")
    pool = ("build", "--pool", "mine.txt", "--enrich", "github")
    forge(*pool, "--to", "merges")
    told = figures(forge(*pool, "--dry-run", "--json"))
    assert (told["repositories"], told["pull_requests"], told["calls"]) == (2, 3, 3)
    assert figures(forge("status", "--json")) == {"pool-mine": None}, "git, unless somebody wishes"
