"""Lines as pip reads them, and what of them an index can answer."""

import posixpath
import re
from collections.abc import Iterable, Iterator, Mapping

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

MOST_LINES = 2_000
MOST_FILES = 64
MOST_CHARACTERS = 500
OPTION = re.compile(r"^(-[a-zA-Z]|--[a-z-]+)(?:\s*=\s*|\s+|)(.*)$")
INCLUDE = frozenset({"-r", "--requirement"})
EDITABLE = frozenset({"-e", "--editable"})
OWN = re.compile(r"^(?:-e\s*|--editable[= ]\s*)?(?:file:)?\.{1,2}/?(\[[\w\s.,*-]+\])?(?:\s*;.*)?$")
VCS = re.compile(r"^(git|hg|svn|bzr)\+|^git@")
URL = re.compile(r"^[a-z]+://")
PATH = re.compile(r"^(\.{0,2}/|file:)|\.(whl|zip|tar\.gz|tgz)$|^[\w.-]+/")


def canonical(name: str) -> str:
    """A distribution's, extra's or group's name as all spellings of it compare."""
    return canonicalize_name(name)


def included(lines: Iterable[str], files: Mapping[str, str], folder: str) -> tuple[str, ...]:
    r"""The lines without comments, those of the files that they include among them.

    >>> included(["-r a.txt", "x"], {"deps/a.txt": "-r a.txt  # itself\ny"}, "deps")
    ('y', 'x')
    """
    found: list[str] = []
    for line in _lines(lines, files, folder, set()):
        found.append(line[: MOST_CHARACTERS + 1])
        if len(found) == MOST_LINES:
            break
    return tuple(found)


def sort_out(line: str) -> tuple[str, str | None]:
    """A line as a requirement, or with the reason why an index cannot answer it.

    >>> [sort_out(line) for line in ("attrs >= 20 --hash=x", "-e .[a, b]", "x @ git+https://y/z")]
    [('attrs>=20', None), ('.[a,b]', None), ('x @ git+https://y/z', 'vcs')]
    """
    if len(line) > MOST_CHARACTERS:
        return f"{line[:20]}...", "too long"
    if own := OWN.match(line):
        return f".{(own[1] or '').replace(' ', '')}", None
    bare = re.split(r"\s+--", line)[0].strip()
    if reason := _reason(bare):
        return bare, reason
    try:
        requirement = Requirement(bare)
    except InvalidRequirement:
        return bare, "not a requirement"
    if requirement.url:
        return bare, _reason(requirement.url) or "url"
    return str(requirement), None


def from_index(line: str) -> str | None:
    """What an index may answer in place of a direct reference; null where nothing has a name.

    >>> from_index("x[y] @ git+https://z/x ; python_version > '3'")
    'x[y]; python_version > "3"'
    """
    try:
        requirement = Requirement(line)
    except InvalidRequirement:
        return None
    requirement.url = None
    return str(requirement)


def joined(content: str) -> list[str]:
    r"""Lines of a file, continued ones as one.

    >>> joined("a \\\n  --hash=x\nb")
    ['a    --hash=x', 'b']
    """
    return content.replace("\\\r\n", " ").replace("\\\n", " ").splitlines()


def _reason(line: str) -> str | None:
    option = OPTION.match(line)
    if option and option[1] in INCLUDE:
        return "no such file"
    if option and option[1] not in EDITABLE:
        return "option"
    target = option[2] if option else line
    if VCS.match(target):
        return "vcs"
    if URL.match(target) and not target.startswith("file:"):
        return "url"
    is_path = "@" not in target and PATH.search(target.partition(";")[0].strip())
    return "path" if option or is_path else None


def _lines(
    lines: Iterable[str], files: Mapping[str, str], folder: str, seen: set[str]
) -> Iterator[str]:
    for raw in lines:
        line = re.sub(r"(^|\s)#.*$", "", raw).strip()
        option = OPTION.match(line)
        if option and option[1] in INCLUDE:
            yield from _included(option[2].strip(), files, folder, seen)
        elif line:
            yield line


def _included(name: str, files: Mapping[str, str], folder: str, seen: set[str]) -> Iterator[str]:
    path = posixpath.normpath(posixpath.join(folder, name))
    if path not in files:
        yield f"-r {name}"
    elif path not in seen and len(seen) < MOST_FILES:
        seen.add(path)
        yield from _lines(joined(files[path]), files, posixpath.dirname(path), seen)
