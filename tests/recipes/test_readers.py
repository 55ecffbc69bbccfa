"""What each reader learns from a literal file."""

import pytest

from forge.recipes.facts import Facts
from forge.recipes.nox import read_nox
from forge.recipes.poetry import read_poetry
from forge.recipes.project import Project
from forge.recipes.pyproject import read_pyproject
from forge.recipes.python_tools import read_hatch, read_pdm, read_uv
from forge.recipes.requirements_files import read_requirements
from forge.recipes.scripts import learn
from forge.recipes.tox import read_tox


def needs(facts: Facts) -> dict[str, tuple[str, ...]]:
    return {f"{n.purpose} {n.section}": n.requirements for n in facts.needs if n.requirements}


def test_pyproject_tells_metadata_extras_and_groups():
    content = """
        [build-system]
        requires = ["hatchling", "hatch-vcs"]
        [project]
        name = "Tidy.Text"
        requires-python = ">=3.9"
        classifiers = ["Programming Language :: Python :: 3.10", "Topic :: Text"]
        dependencies = ["attrs>=20"]
        [project.optional-dependencies]
        Test_More = ["pytest"]
        [dependency-groups]
        dev = [{include-group = "test"}, "ruff", 7]
        test = ["pytest>=8"]
    """
    facts = read_pyproject(Project({"pyproject.toml": content}))
    assert (facts.name, facts.is_installable, facts.python) == ("Tidy.Text", True, (">=3.9",))
    assert facts.pythons == ("3.10",)
    assert needs(facts) == {
        "run dependencies": ("attrs>=20",),
        "test extra test-more": ("pytest",),
        "test group dev": ("group:test", "ruff"),
        "test group test": ("pytest>=8",),
        "build build-system": ("hatchling", "hatch-vcs"),
    }


def test_dynamic_dependencies_are_read_from_the_files_that_pyproject_names():
    content = """
        project = {name = "a", dynamic = ["dependencies", "optional-dependencies"]}
        [tool.setuptools.dynamic]
        dependencies = {file = ["requirements.txt"]}
        optional-dependencies.test = {file = "requirements-test.txt"}
    """
    files = {
        "pyproject.toml": content,
        "requirements.txt": "attrs\n",
        "requirements-test.txt": "pytest\n",
    }
    assert needs(read_pyproject(Project(files))) == {
        "run dynamic dependencies": ("attrs",),
        "test extra test": ("pytest",),
    }


@pytest.mark.parametrize(
    "table", ["[tool.uv]\npackage = false", "[tool.poetry]\npackage-mode = false"]
)
def test_application_that_says_so_is_not_installed(table):
    content = f'[project]\nname = "a"\n{table}\n'
    assert not read_pyproject(Project({"pyproject.toml": content})).is_installable


def test_poetry_tells_groups_optional_dependencies_and_sources():
    content = """
        [tool.poetry]
        name = "a"
        [tool.poetry.dependencies]
        python = "^3.9"
        attrs = "^20.1"
        redis = {version = "*", optional = true, extras = ["hiredis"]}
        tomli = [{version = "<2", python = "<3.11"}, {version = ">=2", markers = "os_name == 'nt'"}]
        core = {git = "https://example.org/core.git"}
        [tool.poetry.extras]
        cache = ["redis"]
        [tool.poetry.group.test.dependencies]
        pytest = "~8.1"
    """
    facts = read_poetry(Project({"pyproject.toml": content}))
    assert facts.python == (">=3.9,<4",)
    assert needs(facts) == {
        "run dependencies": (
            "attrs>=20.1,<21",
            'tomli<2 ; python_version < "3.11"',
            "tomli>=2 ; os_name == 'nt'",
            "core @ git+https://example.org/core.git",
        ),
        "test extra cache": ("redis[hiredis]",),
        "test group test": ("pytest>=8.1,<8.2",),
    }


def test_development_dependencies_of_uv_and_pdm_are_needs():
    content = """
        [tool.uv]
        dev-dependencies = ["pytest"]
        [tool.pdm.dev-dependencies]
        test = ["pytest-mock"]
    """
    project = Project({"pyproject.toml": content})
    assert needs(read_uv(project)) == {"test dev-dependencies": ("pytest",)}
    assert needs(read_pdm(project)) == {"test dev-dependencies test": ("pytest-mock",)}


def test_hatch_tells_environments_features_and_pythons():
    content = """
        [tool.hatch.envs.test]
        dependencies = ["pytest"]
        features = ["fast"]
        [[tool.hatch.envs.test.matrix]]
        python = ["3.10", "3.11"]
    """
    facts = read_hatch(Project({"pyproject.toml": content}))
    assert needs(facts) == {"test environment test": ("pytest", ".[fast]")}
    assert facts.pythons == ("3.10", "3.11")


def test_requirements_files_are_named_for_what_they_serve():
    files = {
        "requirements.txt": "attrs\n",
        "requirements-dev.txt": "-r requirements.txt\nruff\n",
        "requirements/test.in": "pytest\n",
        "requirements/test.txt": "pytest==9.0\n",
        "notes.txt": "not a requirement\n",
    }
    assert needs(read_requirements(Project(files))) == {
        "run requirements.txt": ("attrs",),
        "test requirements-dev.txt": ("attrs", "ruff"),
        "test requirements/test.txt": ("pytest==9.0",),
    }


