"""Commands that a project offers for its tests: targets of make, what the README says."""

import re

from forge.recipes.facts import Facts, Need, TestCommand
from forge.recipes.learned import Learned
from forge.recipes.project import Project
from forge.recipes.requirement_lines import included
from forge.recipes.scripts import learn

# What each tool is called with where nothing says otherwise.
CALLS = {
    "tox": "tox",
    "nox": "nox",
    "hatch": "hatch run test\nhatch run test:run",
    "pixi": "pixi run test",
}
MAKE = ("make test", "make tests", "make check", "make pytest")
PREPARE = (
    "make dev",
    "make develop",
    "make install-dev",
    "make install",
    "make setup",
    "make init",
)
README = re.compile(r"(?i)^(readme|contributing|hacking|develop\w*|testing|install)(\.\w+)?$")
# Commands stand in blocks, after a prompt or indented.
COMMAND = re.compile(
    r"(?m)^\s*(?:[$>%]\s+)?((?:pip3?|python3?|uv|poetry|pdm|tox|nox|hatch|make|just|pytest|py\.test"
    r"|conda|sudo|apt|apt-get|pipenv)\b[^\n]*)$"
)


def read_targets(project: Project) -> Facts:
    """What `make test` and what prepares it install, and what each tool runs unasked."""
    tests = _first(project, MAKE)
    before = [learn(project, call) for call in PREPARE]
    lines = [line for one in [*before, tests] for line in one.lines] if tests.tests else []
    commands = [
        command
        for reader, call in CALLS.items()
        for command in learn(project, call).commands(reader)
    ]
    commands += tests.commands("make")
    return Facts(needs=_need(project, "make", "target test", lines), test_commands=tuple(commands))


def read_readme(project: Project) -> Facts:
    """Commands for developers; a page that runs no tests is for users."""
    lines: list[str] = []
    commands: list[TestCommand] = []
    for path in sorted(path for path in project.files if README.match(path)):
        learned = learn(project, "\n".join(COMMAND.findall(project.files[path])))
        if learned.tests:
            lines += learned.lines
            commands += learned.commands("readme")
    needs = _need(project, "readme", "commands for tests", lines)
    return Facts(needs=needs, test_commands=tuple(commands))


def _first(project: Project, calls: tuple[str, ...]) -> Learned:
    return next((found for c in calls if (found := learn(project, c)).tests), Learned())


def _need(project: Project, reader: str, section: str, lines: list[str]) -> tuple[Need, ...]:
    known = [line for line in dict.fromkeys(lines) if "$" not in line and not line.startswith("<")]
    found = included(known, project.files, project.root)
    return (Need("test", reader, section, found),) if found else ()
