"""Looks through a task's whole image for what the fix or its tests could be read from.

A finding is a kind, a path (`!` between an archive and its member) and the evidence.
"""

import json
import os
import re
import stat
import struct
import sys
from typing import Any, Callable, Dict, Iterable, Iterator, List, Set, Tuple

from forge.inside import leaks_git, leaks_installed
from forge.inside.leaks_text import FEW_WORDS, Wanted
from forge.inside.unpacking import Unpacker

Found = Tuple[str, str, str]

NOT_OF_THE_IMAGE = ("proc", "sys", "dev")
BLOCK_BYTES, OVERLAP = 64000000, 100000
MOST_FINDINGS, MOST_UNREAD = 200, 100
CACHES = (
    r"(^|/)(\.cache|__pycache__|\.(pytest|mypy|ruff)_cache|\.(tox|nox|eggs|hypothesis)|go-build)/"
    r"|/pkg/mod/|/\.cargo/registry/|/var/cache/"
)
PLACES = (
    (CACHES, "cache"),
    (r"(site|dist)-packages/|\.(egg|whl)[/!]", "installed_copy"),
)
# Lists of names: where a name that the base does not have stands, somebody ran what comes later.
NAMES = re.compile(r"(^|/)(\.(pytest|mypy|ruff)_cache/|[^/]*\.egg-info/SOURCES\.txt$)")
ARCHIVE = re.compile(r"\.(whl|tar\.gz|tar\.bz2|zip)$")
# Modules of a package, where what is installed, unpacked or packed begins with its name; a native
# library beside them may have the names of its own language.
IMPORTED = r"((site|dist)-packages/|archive-v\d+/[^/]+/|!)({})[./](.*\.)?py[cix]?$"
COMPILED = re.compile(r"^(.*/)?__pycache__/([^/]+)\.(?:cpython|pypy)[^/]*\.pyc$")