def test_requirements_txt_that_holds_pytest_is_for_development():
    assert needs(read_requirements(Project({"requirements.txt": "pytest==9.0\n"}))) == {
        "test requirements.txt for development": ("pytest==9.0",)
    }


def test_tox_ini_tells_dependencies_extras_pythons_and_variables():
    content = """
[tox]
envlist = py{39,310}-fast, lint
[base]
deps = pytest
[testenv]
deps =
    {[base]deps}
    -r{toxinidir}/requirements-test.txt
    django42: Django<5
    django52: Django<6
    py39: tomli
    unresolved-{envname}
extras = fast
dependency_groups = test
setenv =
    COLOUR = never
    DATA = {toxinidir}/data
    WHERE = {envtmpdir}
    BASH_ENV = /testbed/evil.sh
    FORGE_RESULT = /tmp/planted
"""
    files = {"tox.ini": content, "requirements-test.txt": "hypothesis\n"}
    facts = read_tox(Project(files))
    assert needs(facts) == {
        "test environment tests": ("pytest", "hypothesis", "Django<6", ".[fast]", "group:test")
    }
    assert facts.pythons == ("3.9", "3.10")
    assert facts.environment == {"COLOUR": "never", "DATA": "/testbed/data"}


def test_tox_toml_is_read_like_tox_ini():
    content = """
        env_list = ["3.12", "py311"]
        [env_run_base]
        deps = ["pytest", "-r requirements.txt"]
        dependency_groups = ["test"]
        set_env.COLOUR = "never"
    """
    facts = read_tox(Project({"tox.toml": content, "requirements.txt": "attrs\n"}))
    assert needs(facts) == {"test environment tests": ("pytest", "attrs", "group:test")}
    assert (facts.pythons, facts.environment) == (("3.11", "3.12"), {"COLOUR": "never"})


@pytest.mark.parametrize(
    ("command", "called"),
    [
        ("{env:COV:} pytest {posargs}", "pytest"),
        ("{env:RUN:coverage run -m} pytest", "coverage run -m pytest"),
        ("pytest {posargs:{env:WHERE:tests}}", "pytest tests"),
        ("{posargs:pytest -x}", "pytest -x"),
        ("- pytest -x", "pytest -x"),
        ("cov: nothing\n  !cov: pytest -x", "pytest -x"),
        ("bash -ec 'pytest tests'", "pytest tests"),
        ("{envpython} -m pytest", "python -m pytest"),
    ],
)
def test_tox_runs_its_commands_as_they_are_where_nobody_sets_a_variable(command, called):
    ini = f"[tox]\nenvlist = py312\n[testenv]\ncommands =\n  {command}\n"
    assert [one.words for one in learn(Project({"tox.ini": ini}), "tox").tests] == [
        tuple(called.split())
    ]


def test_tox_toml_takes_what_it_refers_to():
    content = """
        [env_run_base]
        deps = ["pytest"]
        commands = [["{env:RUN:}", "pytest", {replace = "posargs", default = ["tests"]}]]
        [env.cov]
        deps = [{replace = "ref", of = ["env_run_base", "deps"], extend = true}, "coverage"]
        commands = [{replace = "ref", of = ["env_run_base", "commands"], extend = true}]
        [env.endless]
        deps = [{replace = "ref", of = ["env", "endless", "deps"], extend = true}]
    """
    project = Project({"tox.toml": content})
    learned = learn(project, "tox -e cov")
    assert (learned.lines, learned.tests[0].words) == (("pytest", "coverage"), ("pytest",))
    assert "test environment endless" not in needs(read_tox(project))


MAKEFILE = """
.PHONY: all
all: check
test: ## run install, docs
\tpytest
check: one
check two:
\tpytest -x
one::
\tpip install a
one::
\tpip install b
install docs:
\tpip install c
"""


@pytest.mark.parametrize(
    ("call", "lines", "called"),
    [
        ("make test", (), "pytest"),
        ("make check", ("a", "b"), "pytest -x"),
        ("make -j 2 two", (), "pytest -x"),
        ("make", ("a", "b"), "pytest -x"),
        ("make -C sub V=1 test", ("d",), "pytest -s"),
        ("conda create -c conda-forge -n test six && pytest", ("six",), "pytest"),
        ("uv run --no-sync --with six pytest", ("six",), "pytest"),
        ("uv run pytest", ("group:dev",), "pytest"),
    ],
)
def test_tools_are_called_with_what_their_words_mean(call, lines, called):
    files = {"Makefile": MAKEFILE, "sub/Makefile": "test:\n\tpip install d\n\tpytest -s\n"}
    learned = learn(Project(files), call)
    assert (learned.lines, " ".join(learned.tests[0].words)) == (lines, called)


def test_tox_inside_pyproject_is_read_too():
    content = '[tool.tox]\nlegacy_tox_ini = """\n[testenv]\ndeps = pytest\n"""\n'
    facts = read_tox(Project({"pyproject.toml": content}))
    assert needs(facts) == {"test environment tests": ("pytest",)}


def test_nox_sessions_tell_what_they_install():
    content = """
EXTRA = ["coverage"]
@nox.session
def tests(session):
    session.install("-r", "requirements-test.txt", *EXTRA)
    session.install("-e", ".[fast]", "--upgrade")
    session.run("pytest")
"""
    facts = read_nox(Project({"noxfile.py": content, "requirements-test.txt": "pytest\n"}))
    assert needs(facts) == {"test session tests": ("pytest", "coverage", "-e .[fast]")}
