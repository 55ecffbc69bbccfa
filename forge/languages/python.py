"""Python: pip and uv; pytest, and the runners that projects choose or bring themselves."""

import posixpath
import re
from collections.abc import Sequence

from forge.languages import Language
from forge.languages.python_runners import DJANGO, NOSE, PYTEST, SYMPY, UNITTEST
from forge.recipes.pip import draft_pip

SOURCE = r"\.(py|pyi|pyx|pxd)$"
TESTS = (
    r"(^|/)(tests?|__snapshots__|[a-z]+[-_]tests)/"  # at any depth: tests/, test/, unit_tests/
    r"|^testing/"  # deeper down, `testing` is what a library offers to its users
    r"|(^|/)(conftest|tests|test_[^/]*|[^/]*_tests?)\.py$"
    r"|\.ambr$"
)
MANIFESTS = (
    r"(^|/)(pyproject\.toml|setup\.(cfg|py)|\.?pytest\.(ini|toml)|tox\.(ini|toml)|hatch\.toml"
    r"|noxfile\.py|\.python-version|(run_?(unit_?)?tests?|manage)\.py)$|^bin/test$"
    r"|(^|/)__pkginfo__\.py$"
    r"|(^|/)(Pipfile|pixi\.toml|(GNUm|[Mm])akefile|\.?[Jj]ustfile|\.gitattributes)$"
    r"|^([^/]+/)?(meson\.build|CMakeLists\.txt|Cargo\.toml)$|^\.gitmodules$"
    r"|^\.github/(workflows/[^/]+|actions/([^/]+/)+action)\.ya?ml$"
    r"|(^|/)[^/]*(environment|conda)[^/]*\.ya?ml$|^ci/[^/]+\.(ya?ml|txt)$"
    r"|^((\.?ci|scripts?|tools|bin|\.github/[a-z]+)/)?[^/.]*(install|test|dep|setup|build|ci)[^/.]*"
    r"(\.sh)?$"
    r"|^(?i:readme|contributing|hacking|develop[a-z]*|testing|install)(\.[a-z]+)?$"
    r"|(^|/)[^/]*(requirements?|reqs|deps)[^/]*(/[^/]+){0,2}\.(txt|in|pip)$"
)
TEST_FILE = re.compile(r"(^|/)((unit)?test_[^/]*|[^/]*_tests?|tests?)\.py$")
SUITE = re.compile(r"^(tests?|testing|[a-z]+[-_]tests|unit|integration|functional|e2e|regression)$")


def targets(test_paths: Sequence[str]) -> list[str]:
    """What pytest is given for touched test paths: test files, and suites that own the rest.

    >>> targets(["tests/test_a.py", "tests/unit/data/b.json", "tests/unit/test_b.py"])
    ['tests/test_a.py', 'tests/unit']
    """
    chosen = {path if TEST_FILE.search(path) else _suite(path) for path in test_paths}
    if "" in chosen:
        return []
    return sorted(path for path in chosen if not chosen & set(_above(path)))


def _suite(path: str) -> str:
    """A helper's own folder; for data, the innermost folder that is named as suites are."""
    folder = posixpath.dirname(path)
    if path.endswith(".py") and not re.search(r"(^|/)(data|fixtures?|resources)(/|$)", folder):
        return folder
    parts = folder.split("/")
    places = [n for n, part in enumerate(parts, 1) if SUITE.match(part)]
    return "/".join(parts[: max(places)]) if places else folder


def _above(path: str) -> list[str]:
    parts = path.split("/")
    return ["/".join(parts[:n]) for n in range(1, len(parts))]


PYTHON = Language(
    name="python",
    source=SOURCE,
    tests=TESTS,
    manifests=MANIFESTS,
    runner=PYTEST,
    other_runners=(UNITTEST, NOSE, DJANGO, SYMPY),
    targets=targets,
    draft=draft_pip,
)
