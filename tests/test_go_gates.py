"""Under `go test`, with vendored modules: nothing done fails, gold passes, attacks do nothing."""

import asyncio
from collections.abc import Iterator
from datetime import datetime

import pytest
from dockers import opened_docker
from projects import archive_of, make_project, patch_of

from forge.attacks import TOGETHER, Target, patches_of
from forge.eval_script import render
from forge.grading import Report, graded
from forge.languages.go import GO, RUNNER
from forge.recipes.drafts import Wanted
from forge.recipes.project import Project
from forge.services.docker import Image, Ran
from forge.settings import Settings

ZERO = """package sums

import (
	"testing"

	"example.org/check"
)

func TestZero(t *testing.T) { check.Equal(t, Add(0, 0), 0) }
"""
ADD = """func TestAdd(t *testing.T) {
	t.Run("one", func(t *testing.T) { check.Equal(t, Add(1, 1), 2) })
}

"""
CHECK = """package check

import "testing"

func Equal(t *testing.T, got, want int) {
	if got != want {
		t.Error(got)
	}
}
"""
BASE = {
    "go.mod": "module example.org/sums\n\ngo 1.21\n\nrequire example.org/check v1.0.0\n",
    "vendor/modules.txt": "# example.org/check v1.0.0\n## explicit; go 1.21\nexample.org/check\n",
    "vendor/example.org/check/check.go": CHECK,
    "sums.go": "package sums\n\nfunc Add(a, b int) int { return a - b }\n",
    "sums_test.go": ZERO,
}
HIDDEN = {"sums_test.go": ZERO.replace("func TestZero", f"{ADD}func TestZero")}
GOLD = {"sums.go": "package sums\n\nfunc Add(a, b int) int { return a + b }\n"}
FAIL_TO_PASS, PASS_TO_PASS = [".::TestAdd", ".::TestAdd/one"], [".::TestZero"]
RED = dict.fromkeys(FAIL_TO_PASS, "FAIL") | dict.fromkeys(PASS_TO_PASS, "PASS")
GREEN = dict.fromkeys(FAIL_TO_PASS + PASS_TO_PASS, "PASS")
TEETH = [
    (('as_forge 300 /forge/bin/python3 -I -S -B "$out/bin/base.py"', "true"), ["edited_tests"]),
    (("in found(rules['files']) + planted + list(settings):", "in []:"), ["plugin_passes"]),
]


class Bench:
    """The toy's exported row, and the grader."""

    def __init__(self, docker, runner, project) -> None:
        self.docker, self.runner, self.project = docker, runner, project
        wanted = Wanted(project.repo, project.base_commit, datetime(2026, 3, 5), ("sums_test.go",))
        self.recipe = GO.draft(Project(BASE), wanted)[0].recipe
        image = runner.run(docker.image(self.recipe))
        assert isinstance(image, Image), image
        script = render(
            self.recipe,
            test_archive=archive_of(HIDDEN),
            removed_test_paths=[],
            targets=GO.targets(["sums_test.go"]),
            seconds=120,
        )
        self.row = {
            "instance_id": "ada__sums-1",
            "image": image.tag,
            "eval_script": script,
            "log_parser": "parse_log_gotest",
            "FAIL_TO_PASS": FAIL_TO_PASS,
            "PASS_TO_PASS": PASS_TO_PASS,
        }

    def attack(self, attacks) -> str:
        gold, hidden = patch_of(self.project, GOLD), patch_of(self.project, HIDDEN)
        target = Target(gold, hidden, FAIL_TO_PASS, PASS_TO_PASS, RUNNER.name)
        return patches_of(attacks, target)[0]

    def grade(self, patch: str, **changes) -> Report:
        return self.runner.run(graded(self.docker, self.row | changes, patch))


@pytest.fixture(scope="module")
def bench(docker_engine, tmp_path_factory) -> Iterator[Bench]:  # noqa: ARG001 - skips without it
    folder = tmp_path_factory.mktemp("go")
    project = make_project(folder / "origin", BASE)
    settings = Settings(root=folder, git_url=project.git_url)
    with asyncio.Runner() as runner, opened_docker(settings, runner) as docker:
        yield Bench(docker, runner, project)


def test_probe_lists_the_tests_of_the_base(bench):
    probed = bench.runner.run(bench.docker.probe(bench.recipe, bench.row["image"]))
    assert isinstance(probed, Ran)
    listed = probed.files["listed"].decode().splitlines()
    assert (probed.exit_code, listed) == (0, PASS_TO_PASS), probed


def test_nothing_done_fails_and_gold_passes(bench):
    red, green = bench.grade(""), bench.grade(patch_of(bench.project, GOLD))
    assert (red.statuses, red.is_resolved) == (RED, False)
    assert (green.statuses, green.is_resolved) == (GREEN, True)


@pytest.mark.parametrize("together", TOGETHER[2:], ids="+".join)
def test_attacks_are_as_if_nothing_had_been_done(bench, together):
    report = bench.grade(bench.attack(together))
    assert (report.is_applied, report.is_resolved, report.statuses) == (True, False, RED)


@pytest.mark.parametrize(("change", "attacks"), TEETH)
def test_attack_resolves_as_soon_as_tests_or_modules_are_not_put_back(bench, change, attacks):
    script = bench.row["eval_script"]
    assert script.count(change[0]) == 1
    assert bench.grade(bench.attack(attacks), eval_script=script.replace(*change)).is_resolved
