"""Pull requests small and tested enough to become tasks."""

from collections.abc import Callable

import dataframely as dy
import polars as pl
from pydantic import Field

from forge.columns import Decision, PullRequestKey, moment
from forge.criteria import Criteria, decide, tolerant
from forge.languages import languages
from forge.rules.bots import AUTHOR, BOT_ENDING, BOTS
from forge.rules.paths import CI, DOCS, HIDDEN, LOCKS
from forge.rules.titles import IS_BUMP, IS_MERGE, IS_RELEASE, IS_REVERT
from forge.stage import Decided, StageLimits, stage
from forge.stages.pull_requests import PullRequests
from forge.stages.repositories import Repositories

FILE = pl.element().struct
PATH = FILE.field("path")
IS_DOC = PATH.str.contains(DOCS)
IS_HOUSEKEEPING = PATH.str.contains(CI) | PATH.str.contains(LOCKS) | PATH.str.contains(HIDDEN)
# What only lost lines, or moved, tests nothing new. Binary files have no lines to count.
HAS_NEW_CONTENT = (FILE.field("additions") > 0) | FILE.field("is_binary")
CONVENTIONAL_TESTS = r"(?i)(^|/)(tests?|specs?|__tests__)/|[._-](test|spec)\.[a-z]+$"
"""Tests in a language that forge does not know; they say why a pull request is none of ours."""


class Candidates(PullRequestKey, Decision):
    """One row per pull request that meets every criterion."""

    repo = dy.String(description="owner/name, canonical")
    language = dy.String(description="language of its changed test files, else of its code")
    merged_at = moment("when it was merged, UTC")
    test_files = dy.Int64(description="changed tests, fixtures and snapshots that gained content")
    code_files = dy.Int64(description="changed files that are no tests, documents or housekeeping")
    changed_files = dy.Int64(description="all changed files")
    changed_lines = dy.Int64(description="lines added and removed in them")


class Limits(StageLimits):
    """What is small, known and wanted enough."""

    stars: int = Field(10, description="fewest stars of the repository; unknown stars pass")
    languages: str = Field("", description="languages wanted, parted by blanks; empty: all known")
    licences: str = Field("", description="SPDX ids wanted, parted by blanks; empty: any")
    needs_licence: bool = Field(
        default=True, description="whether a repository without a known licence is out"
    )
    files: int = Field(25, description="most files changed")
    lines: int = Field(1500, description="most lines changed")


def criteria(limits: Limits) -> Criteria:
    is_bot = pl.col("is_bot") | AUTHOR.str.contains(BOT_ENDING) | AUTHOR.is_in(BOTS)
    return {
        "has_stars": tolerant(pl.col("stars") >= limits.stars),
        "has_licence": pl.col("licence").is_not_null() | (not limits.needs_licence),
        "has_wanted_licence": tolerant(_is_among(pl.col("licence"), limits.licences)),
        "is_human": tolerant(~is_bot),
        "is_not_bump": tolerant(~IS_BUMP),
        "is_not_revert": tolerant(~IS_REVERT),
        "is_not_release": tolerant(~IS_RELEASE),
        "is_not_branch_merge": tolerant(~IS_MERGE),
        "has_few_files": pl.col("changed_files") <= limits.files,
        "has_few_lines": pl.col("changed_lines") <= limits.lines,
        "is_not_docs_only": ~pl.col("is_docs_only"),
        "has_known_language": pl.col("language").is_not_null() | (pl.col("code_files") == 0),
        "has_wanted_language": tolerant(_is_among(pl.col("language"), limits.languages)),
        "has_tests": pl.col("test_files") > 0,
        "has_code": pl.col("code_files") > 0,
    }


@stage
def candidates(
    pull_requests: dy.LazyFrame[PullRequests],
    repositories: dy.LazyFrame[Repositories],
    *,
    limits: Limits,
) -> Decided[Candidates]:
    facts = repositories.select("repository_id", "stars", "licence")
    return (
        pull_requests.join(facts, on="repository_id", how="left")
        .with_columns(
            language=_language(),
            changed_lines=pl.col("additions") + pl.col("deletions"),
            is_docs_only=pl.col("files").list.eval(IS_DOC).list.all(),
        )
        .with_columns(
            test_files=_in_language(lambda tests: PATH.str.contains(tests) & HAS_NEW_CONTENT),
            code_files=_in_language(
                lambda tests: (
                    ~(PATH.str.contains(tests) | IS_DOC | IS_HOUSEKEEPING | _is_manifest())
                )
            ),
        )
        .pipe(decide, criteria(limits))
    )


def _is_manifest() -> pl.Expr:
    return pl.any_horizontal(PATH.str.contains(known.manifests) for known in languages().values())


def _language() -> pl.Expr:
    """The language with the most changed test files; without any, the one with the most code."""
    tests, code = [], []
    for name, known in languages().items():
        is_source, is_test = PATH.str.contains(known.source), PATH.str.contains(known.tests)
        tests.append((name, _files(is_source & is_test)))
        code.append((name, _files(is_source & ~is_test)))
    return pl.coalesce(_most(tests), _most(code))


def _most(counts: list[tuple[str, pl.Expr]]) -> pl.Expr:
    most = pl.max_horizontal([count for _, count in counts])
    return pl.coalesce(
        [pl.when(most > 0, count == most).then(pl.lit(name)) for name, count in counts]
    )


def _in_language(predicate: Callable[[str], pl.Expr]) -> pl.Expr:
    """How many files meet a predicate over the pattern of tests in the row's own language."""
    unknown = _files(predicate(CONVENTIONAL_TESTS))
    return pl.coalesce(
        *(
            pl.when(pl.col("language") == name).then(_files(predicate(known.tests)))
            for name, known in languages().items()
        ),
        unknown,
    )


def _files(predicate: pl.Expr) -> pl.Expr:
    return pl.col("files").list.eval(predicate).list.sum().cast(pl.Int64)


def _is_among(column: pl.Expr, names: str) -> pl.Expr:
    wanted = names.lower().replace(",", " ").split()
    return column.str.to_lowercase().is_in(wanted) if wanted else pl.lit(value=True)
