import pytest
from stating import CHANGE, FIX, GOLD, HEAD, decided

from forge.stages.statements import Limits, Statements


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
        "- [ ] I can't log in\n- [x] I lose lists",
        "### Lists in lists are lost",
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
    "**#1** does it": (("links_to_fix", PLACE, "#1"),),
    "`#1`": (("links_to_fix", PLACE, "#1"),),
    "Fixed by:#1": (("links_to_fix", PLACE, "#1"),),
    "GH-1 has it": (("links_to_fix", PLACE, "GH-1"),),
    "wait for PR 1": (("links_to_fix", PLACE, "PR 1"),),
    "see api.github.com/repos/ann/slug.py/pulls/1": (
        ("links_to_fix", PLACE, "ann/slug.py/pulls/1"),
    ),
    "FIXED BY 3E195A0": (("names_commit", PLACE, "3e195a0"),),
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
