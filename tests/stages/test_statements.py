from datetime import datetime

import polars as pl
import pytest

from forge.columns import dtypes
from forge.stages.issues import Issues
from forge.stages.merges import Merges
from forge.stages.patches import Patches
from forge.stages.pull_requests import PullRequests
from forge.stages.statements import Limits, Statements, statements

GOLD = """diff --git a/slug.py b/slug.py
--- a/slug.py
+++ b/slug.py
@@ -1,2 +1,3 @@
 def slug(words):
-    return "-".join(words)
+    return   separator.join(words)
+    x = 1
"""


def decided(  # noqa: PLR0913 - one for each input of the stage
    *rows, per_repository=None, gold=GOLD, test=None, merge=None, limits=None, issues=()
):
    keys = [{"repository_id": 1, "number": n} for n in range(1, len(rows) + 1)]
    at = {"merged_at": datetime(2026, 3, 2), "merge_method": "squash"}
    said = [key | at | row for key, row in zip(keys, rows, strict=True)]
    known = [key | {"source": "archive"} | (merge or {}) for key in keys]
    lf = statements.function(
        pl.LazyFrame(
            [key | {"gold_patch": gold, "test_patch": test} for key in keys],
            schema=dtypes(Patches),
        ),
        pl.LazyFrame(said, schema=dtypes(PullRequests)),
        pl.LazyFrame(known, schema=dtypes(Merges)),
        pl.LazyFrame([keys[0] | issue for issue in issues], schema=dtypes(Issues)),
        limits=limits or Limits(),
        per_repository=per_repository,
    )
    return lf.sort("number").collect()


def statement(title, body=None, **kwargs):
    return decided({"title": title, "body": body}, **kwargs).row(0, named=True)


def text(title, body=None):
    return statement(title, body)["problem_statement"]


def test_statement_is_title_and_body():
    assert text("Parse nested lists", "They nest.") == "Parse nested lists\n\nThey nest."


def test_columns_of_the_schema_are_all_there():
    assert set(Statements.column_names()) <= set(statement("Parse nested lists"))


@pytest.mark.parametrize(
    "title",
    [
        "Parse nested lists (#12)",
        "Parse nested lists (#12) (#34)",
        "8: Parse nested lists r=tomas-lind a=sam-ito",
        "8: Parse nested lists r=tomas-lind",
        " Parse nested lists ",
    ],
)
def test_number_and_merge_bot_leave_the_title(title):
    assert text(title) == "Parse nested lists"


@pytest.mark.parametrize(
    "trailer",
    [
        "Signed-off-by: Ann <ann@example.org>",
        "Co-authored-by: Bob <bob@example.org>",
        "co-authored-by: Bob <bob@example.org>",
        "Reviewed-by: Cid\nChange-Id: I0123456789",
        "Approved-by: Cid",
        "---------\n\nCo-authored-by: Bob <bob@example.org>",
        "(cherry picked from commit 0123456789abcdef0123456789abcdef01234567)",
        "<!-- describe\nyour change -->",
    ],
)
def test_what_tools_and_customs_added_leaves_the_body(trailer):
    assert text("Parse nested lists", f"They nest.\n\n{trailer}\n") == (
        "Parse nested lists\n\nThey nest."
    )


def test_line_that_only_begins_like_a_trailer_stays():
    assert text("Parse nested lists", "Reported by Ann in the forum.").endswith("the forum.")


def test_heading_of_markdown_keeps_its_line():
    body = "Why\n-----\nThey nest."
    assert text("Parse nested lists", body).endswith(body)


FORM = """\
### Before you ask

- [X] I have searched the issues
- [x] I\u2019ve read the manual
- [ ] I'm sure

### What happens

Lists in lists are lost.

#### Example

### What should happen

<!-- tell us -->

### Version

_No response_

### Anything else
"""


def test_what_a_form_asked_in_vain_leaves_the_body():
    told = text("Parse nested lists", FORM)
    assert told == "Parse nested lists\n\n### What happens\n\nLists in lists are lost."


@pytest.mark.parametrize(
    "body",
    [
        "## Bug\n\n### Steps\n\nNest a list.",
        "```\n## one\n## two\n```",
        "- [ ] lists nest\n- [x] I/O is slow",
        "# One\n\n# Two",
        "## Why\nThey nest.\n\n## How\nBy lists.",
    ],
)
def test_headings_and_lists_that_say_something_stay(body):
    assert text("Parse nested lists", body) == f"Parse nested lists\n\n{body}"


def test_body_of_trailers_alone_makes_a_title_only_statement():
    row = statement("Parse nested lists", "Signed-off-by: Ann <ann@example.org>")
    assert (row["problem_statement"], row["is_title_only"]) == ("Parse nested lists", True)


