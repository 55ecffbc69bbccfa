"""Reads one hour in one way, and prints as JSON what it took: a process of `hours.py`.

Seconds are the processor's own, of all threads, so that neighbours on the machine count less.

Run `python -m benchmarks.readers NAME FILE`.
"""

import gzip
import json
import sys
import tempfile
import time
import zlib
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

HOUR = datetime(2026, 3, 11, 14)
LINE_BYTES = 64 * 2**20
# The fastest of 16 kB to 256 kB; 256 kB take twice as long.
PIECE_BYTES = 2**16
BEGINNING = 2**17

SELECTED = {
    "event_id": "id",
    "created_at": "created_at",
    "action": "payload.action",
    "repository_id": "repo.id",
    "repo": "repo.name",
    "number": "payload.pull_request.number",
    "pull_request_id": "payload.pull_request.id",
    "actor": "actor.login",
    "author": "payload.pull_request.user.login",
    "author_type": "payload.pull_request.user.type",
    "merger": "payload.pull_request.merged_by.login",
    "title": "payload.pull_request.title",
    "body": "payload.pull_request.body",
    "labels": "payload.pull_request.labels",
    "is_draft": "payload.pull_request.draft",
    "is_merged": "payload.pull_request.merged",
    "opened_at": "payload.pull_request.created_at",
    "merged_at": "payload.pull_request.merged_at",
    "merge_commit": "payload.pull_request.merge_commit_sha",
    "head_sha": "payload.pull_request.head.sha",
    "head_ref": "payload.pull_request.head.ref",
    "head_repository_id": "payload.pull_request.head.repo.id",
    "base_ref": "payload.pull_request.base.ref",
    "base_sha": "payload.pull_request.base.sha",
    "commits": "payload.pull_request.commits",
    "additions": "payload.pull_request.additions",
    "deletions": "payload.pull_request.deletions",
    "changed_files": "payload.pull_request.changed_files",
}
"""What DuckDB selects: the columns of `forge.events.Events`, where the hour has them."""

TYPED = {
    "id": "VARCHAR",
    "type": "VARCHAR",
    "created_at": "TIMESTAMP",
    "actor": "STRUCT(login VARCHAR)",
    "repo": "STRUCT(id BIGINT, name VARCHAR)",
    "payload": """STRUCT(action VARCHAR, pull_request STRUCT(
        number BIGINT, id BIGINT, "user" STRUCT(login VARCHAR, type VARCHAR),
        merged_by STRUCT(login VARCHAR), title VARCHAR, body VARCHAR,
        labels STRUCT(name VARCHAR)[], draft BOOLEAN, merged BOOLEAN, created_at TIMESTAMP,
        merged_at TIMESTAMP, merge_commit_sha VARCHAR,
        head STRUCT(sha VARCHAR, ref VARCHAR, repo STRUCT(id BIGINT)),
        base STRUCT(sha VARCHAR, ref VARCHAR),
        commits BIGINT, additions BIGINT, deletions BIGINT, changed_files BIGINT))""",
}
"""The same, told beforehand: nothing is left to be detected."""

Facts = dict[str, Any]


def decompressed(path: Path, _: Path) -> Callable[[], Facts]:
    """ISA-L as its package offers it: the whole hour in one call."""
    from isal import igzip

    return lambda: {"raw": len(igzip.decompress(path.read_bytes()))}


def decompressed_in_pieces(path: Path, _: Path) -> Callable[[], Facts]:
    """ISA-L in the fastest loop found: what it puts out never leaves the processor's cache."""
    from isal import isal_zlib

    def read() -> Facts:
        member, size = isal_zlib.decompressobj(wbits=31), 0
        with path.open("rb") as file:
            while piece := file.read(PIECE_BYTES):
                while piece:
                    size += len(member.decompress(piece))
                    piece = member.unused_data
                    if member.eof:
                        member = isal_zlib.decompressobj(wbits=31)
        return {"raw": size}

    return read


def forge(path: Path, out: Path, *, more: Sequence[str] = ()) -> Callable[[], Facts]:
    """What a build of `hours` does with the file."""
    from forge.dumps import read_dump

    def read() -> Facts:
        counts = read_dump(path, hour=HOUR, events=out, types=("PullRequestEvent", *more))
        facts = {"rows": counts.pull_request_events, "merges": counts.merges}
        return facts | {"bad lines": counts.bad_lines, "damage": counts.damage}

    return read


