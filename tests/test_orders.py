import os
import subprocess

import pytest

from forge.orders import MOST_NAMED, ways
from forge.recipes import Recipe

RECIPE = Recipe(
    language="python",
    repo="ada/sums",
    base_commit="0" * 40,
    image="debian:bookworm-slim",
    probe="true",
    test='echo "$@" >"$FORGE_RESULT"; echo "$@" >>ran; case $1 in *one) exit 3 ;; esac',
    results="junit",
)
NAMED = ["tests/test_a.py::test_one", "tests/test_a.py::test_two", "tests/test_b.py::T::test_three"]


def targets(ids, of_language=("tests/test_a.py",)):
    return [(w.side, w.attempt, w.targets) for w in ways(RECIPE, of_language, ids)]


def test_named_tests_run_reversed_and_in_two_halves_of_every_second_one():
    assert targets(NAMED) == [
        ("reversed", 1, NAMED[::-1]),
        ("parallel", 1, [NAMED[0], NAMED[2]]),
        ("parallel", 2, [NAMED[1]]),
    ]


def test_one_test_alone_has_no_other_order():
    assert targets(NAMED[:1]) == []
    assert targets(["tests/test_a.py::test_one[1]", "tests/test_a.py::test_one[2]"]) == []


def test_targets_are_reordered_where_the_runner_takes_no_names():
    ids = ["test_one (a.T)", "test_two (b.T)"]
    assert targets(ids, ["a", "b"]) == [
        ("reversed", 1, ["b", "a"]),
        ("parallel", 1, ["a"]),
        ("parallel", 2, ["b"]),
    ]
    assert targets(ids, ["a"]) == []


def test_more_names_than_a_command_line_holds_are_not_given():
    many = [f"tests/test_a.py::test_{n}" for n in range(MOST_NAMED + 1)]
    assert targets(many) == []
    assert targets(many[1:])[0] == ("reversed", 1, many[:0:-1])


@pytest.mark.parametrize(("place", "code"), [(1, 3), (2, 0)])
def test_half_runs_beside_the_other_and_its_result_and_exit_code_count(tmp_path, place, code):
    way = list(ways(RECIPE, [], NAMED))[place]
    ended = subprocess.run(
        ["bash", "-c", way.recipe.test, "test.sh", *way.targets],
        cwd=tmp_path,
        env=os.environ | {"FORGE_RESULT": str(tmp_path / "result")},
        check=False,
    )
    assert ended.returncode == code
    assert (tmp_path / "result").read_text().split() == way.targets
    assert sorted((tmp_path / "ran").read_text().split()) == sorted(NAMED)
