"""`forge check` as a user runs it, on tasks whose image is on this machine."""

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import docker
import handmade
import polars as pl
import pytest

from forge.exporters.swebench import export

PLAIN = f"grace__shouting-{len(handmade.AWKWARD)}"
TESTS = "tests/deep/er/test_plain.py::"
SHOUTS, MARKS = f"{TESTS}test_shouts[ordinary]", f"{TESTS}test_keeps_its_mark[ordinary]"
ELSEWHERE = "--- /dev/null\n+++ b/NOTES.md\n@@ -0,0 +1 @@\n+looked at it\n"
NOWHERE = {"image": "sweforge/nowhere:1", "image_digest": None, "recipe": None}


@pytest.fixture(scope="module")
def row(tmp_path_factory, docker_engine):
    """The exported row of the ordinary task."""
    folder = tmp_path_factory.mktemp("tasks")
    export(handmade.make(folder / "repository", docker_engine), folder / "tasks.jsonl")
    lines = (folder / "tasks.jsonl").read_text().splitlines()
    return next(row for row in map(json.loads, lines) if row["instance_id"] == PLAIN)


@pytest.fixture
def write(row, home, monkeypatch):
    """Write rows by name: the ordinary one, with what differs from it."""
    monkeypatch.delenv("DOCKER_HOST")

    def written(**rows: dict[str, object]) -> None:
        lines = [json.dumps(row | {"instance_id": name} | told) for name, told in rows.items()]
        (home / "tasks.jsonl").write_text("\n".join(lines) + "\n")

    return written


def checked(path: Path) -> dict[str, dict[str, object]]:
    return {row["instance_id"]: row for row in map(json.loads, path.read_text().splitlines())}


def test_row_that_holds_is_written_with_its_digest_and_logs(home, write, row, forge_says):
    write(held={})
    ended = forge_says("check", "--tasks", "tasks.jsonl", "-o", "checked.parquet")
    assert ended.code == 0
    assert ended.out.splitlines()[-1] == "1 holds; written to checked.parquet"
    (kept,) = pl.read_parquet(home / "checked.parquet").to_dicts()
    assert (kept["outcome"], kept["differences"], kept["image_source"]) == ("holds", [], "found")
    assert kept["image_digest"] == kept["row_image_digest"] == row["image_digest"]
    assert SHOUTS in (home / kept["gold_report"]).read_text()
    assert not (home / "data").exists()


def test_every_test_that_is_not_as_listed_is_named_and_the_command_says_invalid(
    home, write, forge_says
):
    write(
        held={},
        listed={"FAIL_TO_PASS": json.dumps([SHOUTS, MARKS]), "PASS_TO_PASS": '["gone.py::test"]'},
        ungilded={"patch": ELSEWHERE},
        unfitting={"patch": "--- a/no.py\n+++ b/no.py\n@@ -1 +1 @@\n-a\n+b\n"},
    )
    ended = forge_says("check", "--tasks", "tasks.jsonl", "-o", "checked.jsonl")
    assert ended.code == 9
    assert ended.err.splitlines()[-1] == "forge: 3 of 4 tasks do not hold"
    table = ended.out.splitlines()[:6]
    assert max(map(len, table)) <= 80
    assert table[0].split() == ["task", "outcome", "why", "image", "seconds"]
    told = {
        name: [tuple(one.values()) for one in kept["differences"]]
        for name, kept in checked(home / "checked.jsonl").items()
    }
    assert told == {
        "held": [],
        "listed": [
            ("nothing", MARKS, "FAIL", "PASS"),
            ("nothing", "gone.py::test", "PASS", "ABSENT"),
            ("gold", "gone.py::test", "PASS", "ABSENT"),
        ],
        "ungilded": [("gold", SHOUTS, "PASS", "FAIL")],
        "unfitting": [("gold", None, "applied", "not applied")],
    }


