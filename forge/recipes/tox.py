"""tox.ini, tox.toml and their guests in setup.cfg and pyproject.toml."""

import re

from forge.recipes.facts import Facts, Need
from forge.recipes.project import Project, Sections, Table, strings, table, text
from forge.recipes.project import sections as sections_of
from forge.recipes.requirement_lines import MOST_LINES, included
from forge.recipes.variables import FOLDERS, located, plain

PYTHON = re.compile(r"\bpy(?:thon)?-?3\.?(\d{1,2})\b")
CONDITION = re.compile(r"^[\w{},!.-]+\s*:\s+(?=\S)|^[\w{},!.-]+:(?=[A-Za-z-])")
ENVIRONMENT = re.compile(r"^[ \t]*([A-Z_][A-Z0-9_]*)[ \t]*=[ \t]*(.*)$", re.MULTILINE)
REFERENCE = re.compile(r"^\{\[([^\]]+)\](\w+)\}$")
DEEPEST = 4


def read_tox(project: Project) -> Facts:
    """What the test environments of tox install, and the variables that they set."""
    sections = _sections(project)
    facts = _of_toml(project)
    base = sections.get("testenv", {})
    needs = [_need(project, sections, name) for name in sections if name.startswith("testenv")]
    envlist = sections.get("tox", {})
    pythons = _pythons(envlist.get("envlist", "") + envlist.get("env_list", ""))
    variables = base.get("setenv", "") or base.get("set_env", "")
    return facts | Facts(
        pythons=pythons,
        needs=tuple(need for need in needs if need.requirements),
        environment=plain(ENVIRONMENT.findall(variables)),
    )


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
    for line in value.splitlines():
        reference = REFERENCE.match(line.strip())
        if reference and depth < DEEPEST:
            lines += _resolved(
                sections.get(reference[1], {}).get(reference[2], ""), sections, depth + 1
            )
        else:
            lines.append(line)
    return lines[:MOST_LINES]


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
    own = project.toml("tox.toml") or table(project.toml("pyproject.toml"), "tool", "tox")
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
    lines = deps.splitlines() if isinstance(deps, str) else strings(deps)
    extras = [f".[{extra}]" for extra in strings(environment.get("extras"))]
    groups = [f"group:{text(group)}" for group in strings(environment.get("dependency_groups"))]
    files = included([_located(line) for line in lines], project.files, project.root)
    return Need("test", "tox", f"environment {name}", (*files, *extras, *groups))
