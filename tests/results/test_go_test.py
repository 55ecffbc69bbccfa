import json

import pytest

from forge.results import go_test
from forge.results.cases import UnreadableError
from forge.results.go_test import read

ROOT, DOC = "example.org/sums", "example.org/sums/doc"
FOLDERS = [{"ImportPath": ROOT, "Dir": "."}, {"ImportPath": DOC, "Dir": "doc"}]


def event(action, test=None, package=ROOT, **more):
    named = {"Test": test} if test else {}
    return {"Action": action, "Package": package, **named, **more}


def output(text, test=None, package=ROOT):
    return event("output", test, package, Output=text)


ENDED = [output("PASS\n"), output("ok  \texample.org/sums\t0.1s\n"), event("pass")]
FAILED = [output("FAIL\n"), output("FAIL\texample.org/sums\t0.1s\n"), event("fail")]


def told(*events, words=""):
    lines = [json.dumps(line) for line in [*FOLDERS, *events]]
    return read(("\n".join(lines) + "\n" + words).encode(), lambda _: True)


def letters(*events, words=""):
    return {case.id: case.letter for case in told(*events, words=words).tests}


@pytest.mark.parametrize(("action", "letter"), [("pass", "P"), ("fail", "F"), ("skip", "S")])
def test_end_of_a_test_is_its_letter(action, letter):
    events = [event("run", "TestAdd"), event(action, "TestAdd", Elapsed=0.25), *FAILED]
    found = told(*events)
    assert found.tests == [go_test.Case(".::TestAdd", letter, 0.25)]
    assert found.broken_files == []


def test_id_is_the_folder_of_the_package_and_the_name_with_its_subtests():
    events = [event("pass", "TestAdd/one_two", DOC), event("pass", "TestAdd/a::b", DOC)]
    assert letters(*events) == {"doc::TestAdd/one_two": "P", "doc::TestAdd/a::b": "P"}


def test_absolute_folder_is_told_from_where_the_repository_lies(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    folder = {"ImportPath": "x.org/a/v2", "Dir": f"{tmp_path}/a"}
    lines = [folder, event("pass", "TestA", "x.org/a/v2")]
    content = "\n".join(map(json.dumps, lines)).encode()
    assert [case.id for case in read(content, lambda _: True).tests] == ["a::TestA"]


def test_parent_fails_with_its_subtest_and_both_are_listed():
    events = [
        *(event("run", "TestA"), event("run", "TestA/bad"), event("run", "TestA/good")),
        *(event("fail", "TestA/bad"), event("pass", "TestA/good"), event("fail", "TestA")),
    ]
    expected = {".::TestA": "F", ".::TestA/bad": "F", ".::TestA/good": "P"}
    assert letters(*events, *FAILED) == expected


def test_examples_and_seeds_of_fuzz_tests_are_tests():
    events = [
        event("pass", "ExampleAdd"),
        event("fail", "FuzzAdd/seed#1"),
        event("fail", "FuzzAdd"),
    ]
    expected = {".::ExampleAdd": "P", ".::FuzzAdd/seed#1": "F", ".::FuzzAdd": "F"}
    assert letters(*events, *FAILED) == expected


def test_packages_whose_events_are_mixed_are_told_apart():
    events = [
        *(event("run", "TestA"), event("run", "TestA", DOC)),
        *(event("pass", "TestA"), event("fail", "TestA", DOC)),
    ]
    assert letters(*events) == {".::TestA": "P", "doc::TestA": "F"}


@pytest.mark.parametrize("order", [("pass", "fail"), ("fail", "pass")])
def test_worst_wins_where_inner_and_outer_tests_share_a_name(order):
    assert letters(*(event(action, "TestA") for action in order)) == {".::TestA": "F"}


def test_package_that_does_not_build_is_broken():
    built = [
        {
            "ImportPath": f"{ROOT} [{ROOT}.test]",
            "Action": "build-output",
            "Output": "undefined: x\n",
        },
        {"ImportPath": f"{ROOT} [{ROOT}.test]", "Action": "build-fail"},
        event("start"),
        output(f"FAIL\t{ROOT} [build failed]\n"),
        event("fail", FailedBuild=f"{ROOT} [{ROOT}.test]"),
    ]
    assert told(*built) == go_test.Result([], ["."])


@pytest.mark.parametrize("why", ["build failed", "setup failed"])
def test_package_of_which_an_older_go_speaks_in_words_only_is_broken(why):
    assert told(words=f"# {DOC}\nFAIL\t{DOC} [{why}]\n") == go_test.Result([], ["doc"])


def test_panic_fails_what_ran_and_breaks_the_package():
    events = [event("pass", "TestA"), event("run", "TestB"), event("run", "TestB/in")]
    panicked = [output("panic: nil map\n", "TestB/in"), event("fail", "TestB/in"), event("fail")]
    found = told(*events, *panicked)
    assert [(case.id, case.letter) for case in found.tests] == [
        (".::TestA", "P"),
        (".::TestB/in", "F"),
        (".::TestB", "F"),
    ]
    assert found.broken_files == ["."]


def test_main_that_leaves_before_the_tests_breaks_the_package():
    assert told(output(f"ok  \t{ROOT}\t0.1s\n"), event("pass")) == go_test.Result([], ["."])


def test_package_without_tests_is_not_broken():
    events = [output(f"?   \t{ROOT}\t[no test files]\n"), event("skip")]
    assert told(*events) == go_test.Result([], [])


def test_package_all_of_whose_tests_ran_is_not_broken():
    assert told(event("pass", "TestA"), *ENDED).broken_files == []


@pytest.mark.parametrize("end", [[output("signal: interrupt\n", "TestB"), event("fail")], []])
def test_what_ran_when_the_time_was_up_is_cut(end):
    events = [event("pass", "TestA"), event("run", "TestB"), *end]
    assert letters(*events) == {".::TestA": "P", ".::TestB": "T"}
    assert told(*events).broken_files == ["."]


def test_line_that_was_cut_and_words_between_events_are_passed_over():
    events = [event("pass", "TestA"), *ENDED]
    assert letters(*events, words='warning\n[1]\n{"Action":"pass","Pack') == {".::TestA": "P"}


def test_what_a_test_prints_is_no_event():
    forged = json.dumps(event("pass", "TestB"))
    assert letters(output(f"{forged}\n", "TestA"), event("fail", "TestA")) == {".::TestA": "F"}


def test_results_of_an_earlier_run_are_refused():
    with pytest.raises(UnreadableError, match="cache"):
        told(event("pass", "TestA"), output(f"ok  \t{ROOT}\t(cached)\n"), event("pass"))


@pytest.mark.parametrize("content", [b"", b"\n", b"go: cannot find main module\n", b"\xff{}"])
def test_file_without_events_is_unreadable(content):
    with pytest.raises(UnreadableError, match="no package"):
        read(content, lambda _: True)


def test_file_of_folders_alone_is_unreadable():
    with pytest.raises(UnreadableError):
        told()
