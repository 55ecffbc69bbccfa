"""Workflows of GitHub Actions: their jobs, with all that they call, for each row of the matrix."""

import functools
import itertools
import json
import posixpath
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml

from forge.recipes.expressions import UNKNOWN, Context, filled, holds
from forge.recipes.project import Project, Table, table, text

WORKFLOW = re.compile(r"^\.github/workflows/[^/]+\.ya?ml$")
MOST_LETTERS = 100_000
MOST_FILES = 40
MOST_ROWS = 200
MOST_STEPS = 300
MOST_ALIASES = 50
MOST_READ = 10_000
DEEPEST = 4
FROM_JSON = re.compile(r"^\$\{\{\s*fromJSON\(\s*([^()]+?)\s*\)\s*\}\}$", re.IGNORECASE)
DEFAULT_FOLDER = "defaults.run.working-directory"
AUTOMATIC = frozenset({"push", "pull_request", "pull_request_target", "merge_group"})


@dataclass(frozen=True)
class Step:
    """One step as it would run: a script, or somebody's action with its inputs."""

    script: str = ""
    uses: str = ""
    folder: str = ""
    inputs: Mapping[str, str] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Job:
    """One job for one row of its matrix, as it would run on Linux."""

    file: str
    name: str
    is_automatic: bool
    """Whether a pull request starts it."""
    row: Mapping[str, str]
    runs_on: str
    steps: tuple[Step, ...]
    environment: Mapping[str, str]
    services: Mapping[str, str]
    """Images by the names under which the job finds them."""
    container: str

    @property
    def scripts(self) -> str:
        """All that its steps run, in order."""
        return "\n".join(step.script for step in self.steps)


@functools.lru_cache(maxsize=64)
def parsed(content: str) -> Any:
    """A YAML file's value, all scalars texts; null where it is none."""
    if len(content) > MOST_LETTERS:
        return None
    try:
        return yaml.load(content, Loader=_Loader)  # noqa: S506 - it makes texts only
    except (yaml.YAMLError, RecursionError, ValueError):
        return None


class _Loader(yaml.BaseLoader):
    """Every scalar a text: 3.10 is a version and no number. Many aliases unfold without end."""

    aliases = 0

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        self.aliases += self.check_event(yaml.AliasEvent)
        if self.aliases > MOST_ALIASES:
            raise yaml.YAMLError("too many aliases")
        return super().compose_node(parent, index)


def jobs(project: Project) -> Iterator[list[Job]]:
    """Every job, as a list of what it is for each row of its matrix."""
    for path in sorted(filter(WORKFLOW.match, project.files))[:MOST_FILES]:
        workflow = parsed(project.files[path])
        is_automatic = bool(AUTOMATIC & _triggers(workflow))
        for name, job in table(workflow, "jobs").items():
            reader = _Reader(project, path, is_automatic=is_automatic)
            if found := reader.read(name, table(workflow), table(job), {}, 0):
                yield found


def _triggers(workflow: Any) -> set[str]:
    # YAML 1.1 takes the bare word for a truth value; BaseLoader does not.
    found = workflow.get("on") if isinstance(workflow, dict) else None
    if isinstance(found, list | dict):
        return {name for name in found if isinstance(name, str)}
    return {text(found)}


@dataclass(frozen=True)
class _Reader:
    project: Project
    path: str
    is_automatic: bool
    read_steps: Iterator[int] = field(default_factory=lambda: iter(range(MOST_READ)))
    """One is taken for each step and each row that is looked at, whoever calls whom."""

    def read(self, name: str, workflow: Table, job: Table, given: Context, depth: int) -> list[Job]:
        """What a job is for each row of its matrix; of a job that calls a workflow, its jobs."""
        if depth > DEEPEST:
            return []
        found: list[Job] = []
        for row in rows_of(_spelt(table(job, "strategy", "matrix"), given)):
            if next(self.read_steps, None) is None:
                break
            context = {**_basics(), **given, **_named("matrix", row)}
            if holds(text(job.get("if")) or "true", context) is not False:
                found += self._of_row(name, workflow, job, row, context, depth)
        return found[:MOST_ROWS]

    def _of_row(  # noqa: PLR0913, PLR0917 - one value for each level of a workflow
        self, name: str, workflow: Table, job: Table, row: Context, context: Context, depth: int
    ) -> list[Job]:
        if called := text(job.get("uses")):
            return self._called(name, called, job, context, depth)
        environment = {**_env(workflow, context), **_env(job, context)}
        folder = _folder(job, context) or _folder(workflow, context)
        context = {**context, **_named("env", environment), DEFAULT_FOLDER: folder}
        services = {
            key: filled(text(table(value).get("image")), context)
            for key, value in table(job, "services").items()
        }
        container = job.get("container")
        image = text(table(container).get("image")) or text(container)
        steps = itertools.islice(self._steps(job.get("steps"), context, 0), MOST_STEPS)
        runs_on = job.get("runs-on")
        system = " ".join(map(text, runs_on)) if isinstance(runs_on, list) else text(runs_on)
        made = Job(
            file=self.path, name=name, is_automatic=self.is_automatic, row=row,
            runs_on=filled(system, context), steps=tuple(steps), environment=environment,
            services=services, container=filled(image, context),
        )  # fmt: skip
        return [made]

    def _called(
        self, name: str, called: str, job: Table, context: Context, depth: int
    ) -> list[Job]:
        path = posixpath.normpath(called.partition("@")[0])
        if not called.startswith("./") or path not in self.project.files:
            return []
        workflow = parsed(self.project.files[path])
        inputs = table(workflow, "on", "workflow_call", "inputs")
        given = _inputs(inputs, table(job, "with"), context)
        return [
            made
            for inner, inner_job in table(workflow, "jobs").items()
            for made in self.read(
                f"{name} / {inner}", table(workflow), table(inner_job), given, depth + 1
            )
        ]

    def _steps(self, steps: Any, context: Context, depth: int) -> Iterator[Step]:
        for step in map(table, steps if isinstance(steps, list) else []):
            if next(self.read_steps, None) is None:
                return
            if holds(text(step.get("if")) or "true", context) is False:
                continue
            yield from self._step(step, context, depth)

    def _step(self, step: Table, context: Context, depth: int) -> Iterator[Step]:
        uses = text(step.get("uses"))
        environment = _env(step, context)
        context = {**context, **_named("env", environment)}
        own = self._action(uses)
        if own and depth < DEEPEST:
            given = _inputs(table(own, "inputs"), table(step, "with"), context)
            given[DEFAULT_FOLDER] = ""
            yield from self._steps(table(own, "runs").get("steps"), {**context, **given}, depth + 1)
            return
        inputs = {k: filled(text(v), context) for k, v in table(step, "with").items()}
        yield Step(
            script=filled(text(step.get("run")), context),
            uses=uses,
            inputs=inputs,
            environment=environment,
            folder=filled(text(step.get("working-directory")), context) or context[DEFAULT_FOLDER],
        )

    def _action(self, uses: str) -> Table:
        if not uses.startswith("./"):
            return {}
        folder = posixpath.normpath(uses)
        paths = (posixpath.join(folder, name) for name in ("action.yml", "action.yaml"))
        path = next((path for path in paths if path in self.project.files), None)
        return table(parsed(self.project.files[path])) if path else {}