def test_line_ends_of_dos_become_plain():
    assert (
        text("Parse nested lists", "One.\r\n\r\n\r\nTwo.") == "Parse nested lists\n\nOne.\n\nTwo."
    )


@pytest.mark.parametrize(("title", "body"), [("Fix", None), (None, None), ("Fix (#12)", "LGTM")])
def test_statement_that_says_nothing_is_rejected(title, body):
    row = statement(title, body)
    assert (row["fate"], row["reasons"]) == ("rejected", ["has_text"])


def test_body_alone_is_a_statement():
    assert text(None, "Lists in lists are lost.") == "Lists in lists are lost."


def test_letters_of_any_script_count():
    assert statement("修复解析器在处理嵌套列表时的错误")["fate"] == "kept"


@pytest.mark.parametrize(
    ("merge", "method", "source"),
    [
        ({"title": "Parse nested lists"}, "squash", "pull_request"),
        ({"title": "Parse nested lists", "source": "git"}, "squash", "squash_message"),
        ({"title": None}, "squash", "squash_message"),
        ({"title": None}, "merge", "merge_message"),
        ({"title": None}, "rebase", "commit_message"),
    ],
)
def test_source_of_the_words(merge, method, source):
    rows = decided({"title": "Parse nested lists", "merge_method": method}, merge=merge)
    assert rows["statement_source"].to_list() == [source]


@pytest.mark.parametrize(
    ("body", "quotes"),
    [
        ("It should\n+    return separator.join(words)\n", True),
        ("Now `return separator.join(words)` works", True),
        ("Use a separator. x = 1", False),
        ('It was\n-    return "-".join(words)\n', False),
    ],
)
def test_distinctive_added_line_in_the_statement_is_a_quote(body, quotes):
    assert statement("Take a separator", body)["quotes_patch"] is quotes


def test_line_of_a_change_log_is_no_quote():
    gold = GOLD.replace("slug.py", "CHANGES.md")
    row = statement("Take a separator", "return separator.join(words)", gold=gold)
    assert row["quotes_patch"] is False


def test_shorter_quotes_count_where_the_limit_says_so():
    row = statement("Take a separator", "so x = 1 now", limits=Limits(quoted_letters=5))
    assert row["quotes_patch"] is True


def test_statements_beyond_the_best_of_their_repository_are_deferred():
    rows = decided(
        {"title": "Fix", "body": None},
        {"title": "Parse nested lists", "body": None},
        {"title": "Parse nested tables", "body": "They nest."},
        per_repository=1,
    )
    assert rows["fate"].to_list() == ["rejected", "deferred", "kept"]
    assert rows["reasons"].to_list()[1] == ["per_repository"]


FIX, HEAD = "3e195a09" * 5, "0badcafe" * 5
CHANGE = {"repo": "ann/slug.py", "merge_commit": FIX}


def given_away(body, **kwargs):
    rows = decided({"title": "Slug", "body": body} | CHANGE, merge={"head_sha": HEAD}, **kwargs)
    return [tuple(leak.values()) for leak in rows.row(0, named=True)["statement_leaks"]]


PLACE = "problem_statement"
GIVEN_AWAY = {
    "write `return separator.join(words)` there": (
        ("quotes_gold_patch", "slug.py", "return separator.join(words)"),
    ),
    f"see {FIX}": (("names_commit", PLACE, FIX),),
    "fixed by 3e195a0.": (("names_commit", PLACE, "3e195a0"),),
    "(0badcafe0b)": (("names_commit", PLACE, "0badcafe0b"),),
    "see https://github.com/ann/slug.py/pull/1": (("links_to_fix", PLACE, "ann/slug.py/pull/1"),),
    "https://github.com/Ann/Slug.py/issues/1#issuecomment-7": (
        ("links_to_fix", PLACE, "Ann/Slug.py/issues/1"),
    ),
    "this is ann/slug.py#1": (("links_to_fix", PLACE, "ann/slug.py#1"),),
    "done in #1, I think": (("links_to_fix", PLACE, "#1"),),
}


@pytest.mark.parametrize("kept", ["-return separator.join(words)", " return separator.join(words)"])
def test_line_that_the_base_has_already_is_no_quote(kept):
    gold = (
        "diff --git a/slug.py b/slug.py\n--- a/slug.py\n+++ b/slug.py\n@@ -1 +1,2 @@\n"
        f"{kept}\n+if words:\n+    return separator.join(words)\n"
    )
    assert given_away("it stops at `return  separator.join(words)`", gold=gold) == []


@pytest.mark.parametrize("body", GIVEN_AWAY)
def test_what_a_statement_gives_away_is_listed_with_its_words(body):
    assert given_away(body) == [*GIVEN_AWAY[body]]


