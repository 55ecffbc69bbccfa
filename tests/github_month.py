"""A month on GitHub at scale: repositories and pull requests derived from their numbers."""

import base64
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache

import msgspec
from github_world import (
    Actor,
    Issue,
    Label,
    Node,
    PullRequest,
    PullRequestChangedFile,
    Repository,
    node_id,
)

FIRST_REPOSITORY = 1_000_000
FIRST_PULL = 4_294_900_000
"""Just below 2^32, so that most node ids have 64 bits, as those of 2026."""
LANGUAGES = ("Python", "JavaScript", "TypeScript", "Go", "Rust", "Java", "C++", "Shell")


@dataclass(frozen=True)
class Month:
    """So many pull requests dealt out to so many repositories; nothing of them is stored."""

    repositories: int = 30_000
    pull_requests: int = 100_000

    def repository(self, number: int) -> Repository:
        """The repository of that number, which its id tells."""
        language = LANGUAGES[number % len(LANGUAGES)]
        return Repository(
            f"owner-{number % 9000}/project-{number}",
            id=FIRST_REPOSITORY + number,
            stars=number % 997,
            languages=((language, 1000 + number), ("Makefile", 10)),
            topics=("ledger",) * (number % 3 == 0),
            is_archived=number % 50 == 0,
            fate="deleted" if number % 100 == 99 else "there",
        )

    def pull_request(self, number: int) -> PullRequest:
        """The pull request of that number, which its id tells."""
        pull = PullRequest(
            number // self.repositories + 1,
            id=FIRST_PULL + number,
            title=f"Round case {number} half to even",
            body="It lost halves. " * (number % 40),
            author=Actor(f"person-{number % 5000}", id=number % 5000 + 1),
            files=_files(1 + number % 9),
            labels=(Label("bug"),) * (number % 3 == 0),
            closes=(Issue(900_000 + number, body="Halves vanish. " * 20),) * (number % 2),
        )
        return replace(pull, repository=self.repository(number % self.repositories))

    def ids(self, number: int) -> tuple[int, int]:
        """What an event tells of a pull request: its repository's id and its own."""
        return FIRST_REPOSITORY + number % self.repositories, FIRST_PULL + number

    def node(self, wanted: str) -> Node | None:
        kind, _, packed = wanted.partition("_")
        try:
            raw = base64.urlsafe_b64decode(packed + "=" * (-len(packed) % 4))
            _, *numbers = msgspec.msgpack.decode(raw, type=list[int])
        except (ValueError, msgspec.MsgspecError):
            return None
        found = self._of_ids(numbers)
        names = {Repository: "R", PullRequest: "PR"}
        return found if names.get(type(found)) == kind else None

    def named(self, name_with_owner: str) -> Repository | None:
        owner, _, number = name_with_owner.lower().partition("/project-")
        known = number.isdigit() and int(number) < self.repositories
        found = self.repository(int(number)) if known else None
        return found if found and found.name_with_owner.startswith(f"{owner}/") else None

    def numbered(self, repository: Repository, number: int) -> PullRequest | None:
        place = (number - 1) * self.repositories + repository.id - FIRST_REPOSITORY
        return self.pull_request(place) if 0 <= place < self.pull_requests else None

    def issue(self, repository: Repository, number: int) -> Issue | None:  # noqa: ARG002 - none here
        return None

    def pulls(self) -> Iterator[PullRequest]:
        return map(self.pull_request, range(self.pull_requests))

    def _of_ids(self, ids: list[int]) -> Node | None:
        place = ids[0] - FIRST_REPOSITORY
        if len(ids) == 1:
            return self.repository(place) if 0 <= place < self.repositories else None
        number = ids[1] - FIRST_PULL
        known = 0 <= number < self.pull_requests and self.ids(number) == (ids[0], ids[1])
        return self.pull_request(number) if known else None


@cache
def _files(count: int) -> tuple[PullRequestChangedFile, ...]:
    folders = ("src", "tests", "docs")
    return tuple(
        PullRequestChangedFile(f"{folders[n % 3]}/part_{n}.py", n + 1, n) for n in range(count)
    )


def pull_node_id(month: Month, number: int) -> str:
    """The node id that an event of the month lets one compute."""
    return node_id("PullRequest", *month.ids(number))
