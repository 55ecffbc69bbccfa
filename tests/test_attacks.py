"""Every attack fools a grader that believes what it is told, and none fools ours."""

import posixpath
from collections.abc import Iterator

import pytest
from judging import (
    BASE,
    FAIL_TO_PASS,
    GOLD,
    GREEN,
    HIDDEN,
    PASS_TO_PASS,
    RED,
    TESTS,
    Judge,
    judge_of_sums,
)
from projects import git, make_project, patch_of

from forge.attacks import ATTACKS, LOAD, PRELOAD, SETTINGS, TOGETHER, Target, patches_of
from forge.forgeries import code_of

# What a naive grader must believe to fall for each.
FOOLED = {
    "nothing": set(),
    "gold": {"output", "exit_code", "result"},
    "print_and_exit": {"output", "exit_code"},
    "exit_in_conftest": {"exit_code"},
    "planted_result": {"result", "reward"},
    "edited_tests": {"output", "exit_code", "result"},
    "deleted_tests": {"exit_code"},
    "plugin_passes": {"output", "exit_code", "result"},
    "late_writer": {"result"},
    "imitated_report": {"report", "output"},
}
TOML = '[project]\nname = "sums"\n\n[tool.pytest.ini_options]\naddopts = "-p forger"\n'
INI = "[tool:pytest]\naddopts = -p forger\n"
CARRIERS = {
    "conftest.py": LOAD,
    "tests/conftest.py": LOAD,
    "tests/__init__.py": LOAD,
    "pytest.ini": SETTINGS,
    ".pytest.ini": SETTINGS,
    "tests/setup.cfg": INI,
    "tox.ini": SETTINGS,
    "pyproject.toml": TOML,
    "sitecustomize.py": PRELOAD,
    "sitecustomize/__init__.py": PRELOAD.replace("PLUGINS", "ADDOPTS").replace(
        '"forger"', '"-p forger"'
    ),
    "pytest.py": PRELOAD + LOAD,
    "_pytest/__init__.py": LOAD,
    "forger.egg-info/entry_points.txt": "[pytest11]\nforger = forger\n",
    "forger.EGG-INFO/entry_points.txt": "[pytest11]\nforger = forger\n",
    "setup.cfg": f"[metadata]\nname = sums\n{INI}",
}
INFO = "Metadata-Version: 2.1\nName: forger\nVersion: 1\n"
IDS = FAIL_TO_PASS + PASS_TO_PASS


@pytest.fixture(scope="module")
def judge(docker_engine, tmp_path_factory) -> Iterator[Judge]:  # noqa: ARG001 - skips without it
    with judge_of_sums(tmp_path_factory.mktemp("attacks")) as judge:
        yield judge


@pytest.mark.parametrize("attack", ATTACKS)
def test_naive_grader_falls_for_each_attack_in_its_own_way(judge, attack):
    assert judge.believed(judge.attack(attack)) == FOOLED[attack]


def test_every_attack_is_tried_alone_or_with_others_once():
    assert sorted(name for together in TOGETHER for name in together) == sorted(ATTACKS)
    assert list(FOOLED) == list(ATTACKS)


@pytest.mark.parametrize("attacks", [*TOGETHER[3:], ("exit_in_conftest",)])
def test_conftest_that_the_base_has_is_edited_rather_than_left_alone(attacks, tmp_path):
    project = make_project(tmp_path, {**BASE, "conftest.py": "import os\n"})
    target = Target("", patch_of(project, {TESTS: HIDDEN}), FAIL_TO_PASS, PASS_TO_PASS)
    (tmp_path / "patch").write_text(patches_of(attacks, target)[1])
    git(project.folder, "apply", str(tmp_path / "patch"))
    assert (project.folder / "conftest.py").read_text() == LOAD


def test_no_attack_of_a_patch_is_hidden_by_another_that_leaves():
    leaving = {"print_and_exit", "exit_in_conftest"}
    for together in TOGETHER:
        left = code_of(together, IDS).split("\nos._exit(0)\n")[1:]
        assert left in ([], [""]), together
        assert not left or not {"edited_tests", "plugin_passes"} & {*together}, together
        assert len(leaving & {*together}) == len(left)


@pytest.mark.parametrize("together", TOGETHER[2:])
def test_naive_grader_falls_for_a_patch_in_each_way_of_its_attacks(judge, together):
    fooled = set().union(*(FOOLED[attack] for attack in together))
    assert judge.believed(judge.attack(*together)) >= fooled


@pytest.mark.parametrize("carrier", CARRIERS)
def test_naive_grader_lets_each_carrier_load_its_code(judge, carrier):
    planted = {"forger.py": code_of(["exit_in_conftest"], IDS), carrier: CARRIERS[carrier]}
    if carrier.endswith("entry_points.txt"):
        planted |= {f"{posixpath.dirname(carrier)}/PKG-INFO": INFO}
    assert judge.believed(planted) == {"exit_code"}


def test_grader_lets_no_carrier_load_anything(judge):
    package = {f"forger.{ending}/PKG-INFO": INFO for ending in ("egg-info", "EGG-INFO")}
    report = judge.grade({"forger.py": code_of(["exit_in_conftest"], IDS), **CARRIERS, **package})
    assert (report.is_applied, report.statuses) == (True, RED)


@pytest.mark.parametrize("attacks", [*((name,) for name in ATTACKS[2:]), *TOGETHER[2:]])
def test_under_the_grader_each_attack_is_as_if_nothing_had_been_done(judge, attacks):
    report = judge.grade(judge.attack(*attacks))
    assert (report.is_applied, report.is_resolved, report.statuses) == (True, False, RED)


def test_gold_patch_passes_with_the_settings_and_plugins_that_it_brings(judge):
    brought = {"tox.ini": "[testenv]\ncommands = pytest\n", "setup.cfg": "[metadata]\nname = s\n"}
    assert judge.grade({**GOLD, **brought}).statuses == GREEN
