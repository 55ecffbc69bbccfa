import json
import re

import pytest
import toy_month
from toy_month import build_month

from forge.selection import Selection

SIZE = re.compile(r" +[\d.]+ k?B")
FRESH = """\
2026-03                rows   rejected    open  deferred      size
merges                    5          -       -         - SIZE  fresh
candidates                3          2       -         - SIZE  fresh
attempts                 12          -       -         - SIZE  fresh
verdicts                  2          1       -         - SIZE  fresh
tasks                     2          -       -         - SIZE  fresh
splits                    2          -       -         - SIZE  fresh
tables SIZE  data
memo SIZE  data/memo
artifacts SIZE  data/memo/artifacts
mirrors SIZE  data/mirrors
raw SIZE  data/raw
images          no Docker engine answers at unix:///nowhere/docker.sock: No such file or directory
"""


def told(ended) -> str:
    assert (ended.code, ended.err) == (0, "")
    return SIZE.sub(" SIZE", ended.out)


def about(ended, *tables: str) -> list[str]:
    """The lines about some tables, without their counts."""
    lines = told(ended).splitlines()
    chosen = [line for line in lines if line.startswith((*tables, "    "))]
    return [re.sub(r"^(\w+).*SIZE  ", r"\1 ", line) for line in chosen]


@pytest.mark.usefixtures("month")
def test_fresh_month_is_told_table_by_table(forge_says):
    assert told(forge_says("status")) == FRESH


def test_empty_root_says_how_to_begin(forge_says):
    lines = forge_says("status").out.splitlines()
    assert lines[0] == "nothing is built in data: forge build --month 2026-03"


@pytest.mark.usefixtures("month")
def test_changed_limit_is_named_with_both_values_and_what_depends_on_it(forge_says):
    ended = forge_says("status", "--limit", "candidates.lines=10")
    assert about(ended, "merges", "candidates", "attempts", "splits") == [
        "merges fresh",
        "candidates stale",
        "    limit lines: 400 is now 10",
        "attempts depends",
        "    on candidates",
        "    on candidates · on attempts",
        "    on verdicts · on candidates",
        "splits depends",
        "    on tasks",
    ]


def test_lost_part_is_stale_and_what_follows_depends_on_it(month, forge_says):
    (month / "data/tasks/month=2026-03/part.parquet").unlink()
    ended = forge_says("status", "--month", "2026-03")
    assert about(ended, "tasks", "splits") == [
        "tasks stale",
        "    its file is gone or was changed",
        "splits depends",
        "    on tasks",
    ]


def test_flags_of_the_last_build_are_taken_to_stand(home, forge_says):
    build_month(home, Selection("2026-03", sample=0.5))
    assert about(forge_says("status"), "merges", "candidates") == [
        "merges fresh",
        "candidates fresh",
    ]


def test_several_months_have_a_line_each(month, forge_says):
    build_month(month, Selection("2026-02"))
    (month / "data/tasks/month=2026-02/part.parquet").unlink()
    assert forge_says("status").out.splitlines()[:2] == [
        "2026-02         4 fresh, 1 stale, 1 depends; 2 splits",
        "2026-03         6 fresh; 2 splits",
    ]


@pytest.mark.usefixtures("month")
def test_json_holds_states_and_sizes(forge_says):
    told = json.loads(forge_says("status", "--json").out)
    merges = told["months"]["2026-03"][0]
    assert (merges["table"], merges["state"], merges["rows"]) == ("merges", "fresh", 5)
    assert told["bytes"]["artifacts"] == len(toy_month.LOG)


def test_dry_run_names_what_would_be_made_and_makes_nothing(month, forge_says):
    before = sorted(month.rglob("*"))
    ended = forge_says(
        *("build", "--month", "2026-03", "--dry-run", "--sample", "100%", "--force", "splits"),
        *("--limit", "candidates.stars=7"),
    )
    assert ended.out.splitlines() == [
        "merges                   would be made: flag sample: null is now 1.0",
        "candidates               would be made: limit stars: 10 is now 7",
        "attempts/bucket-21       depends on candidates",
        "attempts/bucket-54       depends on candidates",
        "verdicts/bucket-21       depends on candidates, attempts",
        "verdicts/bucket-54       depends on candidates, attempts",
        "tasks                    depends on verdicts, candidates",
        "splits                   would be made: forced",
    ]
    assert sorted(month.rglob("*")) == before


def test_dry_run_of_nothing_built_says_so(home, forge_says):
    ended = forge_says("build", "--month", "2026-03", "--dry-run", "--sample", "1%")
    assert ended.out.splitlines() == [
        "merges                   would be made: never built",
        "candidates               would be made: never built",
        "tasks                    would be made: never built",
        "splits                   would be made: never built",
    ]
    assert not (home / "data").exists()
