"""setup.py, as far as its syntax tells; it is never executed."""

import ast
import posixpath
import re
from typing import Any

from forge.recipes.facts import Facts, Need, Purpose
from forge.recipes.literals import NotLiteralError, literal, parsed, partly, scope_of
from forge.recipes.project import Project, strings, table, text
from forge.recipes.pyproject import named_pythons
from forge.recipes.requirement_lines import canonical, included, joined

COMPILED = ("ext_modules", "cffi_modules", "rust_extensions")
RUN = "install_requires"
KEYS: dict[str, Purpose] = {
    RUN: "run",
    "tests_require": "test",
    "setup_requires": "build",
}
FOR_DEVELOPERS = re.compile(r"dev|test|doc|lint|build|extra|opt|read|licen[cs]e|change|version")
LISTS = frozenset({*KEYS, "extras_require"})


def read_setup_py(project: Project) -> Facts:
    """What the call of `setup()` spells out."""
    tree = parsed(project.text("setup.py"))
    call = _call(tree) if tree else None
    if not tree or not call or project.path("setup.py") not in project.files:
        return Facts(is_installable=project.path("setup.py") in project.files)
    given, computed = _given(project, tree, call)
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
        dropped=tuple(f"setup.py {name}: computed" for name in computed),
    )


def _call(tree: ast.Module) -> ast.Call | None:
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    return next((c for c in calls if _name(c.func) in {"setup", "setuptools.setup"}), None)


def _name(function: ast.expr) -> str:
    if isinstance(function, ast.Attribute) and isinstance(function.value, ast.Name):
        return f"{function.value.id}.{function.attr}"
    return function.id if isinstance(function, ast.Name) else ""


def _told(project: Project) -> dict[str, Any]:
    """The names of a `__pkginfo__.py`, which setup.py executes for them."""
    inner = (p for p in sorted(project.files) if posixpath.basename(p) == "__pkginfo__.py")
    own = (p for p in inner if posixpath.dirname(posixpath.dirname(p)) == project.root)
    tree = parsed(project.files[found]) if (found := next(own, None)) else None
    return scope_of(tree) if tree else {}


def _named_file(project: Project, tree: ast.Module) -> str:
    """The first list of requirements that setup.py names and that is not for developers."""
    texts = [node for node in ast.walk(tree) if isinstance(node, ast.Constant)]
    names = [node.value for node in sorted(texts, key=lambda node: node.lineno)]
    lists = (n for n in names if isinstance(n, str) and n.endswith(".txt") and project.text(n))
    return next((name for name in lists if not FOR_DEVELOPERS.search(name)), "")


def _given(project: Project, tree: ast.Module, call: ast.Call) -> tuple[dict[str, Any], list[str]]:
    """Arguments as far as they are known, and those about requirements that are not."""
    told = _told(project)
    given, computed = _spelled(call, {**told, **scope_of(tree, call.lineno)})
    # It may be hidden in what `**` hands on.
    if RUN in project.text("setup.py") and RUN not in {*given, *computed}:
        computed.append(RUN)
    if RUN in computed and (named := _named_file(project, tree)):
        told = {RUN: joined(project.text(named))} | told
    known = {name: told[name] for name in LISTS & told.keys()}
    return known | given, [name for name in computed if name not in known]


def _spelled(call: ast.Call, scope: dict[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """Arguments as far as they are spelled out, and those about requirements that are not."""
    given: dict[str, Any] = {}
    computed: list[str] = []
    for keyword in call.keywords:
        try:
            value = literal(keyword.value, scope)
        except NotLiteralError:
            if keyword.arg in LISTS:
                computed.append(keyword.arg)
                given |= {keyword.arg: known} if (known := partly(keyword.value, scope)) else {}
        else:
            given |= {keyword.arg: value} if keyword.arg else table(value)
    return given, computed


def _lines(project: Project, value: object) -> tuple[str, ...]:
    lines = value.splitlines() if isinstance(value, str) else strings(value)
    return included(lines, project.files, project.root)
