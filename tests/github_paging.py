"""Pages of connections as GitHub counts, bounds and refuses them."""

import base64
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypeVar

import msgspec
from github_world import Knows
from graphql import FieldNode, GraphQLError, GraphQLResolveInfo

T = TypeVar("T")
MOST_RECORDS = 100
COUNTS = {"totalCount", "totalSize", "totalDiskUsage", "__typename"}


@dataclass
class Asking:
    """One question while it is answered: what it may see and what it cost so far."""

    world: Knows
    most_touched: int
    """Nodes after which the rest is refused, as GitHub does with its undisclosed limit."""
    rate_limit: dict[str, Any]
    passing: dict[str, int]
    """How often a node id is still to fail for a reason that passes."""
    touched: int = 0
    unknown: list[str] = field(default_factory=list)
    """Fields that this loopback cannot answer."""

    def touch(self, one: T) -> T:
        self.touched += 1
        if self.touched > self.most_touched:
            raise refusal("RESOURCE_LIMITS_EXCEEDED", "Resource limits for this query exceeded.")
        return one


Resolver = Callable[[Any, GraphQLResolveInfo, dict[str, Any]], Any]


def refusal(kind: str, message: str, **extensions: Any) -> GraphQLError:
    """An error that says its type beside its message, as GitHub's do."""
    return GraphQLError(message, extensions={"type": kind, **extensions})


def or_error(resolver: Callable[..., Any], *known: Any) -> Any:
    """What a resolver answers, or the error with which it refuses, as a value."""
    # A list's entries are errors of their own only where they are values, not raised.
    try:
        return resolver(*known)
    except GraphQLError as error:
        return error


@dataclass(frozen=True)
class Page:
    """A page of a connection, which was asked from somewhere for so many."""

    items: Sequence[Any]
    begin: int
    end: int
    info: GraphQLResolveInfo

    @property
    def total_count(self) -> int:
        return len(self.items)

    @property
    def total_size(self) -> int:
        return sum(one.size for one in self.items)

    @property
    def nodes(self) -> Iterator[Any]:
        return (self._touched(one) for one in self.items[self.begin : self.end])

    @property
    def edges(self) -> Iterator[Any]:
        shown = enumerate(self.items[self.begin : self.end], self.begin)
        return (Edge(_cursor(place), self._touched(one)) for place, one in shown)

    @property
    def page_info(self) -> "PageInfo":
        ends = (_cursor(self.begin), _cursor(self.end - 1)) if self.end > self.begin else ("", "")
        return PageInfo(
            self.begin > 0, self.end < len(self.items), ends[0] or None, ends[1] or None
        )

    def _touched(self, one: Any) -> Any:
        return or_error(self.info.context.touch, one)


class Edge(NamedTuple):
    """One entry of a page with its place."""

    cursor: str
    node: Any


class PageInfo(NamedTuple):
    """Where a page lies among all."""

    has_previous_page: bool
    has_next_page: bool
    start_cursor: str | None
    end_cursor: str | None


def connection(items: Callable[[Any, GraphQLResolveInfo], Iterable[Any]]) -> Resolver:
    """The pages of what something has."""

    def paged(source: Any, info: GraphQLResolveInfo, arguments: dict[str, Any]) -> Page:
        _check_page(info, arguments)
        held = list(items(source, info))
        begin, end = 0, len(held)
        if after := arguments.get("after"):
            begin = _place(after) + 1
        if before := arguments.get("before"):
            end = min(end, _place(before))
        if (first := arguments.get("first")) is not None:
            end = min(end, begin + first)
        elif (last := arguments.get("last")) is not None:
            begin = max(begin, end - last)
        return Page(held, min(begin, len(held)), end, info)

    return paged


def _check_page(info: GraphQLResolveInfo, arguments: dict[str, Any]) -> None:
    asked = {name: arguments[name] for name in ("first", "last") if arguments.get(name) is not None}
    if not asked and lists(info.field_nodes[0]):
        message = "You must provide a `first` or `last` value to properly paginate the"
        kind = "MISSING_PAGINATION_BOUNDARIES"
        raise refusal(kind, f"{message} `{info.field_name}` connection.")
    for name, number in asked.items():
        if number > MOST_RECORDS:
            message = f"Requesting {number} records on the `{info.field_name}` connection exceeds"
            limit = f"the `{name}` limit of {MOST_RECORDS} records."
            raise refusal("EXCESSIVE_PAGINATION", f"{message} {limit}")


def lists(connection: FieldNode) -> bool:
    """Whether a connection is asked for more than its count."""
    chosen = connection.selection_set.selections if connection.selection_set else ()
    return any(getattr(getattr(one, "name", None), "value", "") not in COUNTS for one in chosen)


def _cursor(place: int) -> str:
    return base64.b64encode(b"cursor:v2:" + msgspec.msgpack.encode([place])).decode()


def _place(cursor: str) -> int:
    try:
        packed = base64.b64decode(cursor, validate=True).removeprefix(b"cursor:v2:")
        return msgspec.msgpack.decode(packed, type=list[int])[0]
    except (ValueError, msgspec.MsgspecError, IndexError) as error:
        message = f"`{cursor}` does not appear to be a valid cursor."
        raise refusal("INVALID_CURSOR_ARGUMENTS", message) from error
