from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from archives import full, issue, packed, serve, trimmed
from git_builds import kept
from histories import Repository
from stating import CHANGE, FIX, GOLD, decided

from forge.build import Options, build, stages_to
from forge.demo.world import licence_text
from forge.selection import Selection
from forge.settings import Settings
from forge.stages.statements import statements

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


def test_who_closes_many_issues_speaks_for_itself():
    many = [REPORT | {"issue": number} for number in range(1, 7)]
    assert reported(*many[:5])["issue_numbers"] == [1, 2, 3, 4, 5]
    assert reported(*many)["statement_source"] == "squash_message"


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


AFTER = {"edited_at": datetime(2026, 3, 2, 0, 0, 1)}


def test_issue_that_was_edited_after_the_merge_leaves_the_word_to_the_pull_request():
    at_merge = REPORT | {"edited_at": datetime(2026, 3, 2)}
    assert reported(at_merge)["issue_numbers"] == [3]
    other = {"issue": 4, "title": "Dots of names are kept", "body": None}
    assert reported(other, REPORT | AFTER)["statement_source"] == "squash_message"
    assert reported(REPORT | AFTER)["issue_numbers"] == []


def test_issue_that_says_too_little_may_be_edited_whenever():
    short = {"issue": 4, "title": "Bug", "body": "See title"}
    assert reported(short | AFTER, REPORT)["issue_numbers"] == [3]


def test_what_the_hidden_tests_quote_of_an_issue_is_listed_and_the_issue_serves():
    test = GOLD.replace("slug.py", "t.py").replace("x = 1", "slug(['one', 'two'], '-')")
    row = reported(REPORT | {"body": "`slug(['one', 'two'], '-')` fails"}, test=test)
    assert row["statement_source"] == "issue"
    assert [leak["kind"] for leak in row["statement_leaks"]] == ["quotes_test_patch"]


def test_new_names_are_looked_for_in_the_issue():
    gold = GOLD.replace("x = 1", "joined_with(words)")
    row = reported(REPORT | {"body": "There should be joined_with"}, gold=gold)
    assert row["new_identifiers"] == ["joined_with"]


CODE = "def half(n):\n    return n // 2\n"
ROUNDED = {
    "half.py": "def half(n):\n    return round(n / 2)\n",
    "tests/test_half.py": "import half\n",
}
HOURS = (9 * 24 + 14, 9 * 24 + 15)


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    made = Repository(tmp_path / "served/kestrel/ledger")
    made.commit("Begin", {"half.py": CODE, "LICENSE": licence_text("MIT")})
    return made


def statement(root: Path, repository: Repository, *events: Any, keep: tuple[str, ...]) -> Any:
    """The only statement that a build over these events makes."""
    with serve({"2026-03-10-14": packed(*events)}) as archive:
        settings = Settings(root=root, archive_url=archive.url, git_url=repository.template)
        month = Selection("2026-03", window=HOURS, keep=keep)
        chosen, now = stages_to("statements"), datetime(2026, 4, 1)
        list(build(chosen, month, settings, Options(), now=now, progress=lambda *_: None))
    (row,) = kept(root, statements, "2026-03")
    return row["statement_source"], row["problem_statement"], row["issue_numbers"]


REPORTED = ("issue", "Halves vanish\n\n1.5 gives 1.", [3])


def test_issue_of_today_is_the_statement_of_the_squash_that_names_it(
    repository: Repository, tmp_path: Path
) -> None:
    repository.commit("Round half to even (#7)\n\nFixes #3", ROUNDED)
    at = "2026-03-10T14:00:00Z"
    events = (trimmed(at=at), issue("closed", at=at), issue("opened", 4, at=at))
    assert statement(tmp_path, repository, *events, keep=("issues",)) == REPORTED
    squash = ("squash_message", "Round half to even\n\nFixes #3", [])
    assert statement(tmp_path / "other", repository, *events, keep=()) == squash


def test_issue_of_a_full_payload_is_the_statement_of_the_merge_whose_body_names_it(
    repository: Repository, tmp_path: Path
) -> None:
    repository.branch("topic")
    head = repository.commit("wip", ROUNDED)
    repository.switch()
    merge = repository.merge("topic", "Merge pull request #7 from grace/topic\n\nRound half")
    merged = full(head_sha=head, at="2026-03-10T15:00:00Z")
    known = {"merged_at": "2026-03-10T15:00:00Z", "merge_commit_sha": merge}
    merged["payload"]["pull_request"] |= known
    events = (merged, issue("closed", at="2026-03-10T15:00:00Z"))
    assert statement(tmp_path, repository, *events, keep=("issues",)) == REPORTED
    own = ("pull_request", "Round half to even\n\nFixes #3.", [])
    assert statement(tmp_path / "other", repository, *events, keep=()) == own
