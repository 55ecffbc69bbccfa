"""Tasks as rows of somebody's file or of a table, read again and looked at column by column.

A file may come from a stranger. What of a row reaches more than a container is checked here: the
name of its image, which an engine and a registry are asked for.
"""

import glob
import hashlib
import json
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Annotated, Any, TypeVar

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


def scan_lines(file: Path, *, schema: Mapping[str, Any] | None = None) -> pl.LazyFrame:
    """The rows of a .jsonl file, under a schema or under what all its lines say together."""
    # A column may hold nothing for many rows before it says of which kind it is.
    return pl.scan_ndjson(glob.escape(str(file)), schema=schema, infer_schema_length=None)


READERS: dict[str, Callable[[Path], pl.LazyFrame]] = {
    ".parquet": partial(pl.scan_parquet, glob=False),
    ".jsonl": scan_lines,
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
LONGEST = 500
"""Characters of what is wrong with a column, which may quote it."""


def _text(told: str) -> str:
    try:
        told.encode()
    except UnicodeEncodeError:
        raise ValueError("holds a lone surrogate, which is no text") from None
    return told


Text = Annotated[str, AfterValidator(_text)]


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


Ids = Annotated[tuple[Text, ...], BeforeValidator(_listed)]


class Named(BaseModel):
    """What every row must say, whether forge or SWE-bench spells its columns."""

    model_config = ConfigDict(
        frozen=True, alias_generator=AliasGenerator(validation_alias=_aliases)
    )

    instance_id: Text = Field(min_length=1)


class Task(Named):
    """What a grade needs of a row."""

    image: Annotated[str, AfterValidator(_reference)]
    eval_script: Text = Field(min_length=1)
    log_parser: Annotated[str, AfterValidator(_parser)]
    fail_to_pass: Ids
    pass_to_pass: Ids
    patch: Text = ""
    image_digest: Annotated[str, Field(pattern=f"^{DIGEST}$")] | None = None
    platform: Text | None = None
    recipe: Annotated[Text, BeforeValidator(_object)] | None = None

    @property
    def sha(self) -> str:
        """Sha256 of all that a check of this row may depend on."""
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()


class Solved(Task):
    """A task with its gold patch, which a check needs too."""

    patch: Text = Field(min_length=1)


_Kind = TypeVar("_Kind", bound=Named)


def task_of(row: Mapping[str, Any], where: str) -> Task:
    """The task that a row holds; InputError with the place and the column that is no good."""
    return told_by(row, where, Task)


def told_by(row: Mapping[str, Any], where: str, kind: type[_Kind]) -> _Kind:
    """What a row says, as far as this kind asks; InputError as `task_of`."""
    try:
        return kind.model_validate({name: told for name, told in row.items() if told is not None})
    except ValidationError as error:
        first = error.errors()[0]
        column = _as_spelled(str(first["loc"][0]), row)
        raise InputError(
            f"{where}, column {column}: {_told(first['msg'], first['type'])}\n"
            "name a file that `forge export swebench` wrote, or mend that row"
        ) from None


def _as_spelled(column: str, row: Mapping[str, Any]) -> str:
    known = next((name for name in SPELLINGS if column in SPELLINGS[name]), column.lower())
    return next((name for name in _spellings(known) if name in row), known)


def _told(message: str, kind: str) -> str:
    words = message.removeprefix("Value error, ")
    cut = words if len(words) <= LONGEST else f"{words[:LONGEST]} …"
    return "is missing or null" if kind == "missing" else cut[0].lower() + cut[1:]


def read_tasks(file: Path) -> pl.LazyFrame:
    """The rows of a .parquet or .jsonl file that names instances."""
    reader = READERS.get(file.suffix)
    if reader is None:
        raise InputError(f"{file}: tasks are read from .parquet or .jsonl\nname such a file")
    try:
        rows = reader(file)
        columns = rows.collect_schema().names()
    except (OSError, pl.exceptions.PolarsError) as error:
        if file.suffix == ".jsonl":
            _check_lines(file)
        raise _unreadable(file, error) from None
    if "instance_id" not in columns:
        raise InputError(f"{file} has no column instance_id\nname an exported file")
    return rows


def _check_lines(file: Path) -> None:
    """InputError for the first line that is no JSON object: Polars does not say which."""
    with suppress(OSError), file.open("rb") as lines:
        for number, line in enumerate(lines, 1):
            try:
                if line.strip():
                    _object(line.decode())
            except ValueError:
                raise InputError(
                    f"{file} cannot be read: line {number} is no JSON object\nname an exported file"
                ) from None


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
