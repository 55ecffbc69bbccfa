"""What a git folder knows beyond one commit: objects, names, logs, and links to other folders."""

import os
import re
import struct
import subprocess
from typing import Any, Dict, Iterable, Iterator, List, NamedTuple, Optional, Set, Tuple

Found = Tuple[str, str, str]
"""Kind, path, evidence."""

NAME = re.compile(rb"(?<![0-9a-f])(?:[0-9a-f]{64}|[0-9a-f]{40})(?![0-9a-f])")
SHORT = re.compile(r"(?<![0-9a-f])[0-9a-f]{7,64}(?![0-9a-f])")
MOST_BYTES = 10000000
AT_ONCE = 500
"""So many names a pipe holds, even where git waits until its answers are read."""
KINDS = (
    (r"(packed-refs|HEAD|refs/.*)$", "git_ref"),
    (r"logs/", "git_reflog"),
    (r"[A-Z_]+_(HEAD|MERGE)$|rebase-|BISECT", "git_head"),
    (r"worktrees/", "git_worktree"),
    (r"hooks/", "git_hook"),
    (r"config", "git_config"),
)
# Git itself writes none of these where it only unpacks and checks out.
UNEXPECTED = re.compile(r"worktrees/|hooks/.*(?<!\.sample)$|[A-Z_]*_(MSG|EDITMSG)$")
SURROUNDINGS = {
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_NO_REPLACE_OBJECTS": "1",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_NO_LAZY_FETCH": "1",
    "LC_ALL": "C",
}


class GitError(Exception):
    """Git could not read a folder."""


def git(folder: str, *arguments: str, stdin: bytes = b"") -> bytes:
    """What git says of a git folder."""
    command = ["git", "-c", "core.hooksPath=/dev/null", "--git-dir", folder, *arguments]
    done = subprocess.run(  # noqa: PLW1510 - Python 3.6, and the error has git's own words
        command,
        input=stdin,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=SURROUNDINGS,
    )
    if done.returncode:
        raise GitError("{}: {}".format(folder, done.stderr.decode(errors="replace")[-500:]))
    return done.stdout


def is_git_folder(folder: str) -> bool:
    """Whether a folder is one in which git keeps a repository."""
    parts = {"objects": os.path.isdir, "refs": os.path.isdir, "HEAD": os.path.isfile}
    return all(is_there(os.path.join(folder, name)) for name, is_there in parts.items())


class Entry(NamedTuple):
    """A file of a commit, or the commit of a submodule."""

    path: str
    kind: str
    sha: str


def tree(folder: str, commit: str) -> List[Entry]:
    """The entries of a commit's whole tree."""
    lines = os.fsdecode(git(folder, "ls-tree", "-r", "-z", commit)).split("\0")
    parts = [line.partition("\t") for line in lines if line]
    return [Entry(path, *about.split()[1:3]) for about, _, path in parts]


def objects_of(folder: str, commit: str) -> Set[str]:
    """The commit, its trees and files, and the commits of its submodules."""
    # Files that could not be fetched are not listed; the index knows them all the same.
    listed = git(folder, "rev-list", "--objects", "--no-walk", "--missing=allow-any", commit)
    entries = {entry.sha for entry in tree(folder, commit)}
    lines = listed.decode(errors="replace").split("\n")
    return {line.split(" ")[0] for line in lines if line} | entries


def contents(folder: str, commit: str) -> Iterator[bytes]:
    """What the files of a commit hold, those that are there."""
    asked = sorted({entry.sha for entry in tree(folder, commit) if entry.kind == "blob"})
    command = ["git", "--git-dir", folder, "cat-file", "--batch"]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, env=SURROUNDINGS) as batch:
        assert batch.stdin is not None  # noqa: S101 - for mypy: they are pipes
        assert batch.stdout is not None  # noqa: S101 - for mypy: they are pipes
        for number in range(len(asked)):
            if number % AT_ONCE == 0:
                batch.stdin.write("\n".join([*asked[number : number + AT_ONCE], ""]).encode())
                batch.stdin.flush()
            head = batch.stdout.readline().split()
            if len(head) == 3:
                yield batch.stdout.read(int(head[2]) + 1)[:-1]


def lengths(folder: str, parts: List[Dict[str, Any]]) -> Dict[str, Optional[int]]:
    """By the name of its new content, how long each part's file is after the patch, where known."""
    shas = "".join("{}\n".format(part["old"]) for part in parts if part["old"])
    check = "--batch-check=%(objectname) %(objectsize)"
    told = git(folder, "cat-file", check, stdin=shas.encode()).decode().split("\n")
    sizes = {sha: int(size) for sha, size in map(str.split, filter(None, told)) if size.isdigit()}
    sizes[""] = 0
    return {
        part["sha"]: sizes[part["old"]] + part["grown"]
        for part in parts
        if part["sha"] and part["grown"] is not None and part["old"] in sizes
    }


def beyond(folder: str, commit: str, future: List[str]) -> Iterator[Found]:
    """Everything that a git folder holds or names beyond one commit."""
    known = objects_of(folder, commit)
    for found in (
        *_objects(folder, known),
        *_indexed(folder, known),
        *_graphs(folder),
        *_files(folder, known, future),
    ):
        yield found


