"""The user's own files: pools, rows, exclusions, repositories, and recipes written by hand."""

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl

from forge.errors import InputError
from forge.selection import Exclusions, Named
from forge.texts import read_text

REPOSITORY = r"[A-Za-z0-9-]+/[A-Za-z0-9._-]+"
PULL_REQUEST = re.compile(rf"({REPOSITORY})(?:#|:pr-|/pull/)([1-9][0-9]{{0,17}})")
HOST = re.compile(r"https?://[^/\s]+/")
AUTHOR = re.compile(r"@?[A-Za-z0-9-]+(?:\[bot\])?")
INSTANCE = re.compile(r".+-([1-9][0-9]{0,17})")
NEEDED = ("instance_id", "repo")
TEXTS = (*NEEDED, "base_commit", "problem_statement", "patch", "test_patch")
COMMIT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
TEXT_TYPES = (pl.String, pl.Null)


def read_pool(file: Path) -> tuple[Named, ...]:
    """Pull requests, a line each: owner/repo#123, owner/repo:pr-123 or an address."""
    pool = tuple(_named(file, number, line) for number, line in _lines(file))
    if not pool:
        raise InputError(f"{file} names no pull request\nsay one a line: owner/repo#123")
    return pool


def _named(file: Path, number: int, line: str) -> Named:
    found = PULL_REQUEST.fullmatch(HOST.sub("", line).rstrip("/"))
    if not found:
        raise InputError(
            f"{file}:{number}: not a pull request: {line[:80]!r}\n"
            "say it as owner/repo#123, owner/repo:pr-123 or its address"
        )
    return Named(repo=found[1], number=int(found[2]))


def read_rows(file: Path) -> tuple[Named, ...]:
    """Rows in the shape of SWE-bench, from .parquet or .jsonl."""
    readers: dict[str, Callable[[Path], pl.DataFrame]] = {
        ".parquet": pl.read_parquet,
        ".jsonl": pl.read_ndjson,
    }
    if file.suffix not in readers:
        raise InputError(f"{file}: rows are read from .parquet or .jsonl\nname such a file")
    try:
        rows = readers[file.suffix](file)
    except (OSError, pl.exceptions.PolarsError) as error:
        raise InputError(f"{file} cannot be read: {error}\nname a SWE-bench file") from None
    missing = [name for name in NEEDED if name not in rows.columns]
    if missing:
        raise InputError(f"{file} has no column {', '.join(missing)}\nname a SWE-bench file")
    wrong = [name for name in TEXTS if rows.schema.get(name, pl.String()) not in TEXT_TYPES]
    if wrong:
        raise InputError(f"{file}: {', '.join(wrong)} should be text\nname a SWE-bench file")
    return tuple(_row(file, row) for row in rows.iter_rows(named=True))


def _row(file: Path, row: dict[str, Any]) -> Named:
    found = INSTANCE.fullmatch(row["instance_id"] or "")
    if not found or not re.fullmatch(REPOSITORY, row["repo"] or ""):
        named = [(row[name] or "")[:80] for name in NEEDED]
        raise InputError(
            f"{file}: no pull request in row {named[0]!r} of {named[1]!r}\n"
            "instance_id should end in its number, repo be owner/name"
        )
    return Named(
        repo=row["repo"],
        number=int(found[1]),
        base_commit=row.get("base_commit"),
        body=row.get("problem_statement"),
        **_change(file, row),
    )


def _change(file: Path, row: dict[str, Any]) -> dict[str, Any]:
    """What a row says of its change; nothing where it leaves that to be found in the history."""
    told = [row.get(name) for name in ("patch", "test_patch", "created_at")]
    if not all(told) or not COMMIT.fullmatch(row.get("base_commit") or ""):
        return {}
    patch, tests, created_at = map(str, told)
    return {
        "change": "".join(half.removesuffix("\n") + "\n" for half in (patch, tests)),
        "created_at": _moment(file, row["instance_id"], created_at),
    }


def _moment(file: Path, instance: str, words: str) -> datetime:
    try:
        moment = datetime.fromisoformat(words)
    except ValueError:
        raise InputError(
            f"{file}: no time in row {instance!r}: created_at is {words[:80]!r}\n"
            "say it as 2023-01-31T12:00:00Z"
        ) from None
    return moment.astimezone(UTC).replace(tzinfo=None) if moment.tzinfo else moment


def read_exclusions(file: Path) -> Exclusions:
    """What never to touch, a line each: owner/name, owner/name#123 or @author."""
    found: dict[str, set[str]] = {"repositories": set(), "pull_requests": set(), "authors": set()}
    for number, line in _lines(file):
        kind, name = _excluded(file, number, HOST.sub("", line).lower())
        found[kind].add(name)
    return Exclusions(**{kind: frozenset(names) for kind, names in found.items()})


def _excluded(file: Path, number: int, line: str) -> tuple[str, str]:
    if pull_request := PULL_REQUEST.fullmatch(line):
        return "pull_requests", f"{pull_request[1]}#{pull_request[2]}"
    if re.fullmatch(REPOSITORY, line):
        return "repositories", line
    if AUTHOR.fullmatch(line):
        return "authors", line.removeprefix("@")
    raise InputError(
        f"{file}:{number}: neither repository, pull request nor author: {line[:80]!r}\n"
        "say owner/name, owner/name#123 or @author"
    )


def read_repositories(file: Path) -> tuple[str, ...]:
    """Repositories, a line each: owner/name or an address."""
    return tuple(_repository(file, number, line) for number, line in _lines(file))


def _repository(file: Path, number: int, line: str) -> str:
    name = HOST.sub("", line).rstrip("/").removesuffix(".git")
    if not re.fullmatch(REPOSITORY, name):
        raise InputError(f"{file}:{number}: not a repository: {line[:80]!r}\nsay it as owner/name")
    return name


def read_hand_recipes(folder: Path) -> dict[str, str]:
    """Recipes written by hand: `<owner>__<repo>` to the text of its file."""
    return {file.stem: read_text(file) for file in sorted(folder.glob("*__*.toml"))}


def _lines(file: Path) -> Iterator[tuple[int, str]]:
    for number, line in enumerate(read_text(file).splitlines(), 1):
        content = line.partition(" #")[0].strip()
        if content and not content.startswith("#"):
            yield number, content
