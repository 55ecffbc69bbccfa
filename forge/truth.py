"""What attempts say of tests: letters, classes of a side, cells of the truth table, findings.

What the table leaves open is decided here:

- A mixture of F, E and U is class F; every other is `~`, and so is an id that only some attempts of
  a side list while it is absent from others.
- A file is broken where it, or a folder above it (`.` is the outermost), is among an attempt's
  broken files.
- A runner that wrote no result, or was cut by the time limit, died before what it does not list.
- `hangs` compares whole attempts: the slowest after with half the time that the tests are allowed.
- An id that no attempt lists does not exist, whatever broke.
- A flaky test that some before and some after make a FAIL_TO_PASS drops the candidate: it may be
  the very test that shows the change. Others are left out of the lists, and named.
- What is absent in another order says nothing: a runner may not find every test by its name.
- A side without attempts has no class, and a test without both classes has no cell.
"""

from collections.abc import Iterator

import polars as pl

from forge.columns import PULL_REQUEST

ATTEMPT = [*PULL_REQUEST, "side", "attempt"]
TEST = [*PULL_REQUEST, "id"]
IS_BEFORE = pl.col("side") == "before"
IS_AFTER = pl.col("side") == "after"
IS_ORDINARY = IS_BEFORE | IS_AFTER
DEPENDENCES = {"order": "reversed", "worker": "parallel"}
"""What tests may depend on, and the side that shows it."""
RUNS = {"reversed": 1, "parallel": 2}
"""Attempts of these sides that see every test once."""

# Class before (down) and after (across). Kinds stand where their cell is refined by them.
TABLE = """
    P                     X                         S             F             A        ~
P   pass_to_pass          pass_to_pass              pass_to_skip  pass_to_fail  removed  flaky
X   was_expected_failure  pass_to_pass              other         pass_to_fail  removed  flaky
S   skip_to_pass          other                     other         other         other    flaky
F   failed                fail_to_expected_failure  fail_to_skip  fail_to_fail  removed  flaky
U   uncollected           fail_to_expected_failure  fail_to_skip  fail_to_fail  removed  flaky
A   absent                fail_to_expected_failure  fail_to_skip  other         other    flaky
T   hangs                 other                     other         other         other    flaky
~   flaky                 flaky                     flaky         flaky         other    flaky
"""
KINDS = {
    "failed": "fail_to_pass",
    "uncollected": "fail_to_pass",
    "absent": "fail_to_pass",
    "hangs": "fail_to_pass",
    "was_expected_failure": "pass_to_pass",
}
LIKE_F_AFTER = ("U", "T")
GREEN = ["P", "X"]
RED_BEFORE = ["F", "E", "U", "A", "T"]
LISTS = ("fail_to_pass", "pass_to_pass", "expected_failures", "flaky_tests", "flaky_fail_to_pass")
COUNTED = (
    "pass_to_skip",
    "pass_to_fail",
    "skip_to_pass",
    "fail_to_expected_failure",
    "fail_to_skip",
    "fail_to_fail",
    "removed",
    "other",
    "flaky",
)

IS_PROMISING = (
    (pl.col("fail_to_pass").list.len() > 0)
    & (pl.col("flaky_fail_to_pass").list.len() == 0)
    & ~pl.col("has_broken_after")
    & ~pl.col("has_timeout_after")
)


def promising(attempts: pl.LazyFrame, patches: pl.LazyFrame) -> pl.LazyFrame:
    """Keys of the pull requests that would be tasks by their attempts so far.

    No limit of `verdicts` has a say, so that changing one runs no test.
    """
    return _found(attempts, patches).filter(IS_PROMISING).select(PULL_REQUEST)


def findings(attempts: pl.LazyFrame, patches: pl.LazyFrame) -> pl.LazyFrame:
    """One row per pull request with attempts: its tests by cell, and what went wrong after."""
    found = _found(attempts.filter(IS_ORDINARY), patches)
    named = pl.col([f"{name}_dependent_tests" for name in DEPENDENCES])
    return found.join(dependences(attempts), on=PULL_REQUEST, how="left").with_columns(
        named.fill_null([])
    )


def _found(attempts: pl.LazyFrame, patches: pl.LazyFrame) -> pl.LazyFrame:
    tests = (
        cells(attempts)
        .group_by(PULL_REQUEST)
        .agg(
            *_lists(),
            *map(_count, COUNTED),
            listed_tests=pl.len().cast(pl.Int64),
            failures_before=(~pl.col("before").is_in(["P", "X", "S"])).sum().cast(pl.Int64),
        )
    )
    counts = pl.col(*COUNTED, "listed_tests", "failures_before").fill_null(0)
    return (
        _sides(attempts, patches)
        .join(tests, on=PULL_REQUEST, how="left")
        .with_columns(counts, pl.col(LISTS).fill_null([]))
        .with_columns(fails_by_collapse_only=_is_all(pl.col("fail_to_pass"), "uncollected"))
    )


