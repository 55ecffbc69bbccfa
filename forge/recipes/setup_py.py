"""setup.py, as far as its syntax tells; it is never executed."""

import ast
from typing import Any

from forge.recipes.facts import Facts, Need, Purpose
from forge.recipes.literals import NotLiteralError, literal, parsed, scope_of
from forge.recipes.project import Project, strings, table, text
from forge.recipes.pyproject import named_pythons
from forge.recipes.requirement_lines import canonical, included

COMPILED = ("ext_modules", "cffi_modules", "rust_extensions")
KEYS: dict[str, Purpose] = {
    "install_requires": "run",
    "tests_require": "test",
    "setup_requires": "build",
}


def read_setup_py(project: Project) -> Facts:
    """What the call of `setup()` spells out."""
    tree = parsed(project.text("setup.py"))
    call = _call(tree) if tree else None
    if not tree or not call or project.path("setup.py") not in project.files:
        return Facts(is_installable=project.path("setup.py") in project.files)
    given = _given(call, scope_of(tree))
    extras = {
        canonical(name.split(":")[0]): _lines(project, value)
        for name, value in table(given.get("extras_require")).items()
    }
    return Facts(
        name=text(given.get("name")) or None,
        is_installable=True,
        is_compiled=any(k.arg in COMPILED for k in call.keywords),
        python=tuple(filter(None, [text(given.get("python_requires"))])),
        pythons=named_pythons(strings(given.get("classifiers"))),
        needs=(
            *(Need(KEYS[k], "setup_py", k, _lines(project, given[k])) for k in KEYS if k in given),
            *(Need("test", "setup_py", f"extra {n}", lines) for n, lines in extras.items()),
        ),
        extras=extras,
    )


def _call(tree: ast.Module) -> ast.Call | None:
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    return next((c for c in calls if _name(c.func) in {"setup", "setuptools.setup"}), None)


def _name(function: ast.expr) -> str:
    if isinstance(function, ast.Attribute) and isinstance(function.value, ast.Name):
        return f"{function.value.id}.{function.attr}"
    return function.id if isinstance(function, ast.Name) else ""


def _given(call: ast.Call, scope: dict[str, Any]) -> dict[str, Any]:
    given: dict[str, Any] = {}
    for keyword in call.keywords:
        try:
            value = literal(keyword.value, scope)
        except NotLiteralError:
            continue
        given |= value if keyword.arg is None and isinstance(value, dict) else {}
        given |= {keyword.arg: value} if keyword.arg else {}
    return given


def _lines(project: Project, value: object) -> tuple[str, ...]:
    lines = value.splitlines() if isinstance(value, str) else strings(value)
    return included(lines, project.files, project.root)
