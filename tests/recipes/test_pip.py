"""Literal projects in, literal recipes out."""

from datetime import datetime

import pytest

from forge.effect import Failure
from forge.recipes.drafts import Wanted
from forge.recipes.pip import draft_pip
from forge.recipes.project import Project

PYTHONS = ("3.9", "3.10", "3.11", "3.12", "3.13")


def drafts(files, *, merged_at=datetime(2026, 3, 5, 12), tests=("tests/test_a.py",), image=None):
    wanted = Wanted("a/b", "c" * 40, merged_at, tests, PYTHONS, image)
    return draft_pip(Project(files), wanted)


def lines(draft):
    return draft.requirements.split()


def test_project_with_a_test_extra_gives_recipes_the_best_declared_first():
    content = """
        [build-system]
        requires = ["hatchling"]
        [project]
        name = "b"
        requires-python = ">=3.9,<3.12"
        dependencies = ["attrs"]
        [project.optional-dependencies]
        test = ["pytest", "hypothesis"]
        dev = ["ruff", "b[test]"]
        docs = ["sphinx"]
    """
    found = drafts({"pyproject.toml": content})
    assert [(d.reader, lines(d), d.recipe.system_packages) for d in found] == [
        ("pyproject: extra test", ["attrs", "hypothesis", "pytest"], ()),
        (
            "everything for tests",
            ["attrs", "hypothesis", "pytest", "ruff", "setuptools"],
            ("build-essential",),
        ),
        ("pytest alone", ["attrs", "pytest"], ()),
        ("pyproject: extra dev", ["attrs", "hypothesis", "pytest", "ruff"], ()),
    ]
    assert found[0].own_name == "b"
    assert found[0].recipe.image == "python:3.11-slim-bookworm"
    assert found[0].recipe.dependencies.startswith("uv venv --quiet --python ")
    assert '--requirements "$FORGE_LOCK"\n' in found[0].recipe.dependencies
    assert found[0].recipe.install == (
        "export UV_EXCLUDE_NEWER=2026-03-05T12:00:00Z\nuv pip install --no-deps --editable .\n"
    )
    assert found[0].recipe.test == (
        "python -m pytest --rootdir=/testbed --continue-on-collection-errors "
        '-o cache_dir="$(mktemp -d)" -p no:randomly -p no:random_order '
        "-o 'python_files=test_*.py *_test.py *_tests.py tests.py' "
        '-o junit_family=xunit1 --maxfail=0 --junitxml="$FORGE_RESULT" "$@"\n'
    )


def test_repository_that_says_nothing_gets_pytest_and_its_folder_on_the_path():
    (draft,) = drafts({})
    assert (draft.reader, lines(draft)) == ("pytest alone", ["pytest"])
    assert draft.recipe.environment == {"PYTHONPATH": "/testbed:/testbed/src"}
    assert "--editable" not in draft.recipe.install


@pytest.mark.parametrize(
    ("files", "reader", "requirements"),
    [
        (
            {"setup.cfg": "[metadata]\nname=b\n[options.extras_require]\ntesting=pytest\n"},
            "setup_cfg: extra testing",
            ["pytest"],
        ),
        (
            {"setup.py": "setup()", "requirements.txt": "attrs", "test-requirements.txt": "mock"},
            "requirements: test-requirements.txt",
            ["attrs", "mock", "pytest"],
        ),
        (
            {
                "pyproject.toml": '[project]\nname="b"\n[dependency-groups]\nt=["mock"]\n'
                'dev=[{include-group="t"},"pytest"]\n'
            },
            "pyproject: group dev",
            ["mock", "pytest"],
        ),
        (
            {
                "setup.py": "setup()",
                "tox.ini": "[testenv]\ndeps=-rdeps/t.txt\n",
                "deps/t.txt": "nose",
            },
            "tox: environment tests",
            ["nose", "pytest"],
        ),
        (
            {"pyproject.toml": 'project.name="b"\ntool.pytest.ini_options.addopts="--cov=b"\n'},
            "pytest alone",
            ["pytest", "pytest-cov"],
        ),
        (
            {
                "requirements.txt": "-e .\nattrs\n",
                "requirements_dev.txt": "-r requirements.txt\npytest",
            },
            "requirements: requirements_dev.txt",
            ["attrs", "pytest"],
        ),
    ],
)
def test_first_recipe_follows_the_best_declaration(files, reader, requirements):
    first = drafts(files)[0]
    assert (first.reader, lines(first)) == (reader, requirements)