def _folder(place: Table, context: Context) -> str:
    return filled(text(table(place, "defaults", "run").get("working-directory")), context)


def _basics() -> dict[str, str]:
    return {
        "runner.os": "Linux",
        "runner.arch": "X64",
        "github.workspace": "/testbed",
        "github.event_name": "pull_request",
    }


def _named(kind: str, values: Context) -> dict[str, str]:
    return {f"{kind}.{name}": value for name, value in values.items()}


def _inputs(declared: Table, given: Table, context: Context) -> dict[str, str]:
    defaults = {name: text(table(value).get("default")) for name, value in declared.items()}
    values = {name: filled(text(value), context) for name, value in given.items()}
    return _named("inputs", {**defaults, **values})


def _env(place: Table, context: Context) -> dict[str, str]:
    found = {key: filled(text(value), context) for key, value in table(place, "env").items()}
    if whole := re.fullmatch(r"\$\{\{\s*([\w.-]+)\s*\}\}", text(place.get("env"))):
        inside = f"{whole[1]}."
        found |= {k.removeprefix(inside): v for k, v in context.items() if k.startswith(inside)}
    return {key: value for key, value in found.items() if UNKNOWN not in value}


def _spelt(matrix: Table, context: Context) -> Table:
    """The matrix with lists in place of those that it takes from the inputs of a call."""
    found = {name: FROM_JSON.match(text(value)) for name, value in matrix.items()}
    told = {
        name: _json(filled(f"${{{{ {match[1]} }}}}", context))
        for name, match in found.items()
        if match
    }
    return {**matrix, **told}


def _json(content: str) -> Any:
    try:
        return json.loads(content, parse_int=str, parse_float=str)
    except ValueError:
        return None


def rows_of(matrix: Table) -> list[dict[str, str]]:
    """The rows of a matrix as GitHub makes them; one empty row where there is none.

    >>> rows_of({"os": ["a", "b"], "include": [{"os": "a", "x": "1"}, {"os": "c"}]})
    [{'os': 'a', 'x': '1'}, {'os': 'b'}, {'os': 'c'}]
    """
    axes = {
        name: [_flat(name, value) for value in values]
        for name, values in matrix.items()
        if name not in {"include", "exclude"} and isinstance(values, list) and values
    }
    product = itertools.islice(itertools.product(*axes.values()), MOST_ROWS)
    rows = [{k: v for part in parts for k, v in part.items()} for parts in product] if axes else []
    out = [_flat_row(row) for row in _listed(matrix.get("exclude"))]
    rows = [row for row in rows if not any(one.items() <= row.items() for one in out)]
    return _included(rows, [_flat_row(row) for row in _listed(matrix.get("include"))], axes) or [{}]


def _included(
    rows: list[dict[str, str]], more: list[dict[str, str]], axes: Table
) -> list[dict[str, str]]:
    original = [dict(row) for row in rows]
    for extra in more[:MOST_ROWS]:
        shared = {name: value for name, value in extra.items() if name in axes}
        fits = [n for n, row in enumerate(original) if shared.items() <= row.items()]
        for place in fits:
            rows[place] = {**rows[place], **extra}
        if not fits:
            rows.append(extra)
    return rows


def _listed(value: Any) -> list[Table]:
    return [table(row) for row in value] if isinstance(value, list) else []


def _flat_row(row: Table) -> dict[str, str]:
    return {k: v for name, value in row.items() for k, v in _flat(name, value).items()}


def _flat(name: str, value: Any) -> dict[str, str]:
    if isinstance(value, dict):
        inner = {f"{name}.{key}": text(v) for key, v in value.items() if isinstance(v, str)}
        return inner or {name: UNKNOWN}
    return {name: " ".join(map(text, value)) if isinstance(value, list) else text(value)}
