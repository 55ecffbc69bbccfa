"""The leak scan in containers: a clean image of forge's making, and leaks planted in it."""

import uuid
from collections.abc import Iterator

import pytest
from judging import TESTS, Judge, judge_of_sums
from leaking import SITE, tarred, zipped

from forge.leaks import wanted
from forge.stages.leaks import scan_image

FIX = """def add(first, second):
    if not isinstance(first, type(second)):
        raise MismatchedSummands(f"cannot add {first!r} to what is no {type(first).__name__}")
    return sum_of_matching_summands(first, second)
"""
HIDDEN = """from sums import add, MismatchedSummands

def test_mismatched_summands_are_refused_by_name():
    with pytest.raises(MismatchedSummands, match="cannot add 1 to what is no int") as refused:
        add(1, "two hundred and twenty-two")
    assert "two hundred and twenty-two" not in str(refused.value), refused.traceback
"""
FUTURE = "fa11ba11" * 5
PLANTS = {
    "testbed/.git/refs/tags/v2.0": ("git_ref", f"{FUTURE}\n"),
    "testbed/.pytest_cache/v/cache/nodeids": (
        "cache",
        "t.py::test_mismatched_summands_are_refused_by_name",
    ),
    "root/.cache/pip/http/a": ("cache", b"\x01" + zipped({"sums.py": FIX})),
    "srv/sums-2.0.tar.gz": ("file", tarred({"sums.py": FIX}, "w:gz")),
    f"{SITE}/sums.py": ("installed_copy", FIX),
    "home/forge/test_later.py": ("file", HIDDEN),
}


@pytest.fixture(scope="module")
def judge(docker_engine, tmp_path_factory) -> Iterator[Judge]:  # noqa: ARG001 - skips without it
    with judge_of_sums(tmp_path_factory.mktemp("leaks")) as judge:
        yield judge


@pytest.fixture(scope="module")
def patches(judge) -> dict[str, str]:
    return {
        "gold_patch": judge.patch({"sums.py": FIX}),
        "test_patch": judge.patch({TESTS: HIDDEN}),
    }


@pytest.fixture
def plant(judge, docker_engine):
    """Makes an image of the task's with one more file, which is gone after the test."""
    name = f"sweforge/leaking:{uuid.uuid4().hex}"

    def planted(path: str, content: str | bytes) -> str:
        container = docker_engine.containers.create(judge.row["image"])
        try:
            container.put_archive("/", tarred({path: content}, "w"))
            container.commit(*name.split(":"))
        finally:
            container.remove()
        return name

    yield planted
    docker_engine.images.remove(name)


def test_image_of_forges_making_holds_no_leak_and_is_looked_through_whole(judge, patches):
    asked = scan_image.function(
        judge.docker, recipe=judge.project.recipe().text, shas=[FUTURE], **patches
    )
    answer = judge.runner.run(asked)
    assert (answer["image_leaks"], answer["unread"]) == ([], [])
    assert answer["scanned_files"] > 5_000
    assert answer["scanned_bytes"] > 100_000_000


@pytest.mark.parametrize("path", PLANTS)
def test_leak_planted_alone_in_an_image_is_found_with_its_path(judge, patches, plant, path):
    kind, content = PLANTS[path]
    parts = wanted(**patches, manifests=r"^$")
    asked = {"commit": judge.project.base_commit, "shas": [FUTURE], "parts": parts}
    answer = judge.runner.run(judge.docker.find_leaks(plant(path, content), asked))
    (found,) = answer["findings"]
    assert (found["kind"], found["path"].partition("!")[0]) == (kind, f"/{path}")


def test_variable_of_a_recipe_that_names_the_fix_is_a_leak(judge, patches):
    recipe = judge.project.recipe()
    named = recipe.model_copy(update={"environment": {"VERSION": f"1.0.dev1+g{FUTURE[:7]}"}})
    asked = scan_image.function(judge.docker, recipe=named.text, shas=[FUTURE], **patches)
    answer = judge.runner.run(asked)
    assert [leak["path"] for leak in answer["image_leaks"]] == ["VERSION"]
