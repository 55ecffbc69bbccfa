import json
from pathlib import Path

import pytest
import toy_month
from toy_month import LOG_NAME, build_month

from forge.artifacts import Artifacts
from forge.cli.why import tell_chapter
from forge.selection import Selection
from forge.story import Chapter

WHOLE = f"""\
lantern/tidy#1 in 2026-03 (repository 1)

merges          kept
    repo lantern/tidy · merged_at 2026-03-02 10:00:00 · title Fix the width

candidates      kept
    repo lantern/tidy · test_files 1 · stars 50

attempts        kept, 4 rows
    side    attempt
    ------  -------
    before        1
    before        2
    after         1
    after         2
    before FF  after PP  1 test
        tests/t.py::t0
    before PP  after PP  6 tests
        tests/t.py::t1
        tests/t.py::t2
        tests/t.py::t3
        tests/t.py::t4
        tests/t.py::t5
        and 1 more
    before PP  after PF  1 test
        tests/t.py::t7
    before 1 log: data/memo/artifacts/{LOG_NAME[:2]}/{LOG_NAME}
    after 1 log: data/memo/artifacts/{LOG_NAME[:2]}/{LOG_NAME}
    2 more files: --json

verdicts        kept
    fail_to_pass ["tests/t.py::t0"]

tasks           kept
    instance_id lantern__tidy-1 · gold_patch (2 lines, 12 characters)
    image sweforge/x:1

splits          kept
    split train

went the whole way: it is in splits
"""
REJECTED = """\
lantern/tidy#3 in 2026-03 (repository 1)

merges          kept
    repo lantern/tidy · merged_at 2026-03-02 10:00:00
    title Red \\x1b[31mtitle\\u202e

candidates      rejected
    has_tests
        test_files is 0 · wanted test_files > 0
    is_small
        changed_lines is 900 · wanted changed_lines <= 400
        limit lines = 400 (default)

rejected by candidates: has_tests, is_small
"""


@pytest.mark.usefixtures("month")
def test_story_of_a_task_is_told_to_its_end(forge_says):
    assert forge_says("why", "lantern/tidy#1") == (0, WHOLE, "")


@pytest.mark.usefixtures("month")
def test_missed_criteria_come_with_value_limit_and_source(forge_says):
    assert forge_says("why", "lantern/tidy#3") == (0, REJECTED, "")


def test_limit_of_the_command_line_is_told_from_one_of_the_file(home, forge_says):
    (home / "forge.toml").write_text("[candidates]\nlines = 300\n")
    build_month(home, limits={"candidates": {"lines": 300}})
    assert "        limit lines = 300 (forge.toml)\n" in forge_says("why", "lantern/tidy#3").out
    build_month(home, limits={"candidates": {"lines": 200}})
    assert "        limit lines = 200 (--limit)\n" in forge_says("why", "lantern/tidy#3").out


@pytest.mark.parametrize(
    "name",
    [
        "Kestrel/ledger#7",
        "https://github.com/kestrel/ledger/pull/7",
        "https://github.com/kestrel/ledger/pull/7/files?w=1",
        "kestrel/ledger:pr-7",
        "kestrel__Ledger-7",
    ],
)
@pytest.mark.usefixtures("month")
def test_pull_request_is_known_by_every_form_of_its_name(forge_says, name):
    assert "instance_id kestrel__Ledger-7" in forge_says("why", name).out


def test_bucket_that_was_not_reached_is_deferred_by_its_bound(home, forge_says):
    build_month(home, Selection("2026-03", tasks=1))
    end = forge_says("why", "kestrel/ledger#7").out.splitlines()[-1]
    assert end == "deferred by attempts: beyond the bound tasks"


def test_table_that_was_never_built_ends_the_story(month, forge_says):
    (month / "data/splits/month=2026-03/_manifest.json").unlink()
    end = forge_says("why", "lantern/tidy#1").out.splitlines()[-1]
    assert end == "ends after tasks: splits was not built for it yet"


def test_every_month_that_holds_it_tells_its_own_story(month, forge_says):
    build_month(month, Selection("2026-02"))
    starts = [
        line for line in forge_says("why", "lantern/tidy#2").out.splitlines() if " in " in line
    ]
    assert starts == [
        "lantern/tidy#2 in 2026-02 (repository 1)",
        "lantern/tidy#2 in 2026-03 (repository 1)",
    ]
    assert forge_says("why", "--month", "2026-02", "lantern/tidy#2").out.count("(repository") == 1


@pytest.mark.parametrize(
    ("name", "message"),
    [
        (
            "lantern/tidy#6",
            (
                "no pull request lantern/tidy#6 in 2026-03 in data\n"
                "the nearest are lantern/tidy#4, lantern/tidy#3, lantern/tidy#2"
            ),
        ),
        (
            "lanter/tidi#1",
            (
                "no pull request lanter/tidi#1 in 2026-03 in data\n"
                "the nearest are lantern/tidy#1, lantern/tidy#2, lantern/tidy#3"
            ),
        ),
        (
            "zzz/qqq#1",
            "no pull request zzz/qqq#1 in 2026-03 in data\n`forge status` says what there is",
        ),
        (
            "\x1b[31mred",
            (
                "not a pull request: '\\x1b[31mred'\n"
                "say it as owner/name#12, its address or its instance id"
            ),
        ),
        (
            "tidy",
            "not a pull request: 'tidy'\nsay it as owner/name#12, its address or its instance id",
        ),
    ],
)
@pytest.mark.usefixtures("month")
def test_unknown_pull_request_is_refused_with_the_nearest(forge_says, name, message):
    assert forge_says("why", name) == (3, "", f"forge: {message}\n")


@pytest.mark.usefixtures("month")
def test_json_tells_letters_and_limits_in_full(forge_says):
    (story,) = json.loads(forge_says("why", "lantern/tidy#3", "--json").out)
    assert story["end"] == "rejected by candidates: has_tests, is_small"
    assert story["chapters"][1]["missed"][1] == {
        "criterion": "is_small",
        "values": {"changed_lines": 900},
        "wanted": "changed_lines <= 400",
        "limits": {"lines": {"value": 400, "source": "default"}},
    }


def test_log_that_is_gone_is_told(month, forge_says):
    (month / f"data/memo/artifacts/{LOG_NAME[:2]}/{LOG_NAME}").unlink()
    assert f"{toy_month.LOG_NAME} (gone)\n" in forge_says("why", "lantern/tidy#1").out


def test_leaks_are_told_one_by_one_with_their_words(capsys):
    leak = {"kind": "git_ref", "path": "/testbed/.git/refs/tags/v\x1b2", "evidence": "0badcafe"}
    rows = [{"image_leaks": [leak] * 6, "unread": []}]
    tell_chapter(Chapter("leaks", "kept", rows), rows, Artifacts(Path("artifacts")))
    told = capsys.readouterr().out
    assert "    git_ref in /testbed/.git/refs/tags/v\\x1b2\n        0badcafe\n" in told
    assert told.endswith("    1 more leaks: --json\n")