def forge_issues(path: Path, out: Path) -> Callable[[], Facts]:
    """The same with issues and their texts."""
    return forge(path, out, more=["IssuesEvent"])


def duckdb_auto(path: Path, out: Path) -> Callable[[], Facts]:
    """DuckDB's `read_json_auto`, which finds out the fields for itself."""
    return _duckdb(path, out, {})


def duckdb_typed(path: Path, out: Path) -> Callable[[], Facts]:
    """DuckDB's `read_json_auto` with the fields told."""
    return _duckdb(path, out, {"columns": TYPED})


READERS: dict[str, Callable[[Path, Path], Callable[[], Facts]]] = {
    "ISA-L": decompressed,
    "ISA-L, pieces": decompressed_in_pieces,
    "forge": forge,
    "forge, issues": forge_issues,
    "DuckDB": duckdb_auto,
    "DuckDB, typed": duckdb_typed,
}


def _duckdb(path: Path, out: Path, options: dict[str, Any]) -> Callable[[], Facts]:
    import duckdb

    duck = duckdb.connect(config={"threads": 1})
    source = (
        "read_json_auto($path, format='newline_delimited', ignore_errors=true,"
        " maximum_object_size=$most{columns})"
    )
    told = ", columns=" + _struct(options["columns"]) if options else ""

    def read() -> Facts:
        values = {"path": str(path), "most": LINE_BYTES}
        hour = duck.sql("from " + source.format(columns=told), params=values)
        kinds = dict(zip(hour.columns, hour.types, strict=True))
        chosen = [f"{_field(kinds, place)} as {name}" for name, place in SELECTED.items()]
        pulls = hour.filter("type = 'PullRequestEvent'").select(*_expressions(chosen))
        pulls.write_parquet(str(out), compression="zstd")
        return _counted(duck, out)

    return read


def _expressions(chosen: list[str]) -> list[Any]:
    import duckdb

    return [duckdb.SQLExpression(each) for each in chosen]


def _struct(columns: dict[str, str]) -> str:
    return "{" + ", ".join(f"'{name}': '{kind}'" for name, kind in columns.items()) + "}"


def _field(kinds: dict[str, Any], place: str) -> str:
    # A field that no sampled line has cannot be named in SQL.
    for step in place.split("."):
        if step not in kinds:
            return "null"
        kind = kinds[step]
        kinds = dict(kind.children) if kind.id == "struct" else {}
    return ".".join(f'"{step}"' for step in place.split("."))


def _counted(duck: Any, out: Path) -> Facts:
    merged = "action = 'merged' or (action = 'closed' and coalesce(is_merged::bool, false))"
    query = f"select count(*), count(*) filter ({merged}) from read_parquet($out)"  # noqa: S608
    rows, merges = duck.execute(query, {"out": str(out)}).fetchone()
    return {"rows": rows, "merges": merges}


def beginning(path: Path, small: Path) -> Path:
    """The first lines of an hour as an hour of its own."""
    with path.open("rb") as file:
        lines = zlib.decompressobj(wbits=31).decompress(file.read(BEGINNING))
    small.write_bytes(gzip.compress(lines[: lines.rfind(b"\n") + 1], 6))
    return small


def peak() -> int:
    """The most memory this process ever held, in bytes; the kernel's figure starts anew at exec."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.partition("VmHWM:")[2].split()[0]) * 1024


def main(name: str, path: Path) -> None:
    """Read once, and say what came of it."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "events"
        # A process of a build reads many hours: what it does at its first is not the hour's.
        READERS[name](beginning(path, Path(folder) / "small.json.gz"), out)()
        runs = [_timed(READERS[name](path, out)) for _ in range(2)]
    took, facts = min(runs, key=lambda run: run[0])
    print(json.dumps({"seconds": took, "peak": peak(), **facts}))  # noqa: T201 - the answer


def _timed(read: Callable[[], Facts]) -> tuple[float, Facts]:
    began = time.process_time()
    facts = read()
    return time.process_time() - began, facts


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
