"""Candidates of a month that are triaged alone, without an archive or git."""

import os
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

import dataframely as dy
import polars as pl
from llm_server import KEY

from forge.build import Options, build
from forge.columns import dtypes
from forge.selection import Selection
from forge.services.llm_endpoint import endpoint_of
from forge.settings import Settings
from forge.stage import stage
from forge.stages.candidates import Candidates
from forge.stages.pull_requests import PullRequests
from forge.stages.triage import triage
from forge.store import Store

MONTH, NOW = "2026-03", datetime(2026, 4, 1)
FILES = [("tool.py", 3, 2), ("tests/test_tool.py", 10, 0)]


def changed_file(path: str, additions: int, deletions: int) -> dict[str, Any]:
    counts = {"additions": additions, "deletions": deletions, "is_binary": False}
    return {"path": path, "previous_path": None} | counts


def candidate(number: int, files: list[tuple[str, int, int]]) -> dict[str, Any]:
    facts = {"repo": "ann/tool", "language": "python", "merged_at": NOW, "unknown": []}
    counts = {"test_files": 1, "code_files": 1, "changed_files": len(files), "changed_lines": 9}
    return {"repository_id": 1, "number": number} | facts | counts


def pull_request(number: int, words: dict[str, Any], files: list[Any]) -> dict[str, Any]:
    facts = {"repo": "ann/tool", "enriched_by": "git", "merged_at": NOW, "linked_issues": []}
    counts = {"changed_files": len(files), "additions": 13, "deletions": 2}
    told = {"title": f"Fix case {number}", "body": "It breaks."} | words
    listed = {"files": [changed_file(*file) for file in files]}
    return {"repository_id": 1, "number": number} | facts | counts | told | listed


def judged_by(url: str, root: Path, **changed: Any) -> Settings:
    """Settings with a model at an address."""
    given = {"llm_base_url": url, "llm_model": "toy-1", "llm_api_key": KEY, "root": root}
    return Settings(**(given | changed))


def run_triage(
    settings: Settings,
    *words: dict[str, Any],
    files: list[tuple[str, int, int]] = FILES,
    difficulty: tuple[str, ...] = (),
    **options: Any,
) -> None:
    """Triage one candidate for each of these words, by the model that the settings name."""
    numbers = range(1, len(words) + 1)

    @stage
    def candidates() -> dy.LazyFrame[Candidates]:
        rows = [candidate(n, files) for n in numbers]
        return pl.LazyFrame(rows, schema=dtypes(Candidates)).pipe(Candidates.cast)

    @stage
    def pull_requests() -> dy.LazyFrame[PullRequests]:
        rows = [pull_request(n, words[n - 1], files) for n in numbers]
        return pl.LazyFrame(rows, schema=dtypes(PullRequests)).pipe(PullRequests.cast)

    endpoint = endpoint_of(settings)
    chosen = Selection(MONTH, judge=endpoint.identity if endpoint else None, difficulty=difficulty)
    # What they hold is no part of their source.
    made = Options(force=frozenset({"candidates", "pull_requests"}), **options)
    stages = [candidates, pull_requests, triage]
    list(build(stages, chosen, settings, made, now=NOW, progress=lambda *_: None))


def kept(root: Path, *columns: str) -> list[tuple[Any, ...]]:
    rows = Store(root, MONTH).scan("triage", triage.schema).sort("number")
    return rows.select(columns or "triage").collect().rows()


def rejected(root: Path) -> list[tuple[Any, ...]]:
    rows = pl.read_parquet(root / f"rejected/triage/month={MONTH}/*.parquet")
    return rows.sort("number").select("number", "fate", "reasons", "detail").rows()


def program(root: Path, url: str, count: int) -> tuple[list[str], dict[str, str]]:
    """A command that triages so many, in a process of its own, and what it needs to be told."""
    code = (
        "import sys; from pathlib import Path; import triaging\n"
        "root, url, count = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])\n"
        "triaging.run_triage(triaging.judged_by(url, root), *[{}] * count)\n"
    )
    here = Path(__file__).resolve().parent
    paths = os.pathsep.join([str(here), str(here.parent)])
    return [sys.executable, "-c", code, str(root), url, str(count)], {"PYTHONPATH": paths}
