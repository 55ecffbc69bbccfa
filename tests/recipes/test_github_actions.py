"""What automation says about tests, read from literal workflows."""

import textwrap

from forge.recipes.facts import Facts
from forge.recipes.github_actions import read_github_actions
from forge.recipes.project import Project
from forge.recipes.requirement_sets import requirement_sets

TESTS = """
    env: {MODE: strict, TOKEN: "${{ secrets.TOKEN }}", FORCE_COLOR: "1"}
    jobs:
      lint:
        runs-on: ubuntu-latest
        steps: [{run: pip install ruff && ruff check}]
      tests:
        runs-on: ${{ matrix.os }}
        services: {postgres: {image: "postgres:16"}}
        strategy:
          matrix:
            python-version: [3.9, 3.10, "3.12", pypy-3.10]
            include: [{python-version: "3.13"}]
        steps:
          - uses: actions/checkout@v4
          - run: |
              sudo apt-get update
              sudo apt-get install -y libxml2-dev \\
                graphviz ${{ matrix.more }}
          - run: python -m pip install -U pip -r dev.txt -e '.[test]' ${{ matrix.deps }}
          - run: pytest --cov
            env: {ROOT: "${{ github.workspace }}/data"}
"""


def facts(**workflows: str) -> Facts:
    files = {f".github/workflows/{n}.yml": textwrap.dedent(w) for n, w in workflows.items()}
    return read_github_actions(Project({**files, "dev.txt": "hypothesis\n"}))


def test_job_that_runs_tests_tells_pythons_packages_variables_and_requirements():
    found = facts(ci=TESTS)
    assert found.pythons == ("3.9", "3.10", "3.12", "3.13")
    assert [(need.section, need.requirements) for need in found.needs] == [
        ("test job tests", ("hypothesis", "-e .[test]"))
    ]
    place = found.needs[0].place
    assert place is not None
    assert place.system_packages == ("libxml2-dev", "graphviz")
    assert place.environment == {"MODE": "strict", "ROOT": "/testbed/data"}
    assert place.surroundings == ("services: postgres:16",)


def test_pythons_are_those_of_the_rows_most_like_any_other():
    workflow = """
    on: push
    jobs:
      test:
        runs-on: ${{ matrix.os }}
        strategy:
          matrix:
            os: [ubuntu-latest]
            python-version: ["3.11", "3.12", "3.13t"]
            dependencies: [minimum, latest]
        steps:
          - run: pip install -e . pytest
          - if: matrix.dependencies == 'minimum'
            run: pip install attrs==20.1.0
          - run: pytest
    """
    found = read_github_actions(Project({".github/workflows/a.yml": workflow}))
    assert found.pythons == ("3.11", "3.12")
    assert found.needs[0].requirements == ("-e .", "pytest")


def test_jobs_on_other_systems_tell_nothing():
    windows = TESTS.replace("${{ matrix.os }}", "windows-latest")
    assert facts(ci=windows) == Facts()


def test_workflow_that_is_no_workflow_tells_nothing():
    for content in (
        "jobs: [1, 2]",
        "a: [",
        "jobs: {t: {steps: pytest}}",
        "- &a [*a, *a]",
        "[" * 9000,
    ):
        assert facts(ci=content) == Facts()


def test_workflow_that_unfolds_without_end_tells_nothing():
    steps = "a: &a {run: pytest}\nb: &b [" + "*a," * 5000 + "]\n"
    assert (
        facts(ci=steps + "jobs: {" + ",".join(f"j{n}: {{steps: *b}}" for n in range(5000)) + "}")
        == Facts()
    )


def test_installers_name_their_groups_and_extras():
    steps = "poetry install --with docs -E x; uv sync --no-dev --group t; pdm sync -G :all; pytest"
    found = facts(ci=f"jobs: {{t: {{steps: [{{run: '{steps}'}}]}}}}")
    assert [need.requirements for need in found.needs] == [
        ("group:dev", "group:docs", ".[x]", "group:t", "group:*", ".[*]")
    ]


def test_what_automation_installs_outranks_what_is_declared_elsewhere():
    declared = Facts(name="a", extras={"test": ("pytest", "attrs")}) | facts(ci=TESTS)
    assert requirement_sets(declared)[0].reader == "github_actions: test job tests"
    assert requirement_sets(declared)[0].expanded.requirements == (
        "hypothesis",
        "pytest",
        "attrs",
    )
