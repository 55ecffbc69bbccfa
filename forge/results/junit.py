"""What a JUnit XML file says of each test, under the runner's own ids.

The text of this file is embedded in every eval.sh, so it needs nothing but the standard library.
"""

import re
from typing import Callable, Dict, List, Optional, Tuple
from xml.parsers import expat

from forge.results.cases import Case, Result, UnreadableError

WORST_LAST = "PXSFE"
COLLECTION, INTERNAL = "collection failure", "internal error"
XFAIL_MESSAGE = "expected test failure"  # pytest before 5 gives no type

Outcome = Tuple[str, Dict[str, str]]


def read(content: bytes, is_file: Callable[[str], bool]) -> Result:
    """The tests that a result file lists, once each; `is_file` knows the repository's files.

    >>> case = b'<testcase classname="tests.test_a.TestX" name="test_b[1]" file="tests/test_a.py"/>'
    >>> read(case, lambda path: True).tests
    [Case(id='tests/test_a.py::TestX::test_b[1]', letter='P', seconds=0.0)]
    """
    reader = _Reader(is_file)
    try:
        reader.parser.Parse(content, True)  # noqa: FBT003 - the C function takes no name
    except (expat.ExpatError, ValueError) as error:
        raise UnreadableError(str(error)) from None
    return Result(list(reader.tests.values()), sorted(reader.broken_files))


class _Reader:
    def __init__(self, is_file: Callable[[str], bool]) -> None:
        self.is_file = is_file
        self.tests = {}  # type: Dict[str, Case]
        self.broken_files = set()  # type: ignore[var-annotated] # Python 3.6
        self.case = None  # type: Optional[Dict[str, str]]
        self.outcomes = []  # type: List[Outcome]
        self.parser = expat.ParserCreate()
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.StartDoctypeDeclHandler = self._refuse  # no entities: the file is not trusted

    def _refuse(self, *_declared: object) -> None:
        raise UnreadableError("a result file may not declare a document type")

    def _start(self, tag: str, attributes: Dict[str, str]) -> None:
        if tag == "testcase":
            self.case, self.outcomes = attributes, []
        elif self.case is not None and tag in ("failure", "error", "skipped"):
            self.outcomes.append((tag, attributes))

    def _end(self, tag: str) -> None:
        if tag != "testcase" or self.case is None:
            return
        messages = [outcome.get("message") for _, outcome in self.outcomes]
        if INTERNAL in messages and self.case.get("classname") == "pytest":
            raise UnreadableError("the runner stopped with an internal error")
        if COLLECTION in messages:
            self.broken_files.add(_file(self.case))
        # A test that was cut has a case without a name.
        elif self.case.get("name") and not _is_file_skip(self.case, self.outcomes):
            self._add(self.case)
        self.case = None

    def _add(self, case: Dict[str, str]) -> None:
        name, seconds = node_id(case, self.is_file), _seconds(case.get("time", ""))
        letters = [_letter(outcome) for outcome in self.outcomes] or ["P"]
        if name in self.tests:
            letters.append(self.tests[name].letter)
            seconds += self.tests[name].seconds
        self.tests[name] = Case(name, max(letters, key=WORST_LAST.index), round(seconds, 3))


def node_id(case: Dict[str, str], is_file: Callable[[str], bool]) -> str:
    """The node id of a test case.

    `classname` is the file's path, dotted, then the classes. `file` says where the code stands,
    elsewhere for an inherited test: then the path is the longest in `classname` that exists.
    """
    classname, name, file = case.get("classname", ""), case.get("name", ""), case.get("file")
    if file is None or not _begins(classname, _dotted(file)):
        file = _existing(classname.split("."), is_file) or file
    if file is None:
        return "::".join(filter(None, [classname, name]))
    dotted = _dotted(file)
    classes = classname[len(dotted) :].lstrip(".") if _begins(classname, dotted) else classname
    return "::".join(filter(None, [file, classes.replace(".", "::"), name]))


def _dotted(path: str) -> str:
    return re.sub(r"\.py$", "", path.replace("/", "."))


def _begins(classname: str, dotted: str) -> bool:
    return classname == dotted or classname.startswith(dotted + ".")


def _existing(parts: List[str], is_file: Callable[[str], bool]) -> Optional[str]:
    for length in range(len(parts), 0, -1):
        path = "/".join(parts[:length]) + ".py"
        if is_file(path):
            return path
    return None


def _file(case: Dict[str, str]) -> str:
    dotted = ".".join(filter(None, [case.get("classname"), case.get("name")]))
    return case.get("file") or dotted.replace(".", "/") + ".py"


def _is_file_skip(case: Dict[str, str], outcomes: List[Outcome]) -> bool:
    # A module that skips itself is listed as a case without a class: it is no test.
    return bool(outcomes) and not case.get("classname") and case.get("name") == _dotted(_file(case))


def _letter(outcome: Outcome) -> str:
    tag, attributes = outcome
    if tag != "skipped":
        return "F" if tag == "failure" else "E"
    is_expected = attributes.get("type") == "pytest.xfail"
    return "X" if is_expected or attributes.get("message") == XFAIL_MESSAGE else "S"


def _seconds(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return 0.0
