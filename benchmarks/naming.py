"""What forge names for pull requests whose fate is known, however little it is told of them."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from time import monotonic
from typing import NamedTuple, TypeVar

from benchmarks.clones import git
from benchmarks.past import Past
from benchmarks.truth import Proven, Truth
from forge.effect import Failure
from forge.services.git import Failed, Git, Merge, Sought
from forge.services.git_mirrors import PARTIAL
from forge.walk import walk_merges

T = TypeVar("T")
WORKERS = 4
TOLD: dict[str, Callable[[Proven], Sought]] = {
    "number": lambda truth: Sought(truth.number),
    "head": lambda truth: Sought(truth.number, truth.head),
    "event": lambda truth: Sought(truth.number, truth.head, truth.merged_at, base_ref=truth.branch),
    "commit": lambda truth: Sought(
        truth.number, truth.head, truth.merged_at, truth.commit, truth.branch
    ),
}
"""What a pool, a list of heads, an archive's trimmed event and its full event say."""


class Named(NamedTuple):
    """What forge said of one pull request: a merge, or the reason why none."""

    number: int
    told: str
    outcome: str
    detail: str


@dataclass
class Naming:
    """Forge, asked about one repository until a deadline."""

    git: Git
    repo: str
    truth: Truth
    deadline: float

    async def prepare(self) -> None:
        """Fetch in one go the heads that forge would else fetch one by one."""
        history = (await self.git.history(self.repo)).mirror.history
        refs = [f"+refs/pull/{n}/head:refs/heads-known/{n}" for n in self.truth.asked]
        fetch = ("fetch", "--quiet", "--no-tags", "--filter=tree:0", "--stdin")
        config = PARTIAL | {"remote.origin.url": f"file://{self.truth.past.folder.resolve()}"}
        words = [word for key, value in config.items() for word in ("-c", f"{key}={value}")]
        await asyncio.to_thread(git, history, *words, *fetch, "origin", stdin="\n".join(refs))

    async def proven(self, asked: Iterable[Proven]) -> list[Named]:
        """One answer per pull request and way to tell of it."""
        # By the last digits first: what a deadline leaves is spread over the year.
        spread = sorted(asked, key=lambda truth: str(truth.number)[::-1])
        pairs = [(truth, told) for truth in spread for told in TOLD]
        return await self._each([self._one(truth, told) for truth, told in pairs])

    async def doubtful(self) -> list[Named]:
        """Where nothing is proved, or no trace is left, what forge names all the same."""
        known = self.truth.proven
        numbers = [number for number in self.truth.asked if number not in known]
        return await self._each([self._doubtful(number) for number in numbers])

    async def walked(self) -> list[Named]:
        """What a walk along the default branch names, month by month, and what it skips."""
        found: list[Named] = []
        walked: set[int] = set()
        for month in range(1, 13):
            row = await walk_merges.function(
                self.git, repo=self.repo, month=f"{self.truth.past.year}-{month:02}", as_of=_now()
            )
            if isinstance(row, Failure):
                return [Named(0, "walk", f"null: {row.reason}", row.detail or "")]
            walked |= {each["number"] for each in row["walked"]}
            found += await self._each([self._walked(each) for each in row["walked"]])
            found += [Named(0, "walk", "skipped: names no number", "")] * row["skipped"]
        return found + self._missed(walked)

    async def _one(self, truth: Proven, told: str) -> Named:
        found = await self._asked(TOLD[told](truth))
        return Named(truth.number, told, *_judged(found, truth))

    async def _doubtful(self, number: int) -> Named:
        unproven = self.truth.unproven.get(number)
        traced = "of another year" if number in self.truth.past.named else "no trace"
        doubt = unproven.reason if unproven else traced
        found = await self._asked(Sought(number, self.truth.past.heads[number]))
        if isinstance(found, Failure):
            return Named(number, doubt, f"null: {found.reason}", found.detail or "")
        return Named(number, doubt, "named", f"{found.method} {found.commit.sha}")

    async def _walked(self, row: dict[str, object]) -> Named:
        number, commit = int(str(row["number"])), str(row["merge_commit"])
        head = row["head_sha"] and str(row["head_sha"])
        merged_at, base_ref = row["merged_at"], row["base_ref"]
        sought = Sought(number, head, merged_at, commit, base_ref)  # type: ignore[arg-type]
        found = await self._asked(sought)
        if truth := self.truth.proven.get(number):
            return Named(number, "walk", *_judged(found, truth))
        if number not in self.truth.past.heads:
            return Named(number, "walk", "no such pull request", commit)
        doubt = self.truth.unproven.get(number)
        return Named(number, "walk", f"unproven: {doubt.reason if doubt else 'no trace'}", commit)

    def _missed(self, walked: set[int]) -> list[Named]:
        return [
            Named(truth.number, "walk", f"skipped: {_why(truth, self.truth.past)}", truth.commit)
            for truth in self.truth.of_year()
            if truth.number not in walked
        ]

    async def _asked(self, sought: Sought) -> Merge | Failure:
        try:
            return await self.git.find_merge(self.repo, sought)
        except Failed as failed:
            return failed.failure

    async def _each(self, asked: list[Awaitable[T]]) -> list[T]:
        gate = asyncio.Semaphore(WORKERS)

        async def one(question: Awaitable[T]) -> T | None:
            async with gate:
                if monotonic() < self.deadline:
                    return await question
                question.close()  # type: ignore[attr-defined]
                return None

        answers = await asyncio.gather(*map(one, asked))
        return [answer for answer in answers if answer is not None]


def _judged(found: Merge | Failure, truth: Proven) -> tuple[str, str]:
    if isinstance(found, Failure):
        return f"null: {found.reason}", found.detail or ""
    said = f"{found.method} {found.commit.sha} on {found.base}"
    if found.commit.sha != truth.commit:
        return "wrong commit", said
    if found.base != truth.base:
        return "wrong base", said
    return ("equal" if found.method in truth.methods else "wrong method"), said


def _why(truth: Proven, past: Past) -> str:
    if truth.commit not in past.chains[past.default]:
        return "merged into another branch"
    return f"{truth.methods[0]} that names no number"


def _now() -> datetime:
    return datetime.now(UTC).replace(tzinfo=None)
