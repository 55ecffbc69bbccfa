"""Literal commands and scripts of projects in, literal commands of recipes out."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from forge.recipes.facts import Facts, Need, TestCommand
from forge.recipes.project import Project
from forge.recipes.runners import PYTEST, RECORD, called, running
from forge.recipes.test_commands import call_of

UNITTEST = "import unittest\nunittest.main('tests')\n"
DJANGO = "from django.test.utils import get_runner\nparser.add_argument('--parallel')\n"
MANAGE = "execute_from_command_line(sys.argv)\n"
SYMPY = "import sympy\nok = sympy.test(*args)\n"


def facts(*commands: str, name: str | None = None, needs: tuple[str, ...] = ()) -> Facts:
    """Facts of commands, each as `reader: words` or `reader folder: words`."""
    found = []
    for command in commands:
        reader, _, words = command.partition(": ")
        place, _, folder = reader.partition(" ")
        found.append(TestCommand(place, tuple(words.split()), folder))
    wanted = (Need("test", "tox", "tests", needs),) if needs else ()
    return Facts(name=name, test_commands=tuple(found), needs=wanted)


def words(*commands: str, files: dict[str, str] | None = None) -> tuple[str, str]:
    call = call_of(Project(files or {}), facts(*commands))
    return (call.runner, " ".join(call.words)) if call else ("", "")


@pytest.mark.parametrize(
    ("command", "runner", "called"),
    [
        ("python -m unittest", "unittest", "-m unittest"),
        ("python -Wd -m unittest -vf tests.a", "unittest", "-m unittest tests.a"),
        ("coverage run --include=a/* -m unittest", "unittest", "-m unittest"),
        ("uv run -m unittest discover -s t -v", "unittest", "-m unittest discover -s t"),
        ("{envpython} -m unittest discover {posargs}", "unittest", "-m unittest discover"),
        ("python -m unittest $TESTS", "unittest", "-m unittest"),
        ("pytest -x tests", "pytest", "-m pytest -x tests"),
        ("python -m pytest", "pytest", "-m pytest"),
        ("/opt/venv/bin/py.test", "pytest", "-m py.test"),
        ("nosetests -v tests", "nose", "-m nose tests"),
        ("python -m nose2 -s tests", "nose", "-m nose2 -s tests"),
        ("python -m doctest -v README.md", "doctest", "-m doctest README.md"),
        ("bin/test quality", "sympy", "bin/test"),
        (
            "python -m unittest discover -s {here}/a -p *_t.py",
            "unittest",
            "-m unittest discover -p *_t.py",
        ),
        ("python -m unittest discover -s {toxinidir}/a", "unittest", "-m unittest discover -s ./a"),
        (
            "python -m unittest discover -s {envsitepackagesdir}/a -v",
            "unittest",
            "-m unittest discover -s ./a",
        ),
        ("python -m django test --settings=a -v 2", "script", "-m django test --settings=a"),
        ("django-admin test --shuffle a", "script", "-m django test a"),
        ("django-admin migrate", "", ""),
        ("python setup.py test", "", ""),
        ("pip install pytest", "", ""),
        ("uv add nose2", "", ""),
        ("mypy tests/pytest", "", ""),
        ("cat tests/unittest", "", ""),
        ("tox -e py", "", ""),
        ("make test", "", ""),
        ("python -m build", "", ""),
        ("python manage.py migrate", "", ""),
        ("python missing/run_tests.py", "", ""),
    ],
)
def test_command_is_known_by_its_runner_and_kept_without_what_stops_early(command, runner, called):
    assert words(f"github_actions: {command}") == (runner, called)


@pytest.mark.parametrize(
    ("path", "text", "command", "found"),
    [
        (
            "runtests.py",
            UNITTEST,
            "python ./runtests.py -v --fast",
            ("script", "runtests.py --fast"),
        ),
        ("t/run_tests.py", UNITTEST, "python t/run_tests.py", ("script", "t/run_tests.py")),
        ("runtests.py", "import pytest\npytest.main()\n", "runtests.py", ("pytest", "-m pytest")),
        (
            "manage.py",
            MANAGE,
            "./manage.py test --parallel=4 app",
            ("script", "manage.py test app"),
        ),
        ("manage.py", MANAGE, "python manage.py check", ("", "")),
        ("manage.py", MANAGE, "python manage.py test -v 2", ("script", "manage.py test")),
        (
            "manage.py",
            MANAGE,
            "coverage run {toxinidir}/manage.py test --parallel 4 -v3 --shuffle=7 --tag a",
            ("script", "manage.py test --tag a"),
        ),
        (
            "manage.py",
            MANAGE,
            "coverage run -m manage test --shuffle --noinput {{ }}",
            ("script", "-m manage test --noinput"),
        ),
        ("manage.py", MANAGE, "python -m manage check", ("", "")),
        (
            "tests/runtests.py",
            UNITTEST,
            "python -m tests.runtests -j 4 a",
            ("script", "-m tests.runtests a"),
        ),
        ("runtests.py", UNITTEST, "python {toxinidir}/runtests.py", ("script", "runtests.py")),
        ("run_tests.py", "from unittest import mock\n", "./run_tests.py", ("", "")),
    ],
)
def test_script_of_the_project_is_run_as_it_is_unless_it_calls_pytest(path, text, command, found):
    assert words(f"tox: {command}", files={path: text}) == found


@pytest.mark.parametrize(
    ("commands", "runner"),
    [
        (["github_actions: python -m doctest a.py", "github_actions: pytest"], "pytest"),
        (["github_actions: tox", "tox: python -m unittest"], "unittest"),
        (["github_actions: python -m unittest", "tox: pytest"], "unittest"),
        (["github_actions: python -m doctest a.py", "github_actions: nose2"], "nose"),
        ([], ""),
    ],
)
def test_first_place_that_names_a_runner_decides_and_pytest_comes_first_in_it(commands, runner):
    assert words(*commands)[0] == runner


def test_recipe_of_unittest_starts_the_project_own_command_under_the_record():
    found = running(Project({}), facts("github_actions a: python -m unittest discover -p t*.py"))
    command = "-m unittest discover -p 't*.py'"
    assert (found.runner, found.results) == ("unittest", "record")
    assert found.probe == f"{RECORD} list a 0 {command}\n"
    assert found.test == f'{RECORD} run a "$#" "$@" {command}\n'


def test_words_of_a_command_cannot_leave_their_place():
    hostile = TestCommand("tox", ("python", "-m", "unittest", "a;reboot", "`b`"), "a b")
    found = running(Project({}), Facts(test_commands=(hostile,)))
    assert found.probe == f"{RECORD} list 'a b' 0 -m unittest 'a;reboot' '`b`'\n"


def test_django_is_tested_by_its_own_script_in_one_process():
    files = {"tests/runtests.py": DJANGO}
    found = running(Project(files), facts("tox: python tests/runtests.py", name="Django"))
    command = "tests/runtests.py --settings=test_sqlite --parallel=1"
    assert (found.runner, found.results) == ("django", "record")
    assert found.test == f'{RECORD} run . 0 {command} "$@"\n'
    assert running(Project(files), facts(name="django-app")).runner == ""


def test_django_before_it_knew_of_processes_is_not_asked_for_one():
    script = DJANGO.partition("parser")[0]
    assert (
        "--parallel"
        not in running(Project({"tests/runtests.py": script}), facts(name="Django")).test
    )


def test_sympy_is_tested_by_its_own_script_until_its_automation_has_pytest():
    project = Project({"bin/test": SYMPY})
    found = running(project, facts("github_actions: bin/test quality"))
    assert found.runner == "sympy"
    assert found.test == f'{RECORD} run . 0 bin/test --no-subprocess --no-colors "$@"\n'
    assert running(project, facts()).runner == "sympy"
    later = facts("github_actions: bin/test quality", "github_actions: pytest -n auto")
    assert running(project, later).results == "junit"


@pytest.mark.parametrize(("needs", "runner"), [(("nose2",), "nose"), (("nose",), "")])
def test_nose_is_pytest_unless_an_heir_is_declared(needs, runner):
    found = running(Project({}), facts("github_actions: nose2 -s tests", needs=needs))
    assert found.runner == runner


@pytest.mark.parametrize(
    ("command", "options", "plugins"),
    [
        ("pytest -n auto --doctest-modules --pyargs a", "--doctest-modules", ()),
        ("pytest . --asyncio-mode=auto --cov=a", "--asyncio-mode=auto", ("pytest-asyncio",)),
        ("pytest --ds a.settings -k b", "--ds a.settings", ("pytest-django",)),
        ("pytest --ds={env:DS} tests", "", ()),
        ("pytest --ds {env:DS} tests", "", ()),
        ("pytest -p pytest_cov -p own.plugin", "-p pytest_cov -p own.plugin", ("pytest-cov",)),
        ("pytest -p no:sugar -p no:cacheprovider", "-p no:sugar", ()),
        ("pytest --import-mode=importlib -x -m fast", "--import-mode=importlib", ()),
        ("pytest -c conf/pytest.ini", "-c /testbed/conf/pytest.ini", ()),
        ("pytest -c conf/ci.ini -c missing/pytest.ini", "", ()),
    ],
)
def test_options_that_decide_how_tests_run_are_kept_with_their_plugins(command, options, plugins):
    project = Project({"conf/pytest.ini": "", "conf/ci.ini": ""})
    said = facts(f"github_actions: {command}")
    kept = running(project, said).test.removeprefix(PYTEST).partition("-o junit_family")[0]
    assert kept.strip() == options
    assert [need.requirements for need in called(project, said).needs] == [plugins] * bool(plugins)


@pytest.mark.parametrize(
    ("commands", "dropped"),
    [
        (["tox: coverage run -m twisted.trial a"], ("twisted.trial: pytest runs its tests",)),
        (["tox: nosetests a", "make: nosetests"], ("nosetests: pytest runs its tests",)),
        (["tox: pytest", "make: nosetests"], ()),
        (["tox: python -m unittest"], ()),
    ],
)
def test_runner_that_pytest_stands_for_is_told(commands, dropped):
    assert called(Project({}), facts(*commands)).dropped == dropped


def test_patterns_are_the_shells_for_doctest_alone():
    found = running(Project({}), facts("github_actions: python -m doctest docs/*.rst a;b"))
    assert found.probe == f"{RECORD} list . 0 -m doctest docs/*.rst 'a;b'\n"


def test_touched_tests_are_listed_alone_where_another_file_waits_for_ever(tmp_path):
    (tmp_path / "test_a.py").write_text("def test_x(): pass\n")
    (tmp_path / "test_wait.py").write_text("import time\ntime.sleep(600)\n")
    probe = running(Project({}), Facts(), ("gone.py", "test_a.py")).probe
    shell = probe.replace("timeout 300", "timeout 3").replace("/testbed", str(tmp_path))
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    told = subprocess.run(
        ["bash", "-c", shell],
        cwd=tmp_path,
        env={"PATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (told.stdout, told.returncode) == ("test_a.py::test_x\n", 0)
