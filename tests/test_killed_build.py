"""Builds of three pull requests, killed at ninety steps before any container, then run again."""

from collections.abc import Iterator

import pytest
from kills import PLAIN, Scene, complaints, scene

SEEDS = range(90)


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    with scene(PLAIN, tmp_path_factory.mktemp("kills")) as made:
        yield made


@pytest.mark.parametrize("seed", SEEDS)
def test_killed_build_ends_in_the_same_tables_asks_nothing_twice_and_leaves_nothing(played, seed):
    assert complaints(played, seed) == []


@pytest.mark.parametrize("kind", PLAIN.kinds)
def test_build_has_steps_of_every_kind_at_which_it_is_to_be_killed(played, kind):
    assert played.counts[kind] > 0
