from dataclasses import replace

import dataframely as dy
import pytest
import toys
from toys import Numbers, log, made, numbers, rejected, run_build, set_mood

from forge.criteria import decide
from forge.stage import Decided, stage

EFFECTS = {"double": toys.double}


@stage
def doubles(numbers: dy.LazyFrame[Numbers], *, run: object) -> Decided[toys.Doubles]:
    return run.ask(numbers, EFFECTS["double"]).pipe(decide, {})


def build_with(root, **changes):
    EFFECTS["double"] = replace(toys.double, **changes)
    return made(run_build(root, [numbers, doubles], force={"doubles"}))


@pytest.mark.parametrize("kind", ["environment", "model"])
def test_version_asks_failures_of_recipes_and_models_again_and_no_answer(tmp_path, kind):
    set_mood(tmp_path, 3, kind)
    build_with(tmp_path, version=1)
    log(tmp_path)
    build_with(tmp_path, version=2)
    assert log(tmp_path) == [3]


def test_version_does_not_ask_facts_again(tmp_path):
    set_mood(tmp_path, 3, "data")
    build_with(tmp_path, version=1)
    log(tmp_path)
    build_with(tmp_path, version=2)
    assert log(tmp_path) == []
    assert rejected(tmp_path) == [(3, "rejected", ["moody"])]


def test_since_asks_everything_again_that_an_older_version_answered(tmp_path):
    build_with(tmp_path, version=1)
    log(tmp_path)
    build_with(tmp_path, version=2, since=2)
    assert log(tmp_path) == [1, 2, 3, 4, 5]
