"""How a project's tests are listed and run: by the runner that the project itself uses."""

import shlex
from dataclasses import dataclass

from forge.recipes.facts import Facts
from forge.recipes.project import Project

PYTEST = "python -m pytest --rootdir=/testbed --continue-on-collection-errors -p no:cacheprovider"
TEST = '-o junit_family=xunit1 --maxfail=0 --junitxml="$FORGE_RESULT"'
# Verbosity is set, not lowered: the project's own -v or -q would change the shape of the list.
PROBE = """--collect-only --verbosity=-1 --disable-warnings | awk '
{ print > "/dev/stderr" }
/^[^ >].*::/ && !/^(ERROR|FAILED|E) / { print; found = 1 }
END { exit !found }'
"""


@dataclass(frozen=True)
class Running:
    """The part of a recipe that lists and runs tests."""

    probe: str
    test: str
    results: str


def running(project: Project, facts: Facts) -> Running:
    """How a project's tests are listed and run."""
    return _pytest(project, facts)


def _pytest(project: Project, facts: Facts) -> Running:
    enter = f"cd {shlex.quote(project.root)}\n" if project.root else ""
    command = enter + " ".join([PYTEST, *map(shlex.quote, facts.test_options)])
    targets = '"${@/#//testbed/}"' if project.root else '"$@"'
    return Running(f"{command} {PROBE}", f"{command} {TEST} {targets}\n", "junit")
