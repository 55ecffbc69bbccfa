"""Submodules, servers, displays and large files: what a recipe does, and what it says it lacks."""

import shutil
import subprocess
from datetime import datetime

import pytest

from forge.recipes.drafts import Wanted
from forge.recipes.facts import Facts
from forge.recipes.pip import draft_pip
from forge.recipes.project import Project
from forge.recipes.surroundings import fetching, lacking, under_display

WANTED = Wanted("a/b", "c" * 40, datetime(2026, 3, 5), ("tests/test_a.py",), ("3.11",))
JOB = """
on: push
jobs:
  test:
    services: {{cache: {{image: "redis:7"}}}}
    steps: [{{run: pip install pytest hypothesis}}, {{run: {test}}}]
"""
OPTIONS = "-c protocol.file.allow=always -c user.name=a -c user.email=a@example.org"


def first(test="pytest", **more):
    found = draft_pip(Project({".github/workflows/ci.yml": JOB.format(test=test), **more}), WANTED)
    return found[0].recipe


def test_services_of_the_job_stand_in_the_recipe_and_stop_nothing():
    assert first().surroundings == ("services: redis:7",)


def test_tests_that_automation_shows_on_a_display_run_under_xvfb():
    recipe = first(test="xvfb-run --auto-servernum pytest")
    assert {"xvfb", "xauth"} <= set(recipe.system_packages)
    assert recipe.test.startswith("xvfb-run -a bash -c 'python -m pytest ")
    assert recipe.probe.startswith("xvfb-run -a bash -c 'list_tests() {")
    assert "xvfb" not in first().test


def test_words_and_targets_survive_the_display():
    script = under_display('printf "%s|" "$@" \'a b\'\n').replace("xvfb-run -a ", "")
    ran = subprocess.run(
        ["bash", "-c", script, "bash", "x y", "z"], capture_output=True, text=True, check=True
    )
    assert ran.stdout == "x y|z|a b|"


def test_large_files_and_submodules_are_named():
    recipe = first(
        **{
            ".gitattributes": "*.bin filter=lfs diff=lfs merge=lfs -text\n*.txt text\n",
            ".gitmodules": '[submodule "v"]\n\tpath = vendor/v\n\turl = https://example.org/v\n',
        }
    )
    assert recipe.surroundings == ("services: redis:7", "submodules: vendor/v", "lfs: *.bin")
    assert "git submodule --quiet update --init --depth 1 -- vendor/v" in recipe.install


@pytest.mark.parametrize(
    ("words", "kind", "reason"),
    [
        ("E   redis.exceptions.ConnectionError: Connection refused", "policy", "needs_services"),
        ("E   OSError: git-lfs: not found", "data", "needs_lfs"),
        ("RuntimeError: Found no NVIDIA driver", "policy", "needs_gpu"),
    ],
)
def test_failure_that_shows_what_is_missing_is_named_for_it(words, kind, reason):
    named = ["services: redis:7", "lfs: *.bin", "gpu: gpu-runner"]
    failure = lacking(named, f"first\n{words}\nlast")
    assert failure is not None
    assert (failure.kind, failure.reason) == (kind, reason)
    assert failure.detail is not None
    assert f"seen: {words}" in failure.detail


def test_failure_of_another_kind_keeps_its_own_reason():
    assert lacking(["services: redis:7"], "ModuleNotFoundError: No module named 'numpy'") is None
    assert lacking([], "Connection refused") is None


def test_submodule_is_fetched_without_its_history(tmp_path):
    git = shutil.which("git")
    inner, outer = tmp_path / "inner", tmp_path / "outer"

    def run(folder, script):
        start = f'cd {folder}; git() {{ {git} {OPTIONS} "$@"; }}\n'
        subprocess.run(["bash", "-euc", start + script], check=True, capture_output=True)

    inner.mkdir()
    outer.mkdir()
    run(inner, "git init -q; echo 1 >data; git add .; git commit -qm one")
    run(outer, f"git init -q; git submodule --quiet add file://{inner} v; git commit -qm two")
    run(outer, "rm -rf v .git/modules; git config --remove-section submodule.v; git checkout -q . ")
    before = (outer / ".git/config").read_text()
    run(outer, fetching(Facts(surroundings=("submodules: v", "submodules: gone"))))
    run(outer, fetching(Facts(surroundings=("submodules: v",))))
    assert (outer / "v" / "data").read_text() == "1\n"
    assert not (outer / "v" / ".git").exists()
    assert not (outer / ".git" / "modules").exists()
    assert (outer / ".git/config").read_text() == before
