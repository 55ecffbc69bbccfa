import json

import pytest

FUNNEL = """\
table                     in        kept    rejected        open    deferred
merges                                 5           -           -           -
candidates                 5           3           2           -           -
attempts                   3          12           -           -           -
verdicts                   3           2           1           -           -
tasks                      2           2           -           -           -
splits                     2           2           -           -           -

candidates
           2  has_tests
           1  is_small

verdicts
           1  has_fail_to_pass
"""


@pytest.mark.usefixtures("month")
def test_funnel_counts_rows_and_reasons_within_80_columns(forge_says):
    assert forge_says("funnel", "--month", "2026-03") == (0, FUNNEL, "")
    assert max(map(len, FUNNEL.splitlines())) <= 80


@pytest.mark.usefixtures("month")
def test_reasons_beyond_the_top_are_summed(forge_says):
    lines = forge_says("funnel", "--month", "2026-03", "--top", "1").out.splitlines()
    assert lines[8:11] == [
        "candidates",
        "           2  has_tests",
        "           1  1 other reasons: --top 4",
    ]


@pytest.mark.usefixtures("month")
def test_json_has_a_level_per_table(forge_says):
    levels = json.loads(forge_says("funnel", "--month", "2026-03", "--json").out)
    assert levels[1] == {
        "table": "candidates",
        "is_built": True,
        "rows_in": 5,
        "kept": 3,
        "rejected": 2,
        "open": 0,
        "deferred": 0,
        "reasons": [
            {"fate": "rejected", "reason": "has_tests", "rows": 2},
            {"fate": "rejected", "reason": "is_small", "rows": 1},
        ],
    }


@pytest.mark.usefixtures("month")
def test_month_that_is_not_there_is_refused_with_those_that_are(forge_says):
    assert forge_says("funnel", "--month", "2026-04") == (
        3,
        "",
        "forge: nothing of 2026-04 is built in data\nit holds 2026-03\n",
    )
