"""Compare what forge finds of SWE-bench rows with their true lists.

Run `python -m benchmarks.gold [FILE]` with the settings of `forge build`. It exits as that does,
and with 1 where fewer rows than `--least` have the true FAIL_TO_PASS.
"""

import json
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import click
import polars as pl

from forge.build import stages
from forge.columns import PULL_REQUEST
from forge.errors import ForgeError, InputError
from forge.inside.report import original
from forge.pools import read_rows
from forge.reader import scan
from forge.rules.identity import derived_id
from forge.settings import Settings
from forge.story import STOPS, stories
from forge.truth import findings

FILE = Path("../shared/data/swebench-lite-dev.parquet")
# What keeps odd pull requests out of a training set says nothing about reproducing them.
# And a busy machine is no finding.
LIMITS = (
    *("candidates.needs_licence=false", "candidates.files=1000", "candidates.lines=100000"),
    "attempts.seconds=1800",
)
LAST = "verdicts"
PYTHON = re.compile(r"python:(\d+\.\d+)")


class Lists(NamedTuple):
    """Tests that a gold patch turns green, and tests that stay so."""

    fail_to_pass: frozenset[str]
    pass_to_pass: frozenset[str]


class Compared(NamedTuple):
    """How our lists relate to the true ones."""

    is_equal: bool
    ours: int
    gold: int
    jaccard: float


def compared(ours: Lists, gold: Lists) -> Compared:
    """Whether FAIL_TO_PASS is the same, and the Jaccard index of PASS_TO_PASS.

    A gold id equals ours if ours cut at the first blank is the same: SWE-bench cuts pytest's ids
    there. Ids without `::`, such as unittest's `test_x (mod.Case)`, and those that gold holds whole
    are compared whole. Where tests of both our lists are cut to one id, gold knows the last of them
    only, and that id counts in the list that gold has it in.

    >>> ours = Lists(frozenset({"t.py::a[x y]"}), frozenset({"t.py::b", "t.py::a[x z]"}))
    >>> compared(ours, Lists(frozenset({"t.py::a[x"}), frozenset({"t.py::b"})))
    Compared(is_equal=True, ours=1, gold=1, jaccard=1.0)
    """
    known = gold.fail_to_pass | gold.pass_to_pass
    failed, passed = ({cut(name, known) for name in names} for names in ours)
    both = failed & passed
    failed -= both - gold.fail_to_pass
    passed -= both - gold.pass_to_pass
    either = passed | gold.pass_to_pass
    jaccard = len(passed & gold.pass_to_pass) / len(either) if either else 1.0
    return Compared(failed == gold.fail_to_pass, len(failed), len(gold.fail_to_pass), jaccard)


def cut(name: str, known: Iterable[str]) -> str:
    """Our id as a gold list would spell it.

    >>> cut("t.py::a[x y]", []), cut("t.py::a[x y]", ["t.py::a[x y]"]), cut("test_x (m.C)", [])
    ('t.py::a[x', 't.py::a[x y]', 'test_x (m.C)')
    """
    return name if name in known or "::" not in name else name.partition(" ")[0]


@click.command()
@click.argument("file", default=FILE, type=click.Path(path_type=Path, dir_okay=False))
@click.option("--attempts", default=1, show_default=True, help="Attempts on each side.")
@click.option("--look", is_flag=True, help="Build nothing, compare what stands.")
@click.option("--least", default=0, help="Fail where fewer rows have the true FAIL_TO_PASS.")
def main(file: Path, *, attempts: int, look: bool, least: int) -> None:
    """Build FILE's rows without a look at their lists, and print how ours compare."""
    if not file.is_file():
        raise click.UsageError(f"{file} is not there\nname a file of SWE-bench rows")
    # What stands is compared even where the build has failed.
    code = 0 if look else subprocess.call(_build(file, attempts), stdout=sys.stderr)
    try:
        equal = _compare(file)
    except ForgeError as error:
        click.echo(str(error), err=True)
        sys.exit(error.exit_code)
    sys.exit(code or int(equal < least))


def _compare(file: Path) -> int:
    """Print how our lists compare; how many rows have the true FAIL_TO_PASS."""
    rows = list(_rows(file))
    click.echo(_markdown(rows))
    equal = sum(row["FAIL_TO_PASS"].startswith("=") for row in rows)
    click.echo(f"\n{equal} of {len(rows)} have the true FAIL_TO_PASS")
    return equal


