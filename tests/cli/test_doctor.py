"""`forge doctor` in real situations, as a user runs it."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from email.utils import formatdate
from pathlib import Path

import pytest
from archives import Answer, Loopback, packed, serve, trimmed
from disasters import mounted

from forge.doctor import CHECKS, examine
from forge.doctor.findings import ok
from forge.settings import Settings

HOUR = "2026-03-01-0"


@pytest.fixture
def archive() -> Iterator[Loopback]:
    with serve({HOUR: packed(trimmed())}) as served:
        yield served


def doctor(folder: Path, *flags: str, **variables: str) -> tuple[int, str]:
    """Exit code and words of the command, on a machine without an engine unless told."""
    here = {"FORGE_GIT_URL": str(folder), "DOCKER_HOST": "unix:///no/engine"}
    done = subprocess.run(
        [sys.executable, "-m", "forge", "doctor", *flags],
        cwd=folder,
        env=os.environ | here | variables,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


def line(told: str, subject: str) -> str:
    """What is said of a subject, its remedy too."""
    lines = told.splitlines()
    at = next(n for n, text in enumerate(lines) if text.split()[1:2] == [subject])
    return " ".join(" ".join(lines[at : at + 2]).split())


def test_without_an_engine_it_says_what_still_works_and_ends_as_a_build_would(tmp_path, archive):
    code, told = doctor(tmp_path, FORGE_ARCHIVE_URL=archive.url)
    assert code == 6
    assert line(told, "engine") == (
        "missing engine no Docker engine answers at unix:///no/engine: No such file or directory "
        "start Docker, or let DOCKER_HOST name an engine that you may use; "
        "without one, tables up to `statements` are built, and nothing is verified"
    )
    assert line(told, "archive").startswith(f"ok archive {archive.url} has {HOUR}")
    assert told.endswith("\na build cannot run to its end: engine\n")


@pytest.mark.usefixtures("docker_engine")
def test_engine_that_is_there_lets_a_build_run(tmp_path, archive):
    socket = os.environ.get("DOCKER_HOST", "unix:///var/run/docker.sock")
    code, told = doctor(tmp_path, FORGE_ARCHIVE_URL=archive.url, DOCKER_HOST=socket)
    assert line(told, "engine").startswith("ok engine Docker ")
    assert line(told, "limits").startswith("ok limits memory and processes of a container are")
    assert line(told, "images").split()[0] in {"ok", "warning"}
    assert (code, told.splitlines()[-1]) == (0, "a build can run")


def test_dead_archive_is_missing_and_named_with_what_works_without_it(tmp_path):
    code, told = doctor(tmp_path, FORGE_ARCHIVE_URL="http://ada:secret@127.0.0.1:1/hours")
    said = line(told, "archive")
    assert said.startswith("missing archive http://127.0.0.1:1/hours does not answer: ")
    assert said.endswith("without it, --pool, --rows and --source git work")
    assert "secret" not in told
    assert code == 6


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (Answer(200, b"<html>Log in</html>"), "gives a page, no gzip"),
        (Answer(401), "asks for another login: status 401"),
        (Answer(407), "is behind a proxy that refuses: status 407"),
        (Answer(503), "does not answer: status 503"),
    ],
)
def test_archive_that_gives_no_hour_is_missing(tmp_path, answer, said):
    with serve(first=[answer, answer]) as served:
        settings = Settings(root=tmp_path, archive_url=served.url)
        found = examine(settings, {"archive": CHECKS["archive"]})
    assert [(one.state, one.exit_code) for one in found] == [("missing", 4)]
    assert said in found[0].found


def test_archive_without_that_hour_answers_too(tmp_path):
    with serve() as served:
        settings = Settings(root=tmp_path, archive_url=served.url)
        (found,) = examine(settings, {"archive": CHECKS["archive"]})
    assert (found.state, found.found) == ("ok", f"{served.url} answers, without {HOUR}")


@pytest.mark.parametrize(
    ("git_url", "said"),
    [
        ("http://ada:secret@127.0.0.1:1/{owner}/{repo}", "http://127.0.0.1:1 cannot be reached: "),
        ("ssh://git@127.0.0.1:1/{owner}/{repo}", "ssh://git@127.0.0.1:1 cannot be reached: "),
        ("/no/where/{owner}/{repo}", "no folder /no/where"),
    ],
)
def test_dead_mirror_is_missing(tmp_path, git_url, said):
    settings = Settings(root=tmp_path, git_url=git_url)
    (found,) = examine(settings, {"mirrors": CHECKS["mirrors"]})
    assert found.state == "missing"
    assert found.found.startswith(said)
    assert "FORGE_GIT_URL" in (found.remedy or "")


@pytest.mark.parametrize(
    ("ahead", "state", "said"),
    [
        (0, "ok", "within 60 s of "),
        (600, "warning", "600 s behind "),
        (-86400, "warning", "86,400 s ahead of "),
    ],
)
def test_clock_is_held_against_what_a_server_says(tmp_path, ahead, state, said):
    date = formatdate(time.time() + ahead, usegmt=True)
    with serve(first=[Answer(404, headers={"Date": date})]) as served:
        settings = Settings(root=tmp_path, archive_url=served.url, git_url=str(tmp_path))
        (found,) = examine(settings, {"clock": CHECKS["clock"]})
    shown = found.found.replace("601", "600").replace("599", "600").replace("86,401", "86,400")
    assert found.state == state
    assert shown.startswith(said)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of one megabyte."""
    options = ("-t", "tmpfs", "-o", "size=1m", "tmpfs")
    with mounted(tmp_path / "mounted", *options) as folder:
        yield folder


