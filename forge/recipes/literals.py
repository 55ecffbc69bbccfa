"""Values that a Python file spells out, read from its syntax; nothing of it is executed."""

import ast
import contextlib
import itertools
import re
import warnings
from collections.abc import Iterator, Mapping
from typing import Any

DEEPEST = 40
MOST = 5_000
Scope = Mapping[str, Any]
# A requirement up to its version.
BOUND = re.compile(r"^([A-Za-z0-9][\w.-]*)\s*[<>=~!]=?\s*$")


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


def scope_of(tree: ast.Module, line: int = 0) -> dict[str, Any]:
    """Names whose values are spelled out, in the module and in the blocks around one of its lines.

    A name that is bound twice has its last value.

    >>> scope_of(parsed("a = ['x']; b = a + ['y']; c = open('z').read(); d = {'t': b}; d['u'] = a"))
    {'a': ['x'], 'b': ['x', 'y'], 'd': {'t': ['x', 'y'], 'u': ['x']}}
    """
    scope: dict[str, Any] = {}
    for node in (node for block in _blocks(tree, line) for node in block):
        if isinstance(node, ast.Assign) and len(node.targets) == 1:
            _assign(node.targets[0], node.value, scope)
        elif isinstance(node, ast.AnnAssign) and node.value:
            _assign(node.target, node.value, scope)
        elif isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Name):
            grown = ast.BinOp(node.target, node.op, node.value)
            with contextlib.suppress(NotLiteralError):
                scope[node.target.id] = literal(grown, scope)
    return scope


def _blocks(tree: ast.Module, line: int) -> Iterator[list[ast.stmt]]:
    """The module's statements, then those of the blocks that a line lies in, outermost first."""
    yield tree.body
    inner = (node for node in ast.walk(tree) if isinstance(node, ast.stmt))
    for block in (getattr(node, name, []) for node in inner for name in ("body", "orelse")):
        if block and block[0].lineno <= line <= block[-1].end_lineno:
            yield block


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
    """The value of an expression of constants, names in scope, lists, dicts, sums and joins.

    Of a requirement whose version is computed it is the name.

    >>> text = "v = '1'; a = ['x>=%s' % v, 'y==' + w(), f'z>{v}', 'u<{}'.format(w)]"
    >>> scope_of(parsed(text))["a"]
    ['x>=1', 'y', 'z>1', 'u']
    """
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
    return _made(node, scope, depth)


def _made(node: ast.expr, scope: Scope, depth: int) -> Any:
    """What `dict(…)` makes, an item of it, and texts with places that are filled in."""
    match node:
        case ast.Subscript():
            return _item(node, scope, depth)
        case ast.Call(func=ast.Name(id="dict"), args=[], keywords=given):
            names = [ast.Constant(k.arg) if k.arg else None for k in given]
            return _dict(ast.Dict([*names], [k.value for k in given]), scope, depth)
        case ast.BinOp(left=ast.Constant(value=str(form)), op=ast.Mod(), right=right):
            values = right.elts if isinstance(right, ast.Tuple) else [right]
            return _filled(form.split("%s"), values, scope, depth)
        case ast.Call(
            func=ast.Attribute(value=ast.Constant(value=str(form)), attr="format"), args=values
        ):
            return _filled(form.split("{}"), values, scope, depth)
        case ast.JoinedStr(values=[ast.Constant(value=str(form)), ast.FormattedValue(value=last)]):
            return _filled([form, ""], [last], scope, depth)
    raise NotLiteralError


def _filled(texts: list[str], values: list[ast.expr], scope: Scope, depth: int) -> str:
    try:
        found = [literal(value, scope, depth + 1) for value in values]
    except NotLiteralError:
        return _name(texts[0])
    if len(texts) != len(found) + 1 or not all(isinstance(value, str) for value in found):
        raise NotLiteralError
    return "".join(itertools.chain(*zip(texts, [*found, ""], strict=True)))[:MOST]


def _name(start: str) -> str:
    if named := BOUND.match(start):
        return named[1]
    raise NotLiteralError


def partly(node: ast.expr, scope: Scope, depth: int = 0) -> list[Any]:
    """What is spelled out of a list of which a part is computed.

    >>> [partly(s.value, {}) for s in parsed("['a', b()] + (['c'] if d else []) + ['e']").body]
    [['a', 'e']]
    """
    known: list[Any] = []
    match node:
        case ast.BinOp(left=left, op=ast.Add(), right=right) if depth < DEEPEST:
            known = partly(left, scope, depth + 1) + partly(right, scope, depth + 1)
        case ast.List(elts=elements) | ast.Tuple(elts=elements):
            for element in elements:
                with contextlib.suppress(NotLiteralError):
                    known.append(literal(element, scope))
    return known[:MOST]


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
    left = literal(node.left, scope, depth + 1)
    try:
        right = literal(node.right, scope, depth + 1)
    except NotLiteralError:
        return _name(left if isinstance(left, str) else "")
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
