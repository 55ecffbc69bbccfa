"""A build of the demo's world, killed anywhere before its first container, then run again."""

import os
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest

from forge.demo import serve_world

SEEDS = range(10)
BUILD = ["build", "--month", "2026-03", "--hours", "24-71", "--sample", "100%"]
LAST = "statements"


def start(root: Path, world: dict[str, str]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "forge", *BUILD, "--to", LAST, "--root", str(root)],
        env=os.environ | world,
        stdout=subprocess.DEVNULL,
    )


def tables(root: Path) -> dict[str, pl.DataFrame]:
    """Every table and every list of rejected rows, in the order of their rows' texts."""
    parts = sorted(p for p in root.rglob("month=2026-03/*.parquet") if "memo" not in p.parts)
    rows = {str(p.relative_to(root)): pl.read_parquet(p) for p in parts}
    return {name: frame.sort(*_key(frame)) for name, frame in rows.items()}


def _key(frame: pl.DataFrame) -> list[str]:
    return [name for name in ("hour", "repository_id", "number") if name in frame.columns]


def answered(root: Path) -> dict[str, list[str]]:
    """Keys of the questions that each effect's memo answers, as often as it does."""
    folders = [folder for folder in (root / "memo").glob("*") if folder.name != "artifacts"]
    return {folder.name: sorted(_keys(folder)) for folder in folders}


def _keys(folder: Path) -> Iterator[str]:
    for path in folder.iterdir():
        if path.name.startswith("journal-"):
            whole = [line for line in path.read_bytes().splitlines(keepends=True) if b"\n" in line]
            yield from pl.read_ndjson(b"".join(whole))["key"] if whole else ()
        elif path.suffix == ".parquet":
            yield from pl.read_parquet(path, columns=["key"])["key"]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    with serve_world(tmp_path_factory.mktemp("world")) as overrides:
        yield {f"FORGE_{name.upper()}": str(value) for name, value in overrides.items()}


@pytest.fixture(scope="module")
def untouched(world: dict[str, str], tmp_path_factory: pytest.TempPathFactory):
    """The tables of a build that nobody killed, and how long it took."""
    root, began = tmp_path_factory.mktemp("untouched"), time.monotonic()
    assert start(root, world).wait() == 0
    return tables(root), time.monotonic() - began


@pytest.mark.parametrize("seed", SEEDS)
def test_killed_build_ends_in_the_same_tables_and_asks_nothing_twice(
    tmp_path, world, untouched, seed
):
    expected, seconds = untouched
    process = start(tmp_path, world)
    time.sleep(seconds * random.Random(seed).uniform(0.1, 0.95))
    process.kill()
    process.wait()
    before = answered(tmp_path)
    assert start(tmp_path, world).wait() == 0
    after = answered(tmp_path)

    found = tables(tmp_path)
    assert found.keys() == expected.keys()
    assert [name for name, frame in found.items() if not frame.equals(expected[name])] == []
    for effect, keys in before.items():
        assert [after[effect].count(key) for key in keys] == [1] * len(keys)
    assert not [*tmp_path.glob(".drafts/2026-03/*"), *tmp_path.glob("memo/*/journal-*")]
