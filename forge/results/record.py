"""What forge's own record of a project's runner says of each test, under the runner's own ids.

The text of this file is embedded in every eval.sh, so it needs nothing but the standard library.
"""

import json
from typing import Any, Callable

from forge.results.cases import Case, Result, UnreadableError

LETTERS = frozenset("PXSFET")


def read(content: bytes, _is_file: Callable[[str], bool]) -> Result:
    """The tests that a result file lists.

    >>> read(b'{"tests": [["test_a (x.Y)", "P", 0.1]], "broken_files": []}', bool).tests
    [Case(id='test_a (x.Y)', letter='P', seconds=0.1)]
    """
    try:
        found = json.loads(content.decode())
        tests = [_case(*row) for row in found["tests"]]
        return Result(tests, sorted(map(_text, found["broken_files"])))
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise UnreadableError("{}: {}".format(type(error).__name__, error)) from None


def _case(name: Any, letter: Any, seconds: Any) -> Case:
    if letter not in LETTERS:
        raise ValueError("{!r} is no letter".format(letter))
    return Case(_text(name), letter, float(seconds))


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError("{!r} is no text".format(value))
    return value
