"""What patches look like: size, spread, static difficulty, risks."""

import dataframely as dy
import polars as pl

from forge.columns import PULL_REQUEST, PullRequestKey
from forge.languages import languages
from forge.rules.difficulty import BRANCH, DEFINITION, DIMENSIONS, ELSE_IF, STATIC_DIFFICULTY
from forge.rules.paths import CI, DOCS, GENERATED, HIDDEN, LOCKS
from forge.rules.sections import sections
from forge.stage import stage
from forge.stages.candidates import Candidates
from forge.stages.patches import Patches
from forge.stages.pull_requests import PullRequests

PATH, HEAD = pl.col("path"), pl.col("head")
IS_GOLD, IS_TEST = pl.col("half") == "gold", pl.col("half") == "test"
IS_CODE = pl.col("is_code")
IS_HOUSEKEEPING = (
    PATH.str.contains(DOCS)
    | PATH.str.contains(CI)
    | PATH.str.contains(LOCKS)
    | PATH.str.contains(HIDDEN)
    | PATH.str.contains(GENERATED)
)
IS_NEW = HEAD.str.contains("\nnew file mode ", literal=True)
IS_DELETED = HEAD.str.contains("\ndeleted file mode ", literal=True)
LINES = pl.col("added") + pl.col("removed")


def difficulty(description: str) -> dy.Float64:
    """A dimension of the static difficulty."""
    return dy.Float64(min=1, max=5, description=f"1 (easy) to 5 (hard): {description}")


class Features(PullRequestKey):
    """One row per candidate with patches."""

    gold_files = dy.Int64(description="files of the gold patch")
    gold_lines = dy.Int64(description="lines that it adds and removes")
    gold_hunks = dy.Int64(description="places that it changes")
    code_files = dy.Int64(
        description="its files without documents, manifests, lock files, housekeeping"
    )
    code_lines = dy.Int64(description="lines added and removed in those")
    code_hunks = dy.Int64(description="places changed in those")
    code_directories = dy.Int64(description="directories of those; the root is one")
    definitions = dy.Int64(description="functions and types added in those, by their looks")
    branches = dy.Int64(description="lines added in those that steer: if, for, try …")
    test_files = dy.Int64(description="files of the test patch")
    test_lines = dy.Int64(description="lines that it adds and removes")
    difficulty_scope = difficulty("lines, files and places of code")
    difficulty_logic = difficulty("definitions and branches")
    difficulty_context = difficulty("directories and files")
    difficulty_tests = difficulty("lines and files of tests")
    static_difficulty = dy.Float64(min=1, max=10, description="1 (easy) to 10 (hard), weighted")
    touches_docs = dy.Bool(description="whether the gold patch changes documents")
    touches_ci = dy.Bool(description="whether it changes continuous integration")
    touches_manifest = dy.Bool(description="whether it changes how the project is built or tested")
    touches_lock = dy.Bool(description="whether it changes a lock file")
    touches_generated = dy.Bool(description="whether it changes files that a program wrote")
    has_new_tests = dy.Bool(description="whether the test patch adds a file")
    has_removed_tests = dy.Bool(description="whether the test patch removes a file")
    has_binary = dy.Bool(description="whether either patch changes a binary file")
    has_renames = dy.Bool(
        nullable=True,
        description="whether files moved; both patches show it as new and gone; null with GitHub, "
        "which tells no former paths",
    )
    has_mode_changes = dy.Bool(description="whether either patch changes a file's mode")
    has_links = dy.Bool(description="whether either patch holds a symbolic link or a submodule")
    has_dos_lines = dy.Bool(description="whether either patch holds line ends of DOS")


