import fcntl
import json
import os
import time
from contextlib import suppress
from pathlib import Path

import docker
import pytest
from docker.errors import NotFound
from toy_month import LOG_NAME

from forge.cli import exit_code
from forge.processes import process_label
from forge.services.docker_engine import PROCESS

NO_ENGINE = (
    "containers are left alone: no Docker engine answers at unix:///nowhere/docker.sock: "
    "No such file or directory\n"
)


def put(path: Path, *, days: float) -> Path:
    """A file of ten bytes, so many days old."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"x" * 10)
    age(path, days)
    return path


def age(path: Path, days: float) -> None:
    then = time.time() - days * 86_400
    os.utime(path, (then, then))


def test_drafts_and_nothing_else_go_without_a_flag(month, forge_says):
    draft = put(month / "data/.drafts/2026-03/x", days=0)
    mirror = put(month / "data/mirrors/a__b/HEAD", days=0)
    kept = sorted((month / "data").glob("*/month=*/*"))
    ended = forge_says("clean")
    assert ended == (
        0,
        "draft          10 B  data/.drafts/2026-03\n10 B freed\n",
        NO_ENGINE,
    )
    assert (draft.exists(), mirror.exists()) == (False, True)
    assert sorted((month / "data").glob("*/month=*/*")) == kept


def test_dry_run_removes_nothing(month, forge_says):
    draft = put(month / "data/.drafts/2026-03/x", days=0)
    assert forge_says("clean", "--dry-run").out.endswith("\n10 B would be freed\n")
    assert draft.exists()


def test_drafts_and_mirrors_stay_while_a_build_is_at_work(month, forge_says):
    draft = put(month / "data/.drafts/2026-03/x", days=0)
    put(month / "data/mirrors/a__b/HEAD", days=0)
    with (month / "data/.locks/2026-03.json").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert forge_says("clean", "--mirrors").out == "0 B freed\n"
    assert draft.exists()


def test_mirrors_go_by_flag_and_age(month, forge_says):
    old, young = (put(month / f"data/mirrors/a__{name}/HEAD", days=0) for name in ("old", "young"))
    age(old.parent, 8)
    ended = forge_says("clean", "--mirrors", "--older-than", "7d")
    assert ended.out == "mirror         10 B  data/mirrors/a__old\n10 B freed\n"
    assert (old.exists(), young.exists()) == (False, True)


def test_artifacts_that_nothing_names_go_and_those_of_tables_stay(month, forge_says):
    artifacts = month / "data/memo/artifacts"
    nobodys = put(artifacts / "ab" / ("ab" + "0" * 62), days=3)
    young = put(artifacts / "cd" / ("cd" + "0" * 62), days=0)
    named = artifacts / LOG_NAME[:2] / LOG_NAME
    age(named, 3)
    ended = forge_says("clean", "--artifacts")
    assert ended.out == f"artifact       10 B  data/memo/artifacts/ab/{nobodys.name}\n10 B freed\n"
    assert [path.exists() for path in (nobodys, young, named)] == [False, True, True]


def test_artifacts_that_a_remembered_answer_names_stay(month, forge_says):
    name = "ef" + "1" * 62
    held = put(month / "data/memo/artifacts/ef" / name, days=3)
    journal = month / "data/memo/double/journal-1-x.jsonl"
    journal.parent.mkdir()
    journal.write_text(json.dumps({"answer": {"tests": [{"log": name}]}}))
    forge_says("clean", "--artifacts")
    assert held.exists()


def test_age_that_cannot_be_read_is_refused(forge_says):
    ended = forge_says("clean", "--older-than", "week")
    assert ended == (2, "", "forge: not an age: 'week'\nsay it as 12h or 7d\n")


def test_images_without_an_engine_is_an_error(forge_says):
    assert forge_says("clean", "--images").code == 6


@pytest.fixture
def made(docker_engine):
    """Containers made by this test, gone afterwards."""
    containers = []

    def make(**labels: str) -> docker.models.containers.Container:
        made = docker_engine.containers.create("debian:bookworm-slim", "true", labels=labels)
        containers.append(made)
        return made

    yield make
    for one in containers:
        with suppress(NotFound):
            one.remove(force=True)


@pytest.mark.usefixtures("home")
def test_only_containers_of_dead_forge_processes_go(monkeypatch, capsys, docker_engine, made):
    monkeypatch.delenv("DOCKER_HOST")
    here = process_label().rsplit(":", 2)[0]
    living, foreign = made(**{PROCESS: process_label()}), made(other="forge")
    monkeypatch.setattr("sys.argv", ["forge", "clean"])
    for _ in range(5):  # a service that another test opens may take the dead one away first
        dead = made(**{PROCESS: f"{here}:1:0"})  # the pid of another process, which began later
        assert (exit_code() or 0) == 0
        said = capsys.readouterr().out
        if dead.name in said:
            break
    left = {one.id for one in docker_engine.containers.list(all=True, ignore_removed=True)}
    assert [one.id in left for one in (dead, living, foreign)] == [False, True, True]
    assert dead.name in said


def test_hourly_files_of_the_root_go_by_flag_and_those_of_forge_raw_stay(
    month, forge_says, monkeypatch
):
    kept = put(month / "hours/2026-03-01-0.json.gz", days=0)
    whole = put(month / "data/raw/2026-03-01-0.json.gz", days=0)
    part = put(month / "data/raw/2026-03-01-1.json.gz.part", days=0)
    others = put(month / "data/raw/README", days=0)
    monkeypatch.setenv("FORGE_RAW", "hours")
    assert forge_says("clean").out == "0 B freed\n"
    assert forge_says("clean", "--raw").out.splitlines()[-1] == "20 B freed"
    assert [path.exists() for path in (kept, whole, part, others)] == [True, False, False, True]
