"""Commits written file by file without a work tree, and work trees read back, all byte for byte."""

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from histories import Repository

LINK, EXECUTABLE, FILE, SUBMODULE = "120000", "100755", "100644", "160000"
QUOTED = {byte: f"\\{byte:03o}".encode() for byte in range(256)}


class Node(NamedTuple):
    """What a tree holds at one path."""

    mode: str
    content: bytes


def link(target: str) -> Node:
    """A symbolic link."""
    return Node(LINK, os.fsencode(target))


def executable(content: str) -> Node:
    """A file that may be executed."""
    return Node(EXECUTABLE, content.encode())


def submodule(commit: str) -> Node:
    """Another repository's commit."""
    return Node(SUBMODULE, commit.encode())


Content = str | bytes | Node
Files = Mapping[str, Content]


def node(content: Content) -> Node:
    """A plain file, unless something else is said."""
    if isinstance(content, Node):
        return content
    return Node(FILE, content if isinstance(content, bytes) else content.encode())


def commit_files(repository: Repository, *trees: Files) -> list[str]:
    """A commit for each of these trees, none of them a parent of another."""
    stream, marks = [], repository.folder / ".git/marks"
    for mark, files in enumerate(trees, 1):
        stream += [f"commit refs/heads/tree-{mark}\nmark :{mark}\n".encode()]
        stream += [b"committer Ada <ada@example.org> 1773144000 +0000\ndata 0\n"]
        stream += [_changed(path, node(content)) for path, content in files.items()]
    repository.git(
        "fast-import", "--quiet", "--force", f"--export-marks={marks}", stdin=b"".join(stream)
    )
    return [line.split()[1] for line in sorted(marks.read_text().splitlines(), key=_number)]


def _number(line: str) -> int:
    return int(line.split(maxsplit=1)[0].removeprefix(":"))


def _changed(path: str, at: Node) -> bytes:
    quoted = b"".join(QUOTED[byte] for byte in os.fsencode(path))
    if at.mode == SUBMODULE:
        return b'M 160000 %s "%s"\n' % (at.content, quoted)
    inline = b'M %s inline "%s"\ndata %d\n%s\n'
    return inline % (at.mode.encode(), quoted, len(at.content), at.content)


def check_out(repository: Repository, commit: str, folder: Path) -> Mapping[str, str]:
    """Write a commit's files into a folder; the variables that let git work there."""
    folder.mkdir()
    variables = {
        "GIT_DIR": str(repository.folder / ".git"),
        "GIT_WORK_TREE": str(folder),
        "GIT_INDEX_FILE": f"{folder}.index",
    }
    run(["git", "read-tree", "--reset", "-u", commit], folder, variables)
    return variables


def run(words: list[str], folder: Path, variables: Mapping[str, str], stdin: bytes = b"") -> str:
    """What a command says in a folder, however it ends; empty if it ends well."""
    done = subprocess.run(
        words,
        cwd=folder,
        env={**os.environ, **variables},
        input=stdin,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )
    return f"{done.returncode}: {done.stdout.decode(errors='replace')}" if done.returncode else ""


def files_in(folder: Path) -> dict[str, Node]:
    """Everything in a folder but folders, by relative path."""
    found = {}
    for path in folder.rglob("*"):
        name = str(path.relative_to(folder))
        if path.is_symlink():
            found[name] = link(os.readlink(path))  # noqa: PTH115 - a Path would tidy the target
        elif path.is_file():
            mode = EXECUTABLE if os.access(path, os.X_OK) else FILE
            found[name] = Node(mode, path.read_bytes())
    return found


def commit_names(repository: Repository, *names: tuple[str, str]) -> str:
    """A commit of a tree with these modes and names, as no git would write it."""
    file = repository.git("hash-object", "-w", "--stdin", stdin=b"evil\n")
    inner = repository.git("mktree", stdin=f"100644 blob {file}\tevil\n".encode())
    tree = b"".join(
        b"%s %s\0%s" % (mode.encode(), os.fsencode(name), bytes.fromhex(sha))
        for mode, name in names
        for sha in [inner if mode == "40000" else file]
    )
    literally = ("hash-object", "-t", "tree", "-w", "--literally", "--stdin")
    sha = repository.git(*literally, stdin=tree)
    commit = repository.git("commit-tree", sha, "-m", "Odd")
    repository.git("update-ref", "refs/heads/odd", commit)
    return commit
