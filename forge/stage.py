"""Stages: functions whose signature is their whole declaration.

Positional parameters are the upstream tables, `limits` the thresholds, `run` the right to query and
to ask; any other keyword-only parameter is the selection flag of that name.
"""

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from types import NoneType
from typing import Annotated, Any, Literal, TypeVar, get_args, get_type_hints, overload

import dataframely as dy
from pydantic import BaseModel, ConfigDict

from forge.columns import key_of

T = TypeVar("T", bound=dy.Schema)
Decided = Annotated[dy.LazyFrame[T], "decided"]


class StageLimits(BaseModel):
    """Thresholds of one stage: `[<stage>]` in forge.toml, or `--limit <stage>.<name>=<value>`."""

    model_config = ConfigDict(frozen=True, extra="forbid")


@dataclass(frozen=True)
class Stage:
    """A stage as its signature declares it."""

    function: Callable[..., Any]
    by: Literal["bucket"] | None = None

    @property
    def name(self) -> str:
        """The function's name: table, folder and SQL file."""
        return self.function.__name__

    @property
    def module(self) -> str:
        """Where the stage is written."""
        return self.function.__module__

    @cached_property
    def hints(self) -> dict[str, Any]:
        """Annotations by parameter, `return` among them."""
        return get_type_hints(self.function, include_extras=True)

    @cached_property
    def upstream(self) -> list[str]:
        """Names of the tables it reads."""
        return self._parameters(inspect.Parameter.POSITIONAL_OR_KEYWORD)

    @cached_property
    def flags(self) -> list[str]:
        """Names of the selection flags it depends on."""
        return [
            p
            for p in self._parameters(inspect.Parameter.KEYWORD_ONLY)
            if p not in {"limits", "run"}
        ]

    @property
    def limits(self) -> type[StageLimits] | None:
        """The class of its thresholds."""
        kind = self.hints.get("limits", NoneType)
        return None if kind is NoneType else kind

    @property
    def runs(self) -> bool:
        """Whether it may query DuckDB or ask services."""
        return "run" in self.hints

    @property
    def is_decided(self) -> bool:
        """Whether it gives every row a fate."""
        return "decided" in getattr(self.hints["return"], "__metadata__", ())

    @property
    def schema(self) -> type[dy.Schema]:
        """The contract of its table."""
        return _schema_of(self.hints["return"])

    @property
    def parents(self) -> type[dy.Schema] | None:
        """The contract of its first upstream table."""
        return _schema_of(self.hints[self.upstream[0]]) if self.upstream else None

    @property
    def rejected_key(self) -> list[str]:
        """What names a rejected row: its parent's key, since it gave no row of its own."""
        return key_of(self.parents or self.schema)

    def _parameters(self, kind: Any) -> list[str]:
        return [
            p.name for p in inspect.signature(self.function).parameters.values() if p.kind is kind
        ]


def _schema_of(frame: Any) -> type[dy.Schema]:
    if getattr(frame, "__metadata__", ()):
        frame = get_args(frame)[0]
    return get_args(frame)[0]  # type: ignore[no-any-return]


@overload
def stage(function: Callable[..., Any]) -> Stage: ...
@overload
def stage(*, by: Literal["bucket"]) -> Callable[[Callable[..., Any]], Stage]: ...
def stage(
    function: Callable[..., Any] | None = None, *, by: Literal["bucket"] | None = None
) -> Any:
    """Declare the function that makes one table, whole or bucket by bucket."""
    return Stage(function) if function else lambda function: Stage(function, by)