@stage
def features(
    patches: dy.LazyFrame[Patches],
    candidates: dy.LazyFrame[Candidates],
    pull_requests: dy.LazyFrame[PullRequests],
) -> dy.LazyFrame[Features]:
    of_files = _files(patches, candidates).group_by(PULL_REQUEST).agg(**_counts(), **_flags())
    return (
        patches.select(PULL_REQUEST)
        .join(of_files, on=PULL_REQUEST, how="left")
        .join(
            pull_requests.select(*PULL_REQUEST, has_renames=_has_renames()),
            on=PULL_REQUEST,
            how="left",
        )
        .with_columns(**{f"difficulty_{name}": d.score for name, d in DIMENSIONS.items()})
        .with_columns(static_difficulty=STATIC_DIFFICULTY)
        .pipe(Features.cast)
    )


def _files(patches: pl.LazyFrame, candidates: pl.LazyFrame) -> pl.LazyFrame:
    """One row per file of either patch."""
    halves = [
        sections(patches.select(*PULL_REQUEST, patch=f"{half}_patch"), "patch").with_columns(
            half=pl.lit(half)
        )
        for half in ("gold", "test")
    ]
    files = pl.concat(halves).join(
        candidates.select(*PULL_REQUEST, "language"), on=PULL_REQUEST, how="left"
    )
    return files.with_columns(is_manifest=_is_manifest()).with_columns(
        is_code=IS_GOLD & ~(IS_HOUSEKEEPING | pl.col("is_manifest"))
    )


def _counts() -> dict[str, pl.Expr]:
    definitions = _matches(DEFINITION) - _matches(ELSE_IF)
    counts = {
        "gold_files": IS_GOLD,
        "gold_lines": LINES.filter(IS_GOLD),
        "gold_hunks": pl.col("hunks").filter(IS_GOLD),
        "code_files": IS_CODE,
        "code_lines": LINES.filter(IS_CODE),
        "code_hunks": pl.col("hunks").filter(IS_CODE),
        "definitions": definitions.filter(IS_CODE),
        "branches": _matches(BRANCH).filter(IS_CODE),
        "test_files": IS_TEST,
        "test_lines": LINES.filter(IS_TEST),
    }
    directory = PATH.str.replace(r"[^/]*$", "").filter(IS_CODE)
    return {name: count.sum().cast(pl.Int64) for name, count in counts.items()} | {
        "code_directories": directory.n_unique().cast(pl.Int64)
    }


def _flags() -> dict[str, pl.Expr]:
    flags = {
        "touches_docs": IS_GOLD & PATH.str.contains(DOCS),
        "touches_ci": IS_GOLD & PATH.str.contains(CI),
        "touches_manifest": IS_GOLD & pl.col("is_manifest"),
        "touches_lock": IS_GOLD & PATH.str.contains(LOCKS),
        "touches_generated": IS_GOLD & PATH.str.contains(GENERATED),
        "has_new_tests": IS_TEST & IS_NEW,
        "has_removed_tests": IS_TEST & IS_DELETED,
        "has_binary": HEAD.str.contains("\nGIT binary patch\n", literal=True),
        "has_mode_changes": HEAD.str.contains("\nold mode ", literal=True),
        "has_links": HEAD.str.contains(r"\n(index [^\n]* |[a-z ]*mode )(120000|160000)"),
        "has_dos_lines": pl.col("body").str.contains("\r\n", literal=True),
    }
    return {name: flag.any() for name, flag in flags.items()}


def _is_manifest() -> pl.Expr:
    # Automation has a flag of its own.
    return ~PATH.str.contains(CI) & pl.any_horizontal(
        (pl.col("language") == name) & PATH.str.contains(known.manifests)
        for name, known in languages().items()
    ).fill_null(value=False)


def _matches(pattern: str) -> pl.Expr:
    return pl.col("body").str.count_matches(pattern).cast(pl.Int64)


def _has_renames() -> pl.Expr:
    moved = pl.element().struct.field("previous_path").is_not_null()
    return pl.when(pl.col("enriched_by") == "git").then(pl.col("files").list.eval(moved).list.any())
