"""Bare clones in the user's folders, and copies of them that forge may fetch from."""

import os
import re
import subprocess
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from forge.rules.identity import is_repository

DEPTH = 3
ORIGIN = re.compile(r"[:/]([\w.-]+/[\w.-]+?)(?:\.git)?/?$")
SERVED = (
    "[core]\n\trepositoryformatversion = 0\n\tbare = true\n"
    "[uploadpack]\n\tallowFilter = true\n\tallowAnySHA1InWant = true\n"
)
PLAIN = {
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_ATTR_NOSYSTEM": "1",
    "GIT_NO_LAZY_FETCH": "1",
    "LC_ALL": "C",
}


class GitError(Exception):
    """A git command that failed; the message is what git said."""


class Clone(NamedTuple):
    """A repository with the heads of its pull requests."""

    name: str
    folder: Path


def find(folders: Iterable[Path]) -> list[Clone]:
    """The bare clones in these folders, down to three levels, by name."""
    found = (Clone(_name(path, top), path) for top in folders for path in _bare(top, DEPTH))
    return sorted({clone.name: clone for clone in found}.values())


def serve(clone: Clone, root: Path) -> Clone:
    """A bare repository owner/name that borrows the clone's objects and answers any question."""
    folder = root / clone.name
    (folder / "objects/info").mkdir(parents=True)
    (folder / "refs").mkdir()
    (folder / "objects/info/alternates").write_text(f"{clone.folder.resolve() / 'objects'}\n")
    (folder / "config").write_text(SERVED)
    (folder / "HEAD").write_bytes((clone.folder / "HEAD").read_bytes())
    refs = git(clone.folder, "for-each-ref", "--format=%(objectname) %(refname)")
    kept = [
        line for line in refs.splitlines() if line[41:].startswith(("refs/heads/", "refs/pull"))
    ]
    (folder / "packed-refs").write_text("".join(f"{line}\n" for line in kept))
    return Clone(clone.name, folder)


def git(folder: Path, *arguments: str, stdin: str = "", **environment: str) -> str:
    """What git prints, in a plain environment; bytes that are not UTF-8 come as surrogates."""
    done = subprocess.run(
        ["git", "-c", "safe.directory=*", f"--git-dir={folder}", *arguments],
        input=stdin.encode(errors="surrogateescape"),
        env={**os.environ, **PLAIN, **environment},
        capture_output=True,
        check=False,
    )
    if done.returncode:
        raise GitError(done.stderr.decode(errors="replace").strip()[:500])
    return done.stdout.decode(errors="surrogateescape")


def _bare(folder: Path, depth: int) -> Iterator[Path]:
    if (folder / "HEAD").is_file() and (folder / "objects").is_dir():
        yield folder
    elif depth and folder.is_dir():
        for inner in sorted(folder.iterdir()):
            yield from _bare(inner, depth - 1)


def _name(path: Path, top: Path) -> str:
    # The origin says it; else the folders do: owner/name.git, owner+name, owner__name, name.
    config = path / "config"
    origin = re.search(r"\burl *= *(\S+)", config.read_text()) if config.is_file() else None
    if origin and (named := ORIGIN.search(origin[1])):
        return named[1]
    path = path.parent if path.name == ".git" else path
    for part in reversed(path.parts[len(top.parts) - 1 :]):
        name = re.sub(r"\+|__", "/", part.removesuffix(".git"), count=1)
        if is_repository(name):
            return name
    owner, name = path.parent.name, path.name.removesuffix(".git")
    return f"{owner}/{name}" if is_repository(f"{owner}/{name}") else f"local/{name}"
