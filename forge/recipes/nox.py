"""noxfile.py: what the sessions install, as far as their syntax tells; it is never executed."""

import ast

from forge.recipes.commands import lines_of_words
from forge.recipes.facts import Facts, Need
from forge.recipes.literals import NotLiteralError, literal, parsed, scope_of
from forge.recipes.project import Project
from forge.recipes.requirement_lines import included


def read_nox(project: Project) -> Facts:
    """One need per session, under the name of its function."""
    tree = parsed(project.text("noxfile.py"))
    if not tree:
        return Facts()
    scope = scope_of(tree)
    sessions = [node for node in tree.body if isinstance(node, ast.FunctionDef)]
    needs = [_need(project, session, scope) for session in sessions]
    return Facts(needs=tuple(need for need in needs if need.requirements))


def _need(project: Project, session: ast.FunctionDef, scope: dict[str, object]) -> Need:
    calls = [n for n in ast.walk(session) if isinstance(n, ast.Call) and _installs(n.func)]
    words = [word for call in calls for word in _words(call, scope)]
    lines = included(lines_of_words(words), project.files, project.root)
    return Need("test", "nox", f"session {session.name.replace('_', '-')}", lines)


def _installs(function: ast.expr) -> bool:
    return (
        isinstance(function, ast.Attribute)
        and function.attr in {"install", "run_install"}
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
