"""Where and with what tests run, as jobs tell it: variables, packages, folders, neighbours."""

import pytest
from workflow_files import HEAD, facts, first, place

from forge.recipes.github_actions import read_github_actions
from forge.recipes.project import Project
from forge.recipes.pyproject import read_pyproject
from forge.recipes.requirement_sets import requirement_sets
from forge.recipes.test_commands import Call, call_of


def test_variables_are_those_of_steps_that_install_or_run_the_first_tests():
    found = facts(
        {},
        ci="""
          test:
            env: {JOB: "1"}
            steps:
              - {run: make docs, env: {NO_EXTENSIONS: "1"}}
              - {run: 'echo "WRITTEN=1" >> "$GITHUB_ENV"; export GONE=1'}
              - {run: pip install -e . pytest, env: {BUILT: "1"}}
              - {run: "export SHELL_SET=1; pytest", env: {FIRST: "1"}}
              - {run: pytest -m dev, env: {PYTHONDEVMODE: "1"}}
        """,
    )
    names = {"JOB", "WRITTEN", "BUILT", "FIRST", "SHELL_SET"}
    assert place(found).environment == dict.fromkeys(names, "1")


def test_other_lists_have_the_packages_of_the_main_job_with_its_variables_or_neither():
    ci = """
      test:
        steps:
          - {run: sudo apt-get install -y openmpi-bin && pip install -e . pytest}
          - {run: pytest, env: {COMPILER: mpicc}}
    """
    files = {"pyproject.toml": '[project]\nname = "a"\n[dependency-groups]\ntest = ["pytest"]\n'}
    found = facts(files, ci=ci) | read_pyproject(Project(files))
    machines = {one.reader: one.place for one in requirement_sets(found)}
    told = {n: (dict(p.environment), p.system_packages) for n, p in machines.items()}
    both = ({"COMPILER": "mpicc"}, ("openmpi-bin",))
    assert told == {
        "github_actions: test job test": both,
        "pyproject: group test": both,
        "everything for tests": ({}, ()),
        "pytest alone": ({}, ()),
    }


def test_later_install_overrules_an_earlier_one_that_it_contradicts():
    found = facts(
        {"dev.txt": "numpy>=2\ndjango==4.2\nattrs==20.1\nsix\n"},
        ci="""
          test:
            steps:
              - {run: pip install -r dev.txt pytest}
              - {run: "pip install 'numpy<2' 'attrs>=19' six; pip install django==5.2 pytest"}
              - {run: pytest}
        """,
    )
    assert set(first(found)) == {
        "attrs==20.1", "pytest", "numpy<2", "attrs>=19", "six", "django==5.2",
    }  # fmt: skip


@pytest.mark.parametrize(
    "job",
    [
        """
          test:
            steps:
              - {run: pip install -r requirements.txt, working-directory: backend}
              - {run: python manage.py test, working-directory: ./backend}
        """,
        """
          test:
            defaults: {run: {working-directory: backend}}
            steps: [{run: pip install -r requirements.txt && python manage.py test}]
        """,
        """
          test:
            steps:
              - {run: pip install -r backend/requirements.txt && tox}
        """,
        """
          test:
            steps:
              - {run: "cd docs; pip install -r ../backend/requirements.txt"}
              - {run: cd "$GITHUB_WORKSPACE/backend" && python manage.py test}
        """,
    ],
)
def test_commands_are_read_and_run_in_the_folder_where_they_start(job):
    manage = "execute_from_command_line(sys.argv)\n"
    tox = "[testenv]\nchangedir = {toxinidir}/backend\ncommands = python manage.py test\n"
    files = {"backend/requirements.txt": "Django\n", "backend/manage.py": manage, "tox.ini": tox}
    found = facts(files, ci=job)
    assert first(found) == ("Django",)
    call = call_of(Project({"backend/manage.py": manage}), found)
    assert call == Call("script", ("manage.py", "test"), "backend")


def test_job_in_the_folder_of_the_project_outranks_those_of_its_neighbours():
    job = "  {0}: {{steps: [{{run: pip install {0} && pytest, working-directory: {1}}}]}}\n"
    rows = "  m: {strategy: {matrix: {p: [b, a]}}, steps: [{run: 'cd p/${{ matrix.p }} && tox'}]}\n"
    files = {
        ".github/workflows/ci.yml": HEAD + job.format("x", ".") + job.format("y", "p/b") + rows,
        "p/a/tox.ini": "[testenv]\ndeps = of-a\ncommands = pytest\n",
        "p/b/tox.ini": "[testenv]\ndeps = of-b\ncommands = pytest\n",
    }
    found = read_github_actions(Project(files, "p/a"))
    assert [need.requirements for need in found.needs] == [("of-a",), ("x",), ("y",)]


def test_of_environments_in_many_folders_those_of_the_project_are_read():
    tox = """
[tox]
envlist = py312-{a,b,c}
[testenv]
changedir =
  a: p/a
  b: p/b
  c: p/c
deps =
  a: of-a
  b: of-b
  c: of-c
commands = pytest
"""
    job = "  test: {steps: [{run: 'tox -e ${{ needs.changed.outputs.names }}'}]}\n"
    project = Project({".github/workflows/ci.yml": HEAD + job, "tox.ini": tox}, "p/b")
    assert first(read_github_actions(project)) == ("of-b",)
