"""tox.ini, tox.toml and their guests in setup.cfg and pyproject.toml."""

import itertools
import re
import shlex
from dataclasses import dataclass
from functools import partial

from forge.recipes.facts import Facts, Need
from forge.recipes.project import Project, Sections, Table, strings, table, text
from forge.recipes.project import sections as sections_of
from forge.recipes.requirement_lines import MOST_LINES, included
from forge.recipes.variables import FOLDERS, entered, located, plain

PYTHON = re.compile(r"\bpy(?:thon)?-?3\.?(\d{1,2})\b")
CONDITION = re.compile(r"^[\w{},!.-]+\s*:\s+(?=\S)|^[\w{},!.-]+:(?=[A-Za-z-])")
ENVIRONMENT = re.compile(r"^[ \t]*([A-Z_][A-Z0-9_]*)[ \t]*=[ \t]*(.*)$", re.MULTILINE)
REFERENCE = re.compile(r"^\{\[([^\]]+)\](\w+)\}$")
DEEPEST = 4
MOST_NAMES = 500
# Named with what takes its place where nobody sets it; those without are left to who knows them.
DEFAULTED = re.compile(r"\{(?:posargs:?|env:\w+:)([^{}]*)\}")
IGNORING = re.compile(r"^[-!\s]+", re.MULTILINE)


def read_tox(project: Project) -> Facts:
    """What the test environments of tox install, and the variables that they set."""
    sections = _sections(project)
    facts = _of_toml(project)
    base = sections.get("testenv", {})
    needs = [_need(project, sections, name) for name in sections if name.startswith("testenv")]
    envlist = sections.get("tox", {})
    pythons = _pythons(envlist.get("envlist", "") + envlist.get("env_list", ""))
    variables = _defaulted(base.get("setenv", "") or base.get("set_env", ""))
    return facts | Facts(
        pythons=pythons,
        needs=tuple(need for need in needs if need.requirements),
        environment=plain(ENVIRONMENT.findall(variables)),
    )


@dataclass(frozen=True)
class Environment:
    """One environment of a tool: what it installs, sets and runs."""

    lines: tuple[str, ...] = ()
    variables: tuple[tuple[str, str], ...] = ()
    script: str = ""
    folder: str = ""
    """Where the script starts, in the repository."""


def environment(project: Project, name: str) -> Environment:
    r"""What tox makes for one name of an environment, its factors decided.

    >>> ini = "[testenv]\ndeps =\n  a\n  py39,!fast: b\n  fast: c\ncommands = pytest {posargs:-x}"
    >>> environment(Project({"tox.ini": ini}), "py312-fast")
    Environment(lines=('a', 'c'), variables=(), script='pytest -x', folder='')
    """
    sections = _sections(project)
    if not any(section.startswith("testenv") for section in sections):
        return _toml_environment(project, name)
    section = {**sections.get("testenv", {}), **sections.get(_section(sections, name), {})}
    factors = frozenset(name.split("-"))
    read = partial(_decided, sections=sections, factors=factors)
    extras = [f".[{n}]" for line in read(section.get("extras", "")) for n in _words(line)]
    groups = section.get("dependency_groups", "")
    references = [f"group:{n}" for line in read(groups) for n in _words(line)]
    lines = [line for raw in read(section.get("deps", "")) if "{" not in (line := _located(raw))]
    variables = section.get("setenv", "") + "\n" + section.get("set_env", "")
    folders = read(section.get("changedir", "") or section.get("change_dir", ""))
    script = "\n".join(
        read(section.get("commands_pre", ""))
        + read(section.get("commands", "").replace("\\\n", " "))
    )
    return Environment(
        (*included(lines, project.files, project.root), *extras, *references),
        tuple(ENVIRONMENT.findall("\n".join(read(variables)))),
        IGNORING.sub("", script),
        entered(project.root, *folders[:1] or "."),
    )


def names(project: Project) -> list[str]:
    """The environments that tox runs when nobody names one."""
    sections = _sections(project)
    listed = sections.get("tox", {})
    value = listed.get("envlist", "") or listed.get("env_list", "")
    own = _toml(project)
    lines = [n for line in value.splitlines() for n in _names_of(line)]
    return lines or list(strings(own.get("env_list")))


