"""Builds of three pull requests, killed at ninety steps before any container, then run again."""

from collections import Counter
from collections.abc import Iterator

import pytest
from kill_points import kind_of
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
def test_builds_were_killed_at_steps_of_every_kind(played, kind):
    kinds = Counter(map(kind_of, played.deaths))
    assert kinds[kind] >= kinds.total() // len(PLAIN.kinds)
