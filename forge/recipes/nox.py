"""noxfile.py: what the sessions install, as far as their syntax tells; it is never executed."""

import ast
import shlex

from forge.recipes.commands import lines_of_words
from forge.recipes.facts import Facts, Need
from forge.recipes.installers import managed
from forge.recipes.literals import NotLiteralError, literal, parsed, scope_of
from forge.recipes.project import Project
from forge.recipes.requirement_lines import included

INSTALLS = frozenset({"install", "run_install", "run", "run_always", "conda_install"})


def read_nox(project: Project) -> Facts:
    """One need per session, under the name of its function."""
    needs = [
        Need("test", "nox", f"session {name.replace('_', '-')}", lines(project, name))
        for name in sessions(project)
    ]
    return Facts(needs=tuple(need for need in needs if need.requirements))


def sessions(project: Project) -> list[str]:
    """Names of the sessions, as nox knows them."""
    tree = parsed(project.text("noxfile.py"))
    return [_name(node) for node in tree.body if isinstance(node, ast.FunctionDef)] if tree else []


def lines(project: Project, session: str) -> tuple[str, ...]:
    """What a session installs, as lines of a requirements file."""
    found: list[str] = []
    for call, words in _calls(project, session):
        if call in {"install", "conda_install"}:
            found += lines_of_words(words)
        else:
            found += managed(project, words) or []
    return included(found, project.files, project.root)


def script(project: Project, session: str) -> str:
    """What a session runs, a command a line."""
    return "\n".join(shlex.join(words) for call, words in _calls(project, session) if call == "run")


def _calls(project: Project, session: str) -> list[tuple[str, list[str]]]:
    tree = parsed(project.text("noxfile.py"))
    if not tree:
        return []
    scope = scope_of(tree)
    functions = [n for n in tree.body if isinstance(n, ast.FunctionDef) and _name(n) == session]
    calls = [n for f in functions for n in ast.walk(f) if isinstance(n, ast.Call)]
    ordered = sorted(calls, key=lambda call: (call.lineno, call.col_offset))
    return [(call.func.attr, _words(call, scope)) for call in ordered if _installs(call.func)]  # type: ignore[attr-defined]


def _name(function: ast.FunctionDef) -> str:
    for decorator in function.decorator_list:
        for keyword in decorator.keywords if isinstance(decorator, ast.Call) else []:
            if keyword.arg == "name" and isinstance(keyword.value, ast.Constant):
                return str(keyword.value.value)
    return function.name


def _installs(function: ast.expr) -> bool:
    return (
        isinstance(function, ast.Attribute)
        and function.attr in INSTALLS
        and isinstance(function.value, ast.Name)
    )


def _words(call: ast.Call, scope: dict[str, object]) -> list[str]:
    words: list[str] = []
    for argument in call.args:
        try:
            value = literal(
                argument.value if isinstance(argument, ast.Starred) else argument, scope
            )
        except NotLiteralError:
            continue
        words += [v for v in (value if isinstance(value, list) else [value]) if isinstance(v, str)]
    return words