@pytest.mark.parametrize(
    ("setuptools", "is_told_twice"), [("setuptools~=62.6", True), ("setuptools>=61", False)]
)
def test_project_that_pins_an_old_setuptools_is_installed_in_place_by_another(
    setuptools, is_told_twice
):
    content = f'[build-system]\nrequires = ["{setuptools}", "wheel"]\n[project]\nname = "b"\n'
    install = drafts({"pyproject.toml": content})[0].recipe.install
    assert ("--target /tmp/builder 'setuptools>=64' wheel" in install) is is_told_twice


@pytest.mark.parametrize(
    ("said", "merged_at", "image"),
    [
        ('requires-python = ">=3.8"', datetime(2026, 3, 5), "3.13"),
        ('requires-python = ">=3.8"', datetime(2025, 9, 7), "3.12"),  # 3.13 is eleven months old
        ('requires-python = "<3.11"', datetime(2026, 3, 5), "3.10"),
        ('requires-python = ">=3.8.1,!=3.12.*"', datetime(2023, 11, 1), "3.11"),
        ('requires-python = "nonsense"', datetime(2026, 3, 5), "3.13"),
        (
            'classifiers = ["Programming Language :: Python :: 3.13"]',
            datetime(2024, 11, 1),
            "3.13",
        ),
        (
            'requires-python = ">=3.9"\nclassifiers = ["Programming Language :: Python :: 3.13"]',
            datetime(2024, 11, 1),
            "3.12",
        ),
        ('classifiers = ["Programming Language :: Python :: 3.9"]', datetime(2026, 3, 5), "3.9"),
        ('classifiers = ["Programming Language :: Python :: 2.7"]', datetime(2026, 3, 5), "3.13"),
    ],
)
def test_python_is_the_newest_that_the_project_names_or_allows_and_that_was_out(
    said, merged_at, image
):
    content = f'[project]\nname = "b"\n{said}\n'
    found = drafts({"pyproject.toml": content}, merged_at=merged_at)
    assert found[0].recipe.image == f"python:{image}-slim-bookworm"


def test_pinned_python_wins_over_named_ones():
    files = {".python-version": "3.10.4\n", "tox.ini": "[tox]\nenvlist=py312\n"}
    assert drafts(files)[0].recipe.image == "python:3.10-slim-bookworm"


def test_project_for_another_python_has_no_recipe_and_says_why():
    content = '[project]\nname = "b"\nrequires-python = ">=3.14"\n'
    assert drafts({"pyproject.toml": content}) == Failure(
        "data", "no_python", ">=3.14 of 3.9, 3.10, 3.11, 3.12, 3.13 on 2026-03-05"
    )


def test_version_that_git_would_tell_is_called_unknown():
    content = '[build-system]\nrequires = ["setuptools", "setuptools_scm[toml]>=8"]\n'
    environment = drafts({"pyproject.toml": content})[0].recipe.environment
    assert environment == {"SETUPTOOLS_SCM_PRETEND_VERSION": "0.0.0+unknown"}


def test_version_is_the_one_that_the_project_falls_back_to():
    content = """
        build-system.requires = ["setuptools-scm"]
        tool.setuptools_scm.fallback_version = "1.2.dev0"
    """
    environment = drafts({"pyproject.toml": content})[0].recipe.environment
    assert environment == {"SETUPTOOLS_SCM_PRETEND_VERSION": "1.2.dev0"}


def test_compiled_project_is_built_with_its_locked_tools_and_again_after_every_patch():
    content = '[build-system]\nrequires = ["setuptools", "Cython>=3"]\n[project]\nname = "b"\n'
    first = drafts({"pyproject.toml": content})[0]
    assert lines(first) == ["Cython>=3", "pytest", "setuptools"]
    assert first.recipe.system_packages == ("build-essential",)
    assert first.recipe.rebuild == (
        "uv pip install --no-deps --no-build-isolation --editable . --offline\n"
    )


