"""Jobs as they would run: rows of a matrix, conditions, local actions and called workflows."""

import textwrap
from time import monotonic

from workflow_files import facts, first, place

from forge.recipes.facts import Facts
from forge.recipes.requirement_sets import requirement_sets


def test_requirements_are_those_of_the_plainest_row_of_the_matrix():
    found = facts(
        {"min.txt": "attrs==1\n", "all.txt": "attrs\n"},
        ci="""
          test:
            runs-on: ${{ matrix.os }}
            strategy:
              matrix:
                os: [windows-latest, ubuntu-latest]
                python-version: ["3.11", "3.12"]
                deps: [all]
                exclude: [{os: ubuntu-latest, python-version: "3.12"}]
                include:
                  - {os: ubuntu-latest, python-version: "3.9", deps: min, name: minimal}
            steps: [{run: 'pip install pytest -r ${{ matrix.deps }}.txt && pytest'}]
        """,
    )
    assert first(found) == ("pytest", "attrs")
    assert found.pythons == ("3.11",)


def test_steps_for_other_systems_and_false_conditions_are_left_out():
    found = facts(
        {},
        ci="""
          test:
            strategy: {matrix: {extra: ["", all]}}
            steps:
              - {run: pip install pywin32, if: runner.os == 'Windows'}
              - {run: pip install numpy, if: "matrix.extra == 'all'"}
              - {run: pip install pytest mock, if: "!cancelled() && github.ref != 'x'"}
              - {run: pytest}
        """,
    )
    assert first(found) == ("pytest", "mock")


def test_variables_of_a_step_fill_the_expressions_in_its_script():
    found = facts(
        {},
        ci="""
          test:
            env: {EXTRA: docs, PIN: "9"}
            strategy: {matrix: {python: ["3.12"]}}
            steps:
              - run: pip install -e .[${{ env.EXTRA }}] pytest==${{ env.PIN }}
                env: {EXTRA: "test${{ endsWith(matrix.python, 't') && '-ft' || '' }}"}
              - {run: pytest}
        """,
    )
    assert first(found) == ("-e .[test]", "pytest==9")


def test_local_actions_and_called_workflows_are_followed_with_their_inputs():
    action = """
        inputs: {groups: {default: dev}}
        runs:
          steps: [{run: "uv sync --no-default-groups --group ${{ inputs.groups }}"}]
    """
    called = """
        on: {workflow_call: {inputs: {versions: {type: string}}}}
        jobs:
          inner:
            strategy: {matrix: {python: "${{ fromJSON(inputs.versions) }}"}}
            steps:
              - {uses: ./.github/actions/prepare, with: {groups: tests}}
              - {run: uv run --no-sync --only-group tests pytest}
    """
    found = facts(
        {
            ".github/actions/prepare/action.yml": textwrap.dedent(action),
            ".github/workflows/inner.yml": textwrap.dedent(called),
        },
        ci="""
          test:
            uses: ./.github/workflows/inner.yml
            with: {versions: '["3.11", "3.12"]'}
        """,
    )
    assert (found.needs[0].section, first(found)) == ("test job test / inner", ("group:tests",))
    assert found.pythons == ("3.11", "3.12")


def test_main_job_outranks_nightly_and_scheduled_ones():
    found = facts(
        {
            ".github/workflows/a.yml": "on: {schedule: [{cron: x}]}\njobs: {test: {steps: "
            "[{run: pip install a pytest && pytest}]}}"
        },
        b="""
          nightly: {steps: [{run: pip install b pytest && pytest}]}
          test: {steps: [{run: pip install c pytest && pytest}]}
        """,
    )
    assert [need.requirements[0] for need in found.needs] == ["c", "b", "a"]
    everything = next(s for s in requirement_sets(found) if s.reader == "everything for tests")
    assert "a" not in everything.expanded.requirements


