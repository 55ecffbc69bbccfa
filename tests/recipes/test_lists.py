"""Lists that other tools than pip install from: conda, pixi, Pipenv, make, the README."""

import pytest

from forge.recipes.conda import read_conda
from forge.recipes.facts import Facts
from forge.recipes.pipfile import read_pipfile
from forge.recipes.pixi import read_pixi
from forge.recipes.project import Project
from forge.recipes.targets import read_readme, read_targets
from forge.recipes.test_commands import PROGRAMS


def needs(facts: Facts) -> dict[str, tuple[str, ...]]:
    return {f"{need.reader} {need.section}": need.requirements for need in facts.needs}


def test_conda_environment_tells_what_has_wheels_and_names_what_has_none():
    content = """
        dependencies:
          - python=3.11
          - conda-forge::numpy=1.26
          - pytorch>=2
          - libgdal
          - gcc_linux-64
          - pip: [pytest, "-e ."]
    """
    facts = read_conda(Project({"environment.yml": content}))
    assert needs(facts) == {
        "conda environment.yml for development": ("numpy==1.26.*", "torch>=2", "pytest", "-e .")
    }
    assert facts.pythons == ("3.11",)
    assert facts.dropped == (
        "libgdal: conda package without a wheel",
        "gcc_linux-64: conda package without a wheel",
    )


def test_conda_file_that_is_none_tells_nothing():
    for content in ("[", "dependencies: x", "dependencies: [[1]]", "a: &a [*a]"):
        assert read_conda(Project({"environment.yml": content})).needs == ()


def test_pixi_environment_holds_its_features_and_what_pyproject_calls_so():
    content = """
        [project]
        name = "b"
        [dependency-groups]
        test = ["pytest"]
        [tool.pixi.dependencies]
        numpy = ">=1.26,<3"
        [tool.pixi.pypi-dependencies]
        b = {path = ".", editable = true, extras = ["fast"]}
        [tool.pixi.feature.test.dependencies]
        graphviz = "*"
        [tool.pixi.environments]
        test = ["test"]
    """
    facts = read_pixi(Project({"pyproject.toml": content}))
    assert needs(facts)["pixi environment test"] == ("numpy>=1.26,<3", ".[fast]", "group:test")
    assert facts.dropped == ("graphviz: conda package without a wheel",)


def test_pipfile_tells_packages_and_those_for_development():
    content = '[packages]\nattrs = ">=20"\n[dev-packages]\npytest = "*"\n'
    assert needs(read_pipfile(Project({"Pipfile": content}))) == {
        "pipfile packages": ("attrs>=20",),
        "pipfile dev-packages": ("pytest",),
    }


def test_target_that_tests_tells_what_the_targets_before_it_install():
    content = "install-dev:\n\tpip install -e '.[test]'\ntest:\n\tpython -m pytest $(ARGS)\n"
    facts = read_targets(Project({"Makefile": content}))
    assert needs(facts) == {"make target test": ("-e .[test]",)}
    assert [command.words for command in facts.test_commands] == [("python", "-m", "pytest")]


def test_makefile_without_tests_tells_nothing():
    content = "install-dev:\n\tpip install -e '.[test]'\n"
    assert read_targets(Project({"Makefile": content})) == Facts()


def test_makefile_that_calls_itself_ends():
    assert read_targets(Project({"Makefile": "test: test\n\tmake test\n"})) == Facts()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "```\n$ pip install -e .[dev]\n$ pytest\n```\n",
            {"readme commands for tests": ("-e .[dev]",)},
        ),
        ("    pip install b\n", {}),  # for users
        ("Run pytest after pip install of everything.\n", {}),
    ],
)
def test_readme_tells_commands_where_one_of_them_runs_tests(text, expected):
    assert needs(read_readme(Project({"README.md": text}))) == expected


def test_justfile_runs_the_tests_of_django_without_words_for_its_own_arguments():
    content = "test *ARGS:\n    python -m coverage run -m manage test --shuffle {{ ARGS }}\n"
    found = read_targets(Project({"justfile": content}))
    words = "python -m coverage run -m manage test --shuffle"
    assert [command.words for command in found.test_commands] == [tuple(words.split())]


@pytest.mark.parametrize(
    "command",
    [*PROGRAMS, "python -m django test", "django-admin test a", "python -m tests.runtests"],
)
def test_every_runner_that_is_known_is_known_to_run_tests(command):
    found = read_targets(Project({"Makefile": f"test:\n\t{command}\n"}))
    assert [one.words for one in found.test_commands] == [tuple(command.split())]
