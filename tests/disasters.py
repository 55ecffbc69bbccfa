"""Builds of a small world as a user runs them, what they say, and what they leave."""

import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import polars as pl
import pytest

from forge.demo import serve_world

BUILD = ["build", "--month", "2026-03", "--hours", "24-71", "--to", "statements"]
REPOSITORIES = ("papertrail/glyphs", "oldmill/almanac")
DRAFT = re.compile(r"draft|^journal-|^tmp_|\.lock$")
REST = (
    "\nfree some, or set FORGE_DISK lower, and run the same command again: "
    "what was answered is kept\n"
)


@dataclass(frozen=True)
class Told:
    """How a command ended, and what it said, its changing names made plain."""

    code: int
    stdout: str
    stderr: str
    pid: int


@dataclass(frozen=True)
class Scene:
    """The demo's world, and what an undisturbed build of a part of it makes."""

    world: dict[str, str]
    root: Path

    def build(self, root: Path) -> list[str]:
        """The words of a build."""
        chosen = str(self.root.parent / "repositories.txt")
        return [*BUILD, "--repositories", chosen, "--root", str(root)]

    def start(self, root: Path, *words: str, **settings: str) -> subprocess.Popen[str]:
        """Start a command, the build where none is named."""
        return subprocess.Popen(
            [sys.executable, "-m", "forge", *(words or self.build(root))],
            env=os.environ | self.world | {f"FORGE_{k.upper()}": v for k, v in settings.items()},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, root: Path, *words: str, **settings: str) -> Told:
        """Run a command to its end."""
        return ended(self.start(root, *words, **settings), root)

    def differences(self, root: Path) -> list[str]:
        """Tables that are not the undisturbed build's, questions answered twice, drafts left."""
        found, expected = tables(root), tables(self.root)
        return [
            *(
                n
                for n in found.keys() | expected.keys()
                if not _same(found.get(n), expected.get(n))
            ),
            *(f"{key} has {n} answers" for key, n in answers(root).items() if n != 1),
            *(
                [f"{asked} questions"]
                if (asked := len(answers(root))) != len(answers(self.root))
                else []
            ),
            *(str(path) for path in root.rglob("*") if DRAFT.search(path.name) and path.is_file()),
        ]


def tables(root: Path) -> dict[str, pl.DataFrame]:
    """Every table and every list of rejected rows."""
    parts = [path for path in root.rglob("month=*/*.parquet") if "memo" not in path.parts]
    return {str(path.relative_to(root)): pl.read_parquet(path) for path in parts}


def answers(root: Path) -> Counter[str]:
    """How often each question is answered in a root's memo."""
    parts = root.glob("memo/*/part-*.parquet")
    return Counter(key for path in parts for key in pl.read_parquet(path, columns=["key"])["key"])


def ended(process: subprocess.Popen[str], root: Path) -> Told:
    """What a command said, when it has ended."""
    stdout, stderr = process.communicate(timeout=120)
    return Told(process.returncode, stdout, plain(stderr, root), process.pid)


def plain(text: str, root: Path) -> str:
    """A message without the names that change."""
    return re.sub(r"127\.0\.0\.1:\d+", "HOST", text.replace(str(root), "ROOT"))


def _same(one: pl.DataFrame | None, other: pl.DataFrame | None) -> bool:
    return one is not None and other is not None and one.equals(other)


@contextmanager
def scene_in(folder: Path) -> Iterator[Scene]:
    """Serve the demo's world, and build the part of it once."""
    (folder / "repositories.txt").write_text("".join(f"{name}\n" for name in REPOSITORIES))
    with serve_world(folder / "world") as settings:
        world = {f"FORGE_{name.upper()}": str(value) for name, value in settings.items()}
        scene = Scene(world, folder / "untouched")
        told = scene.run(scene.root)
        assert told.code == 0, told
        yield scene


@contextmanager
def mounted(folder: Path, *options: str) -> Iterator[Path]:
    """A file system mounted for as long as the block runs; a skip where that is not allowed."""
    folder.mkdir(exist_ok=True)
    if (
        not shutil.which("mount")
        or subprocess.run(["mount", *options, folder], check=False).returncode
    ):
        pytest.skip("no right to mount a small file system")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", folder], check=True)


def small_disk(folder: Path, kilobytes: int) -> AbstractContextManager[Path]:
    """A disk of a size."""
    return mounted(folder, "-t", "tmpfs", "-o", f"size={kilobytes}k", "tmpfs")


def resize(folder: Path, kilobytes: int) -> None:
    """Give a small disk another size."""
    subprocess.run(["mount", "-o", f"remount,size={kilobytes}k", str(folder)], check=True)


@contextmanager
def read_only(folder: Path, of: Path) -> Iterator[Path]:
    """A folder's content at another place, where nobody may write."""
    with mounted(folder, "--bind", str(of)):
        subprocess.run(["mount", "-o", "remount,bind,ro", str(folder)], check=True)
        yield folder
