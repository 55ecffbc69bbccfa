"""GitHub Actions: what the jobs that run tests install, on which Pythons, with which variables."""

import functools
import re
from collections.abc import Iterator
from typing import Any

import yaml

from forge.recipes.commands import commands, installed, system_packages
from forge.recipes.facts import Facts, Need
from forge.recipes.project import Project, Table, table, text
from forge.recipes.requirement_lines import included
from forge.recipes.variables import plain

WORKFLOW = re.compile(r"^\.github/workflows/[^/]+\.ya?ml$")
MOST_LETTERS = 100_000
MOST_FILES = 30
RUNS_TESTS = re.compile(
    r"\b(py\.?test|tox|nox|unittest|runtests?(\.py)?|hatch\s+(run\s+\S*)?test|make\s+(unit)?test\w*"
    r"|tests?/run\S*)\b"
)
PYTHON = re.compile(r"^3\.\d{1,2}$")
EXPRESSION = re.compile(r"\$\{\{.*?\}\}")
ELSEWHERE = re.compile(r"windows|macos", re.IGNORECASE)


def read_github_actions(project: Project) -> Facts:
    """What automation says about tests: it is what was seen to work, and so it ranks first."""
    facts = Facts()
    for path in sorted(filter(WORKFLOW.match, project.files))[:MOST_FILES]:
        workflow = _parsed(project.files[path])
        for name, job in table(workflow, "jobs").items():
            if _runs_tests(job):
                facts = facts | _of_job(project, name, table(workflow), table(job))
    return facts


class _Loader(yaml.BaseLoader):
    """Every scalar a text: 3.10 is a version and no number. Aliases unfold without end."""

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            raise yaml.YAMLError("aliases are not followed")
        return super().compose_node(parent, index)


@functools.lru_cache(maxsize=64)
def _parsed(content: str) -> Any:
    if len(content) > MOST_LETTERS:
        return None
    try:
        return yaml.load(content, Loader=_Loader)  # noqa: S506 - it makes texts only
    except (yaml.YAMLError, RecursionError, ValueError):
        return None


def _of_job(project: Project, name: str, workflow: Table, job: Table) -> Facts:
    found = [words for script in _scripts(job) for words in commands(script)]
    lines = [line for words in found for line in installed(words) if "$" not in line]
    needed = tuple(dict.fromkeys(included(lines, project.files, project.root)))
    variables = [workflow, job, *(step for step in _steps(job) if "run" in step)]
    return Facts(
        pythons=tuple(dict.fromkeys(_pythons(job))),
        needs=(Need("test", "github_actions", f"test job {name}", needed),) if needed else (),
        system_packages=tuple(p for words in found for p in system_packages(words)),
        environment=plain(
            (name, text(value))
            for place in variables
            for name, value in table(place, "env").items()
        ),
        dropped=tuple(f"service {service}: not run" for service in table(job, "services")),
    )


def _runs_tests(job: Any) -> bool:
    is_here = not ELSEWHERE.search(text(table(job).get("runs-on")))
    return is_here and bool(RUNS_TESTS.search("\n".join(_scripts(job))))


def _steps(job: Any) -> list[Table]:
    steps = job.get("steps") if isinstance(job, dict) else None
    return [table(step) for step in steps] if isinstance(steps, list) else []


def _scripts(job: Any) -> list[str]:
    return [EXPRESSION.sub("$EXPRESSION", text(step.get("run"))) for step in _steps(job)]


def _pythons(job: Table) -> Iterator[str]:
    """Versions of a job's matrix, and of the set-up steps that name one."""
    matrix = table(job, "strategy", "matrix")
    rows = matrix.get("include")
    for row in [matrix, *(rows if isinstance(rows, list) else [])]:
        for name, value in table(row).items():
            if "python" in name.lower() or name.lower() in {"py", "version"}:
                yield from _versions(value)
    for step in _steps(job):
        yield from _versions(table(step, "with").get("python-version"))


def _versions(value: Any) -> Iterator[str]:
    values = value if isinstance(value, list) else text(value).split()
    yield from (version for version in map(text, values) if PYTHON.match(version))