def cells(attempts: pl.LazyFrame) -> pl.LazyFrame:
    """One row per test of a pull request: its classes, its cell, and the cell's kind."""
    allowed = pl.col("seconds_limit").min()
    slowest = pl.col("seconds").filter(IS_AFTER).max()
    is_quick = attempts.group_by(PULL_REQUEST).agg(is_quick_after=slowest * 2 < allowed)
    found = classes(attempts).join(table(), on=["before", "after"], how="left")
    is_slow = (pl.col("kind") == "hangs") & ~pl.col("is_quick_after")
    return (
        found.join(is_quick, on=PULL_REQUEST, how="left")
        .with_columns(is_slow=is_slow.fill_null(value=False))
        .with_columns(
            cell=pl.when("is_slow").then(pl.lit("other")).otherwise("cell"),
            kind=pl.when(~pl.col("is_slow")).then("kind"),
        )
        .select(*PULL_REQUEST, "id", "before", "after", "cell", "kind", "may_turn_green")
    )


def table() -> pl.LazyFrame:
    """The truth table, one row per cell; kinds apart from the cells that they refine."""
    across, *rows = (line.split() for line in TABLE.strip().splitlines())
    entries = [
        {"before": down, "after": after, "kind": text if text in KINDS else None}
        | {"cell": KINDS.get(text, text)}
        for down, *texts in rows
        for column, text in zip(across, texts, strict=True)
        for after in ((column, *LIKE_F_AFTER) if column == "F" else (column,))
    ]
    return pl.LazyFrame(entries, schema_overrides={"kind": pl.String})


def classes(attempts: pl.LazyFrame) -> pl.LazyFrame:
    """One row per test of a pull request: what all attempts of each side say together."""
    of_side = (
        letters(attempts)
        .group_by(*PULL_REQUEST, "id", "side")
        .agg(
            letter=_class(pl.col("letter")),
            is_red_once=pl.col("letter").is_in(RED_BEFORE).any(),
            is_green_once=(pl.col("letter") == "P").any(),
        )
    )
    sides = {"before": IS_BEFORE, "after": IS_AFTER}
    both = {name: pl.col("letter").filter(side).first() for name, side in sides.items()}
    is_red, is_green = pl.col("is_red_once") & IS_BEFORE, pl.col("is_green_once") & IS_AFTER
    return of_side.group_by(*PULL_REQUEST, "id").agg(
        **both, may_turn_green=is_red.any() & is_green.any()
    )


def dependences(attempts: pl.LazyFrame) -> pl.LazyFrame:
    """One row per pull request: which of its listed tests do not pass in another order, or beside.

    Null where that was not asked, or where the runner did not find the tests by their names.
    """
    of_lists = pl.col("cell").is_in(["fail_to_pass", "pass_to_pass"])
    steady = cells(attempts.filter(IS_ORDINARY)).filter(of_lists)
    is_whole = pl.col("result").is_not_null() & ~pl.col("is_timed_out")
    whole = attempts.filter(~IS_ORDINARY, is_whole, pl.col("tests").list.len() > 0)
    listed = whole.select(*PULL_REQUEST, "side", "tests").explode("tests").unnest("tests")
    red = listed.filter(~pl.col("letter").is_in(GREEN)).join(steady, on=TEST, how="semi")
    runs = whole.group_by(PULL_REQUEST).agg(
        (pl.col("side") == side).sum().alias(side) for side in RUNS
    )
    named = red.group_by(PULL_REQUEST).agg(
        pl.col("id").filter(pl.col("side") == side).unique().sort().alias(f"{name}_dependent_tests")
        for name, side in DEPENDENCES.items()
    )
    return runs.join(named, on=PULL_REQUEST, how="left").select(*PULL_REQUEST, *_dependent())


def letters(attempts: pl.LazyFrame) -> pl.LazyFrame:
    """One row per attempt and test that any attempt of its pull request lists, U and A derived."""
    listed = attempts.select(*ATTEMPT, "tests").explode("tests").unnest("tests")
    listed = listed.drop_nulls("id").select(*ATTEMPT, "id", "letter")
    tests = listed.select(*PULL_REQUEST, "id").unique().with_columns(path=_path(pl.col("id")))
    broken = _broken(attempts, tests.select(*PULL_REQUEST, "path")).with_columns(is_broken=True)
    died = (pl.col("result").is_null() | pl.col("is_timed_out")).alias("died")
    derived = pl.when(pl.col("died") | pl.col("is_broken")).then(pl.lit("U")).otherwise(pl.lit("A"))
    return (
        attempts.select(*ATTEMPT, died)
        .join(tests, on=PULL_REQUEST)
        .join(listed, on=[*ATTEMPT, "id"], how="left")
        .join(broken, on=[*ATTEMPT, "path"], how="left")
        .select(*ATTEMPT, "id", letter=pl.coalesce("letter", derived))
    )


