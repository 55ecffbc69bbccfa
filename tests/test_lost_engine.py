"""An engine that goes away while containers run: nothing that was answered is lost."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import docker
import polars as pl
import pytest
from disasters import Told, answers, ended
from forwarding import Forward

from forge.demo import serve_world
from forge.services.docker_engine import PROCESS

BUILD = (
    *("build", "--month", "2026-03", "--hours", "24-71", "--to", "attempts"),
    *("--limit", "attempts.survivors=1", "--limit", "attempts.would_be_tasks=1"),
)
KEY = ("repository_id", "number", "side", "attempt")


@pytest.fixture
def world(tmp_path: Path) -> Iterator[dict[str, str]]:
    (tmp_path / "repositories.txt").write_text("oldmill/almanac\n")
    with serve_world(tmp_path / "world") as settings:
        yield {f"FORGE_{name.upper()}": str(value) for name, value in settings.items()}


def start(root: Path, world: dict[str, str]) -> subprocess.Popen[str]:
    chosen = ["--repositories", str(root.parent / "repositories.txt"), "--root", str(root)]
    return subprocess.Popen(
        [sys.executable, "-m", "forge", *BUILD, *chosen],
        env=os.environ | world,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def containers(engine: docker.DockerClient, pid: int) -> list[object]:
    """The containers of a build."""
    found = engine.api.containers(all=True, filters={"label": PROCESS})
    return [one for one in found if f":{pid}:" in one["Labels"][PROCESS]]


def build_until_the_engine_is_lost(
    root: Path, world: dict[str, str], engine: docker.DockerClient, *, first: str
) -> Told:
    """How a build ends whose engine is cut off in a container, after something is there."""
    address = root.parent / f"{first.replace('/', '-')}.sock"
    forward = Forward(address)
    process = start(root, world | {"DOCKER_HOST": f"unix://{address}"})
    while process.poll() is None:
        if (root / first).exists() and containers(engine, process.pid):
            break
        time.sleep(0.02)
    forward.close()
    return ended(process, root)


def letters(root: Path) -> list[tuple[object, ...]]:
    """What the tests said in every attempt."""
    attempts = pl.scan_parquet(f"{root}/attempts/month=2026-03/*.parquet")
    tests = [
        pl.col("tests").list.eval(pl.element().struct.field(n)).alias(n) for n in ("id", "letter")
    ]
    return attempts.select(*KEY, *tests).sort(KEY).collect().rows()


def test_build_whose_engine_is_lost_says_so_and_goes_on_where_it_was(
    tmp_path, world, docker_engine
):
    root, pids = tmp_path / "root", []
    for first in ("recipes", "memo/run_tests"):
        told = build_until_the_engine_is_lost(root, world, docker_engine, first=first)
        assert told.code == 6, told
        pids.append(told.pid)
        assert "forge: no Docker engine answers at unix:///" in told.stderr
        assert "\nstart Docker, or let DOCKER_HOST name an engine that you may use; " in told.stderr
    assert ended(start(root, world), root).code == 0
    assert [containers(docker_engine, pid) for pid in pids] == [[], []]
    assert ended(start(tmp_path / "undisturbed", world), root).code == 0
    assert letters(root) == letters(tmp_path / "undisturbed") != []
    assert set(answers(root).values()) == {1}
    assert len(answers(root)) == len(answers(tmp_path / "undisturbed"))