def test_packages_of_apt_are_those_of_commands_and_of_caching_actions():
    found = facts(
        {},
        ci="""
          test:
            steps:
              - uses: awalsh128/cache-apt-pkgs-action@v1
                with: {packages: graphviz libasound2t64, version: 1.0}
              - {run: sudo apt-get install -y python3-dev libxml2-dev && pip install pytest}
              - {run: pytest}
        """,
    )
    assert place(found).system_packages == ("graphviz", "libasound2", "libxml2-dev")


def test_what_a_job_calls_is_read_where_it_stands():
    files = {
        "tox.ini": "[testenv]\ndeps =\n  pytest\n  py39: old\n  django5: Django\n"
        "setenv =\n  A = {envname}\n  B = 1\ncommands = pytest\n",
        "noxfile.py": "@nox.session(name='unit')\ndef x(session):\n"
        "  session.install('mock')\n  session.run('pytest')\n",
        "hatch.toml": '[envs.test]\ndependencies = ["h"]\n[envs.test.scripts]\nrun = "pytest"\n',
        "pixi.toml": '[feature.t.pypi-dependencies]\np = "*"\n[feature.t.dependencies]\n'
        'numpy = "*"\ncmake = "*"\ngcc = "*"\n[environments]\nt = ["t"]\n[tasks]\nrun = "pytest"\n',
        "Makefile": "PIP = pip install\ntest: deps\n\tpytest\ndeps:\n\t$(PIP) m\n",
        "ci/install.sh": "pip install s\n",
    }
    calls = {
        "tox -e py312-django5": ("pytest", "Django"),
        "nox -s unit": ("mock",),
        "hatch run test:run": ("h",),
        "pixi run -e t run": ("numpy", "cmake", "p"),
        "make test": ("m",),
        "bash ci/install.sh && pytest": ("s",),
    }
    for call, lines in calls.items():
        found = facts(files, ci=f"  test: {{steps: [{{run: '{call}'}}]}}\n")
        assert (call, first(found)) == (call, lines)
    found = facts(files, ci="  test: {steps: [{run: tox -e py312}]}\n")
    assert place(found).environment == {"B": "1"}


def test_managers_install_the_groups_that_they_install_unasked():
    files = {
        "pyproject.toml": '[tool.uv]\ndefault-groups = ["a", "b"]\n'
        "[tool.poetry.group.t.dependencies]\nx = '*'\n"
        "[tool.poetry.group.docs]\noptional = true\n"
    }
    calls = {
        "uv run --no-group b pytest": ("group:a",),
        "uv sync --all-extras --all-groups; pytest": ("group:a", "group:b", "group:*", ".[*]"),
        "poetry install; pytest": ("group:t",),
        "pipenv sync --dev; pytest": ("group:pipenv-dev",),
    }
    for call, lines in calls.items():
        found = facts(files, ci=f"  test: {{steps: [{{run: '{call}'}}]}}\n")
        assert (call, first(found)) == (call, lines)


def test_jobs_that_run_no_tests_tell_nothing():
    calls = ("pip install pytest", "tox -e lint", "test -f setup.py", "make docs", "echo pytest")
    files = {"tox.ini": "[testenv:lint]\ndeps = ruff\ncommands = ruff check\n"}
    for call in calls:
        assert (call, facts(files, ci=f"  test: {{steps: [{{run: '{call}'}}]}}\n").needs) == (
            call,
            (),
        )


def test_files_that_call_themselves_without_end_are_read_to_a_bound():
    action = "runs: {steps: [" + "{uses: ./a}," * 900 + "]}"
    again = "  t: {uses: ./.github/workflows/ci.yml, strategy: {matrix: {n: [%s]}}}\n"
    files = {
        "a/action.yml": action,
        "Makefile": "test: test\n" + "\tmake test\n" * 900,
        "ci/run.sh": "bash ci/run.sh\n" * 900,
    }
    started = monotonic()
    for job in (
        "  t: {steps: [{uses: ./a}]}\n",
        "  t: {steps: [{run: make test}, {run: bash ci/run.sh}]}\n",
        again % ", ".join(map(str, range(150))),
    ):
        assert facts(files, ci=job) == Facts()
    assert monotonic() - started < 60
