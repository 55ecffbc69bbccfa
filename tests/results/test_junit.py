import pytest

from forge.results.cases import Case, UnreadableError
from forge.results.junit import read

FILES = {"tests/test_a.py", "tests/base.py", "my.dir/test_a.py", "docs/README.rst"}


def read_cases(*cases: str):
    content = f"<testsuites><testsuite>{''.join(cases)}</testsuite></testsuites>"
    return read(content.encode(), FILES.__contains__)


def letter_of(*outcomes: str) -> str:
    case = '<testcase classname="tests.test_a" name="t" file="tests/test_a.py">{}</testcase>'
    return read_cases(case.format("".join(outcomes))).tests[0].letter


@pytest.mark.parametrize(
    ("outcome", "letter"),
    [
        ("", "P"),
        ("<system-out>failure</system-out>", "P"),
        ('<failure message="assert 1 == 2">...</failure>', "F"),
        ('<failure message="[XPASS(strict)] fixed"/>', "F"),
        ('<error message="failed on setup with &quot;boom&quot;">...</error>', "E"),
        ('<error message="failed on teardown with &quot;boom&quot;">...</error>', "E"),
        ('<skipped type="pytest.skip" message="no network">...</skipped>', "S"),
        ('<skipped type="pytest.xfail" message="known">...</skipped>', "X"),
        ('<skipped message="expected test failure">known</skipped>', "X"),
    ],
)
def test_outcome_of_a_test_is_one_letter(outcome, letter):
    assert letter_of(outcome) == letter


def test_test_that_passes_and_fails_to_tear_down_is_an_error():
    attributes = 'classname="tests.test_a" name="t" file="tests/test_a.py" time="0.5"'
    case = f"<testcase {attributes}>{{}}</testcase>"
    twice = read_cases(case.format("<failure/>"), case.format("<error/>"), case.format(""))
    assert twice.tests == [Case("tests/test_a.py::t", "E", 1.5)]


@pytest.mark.parametrize(
    ("attributes", "name"),
    [
        ('classname="tests.test_a" name="t" file="tests/test_a.py"', "tests/test_a.py::t"),
        (
            'classname="tests.test_a.TestX.TestY" name="t" file="tests/test_a.py"',
            "tests/test_a.py::TestX::TestY::t",
        ),
        (
            'classname="tests.test_a" name="t[a.b::c - d]" file="tests/test_a.py"',
            "tests/test_a.py::t[a.b::c - d]",
        ),
        (
            'classname="tests.test_a.TestX" name="inherited" file="tests/base.py"',
            "tests/test_a.py::TestX::inherited",
        ),
        (
            'classname="tests.test_a.TestX" name="from_a_library" file="../opt/venv/lib/cases.py"',
            "tests/test_a.py::TestX::from_a_library",
        ),
        ('classname="my.dir.test_a" name="t" file="my.dir/test_a.py"', "my.dir/test_a.py::t"),
        (
            'classname="docs.README.rst" name="README.rst" file="docs/README.rst"',
            "docs/README.rst::README.rst",
        ),
        ('classname="tests.test_a" name="t"', "tests/test_a.py::t"),
        ('classname="Calculator adds" name="two numbers"', "Calculator adds::two numbers"),
    ],
)
def test_id_is_the_node_id_of_the_runner(attributes, name):
    assert [test.id for test in read_cases(f"<testcase {attributes}/>").tests] == [name]


def test_file_that_cannot_be_collected_is_broken_and_no_test():
    result = read_cases(
        '<testcase classname="" name="tests.test_a" file="tests/test_a.py">'
        '<error message="collection failure">ImportError</error></testcase>',
        '<testcase classname="tests.test_b" name="TestX" file="tests/test_b.py">'
        '<error message="collection failure">TypeError</error></testcase>',
        '<testcase classname="" name="tests.test_c">'
        '<error message="collection failure"/></testcase>',
    )
    assert result.tests == []
    assert result.broken_files == ["tests/test_a.py", "tests/test_b.py", "tests/test_c.py"]


def test_file_that_skips_itself_is_no_test():
    result = read_cases(
        '<testcase classname="" name="tests.test_a" file="tests/test_a.py">'
        '<skipped message="collection skipped" type="pytest.skip">no numpy</skipped></testcase>'
    )
    assert result == ([], [])


def test_case_without_a_name_is_the_test_that_was_cut_and_not_listed():
    assert read_cases('<testcase time="0.01"/>') == ([], [])


def test_runner_that_stopped_with_an_internal_error_said_nothing():
    with pytest.raises(UnreadableError):
        read_cases(
            '<testcase classname="tests.test_a" name="t" file="tests/test_a.py"/>',
            '<testcase classname="pytest" name="internal">'
            '<error message="internal error"/></testcase>',
        )


def test_crash_of_a_worker_is_a_failed_test():
    crash = read_cases(
        '<testcase classname="tests.test_a" name="t" file="tests/test_a.py">'
        '<failure message="worker &apos;gw0&apos; crashed"/></testcase>'
    )
    assert crash.tests == [Case("tests/test_a.py::t", "F", 0.0)]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"<testsuite><testcase",
        b"not xml",
        b'<!DOCTYPE x [<!ENTITY a "aaaa">]><testsuite>&a;</testsuite>',
        b'<!DOCTYPE x SYSTEM "file:///etc/passwd"><testsuite/>',
    ],
)
def test_half_a_file_or_a_declared_entity_is_not_read(content):
    with pytest.raises(UnreadableError):
        read(content, FILES.__contains__)
