"""Gold and test patches of real merges, proved again with plain `git apply` in an own index."""

import tempfile
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from benchmarks.clones import Clone, GitError, git
from benchmarks.truth import Proven
from forge.languages.python import TESTS as PYTHON_TESTS
from forge.services.git import Failed, Git, Pair, Patches

TESTS = (
    r"(^|/)(tests?|specs?|__tests__|testdata|testing|fixtures)/"
    r"|[._-](tests?|spec)\.\w+$|(^|/)tests?\.\w+$|Tests?\.java$"
)
LANGUAGES = {
    ".py": "Python",
    **dict.fromkeys((".js", ".mjs", ".cjs", ".ts", ".tsx"), "JavaScript"),
    **dict.fromkeys((".c", ".cc", ".cpp", ".h", ".hpp"), "C++"),
    ".go": "Go",
    ".java": "Java",
    ".rs": "Rust",
}


class Cut(NamedTuple):
    """One pull request's patches: exact, or the reason why there are none."""

    number: int
    method: str
    outcome: str
    has_gold: bool = False
    has_test: bool = False


def language(clone: Clone) -> str:
    """What most source files of the default branch are written in."""
    names = git(clone.folder, "ls-tree", "-r", "-z", "--name-only", "HEAD").split("\0")
    counts = Counter(LANGUAGES.get(PurePosixPath(name).suffix) for name in names)
    counts.pop(None, None)
    return str(counts.most_common(1)[0][0]) if counts else "other"


def chosen(proven: Sequence[Proven], most: int) -> list[Proven]:
    """So many pull requests, evenly over the methods and over the year."""
    groups: dict[str, list[Proven]] = {}
    for truth in proven:
        groups.setdefault(truth.methods[0], []).append(truth)
    taken: list[Proven] = []
    for place, group in enumerate(sorted(groups.values(), key=len)):
        share = (most - len(taken)) // (len(groups) - place)
        step = max(1.0, len(group) / share) if share else len(group) + 1.0
        taken += [group[int(n * step)] for n in range(min(share, len(group)))]
    return sorted(taken)


async def cut(service: Git, clone: Clone, asked: Iterable[Proven], tests: str) -> list[Cut]:
    """Cut each by forge, and prove each half by half without it."""
    return [await _cut(service, clone, truth, tests) for truth in asked]


def pattern(spoken: str) -> str:
    """What tells a test by its path."""
    return PYTHON_TESTS if spoken == "Python" else TESTS


async def _cut(service: Git, clone: Clone, truth: Proven, tests: str) -> Cut:
    method = truth.methods[0]
    try:
        patches = await service.cut(clone.name, Pair(truth.base, truth.commit), tests)
    except Failed as failed:
        return Cut(truth.number, method, failed.failure.reason)
    outcome = _proved(clone.folder, truth, patches)
    return Cut(truth.number, method, outcome, bool(patches.gold_patch), bool(patches.test_patch))


def _proved(folder: Path, truth: Proven, patches: Patches) -> str:
    try:
        tree = _tree(folder, truth.base, [patches.gold_patch, patches.test_patch])
        expected = git(folder, "rev-parse", f"{truth.commit}^{{tree}}").strip()
    except GitError as error:
        return f"does not apply: {error}"
    return "exact" if tree == expected else "another tree"


def _tree(folder: Path, base: str, patches: Iterable[str]) -> str:
    with tempfile.TemporaryDirectory() as scratch:
        index = {"GIT_INDEX_FILE": f"{scratch}/index"}
        git(folder, "read-tree", base, **index)
        for patch in filter(None, patches):
            git(folder, "apply", "--cached", stdin=patch, **index)
        return git(folder, "write-tree", **index).strip()
