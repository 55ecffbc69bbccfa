"""A project's own files at one commit, read without trusting any of them."""

import configparser
import functools
import json
import posixpath
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from forge.texts import toml

Table = dict[str, Any]
Sections = dict[str, dict[str, str]]
NO_PROJECTS = frozenset({"tests", "test", "testing", "fixtures", "examples", "docs"})


@dataclass(frozen=True)
class Project:
    """The manifests of a repository, and the folder of the project among them that is built."""

    files: Mapping[str, str]
    root: str = ""

    @classmethod
    def parse(cls, content: str | None) -> "Project":
        """The project of a JSON object of texts by path."""
        return cls(json.loads(content) if content else {})

    @property
    def outward(self) -> tuple["Project", ...]:
        """The same repository from this project's folder, and from all above it in their order."""
        above = PurePosixPath(self.root).parents if self.root else ()
        return (self, *(Project(self.files, str(p).removeprefix(".")) for p in above))

    def path(self, name: str) -> str:
        """Where a file of the project lies in the repository."""
        return posixpath.join(self.root, name)

    def text(self, name: str) -> str:
        """A file's text; empty where there is none."""
        return self.files.get(self.path(name), "")

    def toml(self, name: str) -> Table:
        """A TOML file's root table; empty where there is none, or none that can be read."""
        return _toml(self.text(name)) or {}

    def ini(self, name: str) -> Sections:
        """An INI file's sections; none where there is none, or none that can be read."""
        return sections(self.text(name)) or {}

    @property
    def unreadable(self) -> tuple[str, ...]:
        """Files of the project that are not what their names say."""
        read = {".toml": _toml, ".cfg": sections, ".ini": sections}
        own = [p for p in self.files if posixpath.dirname(p) == self.root]
        return tuple(
            f"{path}: cannot be read"
            for path in sorted(own)
            if (reader := read.get(PurePosixPath(path).suffix)) and reader(self.files[path]) is None
        )

    def at(self, test_paths: Sequence[str]) -> "Project":
        """The same repository, seen from the innermost project that owns these tests."""
        common = posixpath.commonpath(test_paths) if test_paths else ""
        above = [str(p) if p != PurePosixPath() else "" for p in PurePosixPath(common).parents]
        inner = [folder for folder in [common, *above] if self._is_project(folder)]
        projects = inner or self.projects
        return Project(self.files, projects[0] if inner or len(projects) == 1 else "")

    @property
    def projects(self) -> list[str]:
        """The folders of all projects of the repository."""
        return list(filter(self._is_project, sorted({*map(posixpath.dirname, self.files)})))

    def _is_project(self, folder: str) -> bool:
        if NO_PROJECTS & set(folder.split("/")):
            return False
        inner = Project(self.files, folder)
        declared = inner.toml("pyproject.toml")
        return bool(
            inner.path("setup.py") in inner.files
            or {"project", "build-system"} & set(declared)
            or table(declared, "tool", "poetry")
            or {"metadata", "options"} & set(inner.ini("setup.cfg"))
        )


def table(value: Any, *names: str) -> Table:
    """The table at a path of keys; empty where something else is there.

    >>> table({"tool": {"uv": [1]}}, "tool", "uv")
    {}
    """
    for name in names:
        value = value.get(name) if isinstance(value, dict) else None
    return value if isinstance(value, dict) else {}


def strings(value: Any) -> tuple[str, ...]:
    """The texts of a list, whatever else it holds.

    >>> strings(["a", 1, "b"])
    ('a', 'b')
    """
    return tuple(v for v in value if isinstance(v, str)) if isinstance(value, list | tuple) else ()


def text(value: Any) -> str:
    """The value where it is a text."""
    return value if isinstance(value, str) else ""


@functools.lru_cache(maxsize=64)
def _toml(content: str) -> Table | None:
    try:
        return toml(content)
    except tomllib.TOMLDecodeError:
        return None


@functools.lru_cache(maxsize=64)
def sections(content: str) -> Sections | None:
    """Sections of an INI text, names as they are written; null where it is none."""
    parser = configparser.ConfigParser(interpolation=None, strict=False, allow_no_value=True)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    try:
        parser.read_string(content)
    except (configparser.Error, ValueError, AttributeError):
        return None
    return {name: {k: v or "" for k, v in parser.items(name)} for name in parser.sections()}
