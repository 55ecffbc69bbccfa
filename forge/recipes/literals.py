"""Values that a Python file spells out, read from its syntax; nothing of it is executed."""

import ast
import warnings
from collections.abc import Mapping
from typing import Any

DEEPEST = 40
MOST = 5_000
Scope = Mapping[str, Any]


class NotLiteralError(Exception):
    """The expression would have to be executed."""


def parsed(source: str) -> ast.Module | None:
    """The syntax tree; null where the file is not Python of today."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def scope_of(tree: ast.Module) -> dict[str, Any]:
    """Module-level names whose values are spelled out; a name that is bound twice has its last.

    >>> scope_of(parsed("a = ['x']; b = a + ['y']; c = open('z').read(); d = {'t': b}; d['u'] = a"))
    {'a': ['x'], 'b': ['x', 'y'], 'd': {'t': ['x', 'y'], 'u': ['x']}}
    """
    scope: dict[str, Any] = {}
    for node in tree.body:
        if isinstance(node, ast.Assign) and len(node.targets) == 1:
            _assign(node.targets[0], node.value, scope)
        elif isinstance(node, ast.AnnAssign) and node.value:
            _assign(node.target, node.value, scope)
    return scope


def _assign(target: ast.expr, value: ast.expr, scope: dict[str, Any]) -> None:
    try:
        if isinstance(target, ast.Name):
            scope.pop(target.id, None)
            scope[target.id] = literal(value, scope)
        elif isinstance(target, ast.Subscript) and isinstance(target.value, ast.Name):
            held = scope.get(target.value.id)
            if isinstance(held, dict):
                held[literal(target.slice, scope)] = literal(value, scope)
    except NotLiteralError:
        return


def literal(node: ast.expr | None, scope: Scope, depth: int = 0) -> Any:
    """The value of an expression of constants, names in scope, lists, dicts, sums and joins."""
    if depth > DEEPEST or node is None:
        raise NotLiteralError
    match node:
        case ast.Constant(value=str() | int() | float() | bool() | None):
            return node.value
        case ast.Name(id=name) if name in scope:
            return scope[name]
        case ast.List() | ast.Tuple() | ast.Set():
            return _list(node, scope, depth)
        case ast.Dict():
            return _dict(node, scope, depth)
        case ast.BinOp(op=ast.Add()):
            return _sum(node, scope, depth)
        case ast.Subscript():
            return _item(node, scope, depth)
    raise NotLiteralError


def _list(node: ast.List | ast.Tuple | ast.Set, scope: Scope, depth: int) -> list[Any]:
    values: list[Any] = []
    for element in node.elts[:MOST]:
        if isinstance(element, ast.Starred):
            values += _as_list(literal(element.value, scope, depth + 1))
        else:
            values.append(literal(element, scope, depth + 1))
    return values[:MOST]


def _dict(node: ast.Dict, scope: Scope, depth: int) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for key, value in list(zip(node.keys, node.values, strict=True))[:MOST]:
        # One entry that must be computed does not hide the others.
        try:
            held = literal(value, scope, depth + 1)
            values |= held if key is None else {str(literal(key, scope, depth + 1)): held}
        except (NotLiteralError, TypeError):
            continue
    return values


def _sum(node: ast.BinOp, scope: Scope, depth: int) -> Any:
    left, right = literal(node.left, scope, depth + 1), literal(node.right, scope, depth + 1)
    if isinstance(left, str) and isinstance(right, str):
        return (left + right)[:MOST]
    return (_as_list(left) + _as_list(right))[:MOST]


def _item(node: ast.Subscript, scope: Scope, depth: int) -> Any:
    held, key = literal(node.value, scope, depth + 1), literal(node.slice, scope, depth + 1)
    if isinstance(held, dict) and isinstance(key, str) and key in held:
        return held[key]
    raise NotLiteralError


def _as_list(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise NotLiteralError
    return value
