"""GitHub's published limits, counted per user by a clock that a test may hold."""

from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from threading import Lock
from typing import Any, Literal, get_args

from github_costs import Cost
from github_replies import PrimaryForm, Reply, SecondaryForm, primary, secondary

Resource = Literal["graphql", "core", "search", "code_search"]


@dataclass(frozen=True)
class Ceilings:
    """How much GitHub allows, and in which of its published forms it refuses the rest."""

    points: int = 5000
    """An hour, for REST and for GraphQL."""
    hour: float = 3600
    """Seconds until points come back."""
    searches: int = 30
    code_searches: int = 10
    minute: float = 60
    """Seconds until searches come back."""
    at_once: int = 100
    graphql_a_minute: int = 2000
    rest_a_minute: int = 900
    busy_seconds_a_minute: float = 60
    """Of GitHub's own time for GraphQL, by `seconds_a_node` and no longer than the latency."""
    seconds: float = 10
    """After which GitHub gives a query up."""
    seconds_a_node: float = 0.001
    """An estimate: nobody has published how long GitHub takes."""
    timeout_html: bool = False
    nodes: int = 500_000
    touched: int = 1_000_000
    """Nodes after which an answer is cut short; GitHub's own figure is undisclosed."""
    retry_after: int | None = 60
    primary: PrimaryForm = "RATE_LIMITED"
    secondary: SecondaryForm = "403"

    def allowed(self, resource: Resource) -> int:
        """Points of a resource until it resets."""
        return {"search": self.searches, "code_search": self.code_searches}.get(
            resource, self.points
        )

    def lasts(self, resource: Resource) -> float:
        """Seconds until a resource resets."""
        return self.minute if "search" in resource else self.hour


@dataclass
class Hour:
    """The points of one user for one resource."""

    used: int = 0
    reset_at: float = 0


@dataclass
class User:
    """One user, whose tokens share everything."""

    id: int
    hours: dict[Resource, Hour] = field(
        default_factory=lambda: {resource: Hour() for resource in get_args(Resource)}
    )
    minutes: dict[Resource, deque[float]] = field(
        default_factory=lambda: {resource: deque() for resource in get_args(Resource)}
    )
    busy: deque[tuple[float, float]] = field(default_factory=deque)
    """When how many seconds of GitHub's time were spent."""
    inside: int = 0
    blocked_until: float = 0


@dataclass
class Limits:
    """Who has how much left."""

    ceilings: Ceilings
    clock: Callable[[], float]
    most_at_once: int = 0
    _lock: Lock = field(default_factory=Lock)

    @contextmanager
    def entered(self, user: User, resource: Resource) -> Iterator[Reply | None]:
        """The time of one request, with the refusal if it is one too many."""
        with self._lock:
            user.inside += 1
            self.most_at_once = max(self.most_at_once, user.inside)
            refused = self._refused(user, resource)
        try:
            yield refused
        finally:
            with self._lock:
                user.inside -= 1

    def charge(self, user: User, resource: Resource, points: int, seconds: float = 0) -> None:
        """Take points, and remember GitHub's own time."""
        with self._lock:
            self.hour(user, resource).used += points
            user.busy.append((self.clock(), seconds))

    def covers(self, user: User, resource: Resource, points: int) -> bool:
        """Whether a user's points are enough for a query."""
        return self.hour(user, resource).used + points <= self.ceilings.allowed(resource)

    def hour(self, user: User, resource: Resource) -> Hour:
        """A user's points, which came back if their hour is over."""
        hour = user.hours[resource]
        if self.clock() >= hour.reset_at:
            hour.used, hour.reset_at = 0, self.clock() + self.ceilings.lasts(resource)
        return hour

    def spent(self, user: User, resource: Resource) -> Reply:
        """The refusal of who has no points left."""
        form = self.ceilings.primary
        return primary("403" if resource != "graphql" and not form.isdigit() else form, user.id)

    def told(self, user: User, cost: Cost) -> dict[str, Any]:
        """What `rateLimit` answers within a query of that cost."""
        hour = self.hour(user, "graphql")
        reset = datetime.fromtimestamp(hour.reset_at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        return {
            "cost": cost.points,
            "limit": self.ceilings.points,
            "nodeCount": cost.nodes,
            "remaining": max(0, self.ceilings.points - hour.used),
            "resetAt": reset,
            "used": hour.used,
        }

    def headers(self, user: User, resource: Resource) -> dict[str, str]:
        """What every answer says about its resource."""
        hour = self.hour(user, resource)
        told = {
            "limit": self.ceilings.allowed(resource),
            "remaining": max(0, self.ceilings.allowed(resource) - hour.used),
            "used": hour.used,
            "reset": int(hour.reset_at),
            "resource": resource,
        }
        return {f"x-ratelimit-{name}": str(value) for name, value in told.items()}

    def _refused(self, user: User, resource: Resource) -> Reply | None:
        now = self.clock()
        if now < user.blocked_until or self._is_too_much(user, resource, now):
            user.blocked_until = max(user.blocked_until, now + (self.ceilings.retry_after or 60))
            return secondary(self.ceilings.secondary, self.ceilings.retry_after)
        user.minutes[resource].append(now)
        return None if self.covers(user, resource, 1) else self.spent(user, resource)

    def _is_too_much(self, user: User, resource: Resource, now: float) -> bool:
        minute = user.minutes[resource]
        while minute and minute[0] <= now - 60:
            minute.popleft()
        while user.busy and user.busy[0][0] <= now - 60:
            user.busy.popleft()
        most = self.ceilings
        allowed = most.graphql_a_minute if resource == "graphql" else most.rest_a_minute
        busy = sum(seconds for _, seconds in user.busy)
        is_busy = resource == "graphql" and busy >= most.busy_seconds_a_minute
        return user.inside > most.at_once or len(minute) >= allowed or is_busy