class Scan:
    """One look through a root folder, and all that it found."""

    def __init__(self, root: str, wanted: Dict[str, Any], skipped: Iterable[str] = ()) -> None:
        self.root, self.testbed = root, os.path.join(root, "testbed")
        self.git_folder = os.path.join(self.testbed, ".git")
        self.skipped = {os.path.join(root, name) for name in NOT_OF_THE_IMAGE} | set(skipped)
        self.commit: str = wanted["commit"]
        self.future: List[str] = wanted["shas"]
        self.wanted = Wanted(wanted["parts"], self.future)
        self.unpacker = Unpacker()
        self.unread: List[str] = []
        self.files = self.bytes = 0
        self.is_own: Callable[[str], Any] = lambda _: False
        self.distributions: List[leaks_installed.Distribution] = []
        self.archives: List[str] = []

    def findings(self) -> Iterator[Found]:
        """Everything that is found, in the order of the walk."""
        known = leaks_git.objects_of(self.git_folder, self.commit)
        self.tracked = {entry.path for entry in leaks_git.tree(self.git_folder, self.commit)}
        lengths = leaks_git.lengths(self.git_folder, self.wanted.parts)
        self.wanted.forget(leaks_git.contents(self.git_folder, self.commit), known, lengths)
        paths = [part["path"] for part in self.wanted.parts if part["patch"] == "gold patch"]
        imported = "|".join(map(re.escape, leaks_installed.imported(paths, self.tracked)))
        self.is_own = re.compile(IMPORTED.format(imported or "(?!)")).search
        for found in leaks_git.beyond(self.git_folder, self.commit, self.future):
            yield found
        for folder, folders, names in os.walk(self.root, onerror=self._not_read):
            for found in self._in_folder(folder, folders, names):
                yield found
        for found in leaks_installed.newer(self.testbed, self.distributions, self.archives):
            yield found

    def _in_folder(self, folder: str, folders: List[str], names: List[str]) -> Iterator[Found]:
        folders[:] = sorted(n for n in folders if os.path.join(folder, n) not in self.skipped)
        if folder == self.git_folder:
            folders[:], names = [name for name in folders if name == "modules"], []
        elif "objects" in folders and leaks_git.is_git_folder(folder):
            folders.remove("objects")
            for found in self._in_other_git(folder):
                yield found
        for name in filter(leaks_installed.INFO.search, [*folders, *names]):
            told = leaks_installed.read_distribution(os.path.join(folder, name))
            self.distributions += [told] if told else []
        for name in sorted(names):
            for found in self._in_file(os.path.join(folder, name)):
                yield found

    def _in_other_git(self, folder: str) -> Iterator[Found]:
        try:
            evidence = leaks_git.held(folder, [self.commit, *self.future, *self.wanted.by_sha])
        except leaks_git.GitError:
            self.unread.append(folder)
            return
        if evidence:
            yield "git_object", folder, evidence

    def _in_file(self, path: str) -> Iterator[Found]:
        about = os.lstat(path)
        if not stat.S_ISREG(about.st_mode):
            return
        self.files += 1
        below = self._below(path)
        told: Dict[str, str] = {}
        for place, content in self._contents(path, about.st_size):
            evidence = self.wanted.found(content, few_words=self._few_words(place))
            told.update({place: evidence} if evidence else {})
        stale = self._stale(path, below)
        told.update({path: stale} if stale and not told else {})
        is_archive = not told and ARCHIVE.search(path) and below not in self.tracked
        self.archives += [path] if is_archive else []
        for place, evidence in told.items():
            if not any(other.startswith(place + "!") for other in told):
                yield self._kind(place), place, evidence

    def _contents(self, path: str, length: int) -> Iterator[Tuple[str, bytes]]:
        try:
            with open(path, "rb", buffering=0) as file:
                content = file.read(min(BLOCK_BYTES, length))
                self.bytes += len(content)
                yield path, content
                for member in self.unpacker.members(path, content):
                    yield member
                while len(content) == BLOCK_BYTES:
                    content = content[-OVERLAP:] + file.read(BLOCK_BYTES - OVERLAP)
                    yield path, content
        except OSError:
            self.unread.append(path)

    def _few_words(self, path: str) -> int:
        below = self._below(path)
        if not below or below in self.tracked:
            return 1 if self.is_own(path.replace("__pycache__/", "")) else FEW_WORDS
        return 1 if NAMES.search(below) else 2

    def _kind(self, path: str) -> str:
        for pattern, kind in PLACES:
            if re.search(pattern, path):
                return kind
        below = self._below(path)
        return "file" if not below or below in self.tracked else "build_output"

    def _below(self, path: str) -> str:
        """A path below the testbed; empty for any other."""
        start = self.testbed + os.sep
        return path[len(start) :] if path.startswith(start) else ""

    def _stale(self, path: str, below: str) -> str:
        """How a compiled module of the project differs from the source beside it."""
        compiled = COMPILED.match(below)
        if below in self.tracked or not compiled:
            return ""
        source = "{}/{}{}.py".format(self.testbed, compiled.group(1) or "", compiled.group(2))
        if not os.path.isfile(source):
            return "compiled from a source that is not there"
        with open(path, "rb") as file:
            head = file.read(16)
        told = struct.pack("<II", int(os.stat(source).st_mtime), os.stat(source).st_size)
        is_by_time = head[4:8] == bytes(4)
        return "compiled from another source" if is_by_time and head[8:16] != told else ""

    def _not_read(self, error: OSError) -> None:
        self.unread.append(str(error.filename))


def scan(root: str, wanted: Dict[str, Any], skipped: Iterable[str] = ()) -> Dict[str, Any]:
    """What is found below a root folder, what could not be read, and how much was looked at."""
    one = Scan(root, wanted, skipped)
    seen: Set[Found] = set()
    for found in one.findings():
        if len(seen) < MOST_FINDINGS:
            seen.add(found)
    findings = [map(_printable, found) for found in sorted(seen)]
    return {
        "findings": [
            {"kind": kind, "path": path, "evidence": told} for kind, path, told in findings
        ],
        "unread": [_printable(path) for path in one.unread + one.unpacker.unread][:MOST_UNREAD],
        "files": one.files,
        "bytes": one.bytes,
    }


def _printable(text: str) -> str:
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def main(root: str, wanted: str, answer: str) -> None:
    """Scan, as a file of JSON asks, all but the folder that it lies in; write another."""
    with open(wanted, encoding="utf-8") as file:
        told = json.load(file)
    found = scan(root, told, [os.path.dirname(wanted)])
    with open(answer, "w", encoding="ascii") as file:
        json.dump(found, file)


if __name__ == "__main__":
    main(*sys.argv[1:])
