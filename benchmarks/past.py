"""A repository's commits and the heads of its pull requests, read at once and kept in memory."""

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

from benchmarks.clones import GitError, git

FORMAT = "--format=%H%x00%P%x00%T%x00%ct%x00%at%x00%s"
NUMBER = re.compile(r"#(\d{1,9})\b")
DIFF = ("diff-tree", "-r", "-p", "--binary", "--full-index")
OWN_COMMITS = 100
BRANCHES = 40


class Made(NamedTuple):
    """A commit."""

    sha: str
    parents: tuple[str, ...]
    tree: str
    at: int
    authored_at: int
    subject: str

    @property
    def names(self) -> set[int]:
        """All numbers in the subject."""
        return {int(number) for number in NUMBER.findall(self.subject)}


@dataclass
class Past:
    """A repository's commits and the heads of its pull requests."""

    folder: Path
    year: int
    patches: dict[str, str] = field(default_factory=dict)

    @cached_property
    def heads(self) -> dict[int, str]:
        """Heads by number."""
        listing = git(self.folder, "for-each-ref", "--format=%(refname) %(objectname)", "refs/pull")
        found = re.findall(r"^refs/pull/(\d+)/head ([0-9a-f]+)$", listing, re.MULTILINE)
        return {int(number): sha for number, sha in found}

    @cached_property
    def held(self) -> dict[str, Made]:
        """Commits of all branches."""
        return self._log("--branches")

    @cached_property
    def proposed(self) -> dict[str, Made]:
        """Commits of pull requests that no branch holds."""
        return self._log("--glob=refs/pull/*/head", "--not", "--branches")

    @cached_property
    def chains(self) -> dict[str, dict[str, int]]:
        """First-parent commits of the default branch and of those that moved, with places."""
        newest = ("for-each-ref", "--sort=-committerdate", "--format=%(refname:short)")
        names = git(self.folder, *newest, "refs/heads").split()
        ordered = dict.fromkeys([name for name in [self.default] if name in names] + names)
        return {name: self._chain(name) for name in list(ordered)[:BRANCHES]}

    @cached_property
    def orders(self) -> dict[str, list[str]]:
        """The same, newest first."""
        return {branch: list(chain) for branch, chain in self.chains.items()}

    @cached_property
    def default(self) -> str:
        """The default branch's name."""
        return git(self.folder, "symbolic-ref", "--short", "HEAD").strip()

    @cached_property
    def named(self) -> dict[int, list[Made]]:
        """Commits of branches by the numbers in their subjects."""
        found = defaultdict(list)
        for commit in self.held.values():
            for number in commit.names & self.heads.keys():
                found[number].append(commit)
        return found

    @cached_property
    def merging(self) -> dict[str, list[Made]]:
        """Merges by their later parents."""
        found = defaultdict(list)
        for commit in self.held.values():
            for parent in commit.parents[1:]:
                found[parent].append(commit)
        return found

    @cached_property
    def places(self) -> dict[str, list[tuple[str, str]]]:
        """Where a patch lies in this year or the last: branch and commit by patch id."""
        own = [(branch, self.held[sha]) for branch, chain in self.chains.items() for sha in chain]
        recent = [(b, c.sha) for b, c in own if self.is_young(c) and len(c.parents) == 1]
        self.read_patches(sha for _, sha in recent)
        found = defaultdict(list)
        for branch, sha in recent:
            found[self.patches.get(sha, "")].append((branch, sha))
        return found

    def is_recent(self, commit: Made) -> bool:
        """Whether it was committed in the year that is asked for."""
        return datetime.fromtimestamp(commit.at, UTC).year == self.year

    def is_young(self, commit: Made) -> bool:
        """Whether it was committed in that year or the one before."""
        return self.year - datetime.fromtimestamp(commit.at, UTC).year in {0, 1}

    def commit(self, sha: str) -> Made | None:
        """A commit of a branch or of a pull request."""
        return self.held.get(sha) or self.proposed.get(sha)

    def own(self, head: str, branch: str) -> list[str] | None:
        """The head's commits that the branch has not, oldest first; None where one is a merge."""
        found: list[str] = []
        at = self.commit(head)
        while at and at.sha not in self.reachable(branch):
            if len(at.parents) != 1 or len(found) == OWN_COMMITS:
                return None
            found.insert(0, at.sha)
            at = self.commit(at.parents[0])
        return found

    def reachable(self, branch: str) -> set[str]:
        """All commits of a branch."""
        if branch not in self._reached:
            listing = git(self.folder, "rev-list", f"refs/heads/{branch}")
            self._reached[branch] = set(listing.split())
        return self._reached[branch]

    _reached: dict[str, set[str]] = field(default_factory=dict)

    def read_patches(self, shas: Iterable[str]) -> None:
        """Learn the patch ids of plain commits."""
        wanted = [sha for sha in dict.fromkeys(shas) if sha not in self.patches]
        try:
            diffs = git(self.folder, *DIFF, "--stdin", stdin="".join(f"{sha}\n" for sha in wanted))
        except GitError:
            for sha in wanted if len(wanted) > 1 else []:
                self.read_patches([sha])
            return
        for line in git(self.folder, "patch-id", "--stable", stdin=diffs).splitlines():
            patch, sha = line.split(" ")
            self.patches[sha] = patch

    def patch(self, before: str, after: str) -> str | None:
        """The patch id of a difference; None where there is none."""
        diff = git(self.folder, *DIFF, before, after)
        return git(self.folder, "patch-id", "--stable", stdin=diff).partition(" ")[0] or None

    def run(self, branch: str, end: str, commits: int) -> tuple[str, ...]:
        """So many consecutive first-parent commits of a branch, oldest first."""
        last = self.chains[branch][end]
        return tuple(reversed(self.orders[branch][last : last + commits]))

    def merged(self, ours: str, theirs: str) -> str | None:
        """The tree of a merge without conflicts."""
        try:
            return git(self.folder, "merge-tree", "--write-tree", ours, theirs).strip()
        except GitError:
            return None

    def merge_base(self, ours: str, theirs: str) -> str | None:
        """Where two histories part; None where they have nothing in common."""
        try:
            return git(self.folder, "merge-base", ours, theirs).strip()
        except GitError:
            return None

    def branch_of(self, sha: str) -> str | None:
        """The default branch or the only other one that has the commit as its own."""
        has = [branch for branch, chain in self.chains.items() if sha in chain]
        return has[0] if has[:1] == [self.default] or len(has) == 1 else None

    def _chain(self, branch: str) -> dict[str, int]:
        listing = git(self.folder, "rev-list", "--first-parent", f"refs/heads/{branch}").split()
        return {sha: place for place, sha in enumerate(listing)}

    def _log(self, *what: str) -> dict[str, Made]:
        lines = git(self.folder, "log", "--no-mailmap", FORMAT, *what).split("\n")
        commits = (_made(line) for line in lines if line)
        return {commit.sha: commit for commit in commits}


def _made(line: str) -> Made:
    sha, parents, tree, at, authored_at, subject = line.split("\x00", 5)
    return Made(sha, tuple(parents.split()), tree, int(at), int(authored_at), subject)
