"""How hard candidates look from title and body, before anything that costs more is done."""

from typing import Literal

import dataframely as dy
import polars as pl
from pydantic import BaseModel, Field

from forge.columns import PULL_REQUEST, Decision, PullRequestKey
from forge.criteria import Criteria, decide
from forge.effect import OPEN, Paid, effect
from forge.languages import Language, languages
from forge.rules import triage as rules
from forge.rules.paths import CI, DOCS, GENERATED, HIDDEN, LOCKS
from forge.rules.wording import body_of, title_of
from forge.run import Run
from forge.services.llm import Judge
from forge.services.llm_prompts import Prompt
from forge.stage import Decided, stage
from forge.stages.candidates import Candidates
from forge.stages.pull_requests import PullRequests

LEVELS = "^(easy|medium|hard)$"
BODY = 1_000
LONGEST_WHY = 200
QUESTION = (
    "How long does this change take an engineer who knows the project, tests apart? "
    "easy: under 15 minutes. medium: under an hour. hard: longer."
)
FILE = pl.element().struct
PATH = FILE.field("path")
IS_NO_CODE = pl.any_horizontal(PATH.str.contains(p) for p in (DOCS, CI, LOCKS, HIDDEN, GENERATED))
HAS_WORDS = pl.col("title").is_not_null() | pl.col("body").is_not_null()
GUESS = {
    "triage": rules.level(pl.col("heuristic_minutes")),
    "triage_judged_by": pl.lit("heuristic"),
    "triage_confidence": pl.lit(None, pl.Float64),
    "triage_why": pl.lit(None, pl.String),
    "triage_failure": pl.lit(None, pl.String),
}
"""What is said where no judge is asked."""


class Triaged(BaseModel):
    """How long the change takes."""

    why: str = Field(description="ten words at most")
    level: Literal["easy", "medium", "hard"]
    confidence: float = Field(ge=0, le=1)


class Judged(dy.Schema):
    """What a judge says of a title and a body."""

    level = dy.String(regex=LEVELS, description="how hard it looks")
    confidence = dy.Float64(min=0, max=1, description="how sure the judge says to be")
    why = dy.String(description="why, in the judge's own words")
    judged_by = dy.String(nullable=True, description="the model that really answered")


class Triage(PullRequestKey, Decision):
    """One row per candidate, as hard as it looks."""

    triage = dy.String(
        regex=LEVELS,
        nullable=True,
        description="easy (under 15 minutes), medium (under an hour), hard; null where the judge "
        "fails",
    )
    triage_judged_by = dy.String(
        nullable=True, description="model that really answered, or heuristic; null where none did"
    )
    triage_confidence = dy.Float64(
        min=0, max=1, nullable=True, description="as the judge says; a heuristic says none"
    )
    triage_why = dy.String(nullable=True, description="why, in the judge's own words")
    triage_failure = dy.String(
        nullable=True, description="why there is no judgement: kind and short name of the failure"
    )
    heuristic_minutes = dy.Float64(
        min=0, description="rule of thumb by files, lines and words, which orders tasks"
    )


def criteria() -> Criteria:
    return {"has_wanted_difficulty": pl.col("has_wanted_difficulty")}


@effect(answers=Judged, concurrency=256, seconds=4 * 3600)
async def judge_triage(judge: Judge, *, title: str | None, body: str | None) -> Paid:
    """Ask how hard a change looks by its words alone."""
    words = {"title": title, "body": body}
    prompt = Prompt(QUESTION, {name: text for name, text in words.items() if text})
    paid = await judge.ask(prompt, Triaged)
    return paid.adding(judged_by=paid.bill.model)


@stage
def triage(
    candidates: dy.LazyFrame[Candidates],
    pull_requests: dy.LazyFrame[PullRequests],
    *,
    run: Run,
    judge: str | None,
    difficulty: tuple[str, ...],
) -> Decided[Triage]:
    rows = _described(candidates, pull_requests)
    told = _judged(rows, run) if judge else rows.with_columns(**GUESS)
    is_wanted = pl.col("triage").is_in(difficulty) if difficulty else pl.lit(value=True)
    return told.with_columns(has_wanted_difficulty=is_wanted).pipe(decide, criteria())


def _described(candidates: pl.LazyFrame, pull_requests: pl.LazyFrame) -> pl.LazyFrame:
    """Candidates with what is said of them, and the minutes that this looks like."""
    title, body = title_of(pl.col("title")), body_of(pl.col("body")).str.slice(0, BODY)
    known = pull_requests.select(*PULL_REQUEST, "files", title=title, body=body)
    return (
        candidates.select(*PULL_REQUEST, "language", "code_files")
        .join(known, on=PULL_REQUEST, how="left", maintain_order="left")
        .with_columns(
            added_lines=_lines("additions", is_test=False),
            removed_lines=_lines("deletions", is_test=False),
            test_lines=_lines("additions", is_test=True),
        )
        .with_columns(heuristic_minutes=rules.minutes())
    )


def _lines(counted: str, *, is_test: bool) -> pl.Expr:
    """Lines of the row's tests, or of its code, as its own language tells them apart."""
    sums = [
        pl.when(pl.col("language") == name).then(_sum(counted, known, is_test=is_test))
        for name, known in languages().items()
    ]
    return pl.coalesce(*sums, pl.lit(0, pl.Int64))


def _sum(counted: str, known: Language, *, is_test: bool) -> pl.Expr:
    is_tests = PATH.str.contains(known.tests)
    is_counted = (
        is_tests if is_test else ~(is_tests | IS_NO_CODE | PATH.str.contains(known.manifests))
    )
    lines = pl.when(is_counted).then(FILE.field(counted))
    return pl.col("files").list.eval(lines).list.sum()


def _judged(rows: pl.LazyFrame, run: Run) -> pl.LazyFrame:
    """Rows with what the judge says; where there are no words, the heuristic goes by the files."""
    answers = run.ask(rows.filter(HAS_WORDS), judge_triage)
    told = {
        "triage": pl.col("level"),
        "triage_judged_by": pl.col("judged_by"),
        "triage_confidence": pl.col("confidence"),
        "triage_why": pl.col("why").str.slice(0, LONGEST_WHY),
        "triage_failure": pl.concat_str("kind", "reason", separator=": "),
    }
    return (
        rows.join(answers, on=PULL_REQUEST, how="left", maintain_order="left")
        .with_columns(**{n: pl.when(HAS_WORDS).then(told[n]).otherwise(GUESS[n]) for n in told})
        # A judge that fails stops no candidate: its level is unknown.
        .with_columns(kind=pl.when(pl.col("kind") == OPEN).then("kind"))
    )
