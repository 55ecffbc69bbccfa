import json

TABLES = """\
table       grain
----------  ----------------------------------------------------
merges      One row per merged pull request.
candidates  One row per pull request that meets every criterion.
attempts    One row per run of the tests on one side.
verdicts    One row per candidate whose tests prove it.
tasks       One row per approved task.
splits      One row per task.

`forge tables NAME` lists its columns; SQL has rejected and events besides
"""
ATTEMPTS = """\
attempts: One row per run of the tests on one side.
made from candidates

repository_id int (key)
    GitHub's id; negative where forge derived it from owner/name
number int (key)
    number of the pull request in its repository
side text (key)
    before or after
attempt int (key)
    number of the run, from 1
tests list of {id: text, letter: text}
    letter by test
log artifact
    what the tests printed
"""


def test_tables_are_listed_with_their_grain(forge_says):
    assert forge_says("tables") == (0, TABLES, "")


def test_columns_of_a_table_are_listed_with_what_they_mean(forge_says):
    assert forge_says("tables", "attempts") == (0, ATTEMPTS, "")


def test_unknown_table_is_refused_with_those_that_exist(forge_says):
    assert forge_says("tables", "merge") == (
        2,
        "",
        (
            "forge: no such table: merge\n"
            "the tables are merges, candidates, attempts, verdicts, tasks, splits\n"
        ),
    )


def test_json_is_the_whole_dictionary(forge_says):
    (told,) = json.loads(forge_says("tables", "splits", "--json").out)
    assert told["upstream"] == ["tasks"]
    assert told["columns"][2] == {
        "name": "split",
        "dtype": "text",
        "is_key": False,
        "is_nullable": False,
        "description": "train or eval",
    }


def test_limits_are_listed_with_value_and_meaning(forge_says):
    assert forge_says("limits").out == (
        "candidates.lines = 400\n    most lines changed\n"
        "candidates.stars = 10\n    fewest stars of the repository\n"
    )


def test_limits_say_who_set_them(home, forge_says):
    (home / "forge.toml").write_text("[candidates]\nlines = 300\n")
    assert forge_says("limits", "--limit", "candidates.stars=20").out == (
        "candidates.lines = 300 (forge.toml; default 400)\n    most lines changed\n"
        "candidates.stars = 20 (--limit; default 10)\n    fewest stars of the repository\n"
    )
    (lines, stars) = json.loads(forge_says("limits", "--json").out)
    assert (lines["value"], lines["source"], stars["source"]) == (300, "forge.toml", "default")
