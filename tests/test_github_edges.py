"""What a user reads while GitHub makes a build wait, or a proxy stands before it that fails."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from archives import packed, serve, trimmed
from github_server import serve_github
from github_world import Repository, World

BUILD = ["build", "--month", "2026-03", "--hours", "5"]
QUICK = """
import forge.services.waits as waits, forge.cli._progress as progress
waits.TELL_EVERY = progress.PLAIN_SECONDS = 0.2
from forge.cli import main
main()
"""
WAITS = re.compile(r"profile_repository waits for its limit until (\d\d:\d\d) UTC: [1-5]00 of 600")


@pytest.fixture(scope="module")
def archive() -> Iterator[str]:
    merges = [trimmed(repository_id=n, repo=f"ann/r{n}") for n in range(1, 601)]
    with serve({"2026-03-01-5": packed(*merges)}) as archive:
        yield archive.url


def run(
    folder: Path, archive: str, *words: str, **changed: str
) -> subprocess.CompletedProcess[str]:
    given = {"FORGE_ARCHIVE_URL": archive, "FORGE_GITHUB_TOKENS": "ghp_a"}
    return subprocess.run(
        [sys.executable, "-c", QUICK, *BUILD, *words],
        cwd=folder,
        env=os.environ | given | changed,
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_wait_is_told_with_its_end_and_with_what_was_answered_meanwhile(tmp_path, archive):
    few = World(tuple(Repository(f"ann/r{n}", n) for n in range(1, 601)))
    with serve_github(few, points=1, hour=4) as github:
        given = {"FORGE_GITHUB_URL": github.url, "FORGE_GITHUB_TOKENS": github.token}
        built = run(tmp_path, archive, "--to", "repositories", **given)
    assert built.returncode == 0, built.stderr
    ends = set(WAITS.findall(built.stderr))
    soon = [datetime.now(UTC) + timedelta(minutes=minutes) for minutes in (-1, 0, 1)]
    assert ends, built.stderr
    assert ends <= {f"{at:%H:%M}" for at in soon}


@pytest.mark.parametrize(
    ("name", "proxy", "code", "said"),
    [
        ("https_proxy", "http://ada:secret@127.0.0.1:1", 4, "(by https_proxy=http://127.0.0.1:1)"),
        ("ALL_PROXY", "ada:secret@127.0.0.1:1", 4, "(by ALL_PROXY=http://127.0.0.1:1)"),
        ("HTTPS_PROXY", "gopher://ada:secret@a.b", 3, "cannot be used: HTTPS_PROXY=gopher://a.b"),
        ("HTTPS_PROXY", "http://ada:secret#x@a.b", 3, "begins with http:// cannot be read"),
    ],
)
def test_a_proxy_that_fails_is_named_without_its_login(  # noqa: PLR0913, PLR0917 - the case
    tmp_path, archive, name, proxy, code, said
):
    assert run(tmp_path, archive, "--to", "merges").returncode == 0
    given = {"FORGE_GITHUB_URL": "https://github.example", name: proxy}
    built = run(tmp_path, archive, "--to", "repositories", **given)
    assert (built.returncode, said in built.stderr) == (code, True), built.stderr
    assert "secret" not in built.stdout + built.stderr
