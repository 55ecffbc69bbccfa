"""Questions to services: one function each, its signature the whole declaration.

The first parameter names the service; the keyword-only parameters are exactly what the answer may
depend on.
"""

import inspect
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Literal, Protocol, Self, get_type_hints, runtime_checkable

import dataframely as dy

from forge.address import masked
from forge.artifacts import Artifacts
from forge.errors import ServiceError
from forge.settings import Settings

Row = dict[str, Any]
Kind = Literal["data", "policy", "environment", "model", "infra", "pending"]
KINDS = ("data", "policy", "environment", "model", "infra")
OPEN = "open"
TRIES = 3
LONGEST = 4_000


@dataclass(frozen=True)
class Failure:
    """A question without an answer: the kind of failure, its short name, and its own words.

    `data` and `policy` are facts and remembered; `environment` and `model` until the effect's
    version rises; `infra` is asked again by later builds, three times in all; `pending` is too
    young to be known, and forgotten.
    """

    kind: Kind
    reason: str
    detail: str | None = None

    def __post_init__(self) -> None:
        """Make words that may be anybody's fit for tables: no login, no surrogate, an end."""
        if self.detail:
            words = masked(self.detail)[:LONGEST].encode(errors="backslashreplace").decode()
            object.__setattr__(self, "detail", words)


@dataclass(frozen=True)
class Bill:
    """What a question cost, all its requests together; null where the endpoint does not say."""

    model: str | None = None
    """The one that really answered."""
    mode: str | None = None
    input_tokens: int | None = None
    cached_tokens: int | None = None
    output_tokens: int | None = None
    dollars: float | None = None
    attempts: int = 0
    request_seconds: float = 0.0
    """That its requests took, without what they waited for."""


class PaidError(ServiceError):
    """A service went down over a question that had cost something already."""

    def __init__(self, message: str, bill: Bill) -> None:
        super().__init__(message)
        self.bill = bill


@dataclass(frozen=True)
class Paid:
    """An answer or a failure that cost something."""

    answer: Row | Failure
    bill: Bill

    def adding(self, **columns: Any) -> "Paid":
        """The same with more columns; a failure stays what it is."""
        if isinstance(self.answer, Failure):
            return self
        return Paid(self.answer | columns, self.bill)


class Service(Protocol):
    """Something outside that answers; opened once per build, inside its event loop."""

    @property
    def identity(self) -> str:
        """Which service answers: part of every question, so that another one is asked anew."""

    @classmethod
    def open(cls, settings: Settings, artifacts: Artifacts) -> Self:
        """The service that the settings name."""

    async def __aenter__(self) -> Self:
        """Connect."""

    async def __aexit__(self, *exc: object) -> None:
        """Let go of what was opened."""


@runtime_checkable
class Resting(Protocol):
    """A service that is made to wait by limits."""

    def tell_waits(self, tell: Callable[[str], None]) -> None:
        """Say to `tell`, again and again, until when it waits."""


Function = Callable[..., Awaitable[Row | Failure | Paid]]


@dataclass(frozen=True)
class Effect:
    """A question as its function declares it."""

    function: Function
    answers: type[dy.Schema]
    version: int
    since: int
    concurrency: int
    seconds: float

    @property
    def name(self) -> str:
        """The function's name, and the folder of its memo."""
        return self.function.__name__

    @property
    def inputs(self) -> list[str]:
        """Names of the question's columns."""
        parameters = inspect.signature(self.function).parameters.values()
        return [p.name for p in parameters if p.kind is p.KEYWORD_ONLY]

    @property
    def service(self) -> type[Service]:
        """The class of the first parameter."""
        first = next(iter(inspect.signature(self.function).parameters))
        return get_type_hints(self.function)[first]  # type: ignore[no-any-return]


def effect(
    *,
    answers: type[dy.Schema],
    version: int = 1,
    since: int = 1,
    concurrency: int = 8,
    seconds: float = 600,
) -> Callable[[Function], Effect]:
    """Declare a question.

    A rise of `version` asks again what failed for `environment` or `model`; a rise of `since` asks
    again everything that an older version answered. `seconds` bounds one question.
    """

    def declare(function: Function) -> Effect:
        return Effect(function, answers, version, since, concurrency, seconds)

    return declare