def _names_of(line: str) -> list[str]:
    """Names that a line of an envlist stands for.

    >>> _names_of("py{39,310}-{a,b}, lint")
    ['py39-a', 'py39-b', 'py310-a', 'py310-b', 'lint']
    """
    found: list[str] = []
    for name in re.split(r",(?![^{}]*\})", line.split("#", maxsplit=1)[0]):
        parts = re.split(r"\{([^{}]*)\}", name.strip())
        choices = [
            [p.strip() for p in part.split(",")] if n % 2 else [part]
            for n, part in enumerate(parts)
        ]
        found += ["".join(one) for one in itertools.islice(itertools.product(*choices), MOST_NAMES)]
    return [name for name in found if name]


def _section(sections: Sections, name: str) -> str:
    """The section that is named for an environment, alone or among others."""
    headed = [s for s in sections if s.startswith("testenv:")]
    return next((s for s in headed if name in _names_of(s.removeprefix("testenv:"))), "")


def _decided(value: str, sections: Sections, factors: frozenset[str]) -> list[str]:
    """The lines of a value whose conditions hold for these factors, without the conditions."""
    found = []
    for line in _resolved(value, sections):
        condition = CONDITION.match(line.strip())
        if not condition or _holds(condition[0].strip().rstrip(":"), factors):
            found.append(line.strip()[len(condition[0]) if condition else 0 :])
    return [line for line in found if line and not line.startswith("#")]


def _holds(condition: str, factors: frozenset[str]) -> bool:
    choices = _names_of(condition)
    return any(
        all(
            (f[1:] not in factors) if f.startswith("!") else f in factors for f in choice.split("-")
        )
        for choice in choices
    )


def _words(line: str) -> list[str]:
    return re.findall(r"[\w.-]+", line) if "{" not in line else []


def _toml_environment(project: Project, name: str) -> Environment:
    own = _toml(project)
    base, named = table(own, "env_run_base"), table(own, "env", name)
    merged = {**base, **named}
    both = [table(base, "set_env"), table(named, "set_env")]
    variables = [(n, v) for values in both for n, v in values.items() if isinstance(v, str)]
    rows = [*_items(own, merged.get("commands_pre")), *_items(own, merged.get("commands"))]
    words = [filter(None, map(_defaulted, strings(_items(own, row)))) for row in rows]
    script = IGNORING.sub("", "\n".join(map(shlex.join, words)))
    folder = entered(project.root, text(merged.get("change_dir")) or ".")
    lines = _toml_need(project, name, merged).requirements
    return Environment(lines, tuple(variables), script, folder)


def _toml(project: Project) -> Table:
    return project.toml("tox.toml") or table(project.toml("pyproject.toml"), "tool", "tox")


def _items(own: Table, value: object, depth: int = 0) -> list[object]:
    """A list, `{replace = "ref", of = [...]}` in it replaced by what is there."""
    found: list[object] = []
    for item in value if isinstance(value, list) and depth < DEEPEST else []:
        *path, last = strings(table(item).get("of")) or ("",)
        if last:
            found += _items(own, table(own, *path).get(last), depth + 1)
        else:
            found.append(item)
    return found[:MOST_LINES]


def _sections(project: Project) -> Sections:
    if own := project.ini("tox.ini"):
        return own
    guest = table(project.toml("pyproject.toml"), "tool", "tox").get("legacy_tox_ini")
    if isinstance(guest, str):
        return sections_of(guest) or {}
    shared = project.ini("setup.cfg")
    return {n.removeprefix("tox:") if n == "tox:tox" else n: s for n, s in shared.items()}


def _need(project: Project, sections: Sections, name: str) -> Need:
    section = sections[name]
    lines = [_located(line) for line in _resolved(section.get("deps", ""), sections)]
    known = [line for line in _unconditional(lines) if line and "{" not in line]
    extras = [f".[{name}]" for name in _names(section.get("extras", ""))]
    references = [f"group:{name}" for name in _names(section.get("dependency_groups", ""))]
    files = included(known, project.files, project.root)
    label = name.partition(":")[2] or "tests"
    return Need("test", "tox", f"environment {label}", (*files, *extras, *references))