def _class(letter: pl.Expr) -> pl.Expr:
    alike = letter.replace("E", "F")
    return (
        pl.when(alike.n_unique() == 1)
        .then(alike.first())
        .when(alike.is_in(["F", "U"]).all())
        .then(pl.lit("F"))
        .otherwise(pl.lit("~"))
    )


def _path(test: pl.Expr) -> pl.Expr:
    # Ids with odd characters are JSON texts, and only those begin with a quote.
    odd = pl.concat_str(pl.lit('{"id":'), test, pl.lit("}")).str.json_path_match("$.id")
    plain = pl.when(test.str.starts_with('"')).then(odd)
    name = pl.coalesce(plain, test)
    return pl.coalesce(
        name.str.extract(r"(?s)^(.*?)::"),
        name.str.extract(r"^(.*?\.py):"),  # SymPy
        name.str.extract(r" \(([\w.]+)\)$").str.replace_all(".", "/", literal=True),  # unittest
        name,
    )


def _broken(attempts: pl.LazyFrame, files: pl.LazyFrame) -> pl.LazyFrame:
    """The attempts in which a file, or a folder above it, broke."""
    parts = pl.col("path").str.split("/")
    depth = pl.int_ranges(0, parts.list.len() + 1, dtype=pl.Int64)
    above = files.unique().with_columns(parts=parts, depth=depth).explode("depth")
    above = above.with_columns(broken=_folder(pl.col("parts").list.head("depth")))
    broken = attempts.select(*ATTEMPT, broken="broken_files").explode("broken").drop_nulls("broken")
    return above.join(broken, on=[*PULL_REQUEST, "broken"]).select(*ATTEMPT, "path").unique()


def _folder(parts: pl.Expr) -> pl.Expr:
    return pl.when(parts.list.len() == 0).then(pl.lit(".")).otherwise(parts.list.join("/"))


def _sides(attempts: pl.LazyFrame, patches: pl.LazyFrame) -> pl.LazyFrame:
    touched = patches.select(*PULL_REQUEST, path="test_paths").explode("path").drop_nulls("path")
    broken = _broken(attempts.filter(IS_AFTER), touched).select(PULL_REQUEST).unique()
    return (
        attempts.group_by(PULL_REQUEST)
        .agg(
            attempts_before=IS_BEFORE.sum().cast(pl.Int64),
            attempts_after=IS_AFTER.sum().cast(pl.Int64),
            has_timeout_after=(IS_AFTER & pl.col("is_timed_out")).any(),
            has_dead_after=(IS_AFTER & pl.col("result").is_null()).any(),
        )
        .join(broken.with_columns(has_broken=True), on=PULL_REQUEST, how="left")
        .with_columns(
            has_broken_after=pl.col("has_dead_after") | pl.col("has_broken").fill_null(value=False)
        )
        .drop("has_dead_after", "has_broken")
    )


def _dependent() -> Iterator[pl.Expr]:
    for name, side in DEPENDENCES.items():
        tests = pl.col(f"{name}_dependent_tests")
        is_known = pl.col(side) >= RUNS[side]
        is_dependent = pl.when(tests.list.len() > 0).then(pl.lit(value=True))
        yield is_dependent.when(is_known).then(pl.lit(value=False)).alias(f"is_{name}_dependent")
        yield tests


def _lists() -> list[pl.Expr]:
    test = pl.struct("id", "kind")
    is_flaky = pl.col("cell") == "flaky"
    expected = pl.col("kind").eq_missing(pl.lit("was_expected_failure"))
    return [
        test.filter(pl.col("cell") == "fail_to_pass").sort().alias("fail_to_pass"),
        pl.col("id").filter(pl.col("cell") == "pass_to_pass").sort().alias("pass_to_pass"),
        pl.col("id").filter(expected).sort().alias("expected_failures"),
        pl.col("id").filter(is_flaky).sort().alias("flaky_tests"),
        pl.col("id").filter(is_flaky, "may_turn_green").sort().alias("flaky_fail_to_pass"),
    ]


def _count(cell: str) -> pl.Expr:
    return (pl.col("cell") == cell).sum().cast(pl.Int64).alias(cell)


def _is_all(tests: pl.Expr, kind: str) -> pl.Expr:
    is_kind = tests.list.eval(pl.element().struct.field("kind") == kind).list.all()
    return (tests.list.len() > 0) & is_kind
