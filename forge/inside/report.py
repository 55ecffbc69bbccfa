"""Turns a runner's result file into lines that log parsers read, and into letters for forge."""

import importlib
import json
import os
import re
import stat
import sys
from typing import Any, Dict, List

MOST_BYTES = 50_000_000
WORDS = {"P": "PASS", "X": "PASS", "S": "SKIP"}
AWKWARD = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]|^\s|\s$|^\"|>>>>>")


def canonical(name: str) -> str:
    r"""An id on one line that no log parser alters: as it is, or, if awkward, as a JSON string.

    >>> canonical("tests/a.py::t[5m] - a b"), canonical("a.py::t[ \n]")
    ('tests/a.py::t[5m] - a b', '"a.py::t[ \\n]"')
    """
    return json.dumps(name).replace(">", "\\u003e") if AWKWARD.search(name) else name


def original(name: str) -> str:
    r"""The runner's own id.

    >>> original(canonical("a.py::t[ \n]")) == "a.py::t[ \n]"
    True
    """
    return str(json.loads(name)) if name.startswith('"') else name


def line(name: str, letter: str) -> str:
    """What `go test` prints for a test, because parsers of that take ids as they are.

    >>> line("a.py::t", "X")
    '--- PASS: a.py::t (0.00s)'
    """
    return "--- {}: {} (0.00s)".format(WORDS.get(letter, "FAIL"), name)


def cut_test(listed: List[str], collected: List[str], targets: List[str]) -> List[str]:
    """The test that ran when the time was up: the first of the targets that has no result.

    >>> cut_test(["a.py::x"], ["a.py::x", "a.py::y", "a.py::z"], ["a.py"])
    ['a.py::y']
    """
    known = set(listed)
    for target in targets or [""]:
        for name in collected:
            if _is_within(name, target) and name not in known:
                return [name]
    return []


def _is_within(name: str, target: str) -> bool:
    target = target.rstrip("/")
    return (
        not target or name == target or name.startswith((target + "::", target + "/", target + "["))
    )


def read_regular(path: str) -> bytes:
    """A file's bytes, if it is a plain file: the tests may have left a link or a pipe there."""
    file = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    with os.fdopen(file, "rb") as opened:
        if not stat.S_ISREG(os.fstat(file).st_mode):
            raise OSError("{} is not a plain file".format(path))
        return opened.read(MOST_BYTES + 1)


def letters(reader: Any, out: str, targets: List[str], *, is_timed_out: bool) -> Dict[str, Any]:
    """What the result file says: `tests` (id, letter, seconds), `broken_files`, `problem`."""
    try:
        content = read_regular(os.path.join(out, "result", "result"))
        tests, broken = reader.read(content, os.path.isfile)
    except (OSError, reader.UnreadableError) as error:
        return {"tests": [], "broken_files": [], "problem": str(error)}
    # Some readers know what ran at the end, but not what ended it.
    cut = "T" if is_timed_out else "F"
    rows = [[canonical(t.id), cut if t.letter == "T" else t.letter, t.seconds] for t in tests]
    if is_timed_out and not any(letter == "T" for _, letter, _ in rows):
        collected = list(map(canonical, _collected(os.path.join(out, "collected"))))
        rows += [[name, "T", 0.0] for name in cut_test([r[0] for r in rows], collected, targets)]
    return {"tests": rows, "broken_files": broken, "problem": None}


def _collected(path: str) -> List[str]:
    if not os.path.exists(path):
        return []
    return read_regular(path).decode("utf-8", "replace").split("\n")[:-1]


def main(out: str, is_timed_out: str, *targets: str) -> int:
    """Print one line per test; 0 only where the runner reached its end and said so."""
    sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
    found = letters(
        importlib.import_module("reader"), out, list(targets), is_timed_out=is_timed_out == "true"
    )
    with open(os.path.join(out, "letters.json"), "w") as file:
        json.dump(found, file)
    for name, letter, _ in found["tests"]:
        print(line(name, letter))  # noqa: T201 - that is its job
    return 1 if found["problem"] or is_timed_out == "true" else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
