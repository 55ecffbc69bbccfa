"""Tasks as rows of somebody's file or of a table, read again and looked at column by column.

A file may come from a stranger. What of a row reaches more than a container is checked here: the
name of its image, which an engine and a registry are asked for.
"""

import hashlib
import json
import re
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import polars as pl
from pydantic import (
    AfterValidator,
    AliasChoices,
    AliasGenerator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
)

from forge.errors import InputError
from forge.eval_script import LOG_PARSER

READERS: dict[str, Callable[[Path], pl.LazyFrame]] = {
    ".parquet": pl.scan_parquet,
    # A column may hold nothing for many rows before it says of which kind it is.
    ".jsonl": partial(pl.scan_ndjson, infer_schema_length=None),
}
PARSERS = (LOG_PARSER,)
ROWS_AT_ONCE = 100
HOST = r"(?:[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?|\[[0-9a-f:]+\])(?::[0-9]{1,5})?"
PART = r"[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*"
DIGEST = r"sha256:[0-9a-f]{64}"
REFERENCE = re.compile(
    rf"(?:{DIGEST}|(?:{HOST}/)?{PART}(?:/{PART})*(?::[A-Za-z0-9_][A-Za-z0-9_.-]{{0,127}})?"
    rf"(?:@{DIGEST})?)"
)
"""What names an image, in Docker's own grammar."""
SPELLINGS = {"patch": ("gold_patch", "patch")}


def _listed(told: object) -> object:
    try:
        return json.loads(told) if isinstance(told, str) else told
    except RecursionError:
        raise ValueError("nested too deep") from None


def _object(told: object) -> object:
    if not isinstance(_listed(told), dict):
        raise ValueError("is no JSON object")  # noqa: TRY004 - pydantic's way to refuse
    return told


def _reference(told: str) -> str:
    if not REFERENCE.fullmatch(told):
        raise ValueError(f"{told!r} names no image")
    return told


def _parser(told: str) -> str:
    if told not in PARSERS:
        raise ValueError(f"forge reads no logs of {told!r}, but those of {', '.join(PARSERS)}")
    return told


def _spellings(name: str) -> tuple[str, ...]:
    return SPELLINGS.get(name, (name, name.upper()))


def _aliases(name: str) -> AliasChoices:
    return AliasChoices(*_spellings(name))


Ids = Annotated[tuple[str, ...], BeforeValidator(_listed)]


class Task(BaseModel):
    """What a grade or a check needs of a row, whether forge or SWE-bench spells its columns."""

    model_config = ConfigDict(
        frozen=True, alias_generator=AliasGenerator(validation_alias=_aliases)
    )

    instance_id: str = Field(min_length=1)
    image: Annotated[str, AfterValidator(_reference)]
    eval_script: str = Field(min_length=1)
    log_parser: Annotated[str, AfterValidator(_parser)]
    fail_to_pass: Ids
    pass_to_pass: Ids
    patch: str = ""
    image_digest: Annotated[str, Field(pattern=f"^{DIGEST}$")] | None = None
    platform: str | None = None
    recipe: Annotated[str, BeforeValidator(_object)] | None = None

    @property
    def sha(self) -> str:
        """Sha256 of all that a check of this row may depend on."""
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()


def task_of(row: Mapping[str, Any], where: str) -> Task:
    """The task that a row holds; InputError with the place and the column that is no good."""
    try:
        return Task.model_validate({name: told for name, told in row.items() if told is not None})
    except ValidationError as error:
        first = error.errors()[0]
        column = _as_spelled(str(first["loc"][0]), row)
        raise InputError(
            f"{where}, column {column}: {_told(first['msg'], first['type'])}\n"
            "name a file that `forge export swebench` wrote, or mend that row"
        ) from None


def _as_spelled(column: str, row: Mapping[str, Any]) -> str:
    known = next((name for name in SPELLINGS if column in SPELLINGS[name]), column.lower())
    return next((name for name in _spellings(known) if name in row), column)


def _told(message: str, kind: str) -> str:
    words = message.removeprefix("Value error, ")
    return "is missing or null" if kind == "missing" else words[0].lower() + words[1:]


def read_tasks(file: Path) -> pl.LazyFrame:
    """The rows of a .parquet or .jsonl file that names instances."""
    reader = READERS.get(file.suffix)
    if reader is None:
        raise InputError(f"{file}: tasks are read from .parquet or .jsonl\nname such a file")
    try:
        rows = reader(file)
        columns = rows.collect_schema().names()
    except (OSError, pl.exceptions.PolarsError) as error:
        raise _unreadable(file, error) from None
    if "instance_id" not in columns:
        raise InputError(f"{file} has no column instance_id\nname an exported file")
    return rows


def rows_of(rows: pl.LazyFrame, where: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each row and its place, in order, a few at a time: a row may hold megabytes."""
    try:
        number = 0
        for batch in rows.collect_batches(chunk_size=ROWS_AT_ONCE, maintain_order=True):
            for row in batch.iter_rows(named=True):
                number += 1
                yield f"{where}, row {number}", row
    except (OSError, pl.exceptions.PolarsError) as error:
        raise _unreadable(where, error) from None


def _unreadable(where: object, error: Exception) -> InputError:
    first = str(error).splitlines()[0]
    return InputError(f"{where} cannot be read: {first}\nname an exported file")
