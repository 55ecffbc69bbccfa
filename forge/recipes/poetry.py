"""pyproject.toml as Poetry writes it, its version constraints translated."""

import re

from forge.recipes.facts import Facts, Need
from forge.recipes.project import Project, Table, strings, table, text
from forge.recipes.pyproject import named_pythons
from forge.recipes.requirement_lines import canonical


def read_poetry(project: Project) -> Facts:
    """Dependencies and groups of `[tool.poetry]`."""
    poetry = table(project.toml("pyproject.toml"), "tool", "poetry")
    main = table(poetry, "dependencies")
    groups = _groups(poetry)
    optional = {n for n, v in main.items() if table(v).get("optional") is True}
    run = {n: v for n, v in main.items() if n.lower() != "python" and n not in optional}
    extras = {
        canonical(name): tuple(r for n in strings(ns) for r in _lines(n, main.get(n)))
        for name, ns in table(poetry, "extras").items()
    }
    return Facts(
        name=text(poetry.get("name")) or None,
        python=tuple(filter(None, [specifier(text(main.get("python")))])),
        pythons=named_pythons(strings(poetry.get("classifiers"))),
        needs=(
            *([Need("run", "poetry", "dependencies", lines_of_table(run))] if main else []),
            *(Need("test", "poetry", f"extra {n}", rs) for n, rs in extras.items()),
            *(Need("test", "poetry", f"group {n}", rs) for n, rs in groups.items()),
        ),
        extras=extras,
        groups=groups,
    )


def specifier(constraint: str) -> str:
    """Poetry's constraint as a specifier of PEP 440; of alternatives, the last.

    >>> [specifier(c) for c in ("^1.2", "^0.3", "~1.4", "1.*", "2.0", ">=3.8,<4", "^2.7 || ^3.6")]
    ['>=1.2,<2', '>=0.3,<0.4', '>=1.4,<1.5', '==1.*', '==2.0', '>=3.8,<4', '>=3.6,<4']
    """
    last = constraint.rsplit("||", 1)[-1].strip()
    parts = [_part(p) for p in re.split(r"\s*,\s*|\s+(?=[<>=!~^])", last) if p and p != "*"]
    return ",".join(parts)


def _part(part: str) -> str:
    numbers = re.findall(r"\d+", part.partition("-")[0])
    if part.startswith("^"):
        return f">={part[1:].strip()},<{_raised(numbers, _leading(numbers))}"
    if part.startswith("~") and not part.startswith("~="):
        return f">={part[1:].strip()},<{_raised(numbers, min(1, len(numbers) - 1))}"
    return part if part[0] in "<>=!~" else f"=={part}"


def _leading(numbers: list[str]) -> int:
    return next((n for n, value in enumerate(numbers) if value != "0"), len(numbers) - 1)


def _raised(numbers: list[str], place: int) -> str:
    if not numbers:
        return "0"
    return ".".join([*numbers[:place], str(int(numbers[place]) + 1)])


def _groups(poetry: Table) -> dict[str, tuple[str, ...]]:
    groups = {n: table(g, "dependencies") for n, g in table(poetry, "group").items()}
    legacy = {"dev": table(poetry, "dev-dependencies")} if "dev-dependencies" in poetry else {}
    return {canonical(n): lines_of_table(group) for n, group in (legacy | groups).items()}


def lines_of_table(dependencies: Table) -> tuple[str, ...]:
    """Requirements by their names, as lines for the resolver."""
    return tuple(line for name, value in dependencies.items() for line in _lines(name, value))


def _lines(name: str, value: object) -> list[str]:
    if isinstance(value, list):
        return [line for one in value for line in _lines(name, one)]
    if isinstance(value, str):
        return [f"{name}{specifier(value)}"]
    wish = table(value)
    if source := next((text(wish.get(k)) for k in ("git", "url", "path") if wish.get(k)), ""):
        scheme = "git+" if "git" in wish else "" if "url" in wish else "file:"
        return [f"{name} @ {scheme}{source}"]
    return [f"{name}{_extras(wish)}{specifier(text(wish.get('version')))}{_marker(wish)}"]


def _extras(wish: Table) -> str:
    extras = strings(wish.get("extras"))
    return f"[{','.join(extras)}]" if extras else ""


def _marker(wish: Table) -> str:
    python = specifier(text(wish.get("python")))
    marks = [
        *([text(wish.get("markers"))] if text(wish.get("markers")) else []),
        *(
            re.sub(r"^([<>=!~]+)(.*)$", r'python_version \1 "\2"', p)
            for p in python.split(",")
            if p
        ),
        *([f'sys_platform == "{wish["platform"]}"'] if text(wish.get("platform")) else []),
    ]
    return f" ; {' and '.join(marks)}" if marks else ""
