import json

import pytest

from forge.results.cases import Case, Result, UnreadableError
from forge.results.record import read


def test_tests_and_what_is_broken_are_read_as_they_are():
    rows = [["test_a (x.Y)", "P", 0.5], ["a.txt", "T", 1]]
    content = json.dumps({"tests": rows, "broken_files": ["b.py", "a"]}).encode()
    cases = [Case("test_a (x.Y)", "P", 0.5), Case("a.txt", "T", 1.0)]
    assert read(content, bool) == Result(cases, ["a", "b.py"])


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[]",
        b"\xff",
        b"[" * 100_000,
        b'<testsuite><testcase classname="a" name="b"/></testsuite>',
        b'{"tests": []}',
        b'{"tests": [["a", "Z", 1]], "broken_files": []}',
        b'{"tests": [["a", ["P"], 1]], "broken_files": []}',
        b'{"tests": [[1, "P", 1]], "broken_files": []}',
        b'{"tests": [["a", "P", "x"]], "broken_files": []}',
        b'{"tests": [["a", "P"]], "broken_files": []}',
        b'{"tests": [], "broken_files": [1]}',
    ],
)
def test_what_is_no_record_is_not_read(content):
    with pytest.raises(UnreadableError):
        read(content, bool)
