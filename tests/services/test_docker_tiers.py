"""Images of dependencies: shared by all that lock the same, and free of every project."""

import time
from datetime import datetime

import pytest
from projects import LOCK, Project, git, make_project

from forge.effect import Failure
from forge.leftovers import images
from forge.recipes import Recipe
from forge.services.docker import Image, Ran
from forge.services.docker_engine import BASE, CREATED
from forge.services.docker_tiers import dependencies, system_packages, tag_of, toolchain

REPO, SECRET = "corgelet/quuxling", "def trot_like_a_quuxling(): return 1\n"
RECIPE = Recipe(
    language="python",
    repo="a/b",
    base_commit="c",
    image="python:3.11-slim-bookworm",
    system_packages=("libxml2-dev",),
    lock=LOCK,
    lock_as_of="2026-03-02T00:00:00Z",
    dependencies="true",
    probe="p",
    test="t",
    results="junit",
)


@pytest.fixture(scope="module")
def project(tmp_path_factory) -> Project:
    made = make_project(tmp_path_factory.mktemp("origin"), {"quuxling.py": SECRET})
    home = made.folder.parent.parent / "corgelet"
    home.mkdir()
    (made.folder).rename(home / "quuxling")
    return Project(home / "quuxling", made.base_commit, made.git_url, REPO)


def test_neighbours_stand_on_the_same_dependencies(docker, docker_engine, project, runner, image):
    git(project.folder, "commit", "-q", "--allow-empty", "-m", "Go on")
    neighbour = project.recipe(base_commit=git(project.folder, "rev-parse", "HEAD").strip())
    found = runner.run(docker.image(neighbour))
    assert isinstance(found, Image), found
    assert (found.base, found.tag != image.tag) == (image.base, True)
    assert docker_engine.images.get(found.tag).labels[BASE] == image.base.tag
    assert b"=== dependencies" not in docker.artifacts.path(found.log).read_bytes()
    layers = [docker_engine.images.get(x.tag).attrs["RootFS"]["Layers"] for x in (found, image)]
    assert layers[0][:-1] == layers[1][:-1]


def test_dependencies_hold_neither_source_nor_name_of_the_project(docker, runner, image):
    script = """
    find / -xdev '(' -iname '*quuxling*' -o -iname '*corgelet*' ')' 2>/dev/null
    folders=(/forge /opt /home /var /etc /tmp /testbed)
    grep -rail -e quuxling -e corgelet "${folders[@]}" --exclude-dir=script 2>/dev/null
    true
    """
    kept = [runner.run(docker.run_script(tag, script)) for tag in (image.base.tag, image.tag)]
    assert all(isinstance(ran, Ran) for ran in kept)
    assert kept[0].log == b""
    assert b"/testbed/quuxling.py" in kept[1].log  # so the search finds what is there


@pytest.mark.parametrize(
    "changes",
    [
        {"image": "python:3.12-slim-bookworm"},
        {"system_packages": ("libxslt-dev",)},
        {"lock": LOCK + "attrs==25.1.0\n"},
        {"lock_as_of": "2026-03-09T00:00:00Z"},
        {"dependencies": "false"},
    ],
)
def test_whatever_decides_about_dependencies_changes_their_name(changes):
    assert dependencies(RECIPE.model_copy(update=changes)).tag != dependencies(RECIPE).tag


def test_other_locks_share_the_system_packages_of_one_image():
    other = RECIPE.model_copy(update={"lock": LOCK + "attrs==25.1.0\n", "repo": "a/other"})
    assert dependencies(other).base == dependencies(RECIPE).base == system_packages(RECIPE)
    assert system_packages(RECIPE).base == toolchain(RECIPE.image)


def test_a_recipe_without_system_packages_stands_on_its_toolchain_alone():
    bare = RECIPE.model_copy(update={"system_packages": ()})
    assert dependencies(bare).base == toolchain(RECIPE.image)


@pytest.mark.parametrize(
    "changes",
    [
        {"repo": "a/other"},
        {"base_commit": "d"},
        {"environment": {"SETUPTOOLS_SCM_PRETEND_VERSION": "1.2"}},
        {"install": "false"},
        {"rebuild": "false"},
        {"test": "false"},
    ],
)
def test_what_is_the_tasks_own_leaves_the_dependencies_their_name(changes):
    changed = RECIPE.model_copy(update=changes)
    assert dependencies(changed).tag == dependencies(RECIPE).tag
    assert tag_of(changed) != tag_of(RECIPE)


def test_dependencies_that_fail_are_a_failure_of_each_recipe_and_are_tried_once(
    docker, project, runner
):
    broken = project.recipe(dependencies="echo no such thing; date +%s%N; exit 1")
    first = runner.run(docker.image(broken))
    second = runner.run(docker.image(broken.model_copy(update={"probe": "another"})))
    assert isinstance(first, Failure)
    assert (first.kind, first.reason) == ("environment", "dependencies_failed")
    assert "no such thing" in (first.detail or "")
    assert second == first


def test_dependencies_see_no_variable_of_the_project(docker, project, runner):
    told = {"SETUPTOOLS_SCM_PRETEND_VERSION": "9.9"}
    script = 'test -z "${SETUPTOOLS_SCM_PRETEND_VERSION-}"; test ! -e /testbed/quuxling.py; pwd'
    recipe = project.recipe(environment=told, dependencies=script, lock="")
    assert isinstance(runner.run(docker.image(recipe)), Image)


def made_at(engine, tag: str) -> float:
    return datetime.fromisoformat(engine.images.get(tag).labels[CREATED]).timestamp()


def test_clean_takes_dependencies_after_the_tasks_upon_them_and_never_before(
    docker, docker_engine, project, runner
):
    image = runner.run(docker.image(project.recipe(dependencies="echo to be removed", lock="")))
    assert isinstance(image, Image), image
    all_of_us = [one.name for one in images(docker_engine, before=time.time() + 60)]
    assert all_of_us.index(image.tag) < all_of_us.index(image.base.tag)
    between = (made_at(docker_engine, image.tag) + made_at(docker_engine, image.base.tag)) / 2
    assert image.base.tag not in [one.name for one in images(docker_engine, before=between)]