def _resolved(value: str, sections: Sections, depth: int = 0) -> list[str]:
    """Lines, `{[section]key}` replaced by what is there."""
    lines: list[str] = []
    for line in _defaulted(value).splitlines():
        reference = REFERENCE.match(line.strip())
        if reference and depth < DEEPEST:
            lines += _resolved(
                sections.get(reference[1], {}).get(reference[2], ""), sections, depth + 1
            )
        else:
            lines.append(line)
    return lines[:MOST_LINES]


def _defaulted(value: str) -> str:
    """The value as it is where nobody sets a variable or gives arguments, innermost first.

    >>> _defaulted("{env:RUN:coverage run -m} pytest {posargs:{env:WHERE:tests}}")
    'coverage run -m pytest tests'
    """
    for _ in range(DEEPEST):
        value = DEFAULTED.sub(r"\1", value)
    return value


def _names(value: str) -> list[str]:
    lines = "\n".join(line for line in value.splitlines() if not {":", "{"} & set(line))
    return re.findall(r"[\w.-]+", lines)


def _unconditional(lines: list[str]) -> list[str]:
    """Lines without a condition, and of `django42:` and `django52:` those of the newest.

    >>> _unconditional(["a", "django42: x<5", "django{51,52}: x<6", "py38: y", "lint: z"])
    ['a', 'x<6']
    """
    factors = [_factors(line) for line in lines]
    newest: dict[str, int] = {}
    for name, number in (factor for found in factors for factor in found):
        newest[name] = max(number, newest.get(name, 0))
    return [
        CONDITION.sub("", line)
        for line, found in zip(lines, factors, strict=True)
        if not CONDITION.match(line) or any(newest[name] == number for name, number in found)
    ]


def _factors(line: str) -> list[tuple[str, int]]:
    condition = CONDITION.match(line)
    if not condition or "!" in condition[0]:
        return []
    spread = re.sub(r"([\w.]*)\{([^{}]*)\}", _spread, condition[0])
    return [(n, int(v)) for n, v in re.findall(r"\b([a-z]+)-?(\d+)\b", spread) if n != "py"]


def _spread(matched: re.Match[str]) -> str:
    return ",".join(f"{matched[1]}{ending.strip()}" for ending in matched[2].split(","))


def _located(line: str) -> str:
    for folder in FOLDERS:
        line = line.replace(f"{folder}/", "")
    return located(line, ".")


def _pythons(envlist: str) -> tuple[str, ...]:
    minors = PYTHON.findall(re.sub(r"([\w.]*)\{([^{}]*)\}", _spread, envlist)) + re.findall(
        r"(?<![\w.])3\.(\d{1,2})(?![\w.])", envlist
    )
    return tuple(dict.fromkeys(f"3.{minor}" for minor in minors))


def _of_toml(project: Project) -> Facts:
    own = _toml(project)
    base = table(own, "env_run_base")
    named = table(own, "env")
    needs = [_toml_need(project, "tests", base)]
    needs += [_toml_need(project, name, table(env)) for name, env in named.items()]
    variables = [(n, v) for n, v in table(base, "set_env").items() if isinstance(v, str)]
    return Facts(
        pythons=_pythons(" ".join(strings(own.get("env_list")))),
        needs=tuple(need for need in needs if need.requirements),
        environment=plain(variables),
    )


def _toml_need(project: Project, name: str, environment: Table) -> Need:
    deps = environment.get("deps")
    listed = {
        key: strings(_items(_toml(project), environment.get(key)))
        for key in ("deps", "extras", "dependency_groups")
    }
    lines = deps.splitlines() if isinstance(deps, str) else listed["deps"]
    extras = [f".[{extra}]" for extra in listed["extras"]]
    groups = [f"group:{group}" for group in listed["dependency_groups"]]
    files = included([_located(line) for line in lines], project.files, project.root)
    return Need("test", "tox", f"environment {name}", (*files, *extras, *groups))
