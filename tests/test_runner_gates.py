"""Under every runner, nothing done fails, the gold patch passes, and each attack does nothing."""

import asyncio
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import asdict

import pytest
from dockers import opened_docker
from projects import archive_of, make_project, patch_of
from runner_toys import DOCTEST, TOYS, Toy

from forge.attacks import TOGETHER, Target, patches_of
from forge.eval_script import render
from forge.grading import Report, graded
from forge.languages import languages
from forge.services.docker import Image, Ran
from forge.settings import Settings

TEETH = [
    (('as_forge 300 /forge/bin/python3 -I -S -B "$out/bin/base.py"', "true"), "edited_tests"),
    (("in found(rules['files']) + planted + list(settings):", "in []:"), "plugin_passes"),
]


class Bench:
    """A toy's exported row, and the grader."""

    def __init__(self, toy: Toy, folder, stack: ExitStack) -> None:
        self.toy = toy
        self.project = make_project(folder / "origin", toy.base)
        settings = Settings(root=folder, git_url=self.project.git_url)
        self.runner = stack.enter_context(asyncio.Runner())
        self.docker = stack.enter_context(opened_docker(settings, self.runner))
        self.recipe = self.project.recipe(install="true", lock="", **asdict(toy.running))
        image = self.runner.run(self.docker.image(self.recipe))
        assert isinstance(image, Image), image
        self.image = image.tag
        passed = dict.fromkeys(toy.pass_to_pass, "PASS")
        self.red = passed | dict.fromkeys(toy.fail_to_pass, "FAIL")
        self.green = passed | dict.fromkeys(toy.fail_to_pass, "PASS")

    def row(self) -> dict[str, object]:
        targets = languages()["python"].targets_of(self.recipe.runner, [*self.toy.hidden])
        script = render(
            self.recipe,
            test_archive=archive_of(self.toy.hidden),
            removed_test_paths=[],
            targets=targets,
            seconds=60,
        )
        return {
            "instance_id": "ada__sums-1",
            "image": self.image,
            "eval_script": script,
            "log_parser": "parse_log_gotest",
            "FAIL_TO_PASS": self.toy.fail_to_pass,
            "PASS_TO_PASS": self.toy.pass_to_pass,
        }

    def patch(self, files) -> str:
        return patch_of(self.project, files) if files else ""

    def attack(self, attacks) -> str:
        toy, hidden = self.toy, self.patch(self.toy.hidden)
        target = Target(
            self.patch(toy.gold), hidden, toy.fail_to_pass, toy.pass_to_pass, self.recipe.runner
        )
        return patches_of(attacks, target)[0]

    def grade(self, patch: str, **changes) -> Report:
        return self.runner.run(graded(self.docker, self.row() | changes, patch))


# The tests of doctest are no Python, and it has no results that a plugin could change.
PYTHON_TOYS = [name for name, toy in TOYS.items() if toy is not DOCTEST]


@pytest.fixture(scope="module", params=[*TOYS])
def bench(request, docker_engine, tmp_path_factory) -> Iterator[Bench]:  # noqa: ARG001 - skips without it
    with ExitStack() as stack:
        yield Bench(TOYS[request.param], tmp_path_factory.mktemp(request.param), stack)


def test_probe_lists_the_tests_of_the_base(bench):
    probed = bench.runner.run(bench.docker.probe(bench.recipe, bench.image))
    assert isinstance(probed, Ran)
    known = bench.toy.pass_to_pass
    assert (probed.exit_code, probed.files["listed"].decode().splitlines()) == (0, known), probed


def test_nothing_done_fails_and_gold_passes(bench):
    red, green = bench.grade(""), bench.grade(bench.patch(bench.toy.gold))
    assert (red.statuses, red.is_resolved) == (bench.red, False)
    assert (green.statuses, green.is_resolved) == (bench.green, True)


@pytest.mark.parametrize("together", TOGETHER[2:], ids="+".join)
def test_attacks_are_as_if_nothing_had_been_done(bench, together):
    report = bench.grade(bench.attack(together))
    assert (report.is_applied, report.is_resolved, report.statuses) == (True, False, bench.red)


@pytest.mark.parametrize("bench", PYTHON_TOYS, indirect=True, scope="module")
@pytest.mark.parametrize(("change", "attack"), TEETH)
def test_attack_resolves_as_soon_as_the_runner_is_not_reset(bench, change, attack):
    script = bench.row()["eval_script"]
    assert script.count(change[0]) == 1
    assert bench.grade(bench.attack([attack]), eval_script=script.replace(*change)).is_resolved
