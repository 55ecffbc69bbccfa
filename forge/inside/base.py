"""Keeps the files that decide what a test's result means, and puts them back before tests run.

In the image they lie as the base commit and the install left them. A settings file that the runner
shares with other tools is the patch's own, as long as it tells the runner what the merge's tells.
"""

import importlib
import json
import os
import re
import sys
import tarfile
from typing import Any, Dict, List, NamedTuple, Optional

MOST_BYTES = 10_000_000


class Shared(NamedTuple):
    """A settings file as a patch left it, and what it tells the runner."""

    target: Optional[str]
    content: bytes
    mode: int
    told: Any


def found(pattern: str) -> List[str]:
    """Files and links below the current folder, git's own aside, whose path a pattern finds."""
    is_wanted = re.compile(pattern).search
    paths = []
    for folder, folders, files in os.walk("."):
        folders[:] = [name for name in folders if os.path.join(folder, name) != "./.git"]
        links = [name for name in folders if os.path.islink(os.path.join(folder, name))]
        names = [(name, "") for name in files] + [(name, "/") for name in links]
        for name, end in names:
            path = os.path.join(folder, name)[2:]
            if is_wanted(path + end):
                paths.append(path)
    return sorted(paths)


def shared(rules: Dict[str, str]) -> List[str]:
    """Settings files that are not the runner's alone."""
    is_own = re.compile(rules["files"]).search
    return [path for path in found(rules["settings"]) if not is_own(path)]


def told(path: str, name: str) -> Any:
    """What a settings file tells the runner of that name; None where it tells nothing."""
    if not os.path.isfile(path):
        return None
    with open(path, "rb") as file:
        text = file.read(MOST_BYTES).decode("utf-8", "surrogateescape")
    return _toml(text, name) if path.endswith(".toml") else _ini(text, name)


def _toml(text: str, name: str) -> Any:
    try:
        tool = importlib.import_module("tomllib").loads(text).get("tool", {})
        return tool.get(name) if isinstance(tool, dict) else text
    except ImportError:  # Python 3.10: whoever names the runner may configure it; so may escapes
        return text if name in text or "\\" in text else None
    except ValueError:
        return text


def _ini(text: str, name: str) -> Any:
    # Rather a line too many than one too few: what looks like the end of a section may be none.
    lines, is_inside = [], False
    for line in text.splitlines():
        if line.lstrip().startswith("[") and name in line:
            is_inside = True
        elif re.match(r"\[[^][#;]+\]\s*$", line):
            is_inside = False
        if is_inside:
            lines.append(line.rstrip())
    return lines or None


def keep(kept: str, rules: Dict[str, str]) -> None:
    """Write what is to be put back later into a tar.gz."""
    with tarfile.open(kept, "w:gz", compresslevel=1) as tar:
        for path in sorted(set(found(rules["files"]) + shared(rules))):
            tar.add(path, recursive=False)


def put_back(kept: str, archive: str, removed: List[str], rules: Dict[str, str]) -> None:
    """Give the tests and the runner the files of the merge, in the current folder."""
    restore = importlib.import_module("restore")
    left = {path: _left(path, rules["name"]) for path in shared(rules)}
    for path in found(rules["files"]) + list(left):
        restore.remove(path)
    restore.main(kept, [])
    restore.main(archive, removed)
    for path in sorted(set(left) | set(shared(rules))):
        own = left.get(path)
        if told(path, rules["name"]) == (own.told if own else None):
            restore.remove(path)
            _write(path, own)


def _left(path: str, name: str) -> Shared:
    target = os.readlink(path) if os.path.islink(path) else None
    if target is not None or not os.path.isfile(path):
        return Shared(target, b"", 0, told(path, name))
    with open(path, "rb") as file:
        return Shared(None, file.read(), os.stat(path).st_mode & 0o777, told(path, name))


def _write(path: str, own: Optional[Shared]) -> None:
    if own is None:
        return
    if own.target is not None:
        os.symlink(own.target, path)
        return
    os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
    with open(path, "wb") as file:
        file.write(own.content)
    os.chmod(path, own.mode)


def main(what: str, kept: str, rules: str, *hidden: str) -> None:
    """`keep` in the image; `put` with the hidden tests' archive and the paths that are gone."""
    if what == "keep":
        keep(kept, json.loads(rules))
        return
    sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
    archive, removed = hidden
    put_back(kept, archive, json.loads(removed), json.loads(rules))


if __name__ == "__main__":
    main(*sys.argv[1:])
