"""What became of pull requests, proved by their heads and the history alone.

Forge's own rules are not used. A pull request has a truth where one of these holds:

- `second parent`: one merge has its head as second parent, and names the number or lies on the
  default branch itself;
- `same tree`, `same patch`: a commit whose subject names the number has the very tree that merging
  the head into its parent gives, or else the patch of the head against their merge base;
- `patch by patch`: consecutive commits of one branch have the patches of the head's own commits.

Anything else is no truth, and is counted with the reason why.
"""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import NamedTuple

from benchmarks.past import Made, Past

ENDS = re.compile(r"^Merge pull request #(\d{1,9}) |\(#(\d{1,9})\)\s*$")

PATCHES = "patch by patch"


class Proven(NamedTuple):
    """How a pull request came in, and what proves it."""

    number: int
    head: str
    commit: str
    base: str
    methods: tuple[str, ...]
    proof: str
    merged_at: datetime
    branch: str | None


class Unproven(NamedTuple):
    """A pull request that may have come in, and why nothing proves it."""

    number: int
    head: str
    reason: str


class Doubt(Exception):  # noqa: N818 - it is a reason, not an error
    """Why nothing proves what became of a pull request."""


@dataclass
class Truth:
    """What is proved and what is not, of the pull requests that came in during the year."""

    past: Past

    @cached_property
    def asked(self) -> list[int]:
        """Pull requests that a commit of the year names or merges, and those with young heads."""
        return [number for number, head in self.past.heads.items() if self._is_asked(number, head)]

    @cached_property
    def proven(self) -> dict[int, Proven]:
        """By number; also of other years, where a subject of this one names the number again."""
        return {found.number: found for found in self._found if isinstance(found, Proven)}

    @cached_property
    def unproven(self) -> dict[int, Unproven]:
        """By number; a pull request that left no trace at all is not among them."""
        return {found.number: found for found in self._found if isinstance(found, Unproven)}

    def of_year(self) -> list[Proven]:
        """Those that came in during the year, by number."""
        year = self.past.year
        return sorted(proven for proven in self.proven.values() if proven.merged_at.year == year)

    @cached_property
    def _found(self) -> list[Proven | Unproven | None]:
        self.past.read_patches(self.past.heads[number] for number in self.asked)
        found = [self._of(number, self.past.heads[number]) for number in self.asked]
        alike = Counter(e.commit for e in found if isinstance(e, Proven) and e.proof == PATCHES)
        return [_doubted(each, alike) for each in found]

    def _is_asked(self, number: int, head: str) -> bool:
        tip = self.past.commit(head)
        traces = [*self.past.named.get(number, []), *self.past.merging.get(head, [])]
        return (tip is not None and self.past.is_young(tip)) or any(
            map(self.past.is_recent, traces)
        )

    def _of(self, number: int, head: str) -> Proven | Unproven | None:
        try:
            return (
                self._by_parent(number, head)
                or self._by_tree(number, head)
                or self._by_patches(number, head)
                or self._traced(number, head)
            )
        except Doubt as doubt:
            return Unproven(number, head, str(doubt))

    def _by_parent(self, number: int, head: str) -> Proven | None:
        merges = self.past.merging.get(head, [])
        named = [merge for merge in merges if number in _ends(merge)]
        own = self.past.chains[self.past.default]
        plain = [merge for merge in merges if merge.sha in own and not _ends(merge)]
        hits = named or plain
        if len(hits) > 1:
            raise Doubt("several merges of its head")
        if not hits:
            return None
        if len(hits[0].parents) > 2:
            raise Doubt("merged together with other heads")
        return self._proven(number, hits[0], hits[0].parents[0], ("merge",), "second parent")

    def _by_tree(self, number: int, head: str) -> Proven | None:
        named = [c for c in self.past.named.get(number, []) if len(c.parents) == 1]
        proofs = [(commit, self._proof(commit, head)) for commit in named]
        hits = sorted((c.at, c, proof) for c, proof in proofs if proof)
        if not hits:
            return None
        if len(hits) > 1 and hits[0][0] == hits[1][0]:
            raise Doubt("several copies of its change at once")
        _, first, proof = hits[0]
        if self._is_last_of_run(first, head):
            return None
        methods = ("squash", "rebase") if len(self._own(head, first)) == 1 else ("squash",)
        proof += ", the first of several" if len(hits) > 1 else ""
        return self._proven(number, first, first.parents[0], methods, proof)

    def _proof(self, commit: Made, head: str) -> str | None:
        past, parent = self.past, commit.parents[0]
        before = past.held.get(parent)
        if before is None or before.tree == commit.tree or head == commit.sha:
            return None
        if past.merged(parent, head) == commit.tree:
            return "same tree"
        base = past.merge_base(parent, head)
        patch = past.patch(base, head) if base else None
        return "same patch" if patch and patch == past.patch(parent, commit.sha) else None

    def _is_last_of_run(self, commit: Made, head: str) -> bool:
        # The last copy of a rebase has the head's tree as well, where only it names the number.
        own = self._own(head, commit)
        self.past.read_patches([commit.sha, *own[-1:]])
        last = self.past.patches.get(own[-1]) if own else None
        return len(own) > 1 and last is not None and self.past.patches.get(commit.sha) == last

    def _own(self, head: str, merge: Made) -> list[str]:
        for branch, chain in self.past.chains.items():
            if merge.sha in chain:
                return self.past.own(head, branch) or []
        return []

    def _by_patches(self, number: int, head: str) -> Proven | None:
        runs = [run for branch in self.past.chains for run in self._runs(number, head, branch)]
        runs = list(dict.fromkeys(runs))
        if len(runs) > 1:
            raise Doubt("several runs with its patches")
        if not runs:
            return None
        first, last = self.past.held[runs[0][0]], self.past.held[runs[0][-1]]
        methods = ("rebase",) if len(runs[0]) > 1 else ("rebase", "squash")
        return self._proven(number, last, first.parents[0], methods, PATCHES)

    def _runs(self, number: int, head: str, branch: str) -> list[tuple[str, ...]]:
        past = self.past
        places = past.places.get(past.patches.get(head, "-"), [])
        ends = [sha for at, sha in places if at == branch]
        own = past.own(head, branch) if ends else []
        if not own:
            return []
        past.read_patches(own)
        wanted = [past.patches.get(sha) for sha in own]
        runs = [past.run(branch, end, len(own)) for end in ends]
        copied = [run for run in runs if [past.patches.get(sha) for sha in run] == wanted]
        return [run for run in copied if self._may_be_of(number, head, run[-1])]

    def _may_be_of(self, number: int, head: str, last: str) -> bool:
        # A twin of a change that came in under another number, or a copy of what came in before.
        own, copy = self.past.commit(head), self.past.held[last]
        return _ends(copy) <= {number} and own is not None and own.at <= copy.at

    def _traced(self, number: int, head: str) -> Unproven | None:
        past = self.past
        named = [c for c in past.named.get(number, []) if number in _ends(c) and past.is_recent(c)]
        if named:
            return Unproven(number, head, "named by a commit of another change or of none")
        if any(map(past.is_recent, past.merging.get(head, []))):
            return Unproven(number, head, "head merged under another name or elsewhere")
        tip = past.held.get(head)
        if tip and past.is_recent(tip):
            return Unproven(number, head, "head is in the history, without a merge of its own")
        return None

    def _proven(
        self, number: int, merge: Made, base: str, methods: Sequence[str], proof: str
    ) -> Proven:
        return Proven(
            number=number,
            head=self.past.heads[number],
            commit=merge.sha,
            base=base,
            methods=tuple(methods),
            proof=proof,
            merged_at=datetime.fromtimestamp(merge.at, UTC).replace(tzinfo=None),
            branch=self.past.branch_of(merge.sha),
        )


def _doubted(found: Proven | Unproven | None, alike: Counter[str]) -> Proven | Unproven | None:
    if isinstance(found, Proven) and alike[found.commit] > 1:
        return Unproven(found.number, found.head, "one change proposed twice")
    return found


def _ends(commit: Made) -> set[int]:
    found = ENDS.search(commit.subject)
    return {int(found[1] or found[2])} if found else set()
