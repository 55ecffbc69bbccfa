"""Problem statements: the issues that a pull request closes, else its own words."""

import dataframely as dy
import polars as pl
from pydantic import Field

from forge.columns import PULL_REQUEST, Decision, PullRequestKey, leaks_column, text
from forge.criteria import Criteria, decide
from forge.rules import quotes
from forge.rules.wording import body_of, title_of
from forge.stage import Decided, StageLimits, stage
from forge.stages.issues import Issues
from forge.stages.merges import Merges
from forge.stages.patches import Patches
from forge.stages.pull_requests import PullRequests

WORDS = ["problem_statement", "statement_source", "is_title_only"]
GIVES_AWAY = ["links_to_fix", "names_commit", "quotes_gold_patch"]


class Statements(PullRequestKey, Decision):
    """One row per candidate that says what it wants."""

    problem_statement = text("what the engineer is told: title, an empty line, body")
    statement_source = dy.String(
        regex="^(row|issue|pull_request|merge_message|squash_message|commit_message)$",
        description="where the words were written",
    )
    issue_numbers = dy.List(dy.Int64(), description="issues whose words it has, in their order")
    is_title_only = dy.Bool(description="whether there is no body")
    quotes_patch = dy.Bool(
        description="whether it holds a line that the gold patch adds to code, blanks aside"
    )
    statement_leaks = leaks_column(
        "what it gives away: quotes_gold_patch, quotes_test_patch, names_commit, links_to_fix"
    )
    new_identifiers = dy.List(
        dy.String(), description="its names of code that only lines added by the gold patch have"
    )


class Limits(StageLimits):
    """What makes a text a statement."""

    letters: int = Field(12, description="fewest letters of title and body together")
    issues: int = Field(
        5, description="most issues joined into one; who closes more speaks for itself"
    )
    quoted_letters: int = Field(
        20, description="characters from which on an added line is distinctive, blanks around aside"
    )


def criteria(limits: Limits) -> Criteria:
    return {"has_text": _has_text(limits)}


@stage
def statements(
    patches: dy.LazyFrame[Patches],
    pull_requests: dy.LazyFrame[PullRequests],
    merges: dy.LazyFrame[Merges],
    issues: dy.LazyFrame[Issues],
    *,
    limits: Limits,
    per_repository: int | None,
) -> Decided[Statements]:
    own = _own(patches, pull_requests, merges)
    reported = _reported(own, issues, patches, limits)
    said = own.join(
        reported, on=PULL_REQUEST, how="left", suffix="_reported", maintain_order="left"
    ).with_columns(
        pl.col("issue_numbers").fill_null([]),
        *(pl.coalesce(f"{name}_reported", name).alias(name) for name in WORDS),
    )
    told = _leaks(said, patches, limits)
    return (
        said.join(told, on=PULL_REQUEST, how="left", maintain_order="left")
        .with_columns(bound=_bound(per_repository, limits))
        .pipe(decide, criteria(limits))
    )


def _own(patches: pl.LazyFrame, pull_requests: pl.LazyFrame, merges: pl.LazyFrame) -> pl.LazyFrame:
    """By key: what the pull request itself says, and what its words may name."""
    facts = [*PULL_REQUEST, "repo", "merge_commit", "merge_method", "merged_at", "enriched_by"]
    title, body = title_of(pl.col("title")), body_of(pl.col("body"))
    words = pull_requests.select(*facts, title=title, body=body)
    known = merges.select(
        *PULL_REQUEST, "head_sha", is_given=_is_given(), is_row=pl.col("change").is_not_null()
    )
    return (
        patches.select(PULL_REQUEST)
        .join(words, on=PULL_REQUEST, how="left", maintain_order="left")
        .join(known, on=PULL_REQUEST, how="left", maintain_order="left")
        .with_columns(
            problem_statement=_statement(),
            statement_source=_source(),
            is_title_only=pl.col("body").is_null(),
        )
    )