def test_direct_references_are_taken_from_the_index_or_left_out_and_named():
    content = """
        [project]
        name = "b"
        dependencies = ["x[y] @ git+https://example.org/x", "z @ file:///srv/z", "attrs"]
    """
    draft = drafts({"pyproject.toml": content})[0]
    assert lines(draft) == ["attrs", "pytest", "x[y]"]
    assert draft.dropped == (
        "x[y] @ git+https://example.org/x: vcs, taken from the index",
        "z @ file:///srv/z: path",
    )


def test_groups_and_extras_that_include_each_other_end():
    content = """
        [project]
        name = "b"
        [project.optional-dependencies]
        test = ["b[dev]", "pytest"]
        dev = ["b[test]", "mock"]
        [dependency-groups]
        x = [{include-group = "y"}]
        y = [{include-group = "x"}]
    """
    assert lines(drafts({"pyproject.toml": content})[0]) == ["mock", "pytest"]


def test_project_inside_a_repository_is_installed_and_tested_in_its_folder():
    files = {
        "pyproject.toml": "[tool.ruff]\n",
        "libs/a b/pyproject.toml": '[project]\nname = "b"\n',
        "libs/c/pyproject.toml": '[project]\nname = "c"\n',
    }
    recipe = drafts(files, tests=("libs/a b/tests/test_a.py",))[0].recipe
    assert recipe.install.endswith("uv pip install --no-deps --editable 'libs/a b'\n")
    assert recipe.test.startswith("cd 'libs/a b'\npython -m pytest --rootdir=/testbed ")
    assert recipe.test.endswith(' "${@/#//testbed/}"\n')


def test_project_among_the_fixtures_of_tests_is_not_the_one_that_is_built():
    files = {
        "pyproject.toml": '[project]\nname = "b"\n',
        "tests/data/pyproject.toml": '[project]\nname = "planted"\n',
    }
    assert drafts(files, tests=("tests/data/test_a.py",))[0].own_name == "b"


HOSTILE = {
    "pyproject.toml": "[" * 100_000,
    "setup.cfg": "\x00\ufffd no section\n",
    "setup.py": "(" * 100_000,
    "tox.ini": "[testenv]\ndeps = {[testenv]deps}\n",
    "noxfile.py": "def tests(session):\n    session.install(*" + "+".join(["a"] * 5_000) + ")\n",
    "requirements.txt": "-r requirements.txt\n" + "x" * 1_000_000,
    "requirements-test.txt": "$(reboot)\n`reboot`\n; reboot\n",
    ".python-version": "../../../etc/passwd",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_file_gives_the_recipe_of_a_project_without_it(name):
    assert lines(drafts({name: HOSTILE[name]})[0]) == ["pytest"]


@pytest.mark.parametrize(
    "value", ["1", "true", "[[[1]]]", "{a = {b = 1}}", "[{include-group = []}]"]
)
def test_values_of_the_wrong_type_are_passed_over(value):
    content = f"""
        build-system.requires = {value}
        project.name = {value}
        project.dependencies = {value}
        project.optional-dependencies.test = {value}
        dependency-groups.test = {value}
        tool.poetry.dependencies.attrs = {value}
        tool.hatch.envs.test = {value}
        tool.uv.dev-dependencies = {value}
        tool.pytest.ini_options.addopts = {value}
        tool.tox.env_run_base.deps = {value}
        tool.setuptools.dynamic.dependencies.file = {value}
    """
    first = drafts({"pyproject.toml": content})[0]
    assert "pytest" in lines(first)
    assert [note for note in first.dropped if "Error" in note] == []


def test_files_of_tests_are_those_that_the_project_chose():
    content = '[tool.pytest.ini_options]\npython_files = "check_*.py"\n'
    assert "python_files" not in drafts({"pyproject.toml": content})[0].recipe.test


def test_equal_recipes_appear_once():
    content = '[project]\nname = "b"\n[dependency-groups]\ntest = ["pytest"]\n'
    readers = [draft.reader for draft in drafts({"pyproject.toml": content})]
    assert readers == ["pyproject: group test", "everything for tests"]
