"""Finds copies of the project that are newer than its base commit, by what installers write."""

import json
import os
import re
from typing import Iterable, Iterator, List, NamedTuple, Optional, Set, Tuple

MANIFESTS = ("pyproject.toml", "setup.cfg", "setup.py")
NAME = re.compile(r"^\s*name\s*=\s*[\"']?([A-Za-z0-9][A-Za-z0-9._-]*)", re.MULTILINE)
CALLED = re.compile(r"\bname\s*=\s*[\"']([A-Za-z0-9][A-Za-z0-9._-]*)[\"']")
INFO = re.compile(r"\.(dist|egg)-info$")
ARCHIVE = re.compile(r"(.+?)-(\d[^-]*?)(-[^/]*)?\.(whl|tar\.gz|tar\.bz2|zip)$")
RELEASE = re.compile(r"v?(?:\d+!)?(\d+(?:\.\d+)*)(.*)")
EARLY = re.compile(r"[-_.]?(a|b|c|rc|dev|pre|alpha|beta)", re.IGNORECASE)
VENDORED = "/_vendor/"
# Below every release, as what a project is told whose version its one commit does not tell.
UNKNOWN = "0"


class Distribution(NamedTuple):
    """What an installer wrote of one distribution."""

    path: str
    name: str
    version: str
    is_editable: bool


def canonical(name: str) -> str:
    """A distribution's name as the index compares it.

    >>> canonical("Zope.Interface_x")
    'zope-interface-x'
    """
    return re.sub(r"[-_.]+", "-", name).lower()


def read_distribution(folder: str) -> Optional[Distribution]:
    """The distribution that a folder of metadata tells of; None where it tells of none."""
    if not INFO.search(folder):
        return None
    for name in ("METADATA", "PKG-INFO", ""):  # an old egg-info is a file
        path = os.path.join(folder, name) if name else folder
        if os.path.isfile(path):
            with open(path, encoding="utf-8", errors="replace") as file:
                head = file.read(100000).partition("\n\n")[0]
            told = dict(re.findall(r"^(Name|Version): *(\S+)", head, re.MULTILINE))
            if len(told) == 2:
                called = canonical(told["Name"])
                return Distribution(folder, called, told["Version"], _is_editable(folder))
    return None


def _is_editable(folder: str) -> bool:
    path = os.path.join(folder, "direct_url.json")
    if not os.path.isfile(path):
        return False
    with open(path, encoding="utf-8", errors="replace") as file:
        try:
            told = json.load(file)
        except ValueError:
            return False
    return bool(told.get("dir_info", {}).get("editable"))


def own_names(testbed: str) -> Set[str]:
    """What the manifests at a project's root call it."""
    found = set()
    for name in MANIFESTS:
        path = os.path.join(testbed, name)
        if os.path.isfile(path):
            with open(path, encoding="utf-8", errors="replace") as file:
                called = (CALLED if name == "setup.py" else NAME).search(file.read(1000000))
            if called:
                found.add(canonical(called.group(1)))
    return found


def imported(paths: Iterable[str], tracked: Set[str]) -> Set[str]:
    """What the packages or modules of some paths may be called where they are installed.

    >>> sorted(imported(["src/a/b/c.py", "d.py"], {"src/a/__init__.py", "src/a/b/__init__.py"}))
    ['a', 'd', 'src/a']
    """
    found = set()
    for path in paths:
        name = os.path.splitext(path)[0]
        while os.path.join(os.path.dirname(name), "__init__.py") in tracked:
            name = os.path.dirname(name)
        parts = name.split("/")
        found |= {"/".join(parts[start:]) for start in range(len(parts))}
    return found - {""}


def newer(
    testbed: str, distributions: List[Distribution], archives: List[str]
) -> Iterator[Tuple[str, str, str]]:
    """Copies whose version is above the base's; any copy where that version is not known."""
    inside = os.path.join(testbed, "")
    own = [d for d in distributions if d.is_editable or d.path.startswith(inside)]
    names = own_names(testbed)
    names |= {d.name for d in own if d.is_editable}
    base = max(
        order(version) for version in (UNKNOWN, *(d.version for d in own if d.name in names))
    )
    for copy in distributions:
        is_own = copy in own or VENDORED in copy.path  # what vendors it has chosen the version
        if copy.name in names and not is_own and order(copy.version) > base:
            yield "installed_copy", copy.path, "{} {}".format(copy.name, copy.version)
    for path in archives:
        told = ARCHIVE.match(os.path.basename(path))
        if told and canonical(told.group(1)) in names and order(told.group(2)) > base:
            yield "cache", path, "{} {}".format(told.group(1), told.group(2))


def order(version: str) -> Tuple[List[int], bool]:
    """What versions are compared by: the release, then whether it is one; no finer.

    >>> order("3.1.dev4") < order("3.1") < order("3.1.1") and order("3.1.0+x") == order("v3.1")
    True
    """
    told = RELEASE.match(version)
    if not told:
        return [], False
    release = [int(number) for number in told.group(1).split(".")]
    while release and release[-1] == 0:
        release.pop()
    return release, not EARLY.match(told.group(2))