def _reported(
    own: pl.LazyFrame, issues: pl.LazyFrame, patches: pl.LazyFrame, limits: Limits
) -> pl.LazyFrame:
    """By key: what the issues say, unless it gives the fix away; a row has its own statement."""
    facts = [*PULL_REQUEST, "repo", "merge_commit", "head_sha"]
    closed = issues.join(own.select(*PULL_REQUEST, "merged_at"), on=PULL_REQUEST)
    texts = (
        own.filter(~pl.col("is_row"))
        .select(facts)
        .join(_joined(closed, limits), on=PULL_REQUEST)
        .with_columns(words="problem_statement")
    )
    theirs = patches.join(texts, on=PULL_REQUEST, how="semi")
    leaks = quotes.leaks(texts, theirs, limits.quoted_letters).explode("statement_leaks")
    leaking = leaks.filter(pl.col("statement_leaks").struct.field("kind").is_in(GIVES_AWAY))
    return texts.join(leaking, on=PULL_REQUEST, how="anti").select(
        *PULL_REQUEST, *WORDS, "issue_numbers"
    )


def _joined(issues: pl.LazyFrame, limits: Limits) -> pl.LazyFrame:
    """By key: one statement of all issues that say enough, if none was edited after the merge."""
    title, body = title_of(pl.col("title")), body_of(pl.col("body"))
    is_edited = (pl.col("edited_at") > pl.col("merged_at")).fill_null(value=False)
    return (
        issues.select(*PULL_REQUEST, "issue", title=title, body=body, is_edited=is_edited)
        .with_columns(problem_statement=_statement())
        .filter(_has_text(limits))
        .filter(pl.len().over(PULL_REQUEST) <= limits.issues)
        # What was written after the fix may give it away in words of its own.
        .filter(~pl.col("is_edited").any().over(PULL_REQUEST))
        .sort("issue")
        .group_by(PULL_REQUEST, maintain_order=True)
        .agg(
            pl.col("problem_statement").str.join("\n\n"),
            statement_source=pl.lit("issue"),
            issue_numbers="issue",
            is_title_only=pl.col("body").is_null().all(),
        )
    )


def _statement() -> pl.Expr:
    return pl.concat_str("title", "body", separator="\n\n", ignore_nulls=True)


def _has_text(limits: Limits) -> pl.Expr:
    return pl.col("problem_statement").str.count_matches(r"\p{L}") >= limits.letters


def _is_given() -> pl.Expr:
    # A history has words too, but they are those of its commits.
    return pl.col("title").is_not_null() & (pl.col("source") != "git")


def _source() -> pl.Expr:
    messages = {
        "merge": "merge_message",
        "squash": "squash_message",
        "rebase": "commit_message",
    }
    return (
        pl.when("is_row")
        .then(pl.lit("row"))
        .when(pl.col("is_given") | (pl.col("enriched_by") == "github"))
        .then(pl.lit("pull_request"))
        .otherwise(pl.col("merge_method").replace_strict(messages, return_dtype=pl.String))
    )


def _leaks(said: pl.LazyFrame, patches: pl.LazyFrame, limits: Limits) -> pl.LazyFrame:
    texts = said.with_columns(words=pl.col("problem_statement"))
    found = quotes.leaks(texts, patches, limits.quoted_letters)
    identifiers = texts.join(patches.select(*PULL_REQUEST, "gold_patch"), on=PULL_REQUEST).select(
        *PULL_REQUEST, new_identifiers=quotes.new_identifiers("gold_patch", "words")
    )
    kinds = pl.col("statement_leaks").list.eval(pl.element().struct.field("kind"))
    return identifiers.join(found, on=PULL_REQUEST, how="left").with_columns(
        pl.col("statement_leaks").fill_null([]),
        pl.col("new_identifiers").fill_null([]),
        quotes_patch=kinds.list.contains("quotes_gold_patch").fill_null(value=False),
    )


def _bound(per_repository: int | None, limits: Limits) -> pl.Expr:
    """Names the bound where better, then earlier statements of the repository use it up."""
    if per_repository is None:
        return pl.lit(None, pl.String)
    has_text = _has_text(limits)
    order = pl.struct(~has_text, "is_title_only", "quotes_patch", "merged_at", "number")
    rank = order.rank("ordinal").over("repository_id")
    return pl.when(has_text, rank > per_repository).then(pl.lit("per_repository"))
