"""What tables, columns and limits mean, told by their declarations."""

import inspect
import sys
from pathlib import Path
from typing import Any

import dataframely as dy
import polars as pl
from pydantic_core import PydanticUndefined

from forge.columns import ARTIFACT, KEY
from forge.limits import Limits
from forge.missed import source
from forge.stage import Stage

DTYPES = {
    "String": "text", "Int64": "int", "Int32": "int", "UInt32": "int", "Float64": "float",
    "Boolean": "bool", "Datetime": "time", "Date": "date",
}  # fmt: skip


def grain(stage: Stage) -> str:
    """What one row of a table stands for: its schema's docstring, else its module's."""
    told = stage.schema.__dict__.get("__doc__") or sys.modules[stage.module].__doc__ or ""
    return inspect.cleandoc(told).partition("\n")[0]


def described(stage: Stage) -> dict[str, Any]:
    """A table with all its columns."""
    columns = [_column(name, column) for name, column in stage.schema.columns().items()]
    return {
        "table": stage.name, "grain": grain(stage), "upstream": stage.upstream,
        "is_decided": stage.is_decided, "columns": columns,
    }  # fmt: skip


def _column(name: str, column: dy.Column) -> dict[str, Any]:
    marks = column.metadata or {}
    kind = "artifact" if ARTIFACT.items() <= marks.items() else dtype(column.dtype)
    return {
        "name": name, "dtype": kind, "is_key": KEY.items() <= marks.items(),
        "is_nullable": column.nullable, "description": column.description or "",
    }  # fmt: skip


def dtype(kind: Any) -> str:
    """A dtype in plain words.

    >>> dtype(pl.List(pl.Struct({"id": pl.String, "at": pl.Datetime("us")})))
    'list of {id: text, at: time}'
    """
    if isinstance(kind, pl.List):
        return f"list of {dtype(kind.inner)}"
    if isinstance(kind, pl.Struct):
        return "{" + ", ".join(f"{f.name}: {dtype(f.dtype)}" for f in kind.fields) + "}"
    name = str(kind).partition("(")[0]
    return DTYPES.get(name, name.lower())


def limits_in_force(stages: list[Stage], limits: Limits, file: Path) -> list[dict[str, Any]]:
    """Every limit with its default, its value now, who set it, and what it means."""
    return [
        _limit(stage, name, limits, file)
        for stage in stages
        if stage.limits
        for name in stage.limits.model_fields
    ]


def _limit(stage: Stage, name: str, limits: Limits, file: Path) -> dict[str, Any]:
    kind = stage.limits
    assert kind  # noqa: S101 - chosen above
    field = kind.model_fields[name]
    value = getattr(kind(**limits.get(stage.name, {})), name)
    default = field.get_default(call_default_factory=True)
    return {
        "limit": f"{stage.name}.{name}",
        "default": None if default is PydanticUndefined else default,
        "value": value,
        "source": source(stage, name, value, file),
        "meaning": field.description or "",
    }
