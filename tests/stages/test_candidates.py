from datetime import datetime

import polars as pl
import pytest

from forge.columns import dtypes
from forge.stages.candidates import Candidates, Limits, candidates
from forge.stages.pull_requests import PullRequests
from forge.stages.repositories import Repositories

FIX = {"src/parser.py": 4, "tests/test_parser.py": 9}
PULL_REQUEST = {
    "repository_id": 1,
    "number": 7,
    "repo": "ann/parser",
    "title": "Parse nested lists",
    "author": "ann",
    "is_bot": False,
    "merged_at": datetime(2026, 3, 2),
}
REPOSITORY = {"repository_id": 1, "stars": 50, "licence": "MIT"}


def file(path, additions):
    """A changed file by the lines it gained; without a number a binary one."""
    counts = {"additions": additions, "deletions": None if additions is None else 1}
    return {"path": path, "previous_path": None, "is_binary": additions is None} | counts


def decided(files=FIX, repository=REPOSITORY, limits=None, **facts):
    listed = [file(path, additions) for path, additions in files.items()]
    counts = {
        "changed_files": len(listed),
        "additions": sum(f["additions"] or 0 for f in listed),
        "deletions": sum(f["deletions"] or 0 for f in listed),
    }
    row = PULL_REQUEST | {"files": listed} | counts | facts
    pull_requests = pl.LazyFrame([row], schema=dtypes(PullRequests))
    repositories = pl.LazyFrame([repository], schema=dtypes(Repositories))
    lf = candidates.function(pull_requests, repositories, limits=limits or Limits())
    return lf.collect().row(0, named=True)


def reasons(files=FIX, **facts):
    return decided(files, **facts)["reasons"]


def test_small_fix_with_tests_is_kept():
    row = decided()
    assert (row["fate"], row["language"], row["test_files"]) == ("kept", "python", 1)
    assert (row["code_files"], row["changed_files"], row["changed_lines"]) == (1, 2, 15)


def test_kept_rows_fit_the_schema():
    assert set(Candidates.column_names()) <= set(decided())


def test_code_without_tests_is_rejected():
    assert reasons({"src/parser.py": 4}) == ["has_tests"]


def test_tests_without_code_are_rejected():
    assert reasons({"tests/test_parser.py": 9}) == ["has_code"]


def test_documents_alone_are_rejected():
    assert reasons({"README.md": 2, "docs/conf.py": 1, "CHANGES": 1}) == [
        "is_not_docs_only",
        "has_tests",
        "has_code",
    ]


def test_hidden_files_lock_files_and_ci_are_no_code():
    files = {".github/workflows/a.yml": 2, "uv.lock": 90, ".flake8": 1, "tests/test_a.py": 1}
    assert reasons(files) == ["has_code"]


def test_manifest_is_no_code():
    assert reasons({"pyproject.toml": 1, "tests/test_a.py": 1}) == ["has_code"]


def test_data_beside_code_counts_as_code():
    assert reasons({"glyphs/font.bin": None, "tests/test_font.py": 4}) == []


def test_test_file_that_only_lost_lines_tests_nothing_new():
    assert reasons({"src/parser.py": 4, "tests/test_parser.py": 0}) == ["has_tests"]


def test_fixture_is_a_test_file():
    assert decided({"src/a.py": 1, "tests/data/a.json": 3})["test_files"] == 1


def test_binary_fixture_is_a_test_file():
    assert decided({"src/a.py": 1, "tests/data/a.png": None})["test_files"] == 1


def test_language_is_that_of_the_tests_and_not_of_the_code():
    files = {"src/a.rs": 1, "src/b.rs": 1, "tests/test_a.py": 1}
    assert decided(files)["language"] == "python"


def test_language_that_forge_does_not_know_is_the_only_reason():
    assert reasons({"src/bus.js": 4, "test/bus.test.js": 9}) == ["has_known_language"]


def test_language_that_nobody_wants_is_rejected():
    assert reasons(limits=Limits(languages="go, rust")) == ["has_wanted_language"]


def test_names_in_limits_are_parted_by_blanks_or_commas_whatever_their_case():
    assert reasons(limits=Limits(languages="Go,PYTHON", licences="mit Apache-2.0")) == []


@pytest.mark.parametrize(
    ("limits", "reason"),
    [
        ({"files": 1}, "has_few_files"),
        ({"lines": 14}, "has_few_lines"),
        ({"stars": 51}, "has_stars"),
    ],
)
def test_pull_request_beyond_a_limit_is_rejected(limits, reason):
    assert reasons(limits=Limits(**limits)) == [reason]


def test_unknown_stars_are_forgiven_and_named():
    row = decided(repository=REPOSITORY | {"stars": None})
    assert (row["fate"], row["unknown"]) == ("kept", ["has_stars"])


def test_repository_without_a_licence_is_rejected():
    assert reasons(repository=REPOSITORY | {"licence": None}) == ["has_licence"]


def test_repository_without_a_licence_passes_where_none_is_needed():
    limits = Limits(needs_licence=False, licences="MIT")
    row = decided(repository=REPOSITORY | {"licence": None}, limits=limits)
    assert (row["reasons"], row["unknown"]) == ([], ["has_wanted_licence"])


def test_licence_that_nobody_wants_is_rejected():
    assert reasons(limits=Limits(licences="Apache-2.0")) == ["has_wanted_licence"]


def test_bot_is_rejected():
    assert reasons(is_bot=True) == ["is_human"]


def test_author_whose_name_says_bot_is_rejected_where_the_source_did_not_know():
    assert reasons(author="renovate-bot", is_bot=None) == ["is_human"]


def test_author_of_whom_nothing_is_known_is_forgiven():
    row = decided(author="ann", is_bot=None)
    assert (row["fate"], row["unknown"]) == ("kept", ["is_human"])


@pytest.mark.parametrize(
    ("title", "reason"),
    [
        ("Bump version to 1.4.0", "is_not_bump"),
        ('Revert "Weigh green more than blue"', "is_not_revert"),
        ("Release 1.4.0", "is_not_release"),
        ("Merge branch 'main' into dev", "is_not_branch_merge"),
    ],
)
def test_change_that_no_engineer_was_asked_for_is_rejected(title, reason):
    assert reasons(title=title) == [reason]


def test_pull_request_without_a_title_is_kept_for_its_statement_to_be_judged():
    assert decided(title=None)["fate"] == "kept"
