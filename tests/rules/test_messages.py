import polars as pl
import pytest

from forge.rules.messages import is_bot, linked_issues, login_of, of_merge, of_squash


@pytest.mark.parametrize(
    ("message", "words"),
    [
        ("Fix it (#12)", ("Fix it", None)),
        ("Fix it (#12)\n\nIt broke.\n\n* again\n", ("Fix it", "It broke.\n\n* again")),
        ("Fix #3 (#11) (#12)", ("Fix #3 (#11)", None)),
        ("Fix it for … (#12)\n\n…all of us\n\nIt broke.", ("Fix it for all of us", "It broke.")),
        ("Fix it", ("Fix it", None)),
        ("", (None, None)),
    ],
)
def test_a_squash_says_its_title_and_body(message, words):
    assert of_squash(message) == words


@pytest.mark.parametrize(
    ("message", "words"),
    [
        ("Merge pull request #5 from a/b\n\nFix it\n\nIt broke.", ("Fix it", "It broke.")),
        ("Merge pull request #5 from a/b\n\nFix it", ("Fix it", None)),
        ("Merge pull request #5 from a/b", (None, None)),
        ("Merge #5\n\n5: Fix it r=ann a=bob\n\nIt broke.", ("Fix it", "It broke.")),
    ],
)
def test_a_merge_says_its_title_and_body_below_the_subject(message, words):
    assert of_merge(message) == words


@pytest.mark.parametrize(
    ("text", "issues"),
    [
        ("Fixes #7", [7]),
        ("closed: #7, RESOLVES #8 and fix  #7", [7, 8]),
        ("fixes https://github.com/Ann/Fix/issues/9", [9]),
        ("fixes https://github.com/bob/fix/issues/9, closes bob/fix#10", []),
        ("prefixes #7, see #8, fixes 9, closes joann/fix#7", []),
        ("fixes #12345678901234567890", []),
        ("<!-- say what it does:\nFixes #7 -->", []),
    ],
)
def test_an_issue_counts_when_it_is_closed_here(text, issues):
    assert linked(text, "ann/fix") == issues


def test_a_repository_may_have_numbers_and_dots_in_its_name():
    text = (
        "Fixes http://github.com/a1/b2.py/issues/3, fixes a1/b2.py#4, a1/b2.py#6, fixes a1/b2xpy#5"
    )
    assert linked(text, "a1/b2.py") == [3, 4]


@pytest.mark.parametrize("digits", ["\u0663", "\uff11\uff12", "1\uff12"])
def test_digits_of_other_scripts_number_no_issue(digits):
    assert linked(f"fixes #{digits}, fixes #7", "ann/fix") == [7]


def linked(text, repo):
    return pl.select(linked_issues(pl.lit(text), pl.lit(repo))).item().to_list()


def test_a_login_is_read_from_addresses_that_take_no_mail():
    assert login_of("Ann Ash", "ann-ash@users.noreply.github.com") == "ann-ash"
    assert login_of("x", "9+renovate[bot]@users.noreply.github.com") == "renovate[bot]"
    assert login_of("Ann Ash", "ann@example.org") == "Ann Ash"


def test_a_bot_says_so_in_name_or_address():
    assert is_bot("renovate[bot]", "bot@example.org")
    assert not is_bot("Abbott", "abbott@example.org")