def held(folder: str, shas: Iterable[str]) -> str:
    """The objects of a list that some other git folder holds, in words."""
    asked = "".join("{}\n".format(sha) for sha in shas).encode()
    lines = git(folder, "cat-file", "--batch-check", stdin=asked).decode().split("\n")
    kinds = dict(line.split()[:2] for line in lines if line and not line.endswith(" missing"))
    return _some(list(kinds), kinds) if kinds else ""


def _objects(folder: str, known: Set[str]) -> Iterator[Found]:
    everything = "--batch-all-objects", "--batch-check=%(objectname) %(objecttype)"
    lines = git(folder, "cat-file", *everything).decode().split("\n")
    kinds = dict(line.split() for line in lines if line)
    more = {sha: kind for sha, kind in kinds.items() if sha not in known}
    places: Dict[str, List[str]] = {}
    packs = list(_packs(folder))
    for sha in more:
        loose = os.path.join(folder, "objects", sha[:2], sha[2:])
        packed = [path for path, shas in packs if sha in shas]
        for path in [loose] if os.path.exists(loose) else packed[:1]:
            places.setdefault(path, []).append(sha)
    for path, shas in sorted(places.items()):
        yield "git_object", path, _some(shas, more)
    for path in _odd(folder):
        yield "git_object", path, "objects that git does not list"
    for name in ("alternates", "http-alternates"):
        path = os.path.join(folder, "objects/info", name)
        if os.path.exists(path):
            yield "git_alternates", path, _read(path).decode(errors="replace").strip()


def _some(shas: List[str], kinds: Dict[str, str]) -> str:
    # A commit says more than its trees and files.
    ordered = sorted(shas, key=lambda sha: (kinds[sha] != "commit", kinds[sha] != "tag", sha))
    more = " and {} more".format(len(shas) - 1) if len(shas) > 1 else ""
    return "{} {}{}".format(kinds[ordered[0]], ordered[0], more)


def _packs(folder: str) -> Iterator[Tuple[str, Set[str]]]:
    packs = os.path.join(folder, "objects/pack")
    for name in sorted(os.listdir(packs)) if os.path.isdir(packs) else []:
        if name.endswith(".idx"):
            path = os.path.join(packs, name)
            listed = git(folder, "show-index", stdin=_read(path, most=None)).decode()
            yield path[:-4] + ".pack", {line.split()[1] for line in listed.split("\n") if line}


def _odd(folder: str) -> Iterator[str]:
    packs = os.path.join(folder, "objects/pack")
    names = set(os.listdir(packs)) if os.path.isdir(packs) else set()
    for name in sorted(names):
        stem, ending = os.path.splitext(name)
        is_alone = ending == ".pack" and stem + ".idx" not in names
        if is_alone or name.startswith("tmp_"):
            yield os.path.join(packs, name)


def _indexed(folder: str, known: Set[str]) -> Iterator[Found]:
    path = os.path.join(folder, "index")
    if os.path.exists(path):
        for line in git(folder, "ls-files", "-s", "-z").decode(errors="replace").split("\0"):
            about, _, name = line.partition("\t")
            if about and about.split()[1] not in known:
                yield "git_index", path, "{} {}".format(about.split()[1], name)


def _graphs(folder: str) -> Iterator[Found]:
    """Lists of commits and objects that git keeps beside them, if they list more than one."""
    for below in ("objects/info", "objects/info/commit-graphs", "objects/pack"):
        place = os.path.join(folder, below)
        for name in sorted(os.listdir(place)) if os.path.isdir(place) else []:
            if name == "commit-graph" or name.endswith(".graph"):
                path = os.path.join(place, name)
                commits = listed_commits(_read(path))
                if commits != 1:
                    yield "git_commit_graph", path, "lists {} commits".format(commits)


def listed_commits(graph: bytes) -> Optional[int]:
    """How many commits a commit-graph file lists; None where it is none."""
    chunks = graph[6] if graph.startswith(b"CGPH") else 0
    for number in range(chunks):
        name, start = struct.unpack(">4sQ", graph[8 + 12 * number : 20 + 12 * number])
        if name == b"OIDF":
            return int(struct.unpack(">I", graph[start + 1020 : start + 1024])[0])
    return None


def _files(folder: str, known: Set[str], future: List[str]) -> Iterator[Found]:
    for path in _texts(folder):
        name, content = os.path.relpath(path, folder), _read(path)
        told = {sha.decode() for sha in NAME.findall(content)} - known
        short = SHORT.findall(name) + SHORT.findall(content.decode("latin-1"))
        told |= {word for word in short if any(sha.startswith(word) for sha in future)}
        told -= {word for word in told if not word.strip("0")}
        if told:
            yield _kind(name), path, " ".join(sorted(told)[:3])
        elif UNEXPECTED.match(name) and content.strip():
            yield _kind(name), path, content[:100].decode(errors="replace")


def _texts(folder: str) -> Iterator[str]:
    for place, folders, names in os.walk(folder):
        if place == folder:  # objects are asked of git; submodules have histories of their own
            folders[:] = [name for name in folders if name not in ("objects", "modules")]
        for name in names:
            path = os.path.join(place, name)
            if os.path.isfile(path) and not os.path.islink(path) and name != "index":
                yield path


def _kind(name: str) -> str:
    return next((kind for pattern, kind in KINDS if re.match(pattern, name)), "git_file")


def _read(path: str, most: Optional[int] = MOST_BYTES) -> bytes:
    with open(path, "rb") as file:
        return file.read(-1 if most is None else most)
