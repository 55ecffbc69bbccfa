"""Months of the archive whose repositories a loopback GitHub tells."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from archives import packed, serve, trimmed
from github_replies import bad_credentials, said, stalled
from github_server import GitHub, serve_github
from github_world import PullRequest, PullRequestChangedFile, Repository, World
from planted import OTHERS, leaks

import forge
from forge.services.github_documents import repository_node

NOT_FOUND = [{"type": "NOT_FOUND", "message": "Could not resolve to a node."}]
AGAIN = ["--force", "repositories", "--force", "pull_requests"]
BUILD = ["build", "--month", "2026-03", "--hours", "5"]
FIX = PullRequest(
    7, files=(PullRequestChangedFile("tool.py"), PullRequestChangedFile("tests/test_tool.py"))
)
WORLD = World(
    (
        Repository(
            "ann/tool",
            1,
            former=("bob/tool",),
            stars=500,
            pull_requests=(FIX,),
            languages=(("C", 5), ("Go", 900)),
            topics=("cli", "ledger"),
        ),
        Repository("cat/tool", 2, stars=40, fork_of="ann/tool"),
        Repository("ann/small", 3, stars=9),
        Repository("ann/unlicensed", 4, stars=90, licence=None),
        Repository("ann/gone", 5, fate="deleted"),
        Repository("ann/old", 6, stars=90, is_archived=True),
    )
)
MERGES = [
    trimmed(repository_id=number, repo=repo)
    for number, repo in enumerate(
        ["bob/tool", "cat/tool", "ann/small", "ann/unlicensed", "ann/gone", "ann/old"], 1
    )
]


@pytest.fixture(scope="module")
def archive() -> Iterator[str]:
    with serve({"2026-03-01-5": packed(*MERGES)}) as archive:
        yield archive.url


def settings(github: GitHub, archive: str) -> dict[str, str]:
    tokens = " ".join(github.tokens)
    return os.environ | {
        "FORGE_ARCHIVE_URL": archive,
        "FORGE_GITHUB_URL": github.url,
        "FORGE_GITHUB_TOKENS": tokens,
        "FORGE_GIT_URL": "file:///no/such/{owner}/{repo}",
    }


def run(folder: Path, environment: dict[str, str], *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "forge", *words],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def rejected(folder: Path, table: str, *key: str) -> dict[Any, list[str]]:
    rows = pl.read_parquet(folder / f"data/rejected/{table}/month=2026-03/*.parquet")
    return dict(rows.sort(key).select(pl.concat_list(key).list.last(), "reasons").iter_rows())


def test_an_unbounded_month_ends_with_the_candidates_that_git_would_fetch(tmp_path, archive):
    with serve_github(WORLD) as github:
        built = run(tmp_path, settings(github, archive), *BUILD)
    rows = forge.scan("repositories", month="2026-03", root=tmp_path / "data").collect()
    assert built.returncode == 0, built.stderr
    assert rows.select(
        "repository_id", "repo", "fork_root_id", "fork_root_source", "stars", "licence_source"
    ).rows() == [
        (1, "ann/tool", 1, "github", 500, "github"),
        (2, "cat/tool", 1, "github", 40, "github"),
        (6, "ann/old", 6, "github", 90, "github"),
    ]
    assert rejected(tmp_path, "repositories", "repository_id") == {
        3: ["has_stars"],
        4: ["has_licence"],
        5: ["repository_gone"],
    }
    assert "stopped after candidates: 1 pull requests in 1 repositories" in built.stderr


def test_languages_and_topics_are_asked_of_those_alone_that_pass(tmp_path, archive):
    with serve_github(WORLD) as github:
        run(tmp_path, settings(github, archive), *BUILD, "--to", "repositories")
    rows = forge.scan("repositories", month="2026-03", root=tmp_path / "data").collect()
    assert rows.select("repository_id", "languages", "topics").rows() == [
        (1, [{"name": "Go", "bytes": 900}, {"name": "C", "bytes": 5}], ["cli", "ledger"]),
        (2, [{"name": "Python", "bytes": 1000}], []),
        (6, [{"name": "Python", "bytes": 1000}], []),
    ]
    asked = [one for one in github.asked if "repositoryTopics" in one.query]
    assert [sorted(flat(one.variables)) for one in asked] == [
        [repository_node(number) for number in (1, 2, 6)]
    ]


def test_a_repository_whose_languages_github_does_not_tell_stays_without_them(tmp_path, archive):
    # It was deleted between the two calls.
    gone = said(200, {"data": {"n0": [None] * 3}, "errors": NOT_FOUND})
    names = {"data": {f"r{n}": None for n in range(3)}, "errors": NOT_FOUND}
    with serve_github(WORLD, first=[None, None, gone, said(200, names)]) as github:
        built = run(tmp_path, settings(github, archive), *BUILD, "--to", "repositories")
    assert (built.returncode, len(github.asked)) == (0, 4), built.stderr
    rows = forge.scan("repositories", month="2026-03", root=tmp_path / "data").collect()
    assert rows.select("repository_id", "languages", "topics").rows() == [
        (number, None, None) for number in (1, 2, 6)
    ]


def test_languages_that_github_could_not_tell_just_now_are_asked_by_the_next_build(
    tmp_path, archive
):
    failed = said(200, {"data": {"n0": [None] * 3}, "errors": [{"message": "It went wrong."}]})
    words = [*BUILD, "--to", "repositories"]
    with serve_github(WORLD, first=[None, None, failed, failed, failed]) as github:
        run(tmp_path, settings(github, archive), *words)
        manifest = tmp_path / "data/repositories/month=2026-03/_manifest.json"
        (part,) = json.loads(manifest.read_text())["parts"].values()
        run(tmp_path, settings(github, archive), *words)
    assert (part["rows"], part["open"]) == (0, 3)
    rows = forge.scan("repositories", month="2026-03", root=tmp_path / "data").collect()
    assert rows["topics"].to_list() == [["cli", "ledger"], [], []]


def test_limits_of_repositories_say_what_is_worth_asking_about(tmp_path, archive):
    limits = ["stars=0", "needs_licence=false", "archived=false"]
    words = [word for limit in limits for word in ("--limit", f"repositories.{limit}")]
    with serve_github(WORLD) as github:
        run(tmp_path, settings(github, archive), *BUILD, *words)
    reasons = {5: ["repository_gone"], 6: ["is_active"]}
    assert rejected(tmp_path, "repositories", "repository_id") == reasons


def test_nothing_is_asked_of_pull_requests_whose_repository_is_out(tmp_path, archive):
    with serve_github(WORLD) as github:
        words = ["--sample", "100%", "--to", "pull_requests"]
        run(tmp_path, settings(github, archive), *BUILD, *words)
    out, gone = ["has_wanted_repository"], ["pull_request_gone"]
    fates = rejected(tmp_path, "pull_requests", "repository_id")
    assert fates == {2: gone, 3: out, 4: out, 5: out, 6: gone}
    asked = [asked.variables for asked in github.asked if "PullRequest" in asked.query]
    assert len(flat(asked[0])) == 3


def test_a_month_that_is_built_again_asks_nothing(tmp_path, archive):
    with serve_github(WORLD) as github:
        run(tmp_path, settings(github, archive), *BUILD)
        calls = len(github.asked)
        again = run(tmp_path, settings(github, archive), *BUILD, *AGAIN)
        assert (again.returncode, len(github.asked)) == (0, calls)


def test_git_is_asked_where_it_is_wished_or_no_token_is_set(tmp_path, archive):
    with serve_github(WORLD) as github:
        given = settings(github, archive)
        wished = run(tmp_path, given, *BUILD, "--enrich", "git")
        without = run(tmp_path, given | {"FORGE_GITHUB_TOKENS": ""}, *BUILD)
        refused = run(tmp_path, given | {"FORGE_GITHUB_TOKENS": ""}, *BUILD, "--enrich", "github")
    assert (wished.returncode, without.returncode, refused.returncode) == (0, 0, 2)
    assert "FORGE_GITHUB_TOKENS" in refused.stderr
    assert github.asked == []


def test_a_killed_build_asks_no_answered_question_of_a_call_again(tmp_path):
    world = World(tuple(Repository(f"ann/r{n}", n, stars=99) for n in range(1, 1_201)))
    merges = [trimmed(repository_id=n, repo=f"ann/r{n}") for n in range(1, 1_201)]
    with (
        serve({"2026-03-01-5": packed(*merges)}) as archive,
        serve_github(world, first=[None, stalled(), stalled()]) as github,
    ):
        given, words = settings(github, archive.url), [*BUILD, "--to", "repositories"]
        process = subprocess.Popen([sys.executable, "-m", "forge", *words], cwd=tmp_path, env=given)
        while len(journaled(tmp_path)) < 500:
            assert process.poll() is None
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert len(journaled(tmp_path)) == 500, "all of the call that came, nothing of the others"
        before = len(github.asked)
        assert run(tmp_path, given, *words).returncode == 0
        profiled = [one for one in github.asked[before:] if "stargazerCount" in one.query]
        again = [one for asked in profiled for one in flat(asked.variables)]
    assert len(again) == len(set(again)) == 700
    assert forge.scan("repositories", month="2026-03", root=tmp_path / "data").collect().height == (
        1_200
    )


def journaled(folder: Path) -> list[str]:
    files = (folder / "data/memo/profile_repository").glob("journal-*.jsonl")
    return [line for file in files for line in file.read_text().splitlines(keepends=True)]


def flat(variables: dict[str, list[str]]) -> list[str]:
    return [one for ids in variables.values() for one in ids]


@pytest.mark.parametrize("refusals", [0, 99])
def test_a_token_is_in_no_table_no_error_and_no_file(tmp_path, archive, refusals):
    with serve_github(WORLD, first=[bad_credentials()] * refusals) as github:
        github.users[OTHERS["token"]] = next(iter(github.users.values()))
        given = settings(github, archive) | {"FORGE_GITHUB_TOKENS": OTHERS["token"]}
        built = run(tmp_path, given, *BUILD)
        (tmp_path / "said").write_text(built.stdout + built.stderr)
    assert built.returncode == (3 if refusals else 0), built.stderr
    assert {asked.token for asked in github.asked} == {OTHERS["token"]}
    assert leaks(tmp_path) == {}


@pytest.mark.parametrize("tokens", ["ghp_PLANTED11mn\x7f", "ghp_PLANTED11mn \N{SNOWMAN}"])
def test_a_token_that_no_header_takes_is_refused_unseen(tmp_path, archive, tokens):
    with serve_github(WORLD) as github:
        built = run(tmp_path, settings(github, archive) | {"FORGE_GITHUB_TOKENS": tokens}, *BUILD)
    assert built.returncode == 2
    assert "github_tokens: Value error, a token is letters" in built.stderr
    assert "PLANTED" not in built.stderr