def _build(file: Path, attempts: int) -> list[str]:
    often = [f"attempts.{name}={attempts}" for name in ("survivors", "would_be_tasks")]
    fewest = [f"verdicts.{name}={attempts}" for name in ("befores", "afters")]
    limits = [word for limit in [*LIMITS, *often, *fewest] for word in ("--limit", limit)]
    return [
        sys.executable,
        "-m",
        "forge",
        "build",
        "--rows",
        str(file),
        "--to",
        LAST,
        *limits,
    ]


def _rows(file: Path) -> Iterator[dict[str, str]]:
    settings, month = Settings(), f"pool-{file.stem}"
    found, recipes = _found(settings, month), _recipes(settings, month)
    for named, (name, gold) in zip(read_rows(file), _gold(file), strict=True):
        key = (derived_id(named.repo), named.number)
        ours = found.get(key)
        recipe = recipes.get(ours["recipe_sha"], {}) if ours else {}
        stopped = _stopped(settings, f"{named.repo}#{named.number}", month)
        yield {"row": name, **_judged(ours, gold), "stopped by": stopped, **recipe}


def _judged(ours: dict[str, Any] | None, gold: Lists) -> dict[str, str]:
    if ours is None:
        return {"FAIL_TO_PASS": f"0 of {len(gold.fail_to_pass)}", "PASS_TO_PASS": ""}
    lists = (
        [original(test["id"]) for test in ours["fail_to_pass"]],
        [original(name) for name in ours["pass_to_pass"]],
    )
    judged = compared(Lists(*map(frozenset, lists)), gold)
    sign = "=" if judged.is_equal else "≠"
    return {
        "FAIL_TO_PASS": f"{sign} {judged.ours} of {judged.gold}",
        "PASS_TO_PASS": f"{judged.jaccard:.3f}",
    }


def _gold(file: Path) -> Iterator[tuple[str, Lists]]:
    rows = pl.read_parquet(file) if file.suffix == ".parquet" else pl.read_ndjson(file)
    for row in rows.iter_rows(named=True):
        lists = (row["FAIL_TO_PASS"], row["PASS_TO_PASS"])
        names = (json.loads(tests) if isinstance(tests, str) else tests for tests in lists)
        yield row["instance_id"], Lists(*map(frozenset, names))


def _found(settings: Settings, month: str) -> dict[tuple[int, int], dict[str, Any]]:
    """What all attempts of a row say, whether or not it became a task."""
    try:
        attempts = scan("attempts", month=month, root=settings.root)
        patches = scan("patches", month=month, root=settings.root)
    except InputError:
        return {}
    recipe = attempts.group_by(PULL_REQUEST).agg(pl.col("recipe_sha").first())
    said = findings(attempts, patches).join(recipe, on=PULL_REQUEST).collect()
    return {(row["repository_id"], row["number"]): row for row in said.iter_rows(named=True)}


def _recipes(settings: Settings, month: str) -> dict[str, dict[str, str]]:
    try:
        recipes = scan("recipes", month=month, root=settings.root)
    except InputError:
        return {}
    image = pl.col("recipe").str.json_path_match("$.image")
    rows = recipes.select("recipe_sha", "reader", image=image).collect().iter_rows()
    return {sha: {"reader": reader, "python": _python(image)} for sha, reader, image in rows}


def _python(image: str) -> str:
    found = PYTHON.match(image)
    return found[1] if found else image


def _stopped(settings: Settings, name: str, month: str) -> str:
    try:
        (story,) = stories(settings, stages(), name, month)
    except InputError:
        return "nothing was built"
    if any(chapter.table == LAST and chapter.fate == "kept" for chapter in story.chapters):
        return ""
    details = [chapter.detail or "" for chapter in story.chapters if chapter.fate in STOPS]
    first = "".join(details[:1]).strip().partition("\n")[0]
    return ": ".join(filter(None, [story.end, first]))


def _markdown(rows: list[dict[str, str]]) -> str:
    names = ["row", "FAIL_TO_PASS", "PASS_TO_PASS", "stopped by", "reader", "python"]
    lines = [names, ["---"] * len(names), *([row.get(n, "") for n in names] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


if __name__ == "__main__":
    main()
