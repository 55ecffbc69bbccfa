"""Builds of one task, killed at ten steps of the stages that need containers, then run again."""

from collections.abc import Iterator

import docker
import pytest
from kills import CONTAINERS, Scene, complaints, scene

SEEDS = range(10)


@pytest.fixture(scope="module")
def played(
    docker_engine: docker.DockerClient, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Scene]:
    with scene(CONTAINERS, tmp_path_factory.mktemp("kills"), docker_engine) as made:
        yield made


def test_the_build_that_is_killed_ends_in_a_would_be_task(played):
    verdicts = [rows for name, rows in played.expected.tables.items() if name[:8] == "verdicts"]
    assert sum(rows.height for rows in verdicts) == 1


@pytest.mark.parametrize("seed", SEEDS)
def test_killed_build_ends_in_the_same_tables_and_leaves_no_container(played, seed):
    assert complaints(played, seed) == []