def test_read_only_root_is_missing_and_left_as_it_was(small_disk):
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    (found,) = examine(Settings(root=small_disk / "data"), {"root": CHECKS["root"]})
    assert (found.state, found.exit_code) == ("missing", 7)
    assert found.found == f"{small_disk} cannot be written: Read-only file system"
    assert "FORGE_ROOT" in (found.remedy or "")


def test_full_disk_is_missing(small_disk, tmp_path):
    settings = Settings(root=small_disk / "data", memo=tmp_path)
    found = {one.subject: one for one in examine(settings, {"disk": CHECKS["disk"]})}
    assert (found["disk/root"].state, found["disk/root"].exit_code) == ("missing", 7)
    assert found["disk/root"].found.startswith(f"0.0 GB free at {small_disk}")
    assert found["disk/memo"].state == "ok"


def test_root_is_tried_and_nothing_stays_behind(tmp_path):
    (found,) = examine(Settings(root=tmp_path / "not/there"), {"root": CHECKS["root"]})
    assert found.state == "ok"
    assert [*tmp_path.iterdir()] == []


def test_memo_is_tried_too(small_disk, tmp_path):
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    settings = Settings(root=tmp_path, memo=small_disk / "memo")
    (found,) = examine(settings, {"memo": CHECKS["memo"]})
    assert (found.state, found.exit_code) == ("missing", 7)
    assert found.found == f"{small_disk} cannot be written: Read-only file system"
    assert "FORGE_MEMO" in (found.remedy or "")


def test_root_that_is_a_file_is_missing(tmp_path):
    (tmp_path / "file").touch()
    (found,) = examine(Settings(root=tmp_path / "file/data"), {"root": CHECKS["root"]})
    assert (found.state, found.exit_code) == ("missing", 3)
    assert found.found == f"{tmp_path}/file is no folder"
    assert "FORGE_ROOT" in (found.remedy or "")


def test_limits_are_tried_in_no_image_but_those_that_builds_begin_with(
    tmp_path, monkeypatch, docker_engine
):
    assert docker_engine.images.list()
    monkeypatch.setattr("forge.doctor.engine.RELEASED", ())
    found = examine(Settings(root=tmp_path), {"engine": CHECKS["engine"]})
    assert [(one.subject, one.state, one.found) for one in found[1:]] == [
        ("limits", "warning", "not tried: the engine holds no base image")
    ]


def test_no_git_in_path_is_missing(tmp_path, archive):
    code, told = doctor(tmp_path, FORGE_ARCHIVE_URL=archive.url, PATH=str(tmp_path))
    assert line(told, "git").startswith("missing git no git in PATH install git 2.32 or later")
    assert told.splitlines()[-1] == "a build cannot run to its end: engine, git"
    assert code == 6


def test_old_git_is_missing(tmp_path, monkeypatch):
    old = tmp_path / "git"
    old.write_text("#!/bin/sh\necho git version 2.17.1\n")
    old.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    (found,) = examine(Settings(root=tmp_path), {"git": CHECKS["git"]})
    assert (found.state, found.found) == ("missing", "git version 2.17.1")


def test_proxies_are_told_without_their_logins_and_loopback_must_pass_them(tmp_path, monkeypatch):
    monkeypatch.setenv("https_proxy", "http://ada:secret@proxy.example:3128")
    settings, chosen = Settings(root=tmp_path), {"proxies": CHECKS["proxies"]}
    (found,) = examine(settings, chosen)
    assert (found.state, found.found) == ("ok", "https_proxy=http://***@proxy.example:3128")
    monkeypatch.setenv("no_proxy", "example.org")
    monkeypatch.setenv("NO_PROXY", "example.org")
    (found,) = examine(settings, chosen)
    assert (found.state, "127.0.0.1" in (found.remedy or "")) == ("warning", True)


def test_tokens_are_told_by_name_alone(tmp_path, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
    monkeypatch.setenv("FORGE_GITHUB_TOKENS", "ghp_secret")
    monkeypatch.setenv("HOME", str(tmp_path))
    settings = Settings(root=tmp_path, git_url="https://ada:secret@git.example/{owner}/{repo}")
    (found,) = examine(settings, {"tokens": CHECKS["tokens"]})
    assert found.found == (
        "a login in FORGE_GIT_URL, FORGE_GITHUB_TOKENS, OPENAI_API_KEY; "
        "none is needed for public repositories"
    )


def test_check_that_hangs_or_breaks_is_a_warning_and_holds_nobody_up(tmp_path):
    def hangs(_settings):
        time.sleep(30)
        yield ok("slow", "at last")

    def breaks(_settings):
        yield ok("broken", "so far")
        raise RuntimeError("no route to http://ada:secret@proxy")

    began = time.monotonic()
    found = examine(Settings(root=tmp_path), {"slow": hangs, "broken": breaks}, seconds=0.5)
    assert time.monotonic() - began < 5
    assert [(one.subject, one.state, one.found) for one in found] == [
        ("slow", "warning", "no answer within 0.5 seconds"),
        ("broken", "warning", "cannot be told: RuntimeError: no route to http://***@proxy"),
    ]


def test_scripts_get_json_and_the_same_exit_code(tmp_path, archive):
    code, told = doctor(tmp_path, "--json", FORGE_ARCHIVE_URL=archive.url)
    found = json.loads(told)
    assert (code, found["can_build"]) == (6, False)
    missing = [one for one in found["findings"] if one["state"] == "missing"]
    assert [(one["subject"], one["exit_code"]) for one in missing] == [("engine", 6)]
    assert {one["subject"].split("/")[0] for one in found["findings"]} == set(CHECKS) - {
        "images",
        "builds",
    }
