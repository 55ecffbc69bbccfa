"""A candidate's tests in the opposite order, or one half of them while the other half runs.

Neither needs a plugin in the image: the runner is given its tests by name where it takes names, as
pytest takes `file::test`, and else its targets.
"""

import posixpath
import shlex
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import polars as pl

from forge.effect import Row
from forge.eval_script import render
from forge.inside.report import original
from forge.languages import languages
from forge.recipes import Recipe

PATCH = ["test_paths", "removed_test_paths", "test_archive"]
"""What a script takes of a patch."""
SIDES = ("before", "after", "reversed", "parallel")
WAY = pl.Schema({"side": pl.Enum(SIDES), "attempt": pl.Int64(), "eval_script": pl.String()})
OTHERS = pl.List(pl.Struct(WAY))
MOST_NAMED = 2000
"""More names would make a command line of more than 200 kB."""
BESIDE = """(
set -- {others}
export FORGE_RESULT="$FORGE_RESULT.beside"
{test}
) >/dev/null 2>&1 &
(
{test}
)
ended=$?
wait
exit "$ended"
"""


class Asked(NamedTuple):
    """Tests to run in a way of their own: as an attempt of which side, and by which recipe."""

    side: str
    attempt: int
    recipe: Recipe
    targets: list[str]


def eval_scripts(seconds: int) -> pl.Expr:
    """The script of each candidate's attempts."""
    return pl.struct("recipe", *PATCH).map_batches(
        lambda rows: pl.Series([_eval_script(row, seconds) for row in rows], dtype=pl.String),
        return_dtype=pl.String,
    )


def other_scripts(seconds: int) -> pl.Expr:
    """The scripts of attempts in other ways; `ids` are an attempt's, in the order they ran in."""
    return pl.struct("recipe", "ids", *PATCH).map_batches(
        lambda rows: pl.Series([_other_scripts(row, seconds) for row in rows], dtype=OTHERS),
        return_dtype=OTHERS,
    )


def _eval_script(row: Row, seconds: int) -> str:
    recipe = Recipe.model_validate_json(row["recipe"])
    return _script(row, recipe, _targets(row, recipe), seconds)


def _other_scripts(row: Row, seconds: int) -> list[Row]:
    recipe = Recipe.model_validate_json(row["recipe"])
    found = ways(recipe, _targets(row, recipe), row["ids"])
    return [
        dict(zip(WAY, (w.side, w.attempt, _script(row, w.recipe, w.targets, seconds)), strict=True))
        for w in found
    ]


def _targets(row: Row, recipe: Recipe) -> list[str]:
    return languages()[recipe.language].targets_of(recipe.runner, row["test_paths"])


def _script(row: Row, recipe: Recipe, targets: Sequence[str], seconds: int) -> str:
    return render(
        recipe,
        test_archive=row["test_archive"],
        removed_test_paths=row["removed_test_paths"],
        targets=targets,
        seconds=seconds,
    )


def ways(recipe: Recipe, targets: Sequence[str], ids: Sequence[str]) -> Iterator[Asked]:
    """The opposite order, and each half beside the other; nothing where there is one test only."""
    pieces = names(ids) or [*targets]
    if len(pieces) < 2:
        return
    yield Asked("reversed", 1, recipe, pieces[::-1])
    for attempt, (half, others) in enumerate(_halves(pieces), 1):
        beside = BESIDE.format(others=shlex.join(others), test=recipe.test)
        yield Asked("parallel", attempt, recipe.model_copy(update={"test": beside}), half)


def names(ids: Sequence[str]) -> list[str]:
    """What a runner is given for each test, variants together; nothing where it takes no names.

    >>> names(["tests/test_a.py::T::test_b[1]", "tests/test_a.py::T::test_b[2]"])
    ['tests/test_a.py::T::test_b']
    >>> names(["test_b (tests.test_a.T)"]), names(["pkg::TestB"])
    ([], [])
    """
    found = dict.fromkeys(original(name).partition("[")[0] for name in ids)
    are_taken = all(_is_in_a_file(name) for name in found)
    return [*found] if are_taken and len(found) <= MOST_NAMED else []


def _is_in_a_file(name: str) -> bool:
    file, colons, _ = name.partition("::")
    return bool(colons and posixpath.splitext(file)[1])


def _halves(pieces: list[str]) -> Iterator[tuple[list[str], list[str]]]:
    # Every second one, so that neighbours, which have most in common, run at the same time.
    for half in (0, 1):
        yield pieces[half::2], pieces[1 - half :: 2]
