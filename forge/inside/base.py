"""Keeps the files that decide what a test's result means, and puts them back before tests run.

In the image they lie as the base commit and the install left them. A settings file that the runner
shares with other tools is the patch's own, as long as it tells the runner what the merge's tells;
so is a module of the runner's name in a folder where the base has it too, as the runner's project.
"""

import importlib
import json
import os
import re
import sys
import tarfile
from typing import Any, Dict, List, NamedTuple, Optional

MOST_BYTES = 10_000_000
NAMES = ".modules"


class Shared(NamedTuple):
    """A settings file as a patch left it, and what it tells the runner."""

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


def modules(rules: Dict[str, str]) -> Dict[str, str]:
    """Files and links that belong to modules of the runner's names, and these modules' paths."""
    match = re.compile(rules["modules"]).match
    matches = {path: match(path) or match(path + "/") for path in found("^" + rules["modules"])}
    return {path: match.group() for path, match in matches.items() if match}


def told(path: str, name: str) -> Any:
    """What a settings file tells the runner of that name; None where it tells nothing."""
    if not os.path.isfile(path):
        return None
    with open(path, "rb") as file:
        content = file.read(MOST_BYTES + 1)
    if len(content) > MOST_BYTES:
        return object()  # equal to nothing
    text = content.decode("utf-8", "surrogateescape")
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
    """Write what is to be put back later into a tar.gz, and beside it the modules' names."""
    with tarfile.open(kept, "w:gz", compresslevel=1) as tar:
        for path in sorted(set(found(rules["files"]) + shared(rules))):
            tar.add(path, recursive=False)
    with open(kept + NAMES, "w") as file:
        json.dump(sorted(set(modules(rules).values())), file)


def put_back(kept: str, archive: str, removed: List[str], rules: Dict[str, str]) -> None:
    """Give the tests and the runner the files of the merge, in the current folder."""
    restore = importlib.import_module("restore")
    with open(kept + NAMES) as file:
        known = set(json.load(file))
    planted = [path for path, module in modules(rules).items() if module not in known]
    settings = {path: _left(path, rules["name"]) for path in shared(rules)}
    for path in found(rules["files"]) + planted + list(settings):
        restore.remove(path)
    restore.main(kept, [], removed)
    restore.main(archive, removed)
    left = {path: own for path, own in settings.items() if own}
    for path in sorted(set(left) | set(shared(rules)) - set(settings)):
        own = left.get(path)
        if told(path, rules["name"]) == (own.told if own else None):
            restore.remove(path)
            _write(path, own)


def _left(path: str, name: str) -> Optional[Shared]:
    # What a link tells depends on where it is read from, and on what it leads to by then.
    if os.path.islink(path) or not os.path.isfile(path):
        return None
    with open(path, "rb") as file:
        return Shared(file.read(MOST_BYTES), os.stat(path).st_mode & 0o777, told(path, name))


def _write(path: str, own: Optional[Shared]) -> None:
    if own is None:
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
