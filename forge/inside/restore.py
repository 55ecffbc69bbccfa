"""Puts the hidden test files where the merge has them, whatever a patch left in their place."""

import contextlib
import json
import os
import shutil
import sys
import tarfile
from typing import Collection, List


def remove(path: str) -> None:
    """Take away a file, a link or a whole folder, and folders that it leaves empty, as git does."""
    if not os.path.lexists(path):
        return
    if os.path.isdir(path) and not os.path.islink(path):
        shutil.rmtree(path)
    else:
        os.remove(path)
    with contextlib.suppress(OSError):
        os.removedirs(os.path.dirname(path))


def clear(path: str) -> None:
    """Make room for a file: folders alone above it, nothing in its own place."""
    for folder in above(path):
        if os.path.islink(folder) or not os.path.isdir(folder):
            remove(folder)
    remove(path)
    os.makedirs(os.path.dirname(path) or ".", exist_ok=True)


def above(path: str) -> List[str]:
    """The folders of a path, outermost first."""
    parts = path.split("/")
    return ["/".join(parts[:depth]) for depth in range(1, len(parts))]


def is_inside(path: str) -> bool:
    """Whether a path stays in the repository and out of every git folder."""
    parts = path.lower().split("/")
    return not {"", ".", "..", ".git"} & set(parts)


def write(tar: tarfile.TarFile, member: tarfile.TarInfo) -> None:
    """Write one member; not by `extract`, whose filters differ from one Python to the next."""
    if member.issym():
        os.symlink(member.linkname, member.name)
        return
    content = tar.extractfile(member)
    if content is not None:
        with open(member.name, "wb") as file:
            shutil.copyfileobj(content, file)
        os.chmod(member.name, 0o755 if member.mode & 0o100 else 0o644)


def main(archive: str, removed: List[str], skipped: Collection[str] = ()) -> None:
    """Delete what is removed, and write what an archive holds, in the current folder."""
    for path in filter(is_inside, removed):
        if not any(map(os.path.islink, above(path))):  # what lies behind a link is another's
            remove(path)
    with tarfile.open(archive, "r:gz") as tar:
        for member in tar:
            if is_inside(member.name) and member.name not in skipped:
                clear(member.name)
                write(tar, member)


if __name__ == "__main__":
    main(sys.argv[1], json.loads(sys.argv[2]))