@pytest.mark.parametrize(
    "body",
    [
        "see #12 and ann/slug.py#10",
        "https://github.com/ann/slug.py/pull/11",
        "https://github.com/bob/other/pull/1",
        "since 3e195a",
        "since commit 1234567890",
        "x3e195a09",
        "a.b#1x",
    ],
)
def test_other_changes_and_commits_give_nothing_away(body):
    assert given_away(body) == []


def test_line_that_only_the_hidden_tests_add_is_told_apart():
    test = GOLD.replace("slug.py", "t.py").replace("x = 1", "slug(['one', 'two'], '-')")
    assert given_away("`slug(['one', 'two'], '-')` fails", test=test) == [
        ("quotes_test_patch", "t.py", "slug(['one', 'two'], '-')")
    ]
    assert not statement("Slug", "`slug(['one', 'two'], '-')` fails")["quotes_patch"]


def test_import_is_no_quote():
    gold = GOLD.replace("    x = 1", "from slug.separators import separator")
    body = "from slug.separators import separator"
    assert given_away(body, gold=gold) == []


def test_names_that_only_the_gold_patch_adds_are_a_flag():
    gold = GOLD.replace("x = 1", "joined_with(words, otherWay, known_name)").replace(
        " def slug(words):", " def slug(words, known_name):"
    )
    row = statement("Slug", "joined_with and otherWay, known_name, words", gold=gold)
    assert row["new_identifiers"] == ["joined_with", "otherWay"]
    assert (row["fate"], row["statement_leaks"]) == ("kept", [])


REPORT = {"issue": 3, "title": "Slugs run together", "body": "Ask for `a b`, get `ab`."}
OWN = {"title": "Take a separator", "body": "Fixes #3."} | CHANGE


def reported(*issues, **kwargs):
    return decided(OWN, issues=issues, **kwargs).row(0, named=True)


def test_issue_takes_the_place_of_the_pull_requests_words():
    row = reported(REPORT)
    assert row["problem_statement"] == "Slugs run together\n\nAsk for `a b`, get `ab`."
    assert (row["statement_source"], row["issue_numbers"]) == ("issue", [3])
    assert (row["fate"], row["is_title_only"]) == ("kept", False)


def test_pull_request_without_an_issue_has_its_own_words():
    row = reported()
    assert row["problem_statement"] == "Take a separator\n\nFixes #3."
    assert (row["statement_source"], row["issue_numbers"]) == ("squash_message", [])


def test_issue_without_a_body_is_its_title():
    row = reported(REPORT | {"body": None})
    assert (row["problem_statement"], row["is_title_only"]) == ("Slugs run together", True)


def test_several_issues_are_told_in_the_order_of_their_numbers():
    row = reported({"issue": 11, "title": "Dots of names are kept", "body": None}, REPORT)
    assert row["problem_statement"] == (
        "Slugs run together\n\nAsk for `a b`, get `ab`.\n\nDots of names are kept"
    )
    assert (row["issue_numbers"], row["is_title_only"]) == ([3, 11], False)


def test_issue_that_says_too_little_is_left_out():
    short = {"issue": 4, "title": "Bug", "body": "See title"}
    assert reported(short)["statement_source"] == "squash_message"
    assert reported(short, REPORT)["issue_numbers"] == [3]


def test_comments_of_an_issues_template_are_no_words():
    row = reported(REPORT | {"body": "<!-- Describe the bug -->\r\n\r\nAsk for `a b`."})
    assert row["problem_statement"] == "Slugs run together\n\nAsk for `a b`."


def test_row_keeps_its_own_statement():
    row = reported(REPORT, merge={"title": "Slugs", "change": GOLD, "source": "rows"})
    assert row["problem_statement"] == "Take a separator\n\nFixes #3."
    assert (row["statement_source"], row["issue_numbers"]) == ("row", [])


@pytest.mark.parametrize(
    "body",
    [
        "`return separator.join(words)` would do",
        f"Fixed by {FIX}",
        "Fixed by https://github.com/ann/slug.py/pull/1",
    ],
)
def test_issue_that_gives_the_fix_away_leaves_the_word_to_the_pull_request(body):
    row = reported(REPORT | {"body": body})
    assert (row["statement_source"], row["issue_numbers"]) == ("squash_message", [])
    assert row["statement_leaks"] == []


def test_what_the_hidden_tests_quote_of_an_issue_is_listed_and_the_issue_serves():
    test = GOLD.replace("slug.py", "t.py").replace("x = 1", "slug(['one', 'two'], '-')")
    row = reported(REPORT | {"body": "`slug(['one', 'two'], '-')` fails"}, test=test)
    assert row["statement_source"] == "issue"
    assert [leak["kind"] for leak in row["statement_leaks"]] == ["quotes_test_patch"]


def test_new_names_are_looked_for_in_the_issue():
    gold = GOLD.replace("x = 1", "joined_with(words)")
    row = reported(REPORT | {"body": "There should be joined_with"}, gold=gold)
    assert row["new_identifiers"] == ["joined_with"]
