"""How the loopback GitHub lists merges: by its search, and of one repository."""

import shlex
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from github_paging import Page, Resolver, connection, refusal
from github_world import PullRequest, Repository
from graphql import GraphQLResolveInfo

CAP = 1_000
IS = {
    "pr": lambda _: True,
    "merged": lambda pull: bool(pull.merged_at),
    "public": lambda _: True,
}


@dataclass(frozen=True)
class Results(Page):
    """A page of what a search found: a thousand at most can be listed."""

    issue_count: int = 0


def _search(_: Any, info: GraphQLResolveInfo, arguments: dict[str, Any]) -> Results:
    if arguments["type"] != "ISSUE":
        raise refusal("UNPROCESSABLE", f"the loopback does not search for {arguments['type']}")
    wishes = [_wish(word) for word in shlex.split(arguments["query"])]
    found = [pull for pull in info.context.world.pulls() if _is_seen(pull, wishes)]
    # Best matches come first, which is in no order that one could page by.
    found.sort(key=lambda pull: (pull.id * 2_654_435_761) % 2**32)
    page = connection(lambda *_: found[:CAP])(None, info, arguments)
    return Results(page.items, page.begin, page.end, info, len(found))


def _is_seen(pull: PullRequest, wishes: list[Callable[[PullRequest], bool]]) -> bool:
    is_there = pull.repository.fate == "there" and not pull.is_deleted
    return is_there and all(wish(pull) for wish in wishes)


def _wish(word: str) -> Callable[[PullRequest], bool]:
    name, _, value = word.partition(":")
    if name == "is":
        return IS[value]
    if name == "merged":
        first, _, last = value.partition("..")
        return lambda pull: bool(pull.merged_at) and first <= pull.merged_at <= last
    if name == "repo":
        return lambda pull: pull.repository.name_with_owner.lower() == value.lower()
    if name == "language":
        return lambda pull: value.lower() in {n.lower() for n, _ in pull.repository.languages[:1]}
    raise refusal("UNPROCESSABLE", f"the loopback does not know {word!r} in a search")


def _listed(repository: Repository, info: GraphQLResolveInfo, arguments: dict[str, Any]) -> Page:
    return connection(lambda *_: _ordered(repository, info, arguments))(repository, info, arguments)


def _ordered(
    repository: Repository, info: GraphQLResolveInfo, arguments: dict[str, Any]
) -> Iterator[PullRequest]:
    order, states = arguments["orderBy"], arguments["states"]
    if (order, states) != ({"field": "UPDATED_AT", "direction": "DESC"}, ["MERGED"]):
        raise refusal("UNPROCESSABLE", f"the loopback does not list {states} by {order}")
    own = [pull for pull in info.context.world.pulls() if pull.repository.id == repository.id]
    merged = [pull for pull in own if pull.merged_at and not pull.is_deleted]
    return iter(sorted(merged, key=_updated_at, reverse=True))


def _updated_at(pull: PullRequest, *_: Any) -> str:
    return pull.updated_at or pull.merged_at or pull.created_at


LISTS: dict[tuple[str, str], Resolver] = {
    ("Query", "search"): _search,
    ("Repository", "pullRequests"): _listed,
    ("PullRequest", "updatedAt"): _updated_at,
}