def test_what_the_machine_cannot_do_is_unchecked_and_asked_again(home, write, forge_says):
    write(held={}, gone=NOWHERE, elsewhere={"platform": "linux/s390x"})
    command = ("check", "--tasks", "tasks.jsonl", "-o", "checked.jsonl", "--json")
    ended = forge_says(*command)
    told = json.loads(ended.out)
    assert (ended.code, told["holds"], told["differs"], told["unchecked"]) == (4, 1, 0, 2)
    assert "2 of 3 tasks could not be checked, which says nothing about them" in ended.err
    first = checked(home / "checked.jsonl")
    reasons = {name: kept["reason"] for name, kept in first.items()}
    assert reasons == {"held": None, "gone": "image_gone", "elsewhere": "other_platform"}
    forge_says(*command)
    again = {name: kept["checked_at"] for name, kept in checked(home / "checked.jsonl").items()}
    asked = {name for name, when in again.items() if when != first[name]["checked_at"]}
    assert asked == {"gone", "elsewhere"}


def test_checked_row_needs_no_engine_until_it_changes(write, forge_says, monkeypatch):
    command = ("check", "--tasks", "tasks.jsonl", "-o", "checked.parquet")
    write(held={})
    assert forge_says(*command).code == 0
    monkeypatch.setenv("DOCKER_HOST", "unix:///nowhere/docker.sock")
    assert forge_says(*command).code == 0
    write(held={"patch": ELSEWHERE})
    monkeypatch.setenv("DOCKER_HOST", "unix:///nowhere/docker.sock")
    assert forge_says(*command).code == 6


def test_check_that_is_killed_goes_on_where_it_was(home, write):
    names = [f"task-{number}" for number in range(3)]
    write(**{name: {} for name in names})
    command = [sys.executable, "-m", "forge", "check", "--tasks", "tasks.jsonl", "-o", "c.jsonl"]
    killed = subprocess.Popen(command, cwd=home, stdout=subprocess.DEVNULL)
    until = time.monotonic() + 120
    while not (home / "c.jsonl").exists() and time.monotonic() < until:
        time.sleep(0.05)
    killed.send_signal(signal.SIGKILL)
    killed.wait()
    before = checked(home / "c.jsonl")
    assert 0 < len(before) < len(names)
    subprocess.run(command, cwd=home, check=True, env=os.environ, stdout=subprocess.DEVNULL)
    after = checked(home / "c.jsonl")
    assert [after[name]["outcome"] for name in names] == ["holds"] * len(names)
    assert {name: after[name] for name in before} == before
    assert [path.name for path in home.glob(".c.jsonl.*")] == []


def test_container_that_somebody_kills_leaves_its_task_unchecked(
    home, write, docker_engine, monkeypatch
):
    write(slow={"eval_script": "#!/bin/bash\nsleep 300\n"})
    monkeypatch.setenv("PYTHONUNBUFFERED", "1")
    command = [sys.executable, "-m", "forge", "check", "--tasks", "tasks.jsonl", "-o", "c.jsonl"]
    running = subprocess.Popen(command, cwd=home, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    _kill_containers_of(docker_engine, running)
    told = running.communicate()[1].decode()
    assert running.returncode == 4, told
    assert checked(home / "c.jsonl")["slow"]["reason"] == "killed"


def _kill_containers_of(docker_engine, running: subprocess.Popen) -> None:
    """Kill whatever it starts, until it ends: what was killed once is asked again."""
    until = time.monotonic() + 60
    while running.poll() is None:
        assert time.monotonic() < until, "it did not end"
        for found in docker_engine.containers.list(
            filters={"label": "forge.process"}, ignore_removed=True
        ):
            if f":{running.pid}:" in found.labels["forge.process"]:
                with suppress(docker.errors.APIError):  # it has ended meanwhile
                    found.kill()
        time.sleep(0.1)


def test_script_that_writes_nonsense_where_forge_reads_leaves_its_own_task_unchecked(
    home, write, forge_says
):
    write(
        odd={"eval_script": "mkdir -p /forge/out\necho '[]' >/forge/out/status.json\n"},
        held={},
    )
    assert forge_says("check", "--tasks", "tasks.jsonl", "-o", "c.jsonl").code == 4
    told = {name: kept["reason"] for name, kept in checked(home / "c.jsonl").items()}
    assert told == {"odd": "unexpected_error", "held": None}
