"""Builds of merges that a loopback GitHub lists."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from github_server import GitHub
from github_world import PullRequest, Repository, World

import forge

MONTH = ["build", "--month", "2026-03"]
MERGES = ["--to", "merges"]
KEY = ("repo", "number")


def at(second: int, **known: Any) -> PullRequest:
    """A merge so many seconds after 2026-03-01 05:00, numbered by a literal or by them."""
    minutes, seconds = divmod(second, 60)
    when = f"2026-03-01T{5 + minutes // 60:02}:{minutes % 60:02}:{seconds:02}Z"
    number = known.pop("number", second + 1)
    return PullRequest(number, id=4_000_000_000 + number, merged_at=when, **known)


def world(*pulls: PullRequest, **known: Any) -> World:
    return World((Repository("ann/tool", 1, stars=500, pull_requests=pulls, **known),))


def settings(github: GitHub, archive: str = "http://127.0.0.1:9/") -> dict[str, str]:
    return os.environ | {
        "FORGE_ARCHIVE_URL": archive,
        "FORGE_GITHUB_URL": github.url,
        "FORGE_GITHUB_TOKENS": " ".join(github.tokens),
        "FORGE_GIT_URL": "file:///no/such/{owner}/{repo}",
    }


def run(
    folder: Path, environment: dict[str, str], *words: str, code: int = 0
) -> subprocess.CompletedProcess[str]:
    ended = subprocess.run(
        [sys.executable, "-m", "forge", *words],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == code, ended.stderr
    return ended


def rows(folder: Path, table: str, *names: str) -> list[tuple[Any, ...]]:
    return forge.scan(table, month="2026-03", root=folder / "data").select(*names).collect().rows()
