"""Tasks as SWE-bench rows: what `swebench` 5.x loads and runs, then forge's own columns."""

import json
import os
from pathlib import Path

import polars as pl
import polars.selectors as cs

from forge.errors import ContractError
from forge.outputs import check_output, written_to

CLASSIC = (
    *("repo", "instance_id", "base_commit", "patch", "test_patch", "problem_statement"),
    *("hints_text", "created_at", "version", "FAIL_TO_PASS", "PASS_TO_PASS"),
    "environment_setup_commit",
)
RUNNABLE = ("image", "eval_script", "log_parser", "eval_type")
RENAMED = {
    "gold_patch": "patch",
    "fail_to_pass": "FAIL_TO_PASS",
    "pass_to_pass": "PASS_TO_PASS",
}
ISO = "%Y-%m-%dT%H:%M:%SZ"
# The harness reads logs with universal newlines, and cuts them at its markers.
BREAKS_A_LINE = r"[\r\n]|>>>>>|^$"
ROWS_AT_ONCE = 100


def check(path: Path) -> None:
    """InputError where tasks cannot be written."""
    check_output(path, WRITERS, "SWE-bench rows")


def export(tasks: pl.LazyFrame, path: Path) -> int:
    """Write tasks into one file, whole or not at all, as its suffix says; how many they are."""
    check(path)
    _check_ids(tasks)
    draft = path.with_name(f".{path.name}.{os.getpid()}.draft")
    try:
        with written_to(path):
            WRITERS[path.suffix](swebench_rows(tasks), draft)
            draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
    return int(tasks.select(pl.len()).collect().item())


def swebench_rows(tasks: pl.LazyFrame) -> pl.LazyFrame:
    """One row per task: the classic columns, those of `swebench` 5.x, then the rest."""
    first = [*CLASSIC, *RUNNABLE]
    return (
        tasks.rename(RENAMED)
        .with_columns(
            _as_json_text("FAIL_TO_PASS"),
            _as_json_text("PASS_TO_PASS"),
            cs.datetime().dt.strftime(ISO),
            pl.col("hints_text").fill_null(""),  # SWE-bench's word for none
            environment_setup_commit=pl.col("base_commit"),
        )
        .select(*first, cs.exclude(*first, "unknown"))
    )


def _as_json_text(name: str) -> pl.Expr:
    # Polars writes JSON for structs only: {"ids":[…]}.
    framed = pl.struct(ids=pl.col(name)).struct.json_encode()
    return framed.str.strip_prefix('{"ids":').str.strip_suffix("}").alias(name)


def _check_ids(tasks: pl.LazyFrame) -> None:
    ids = pl.col("fail_to_pass").list.concat("pass_to_pass")
    listed = tasks.select("instance_id", id=ids).explode("id")
    broken = listed.filter(pl.col("id").str.contains(BREAKS_A_LINE)).head(1).collect()
    for instance, name in broken.rows():
        raise ContractError(
            f"{instance}: the test id {name!r} does not survive SWE-bench's log parser\n"
            "nothing was written; please report this"
        )


def _write_parquet(rows: pl.LazyFrame, path: Path) -> None:
    rows.sink_parquet(path)


def _write_jsonl(rows: pl.LazyFrame, path: Path) -> None:
    # In ASCII, because `swebench` splits at every line break of Unicode, in the locale's encoding.
    with path.open("w", encoding="ascii") as file:
        for batch in rows.collect_batches(chunk_size=ROWS_AT_ONCE):
            file.writelines(json.dumps(row) + "\n" for row in batch.iter_rows(named=True))


WRITERS = {".parquet": _write_parquet, ".jsonl": _write_jsonl}
