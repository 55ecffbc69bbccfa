"""What a build leaves in its root: rows, answers, files, proofs, fetched objects."""

import json
import re
import subprocess
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import polars as pl
from kill_world import Fetched

from forge.build import stages
from forge.store import Store

MONTH = "2026-03"
# Times, sizes and what holds them: two builds agree on whether they are there, no more.
VARYING = {
    "environments": [
        *("image_digest", "bytes", "own_bytes", "seconds", "log"),
        *("dependencies_digest", "dependencies_bytes"),
    ],
    "attempts": ["memory_bytes", "processes", "seconds", "ran_at", "log", "result"],
    "verdicts": [
        *("seconds_before", "seconds_after", "seconds_p95"),
        *("memory_bytes", "processes", "verified_at"),
    ],
}


class Trace(NamedTuple):
    """What a build left: rows in their order, keys of answers, and files by kind."""

    tables: dict[str, pl.DataFrame]
    answered: dict[str, Counter[str]]
    files: set[str]

    def answers(self, effect: str) -> int:
        """How many questions of an effect are answered."""
        return len(self.answered.get(effect, ()))

    @property
    def images(self) -> list[str]:
        """Tags of the images that were built."""
        tables = [frame for name, frame in self.tables.items() if name.startswith("environments/")]
        return [tag for frame in tables for tag in frame["image"].drop_nulls()]

    def differences(self, found: "Trace") -> Iterator[str]:
        """How another build's trace is not this one."""
        for name in sorted(self.tables.keys() | found.tables.keys()):
            one, other = self.tables.get(name), found.tables.get(name)
            if one is None or other is None:
                yield f"{name} is {other}, not {one}"
            elif not one.equals(other):
                yield f"{name} differs in {_differing(one, other) or 'its order'}"
        for effect in sorted(self.answered.keys() | found.answered.keys()):
            one, other = self.answered.get(effect), found.answered.get(effect)
            if one != other:
                yield f"{effect} remembers {other}, not {one}"
        yield from (f"{name} is left" for name in sorted(found.files - self.files))
        yield from (f"{name} is missing" for name in sorted(self.files - found.files))


def trace(root: Path) -> Trace:
    """What is in a root now."""
    tables = {str(path.relative_to(root)): _rows(path) for path in root.rglob("month=*/*.parquet")}
    effects = [folder for folder in (root / "memo").glob("*") if folder.name != "artifacts"]
    answered = {folder.name: Counter(_keys(folder)) for folder in effects}
    names = {str(path.relative_to(root)) for path in root.rglob("*") if not path.is_dir()}
    return Trace(tables, answered, {_kind(name) for name in names})


def _rows(path: Path) -> pl.DataFrame:
    rows, table = pl.read_parquet(path), path.parent.parent
    if table.parent.name == "rejected" or table.name not in VARYING:
        return rows
    varying = [pl.col(name).is_null() for name in VARYING[table.name]]
    if table.name == "attempts":
        letters = pl.element().struct.field("id", "letter")
        varying.append(pl.col("tests").list.eval(pl.struct(letters)))
    return rows.with_columns(*varying)


def _keys(folder: Path) -> Iterator[str]:
    for path in folder.iterdir():
        if path.name.startswith("journal-"):
            lines = path.read_bytes().splitlines(keepends=True)
            yield from (json.loads(line)["key"] for line in lines if line.endswith(b"\n"))
        elif path.suffix == ".parquet":
            yield from pl.read_parquet(path, columns=["key"])["key"]


def _differing(one: pl.DataFrame, other: pl.DataFrame) -> list[str]:
    if one.schema != other.schema or one.height != other.height:
        return [f"{one.schema} of {one.height} rows", f"{other.schema} of {other.height} rows"]
    return [name for name in one.columns if not one[name].equals(other[name], null_equal=True)]


def _kind(name: str) -> str:
    """A file's name without what chance is in it; of git's objects, only what is unfinished."""
    name = re.sub(r"/part-[0-9a-f]+\.parquet", "/part", name)
    name = re.sub(r"artifacts/[0-9a-f]{2}/[0-9a-f]{64}", "artifact", name)
    return re.sub(r"objects/(?!.*(tmp_|lock$|keep$)).*", "objects", name)


def held_objects(root: Path) -> set[Fetched]:
    """Objects whose fetch is proved to have ended."""
    found = set()
    for mark in root.glob("mirrors/*/fetched"):
        repo = mark.parent.name.replace("__", "/")
        names = _git(mark.parent / "history.git", "cat-file", "--batch-all-objects",
                     "--batch-check=%(objectname)", "--unordered")  # fmt: skip
        found |= {Fetched(repo, "history.git", sha) for sha in names}
        names = _git(mark.parent / "objects.git", "for-each-ref", "--format=%(objectname)")
        found |= {Fetched(repo, "objects.git", sha) for sha in names}
    return found


def _git(folder: Path, *arguments: str) -> list[str]:
    command = ["git", f"--git-dir={folder}", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()


def unproved(root: Path) -> Iterator[str]:
    """Parts that are not what their manifest says."""
    store = Store(root, MONTH)
    for stage in stages():
        parts = store.manifest(stage.name).parts
        yield from (f"{stage.name}/{p}" for p in parts if not store.record(stage.name, p))
