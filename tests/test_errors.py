"""What stops a command: its trigger, its exit code and its whole message, never a traceback."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest
from archives import Answer, packed, serve, trimmed
from histories import Repository

from forge.demo import serve_world
from forge.reader import scan

FIRST = "2026-03-01-0"
ONE_HOUR = ["build", "--month", "2026-03", "--hours", "0"]
TO_MERGES = [*ONE_HOUR, "--to", "merges"]


def forge(root: Path, arguments: list[str], **settings: str) -> tuple[int, str]:
    """Exit code and stderr of a command, its changing names made plain."""
    done = subprocess.run(
        [sys.executable, "-m", "forge", *arguments, "--root", str(root)],
        env=os.environ | {f"FORGE_{name}": value for name, value in settings.items()},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, plain(done.stderr, root)


def plain(text: str, root: Path) -> str:
    text = text.replace(str(root), "ROOT")
    text = re.sub(r"(?m)^\w+: [\d,]+ of [\d,]+\n", "", text)  # a slow machine tells its progress
    return re.sub(r"127\.0\.0\.1:\d+", "HOST", text)


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (
            ["build", "--month", "2999-01"],
            2,
            "forge: 2999-01 has not begun\nchoose a month that has\n",
        ),
        (
            ["build", "--month", "2014-05"],
            2,
            (
                "forge: 2014-05-01-0 is in the Timeline format of before 2015, "
                "which forge does not read\nchoose a month from 2015-01 on\n"
            ),
        ),
        (
            ["build", "--month", "march"],
            2,
            "forge: no such month: 'march'\nsay it as YYYY-MM, such as 2026-03\n",
        ),
        (
            ["build", "--month", "2026-3"],
            2,
            "forge: no such month: '2026-3'\nsay it as YYYY-MM, such as 2026-03\n",
        ),
        (
            ["build", "--pool", "no-such-file"],
            3,
            (
                "forge: no-such-file cannot be read: [Errno 2] No such file or directory: "
                "'no-such-file'\nname a text file\n"
            ),
        ),
        (
            [*ONE_HOUR, "--to", "taks"],
            2,
            (
                "forge: no such table: taks\nthe tables are hours, merges, repositories, "
                "pull_requests, candidates, issues, hints, triage, patches, features, statements, "
                "recipes, environments, attempts, verdicts, gates, leaks, tasks, splits\n"
            ),
        ),
    ],
)
def test_slip_on_the_command_line(tmp_path, arguments, code, message):
    assert forge(tmp_path, arguments) == (code, message)


def test_unreachable_archive(tmp_path):
    code, message = forge(tmp_path, TO_MERGES, ARCHIVE_URL="http://127.0.0.1:1")
    assert (code, message) == (
        4,
        (
            f"forge: the archive does not answer: http://HOST/{FIRST}.json.gz: "
            "All connection attempts failed\n"
            "set FORGE_ARCHIVE_URL to the folder of hourly files, or try again later\n"
            "`forge doctor` looks for what else is missing\n"
        ),
    )


def test_web_page_where_gzip_should_be(tmp_path):
    with serve(first=[Answer(body=b"<!DOCTYPE html><title>Log in</title>")]) as archive:
        found = forge(tmp_path, TO_MERGES, ARCHIVE_URL=archive.url)
    assert found == (
        4,
        (
            f"forge: http://HOST/{FIRST}.json.gz is a web page, no gzip file\n"
            "set FORGE_ARCHIVE_URL to the folder of hourly files, or try again later\n"
            "`forge doctor` looks for what else is missing\n"
        ),
    )


def test_cut_off_file_keeps_its_good_lines_and_is_told(tmp_path):
    whole = packed(*[trimmed(number=n) for n in range(1, 2000)])
    with serve({FIRST: whole[: len(whole) // 2]}) as archive:
        assert forge(tmp_path, TO_MERGES, ARCHIVE_URL=archive.url) == (0, "")
    hour = scan("hours", month="2026-03", root=tmp_path).filter(status="corrupt").collect()
    assert hour["detail"].to_list() == [f"gzip is cut off at byte {len(whole) // 2}"]
    merges = scan("merges", month="2026-03", root=tmp_path).select(pl.len()).collect().item()
    assert 100 < merges < 1999


def test_garbage_line_is_counted_and_harms_no_other(tmp_path):
    with serve({FIRST: packed(trimmed(number=1), b"garbage", trimmed(number=2))}) as archive:
        assert forge(tmp_path, TO_MERGES, ARCHIVE_URL=archive.url) == (0, "")
    hours = scan("hours", month="2026-03", root=tmp_path).filter(status="ok").collect()
    assert hours.select("lines", "bad_lines", "merges").rows() == [(3, 1, 2)]


def test_vanished_repository_is_a_reason_and_no_error(world):
    root, settings = world
    sample = ["build", "--month", "2026-03", "--hours", "24-71", "--sample", "100%"]
    assert forge(root, [*sample, "--to", "pull_requests"], **settings) == (0, "")
    stopped = pl.scan_parquet(root / "rejected/repositories/**/*.parquet").collect()
    assert stopped.select("fate", "reasons").rows() == [("rejected", ["repository_vanished"])]


def test_no_engine_keeps_what_was_made_without_one(world, monkeypatch):
    root, settings = world
    sample = ["build", "--month", "2026-03", "--hours", "24-71", "--sample", "100%"]
    monkeypatch.setenv("DOCKER_HOST", "unix:///no/such/engine")
    assert forge(root, sample, **settings) == (
        6,
        (
            "forge: no Docker engine answers at unix:///no/such/engine: No such file or directory\n"
            "start Docker, or let DOCKER_HOST name an engine that you may use; "
            "what was answered before is kept\n"
            "`forge doctor` looks for what else is missing\n"
        ),
    )
    assert scan("statements", month="2026-03", root=root).collect().height > 10


def test_history_without_numbers_is_told(tmp_path):
    history = Repository(tmp_path / "served/ann/fix")
    history.commit("Fix the parser", {"a.py": "one = 1\n"})
    address = f"file://{history.folder}"
    build = ["build", "--month", "2026-03", "--source", "git", address, "--to", "merges"]
    assert forge(tmp_path / "root", build) == (
        0,
        (
            "no commit of 2026-03 on the default branch names a pull request: `(#12)`, "
            "`Merge pull request #12`\nname them yourself, one a line, with --pool FILE\n"
        ),
    )


@pytest.mark.parametrize(
    ("shell", "sent"),
    [
        ([], signal.SIGINT),
        ([], signal.SIGTERM),
        (["sh", "-c", 'trap "" INT; exec "$@"', "sh"], signal.SIGTERM),
    ],
    ids=["ctrl-c", "kill", "kill in the background"],
)
def test_interrupt_keeps_what_was_answered(tmp_path, shell, sent):
    with serve({FIRST: packed(trimmed(number=1))}) as archive:
        build = [sys.executable, "-m", "forge", "build", "--month", "2026-03", "--to", "merges"]
        command = [*shell, *build]
        process = subprocess.Popen(
            [*command, "--root", str(tmp_path)],
            env=os.environ | {"FORGE_ARCHIVE_URL": archive.url},
            stderr=subprocess.PIPE,
            text=True,
        )
        while len(archive.asked) < 50:
            time.sleep(0.01)
        process.send_signal(sent)
        _, message = process.communicate(timeout=30)
    assert process.returncode == 130
    assert message == "\ninterrupted: what was answered is kept, and the same command goes on\n"


@pytest.fixture
def world(tmp_path: Path) -> Iterator[tuple[Path, dict[str, str]]]:
    with serve_world(tmp_path / "world") as overrides:
        yield tmp_path / "root", {name.upper(): str(value) for name, value in overrides.items()}
