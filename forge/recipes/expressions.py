"""GitHub's expressions, as far as a matrix, inputs and the operating system decide them."""

import re
from collections.abc import Mapping

EXPRESSION = re.compile(r"\$\{\{\s*(.*?)\s*\}\}", re.DOTALL)
UNKNOWN = "$EXPRESSION"
"""What takes the place of an expression that nothing here can tell."""
TEXT = re.compile(r"^'((?:[^']|'')*)'$")
NUMBER = re.compile(r"^-?\d+(\.\d+)?$|^(true|false)$")
CALL = re.compile(r"^(startsWith|endsWith|contains)\(([^(),]+),([^(),]+)\)$", re.IGNORECASE)
STATUS = {"always()": True, "success()": True, "failure()": False, "cancelled()": False}
DEEPEST = 20
MOST = 200

Context = Mapping[str, str]
"""Values by their whole names, such as `matrix.python-version`."""


def filled(text: str, context: Context) -> str:
    """The text with every expression in it evaluated.

    >>> filled("py${{ matrix.v }} ${{ secrets.K }}", {"matrix.v": "3.9"})
    'py3.9 $EXPRESSION'
    """
    if text.count("${{") > MOST:
        return UNKNOWN
    return EXPRESSION.sub(lambda found: _value(found[1], context), text)


def holds(condition: str, context: Context) -> bool | None:
    """Whether a condition is true; null where that is not known.

    >>> context = {"runner.os": "Linux", "matrix.v": "3.9"}
    >>> conditions = ("runner.os == 'Windows'", "startsWith(matrix.v, '3.') && !github.x", "!0")
    >>> [holds(condition, context) for condition in conditions]
    [False, None, True]
    """
    return _truth(re.sub(r"^\s*\$\{\{(.*)\}\}\s*$", r"\1", condition, flags=re.DOTALL), context, 0)


def _truth(condition: str, context: Context, depth: int) -> bool | None:
    condition = _bare(condition)
    if depth > DEEPEST:
        return None
    for sign, decisive in (("||", True), ("&&", False)):
        parts = _parted(condition, sign)
        if len(parts) > 1:
            return _together([_truth(part, context, depth + 1) for part in parts], decisive)
    if condition.startswith("!") and not condition.startswith("!="):
        inner = _truth(condition[1:], context, depth + 1)
        return None if inner is None else not inner
    return _comparison(condition, context)


def _together(parts: list[bool | None], decisive: bool) -> bool | None:  # noqa: FBT001 - a value
    if decisive in parts:
        return decisive
    return None if None in parts else not decisive


def _comparison(condition: str, context: Context) -> bool | None:
    for sign in ("==", "!="):
        left, found, right = condition.partition(sign)
        if found:
            values = [_value(side, context) for side in (left, right)]
            is_known = UNKNOWN not in values
            return (_same(*values) == (sign == "==")) if is_known else None
    if condition in STATUS:
        return STATUS[condition]
    if call := CALL.match(condition):
        return _called(call[1].lower(), _value(call[2], context), _value(call[3], context))
    value = _value(condition, context)
    return None if value == UNKNOWN else value not in {"", "false", "0"}


def _same(left: str, right: str) -> bool:
    return left.lower() == right.lower()


def _called(name: str, whole: str, part: str) -> bool | None:
    if UNKNOWN in {whole, part}:
        return None
    whole, part = whole.lower(), part.lower()
    if name == "contains":
        return part in whole
    return whole.startswith(part) if name == "startswith" else whole.endswith(part)


def _value(expression: str, context: Context) -> str:
    expression = _bare(expression)
    if found := TEXT.match(expression):
        return found[1].replace("''", "'")
    if NUMBER.match(expression):
        return expression
    if "||" in expression or "&&" in expression:
        return _chosen(expression, context)
    kind = expression.partition(".")[0]
    # What a row of the matrix or a call does not set is empty there.
    is_absent = kind in {"matrix", "inputs"} and re.fullmatch(r"[\w.-]+", expression)
    return context.get(expression, "" if is_absent else UNKNOWN)


def _chosen(expression: str, context: Context) -> str:
    """The value of `condition && this || that`, as authors write it for want of a better word.

    >>> _chosen("matrix.a && '-a' || ''", {"matrix.a": ""})
    ''
    """
    choices = _parted(expression, "||")
    for choice in choices:
        *conditions, last = _parted(choice, "&&")
        truths = [_truth(condition, context, 1) for condition in conditions]
        if None in truths or "&&" in last or "||" in last:
            return UNKNOWN
        value = _value(last, context) if all(truths) else UNKNOWN
        if value != UNKNOWN and (value or choice is choices[-1]):
            return value
    return UNKNOWN


def _bare(text: str) -> str:
    text = text.strip()
    is_whole = text.startswith("(") and text.endswith(")") and "(" not in text[1:-1]
    return text[1:-1].strip() if is_whole and ")" not in text[1:-1] else text


def _parted(text: str, sign: str) -> list[str]:
    """The parts of a text between signs that no bracket or quote encloses."""
    parts, depth, is_quoted, start = [], 0, False, 0
    for at, letter in enumerate(text):
        is_quoted ^= letter == "'"
        depth += 0 if is_quoted else (letter == "(") - (letter == ")")
        if not is_quoted and not depth and text.startswith(sign, at):
            parts.append(text[start:at])
            start = at + len(sign)
    return [*parts, text[start:]]
