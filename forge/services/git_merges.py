"""Which commit merged a pull request: never a guess, so that the answer is often a reason.

The rules, in order: the commit that is known; the one with the head as a later parent; the one
within a day whose subject names the number; the first-parent run with the patches of the head's
commits.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal, NamedTuple, NoReturn

from forge.effect import Failure
from forge.services.git_command import Failed, GitError
from forge.services.git_copies import Run, is_alike, is_of, runs
from forge.services.git_history import Commit, History

Method = Literal["merge", "squash", "rebase"]

DAY = timedelta(days=1)
AT_ONCE = timedelta(minutes=1)
NUMBERED = re.compile(r"\(#([1-9][0-9]{0,17})\)$")
MERGED = re.compile(
    r"^(?:Merge pull request|Auto merge of) #([1-9][0-9]{0,17}) |^Merge #([1-9][0-9]{0,17})$"
)


class Sought(NamedTuple):
    """What is known of a merge before git is asked."""

    number: int
    head_sha: str | None = None
    merged_at: datetime | None = None
    merge_commit: str | None = None
    base_ref: str | None = None
    base_sha: str | None = None


class Merge(NamedTuple):
    """How a pull request came into its base branch."""

    commit: Commit
    base: str
    method: Method


def number_in(subject: str) -> int | None:
    """The pull request that a merge's subject names.

    >>> number_in("Fix the parser (#12) (#34)"), number_in("Merge pull request #5 from a/b")
    (34, 5)
    >>> [number_in(s) for s in ("Auto merge of #6 - ann:fix, r=bob", "Merge #7", "Merge #7 #8")]
    [6, 7, None]
    """
    found = NUMBERED.search(subject.rstrip()) or MERGED.search(subject.rstrip())
    return int(found[found.lastindex or 0]) if found else None


@dataclass
class Search:
    """One search in one history."""

    history: History
    sought: Sought
    _held: list[str | None] = field(default_factory=list)

    async def merge(self) -> Merge:
        """The merge, or the failure that says why it is not known."""
        if self.sought.merge_commit:
            return await self._known(self.sought.merge_commit)
        if hits := await self._by_parent():
            return await self._one_of(hits)
        hits = await self._by_subject()
        if hits and all(map(self._is_timely, hits)):
            return await self._one_of(hits)
        # What follows up on a rebase names the number, too.
        if found := await self._by_patches():
            return found
        if not hits:
            _fail("merge_not_found", _looked(self.sought, await self._head()))
        return await self._one_of(hits)

    async def _known(self, sha: str) -> Merge:
        commit = await self.history.commit(sha)
        if commit is None:
            _fail("commit_vanished", f"no branch holds the merge commit {sha}")
        return await self._judged(commit)

    async def _by_parent(self) -> list[Commit]:
        head = self.sought.head_sha or await self._head()
        hits = await self.history.merging(head) if head else []
        chain = await self._base_chain()
        return [c for c in hits if self._may_name(c) and (self._names(c) or c.sha in chain)]

    async def _head(self) -> str | None:
        """The head, held; None where the remote has it no more."""
        if not self._held:
            number, sha = self.sought.number, self.sought.head_sha
            self._held.append(await self.history.mirror.hold_head(number, sha))
        return self._held[0]

    async def _by_subject(self) -> list[Commit]:
        at = self.sought.merged_at
        if at is None:
            commits = await self.history.naming(self.sought.number)
            return [c for c in commits if self._names(c) and await self._may_take(c)]
        commits, chain = await self.history.between(at - DAY, at + DAY), await self._base_chain()
        named = [c for c in commits if self._names(c)]
        return [c for c in named if c.sha in chain or await self._may_take(c)]

    def _is_timely(self, commit: Commit) -> bool:
        at = self.sought.merged_at
        return at is not None and abs(commit.committed_at - at) <= AT_ONCE

    async def _may_take(self, commit: Commit) -> bool:
        """Whether a commit that names the number can have brought in the head."""
        head = await self._head()
        if head is None:
            return True
        # A fork inherits commits that name its parent's pull requests, and a branch that was left
        # may hold own commits that name the number: both are in the head's past.
        if await self.history.is_ancestor(commit.sha, head):
            return False
        if len(commit.parents) > 1:
            return await self._brings(commit, head)
        return await self.history.is_related(commit.sha, head)

    async def _brings(self, merge: Commit, head: str) -> bool:
        # Another repository's history, imported, names its own pull requests.
        is_new = not await self.history.is_ancestor(head, merge.parents[0])
        return is_new and await self.history.is_ancestor(head, merge.sha)

    def _names(self, commit: Commit) -> bool:
        return number_in(commit.subject) == self.sought.number

    def _may_name(self, commit: Commit) -> bool:
        return number_in(commit.subject) in {None, self.sought.number}

    async def _one_of(self, hits: Sequence[Commit]) -> Merge:
        if len(hits) > 1 and not self.sought.base_ref:
            hits = await self._nearest(hits)
        if len(hits) > 1:
            chain = await self._base_chain()
            hits = [c for c in hits if c.sha in chain] or hits
        if len(hits) == 1:
            return await self._judged(hits[0])
        # Every copy of a rebase may name the number.
        found = await runs(self.history, hits, await self._own() or [])
        if len(found) != 1:
            _fail("merge_ambiguous", " ".join(sorted(c.sha for c in hits)[:10]))
        return _rebase(found[0])

    async def _nearest(self, hits: Sequence[Commit]) -> Sequence[Commit]:
        # A change is copied to other branches under its number, and one that was made for a release
        # branch to the default one: the head has least of its own where it was merged.
        head = await self._head()
        if head is None or not all(c.parents for c in hits):
            return hits
        own = [await self.history.count(head, c.parents[0]) for c in hits]
        return [c for c, commits in zip(hits, own, strict=True) if commits == min(own)]

    async def _base_chain(self) -> frozenset[str]:
        named = await self.history.chain(self.sought.base_ref) if self.sought.base_ref else None
        default = await self.history.default_branch()
        return named or (await self.history.chain(default) if default else frozenset())

    async def _judged(self, commit: Commit) -> Merge:
        if not commit.parents:
            _fail("merge_without_parent", commit.sha)
        if len(commit.parents) > 2:
            _fail(
                "merge_of_several", f"{commit.sha} merges {len(commit.parents) - 1} heads at once"
            )
        if len(commit.parents) == 2:
            return Merge(commit, commit.parents[0], "merge")
        if await self._may_end_run(commit):
            return await self._end_of_run(commit)
        return Merge(commit, commit.parents[0], "squash")

    async def _may_end_run(self, commit: Commit) -> bool:
        # A rebase commits all its copies at once. A squash has no such neighbour but another
        # squash, of a merge queue.
        if commit.sha == self.sought.head_sha:
            return True
        before = await self.history.commit(commit.parents[0])
        return (
            before is not None
            and len(before.parents) == 1
            and before.committer == commit.committer
            and abs(commit.committed_at - before.committed_at) <= AT_ONCE
            and number_in(before.subject) in {None, self.sought.number}
        )

    async def _end_of_run(self, commit: Commit) -> Merge:
        head, own = await self._head(), await self._own()
        if head is None:
            _fail("merge_ambiguous", f"{commit.sha} ends a rebase or is a squash: the head is gone")
        before = await self.history.commit(commit.parents[0])
        is_copied = own is None or before is None or any(is_alike(before, c) for c in own)
        if commit.sha != head and not is_copied:
            return Merge(commit, commit.parents[0], "squash")
        found = await runs(self.history, [commit], own or [])
        if not found:
            _fail("merge_ambiguous", f"{commit.sha} ends a rebase of other commits than the head's")
        return _rebase(found[0])

    async def _by_patches(self) -> Merge | None:
        own = await self._own()
        found = await runs(self.history, await self._ends(own[-1]), own) if own else []
        if len(found) > 1:
            _fail("merge_ambiguous", " ".join(run.copies[-1].sha for run in found[:10]))
        return _rebase(found[0]) if found else None

    async def _ends(self, last: Commit) -> list[Commit]:
        """Commits of the base branch that may be copies of the head."""
        chain = await self._base_chain()
        at = self.sought.merged_at
        found = await self.history.between(
            (at or last.committed_at) - DAY, at + DAY if at else None
        )
        return [c for c in found if c.sha in chain and is_of(c, last)]

    async def _own(self) -> list[Commit] | None:
        """What a rebase copies of the head: its plain commits, oldest first; None if unknown."""
        head, without = await self._head(), await self._without()
        if head is None or without is None:
            return None
        try:
            own = await self.history.own(head, [without])
        except GitError:  # the base is not held
            return None
        return [c for c in own if len(c.parents) == 1]

    async def _without(self) -> str | None:
        """What leads to the base and not to the head; the old base, if the head was not copied."""
        if await self._head() in await self._base_chain():
            return self.sought.base_sha
        branch = self.sought.base_ref
        if not branch or not await self.history.chain(branch):
            branch = await self.history.default_branch()
        return f"refs/heads/{branch}" if branch else None


def _rebase(run: Run) -> Merge:
    first, last = run.copies[0], run.copies[-1]
    is_copy = len(run.copies) > 1 or last.written == run.own[0].written
    return Merge(last, first.parents[0], "rebase" if is_copy else "squash")


def _looked(sought: Sought, head: str | None) -> str:
    if head is None:
        return f"the head {sought.head_sha or 'of the pull request'} cannot be fetched"
    return f"no merge of {head}, no commit that names #{sought.number}, no copies of its commits"


def _fail(reason: str, detail: str) -> NoReturn:
    raise Failed(Failure("data", reason, detail))
