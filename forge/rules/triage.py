"""How long a change takes whoever knows the project: a rule of thumb, for want of a judge.

Minutes grow with files (a place has to be found and understood), with lines (what is added is
written and tried, what goes is merely decided on), and a little with tests, which say how much
behaviour there is to get right. Words move it by a third at most: those of slips downwards, those
of matters that are hard to see or to take in at once upwards.
"""

import polars as pl

MINUTES_A_FILE = 5.0
MINUTES_AN_ADDED_LINE = 1.5
MINUTES_A_REMOVED_LINE = 0.5
MINUTES_A_TEST_LINE = 0.2
WORDS_MOVE_BY = 1.33

EASY_MINUTES = 15.0
MEDIUM_MINUTES = 60.0
"""Where people who label tasks draw the lines; beyond four hours is hard as well."""

SLIPS = (
    r"(?i)\b(typos?|misspel\w*|docstrings?|spelling|renam(e|es|ed|ing)|wording"
    r"|type (hint|annotation)s?|deprecat\w+ warnings?|error messages?"
    r"|missing (import|comma|await|return|default)s?"
    r"|wrong (name|key|default|import)|off.by.one|forg[eo]t\w*)\b"
)
DEPTHS = (
    r"(?i)\b(rac(e|y) conditions?|dead-?locks?|concurren\w+|thread.?safe\w*|memory leaks?"
    r"|segfault\w*|performance|re-?factor\w*|re-?writ\w+|re-?design\w*|re-?work\w*|implement(s|ed|ing)?"
    r"|(add|adds|added) support|new (feature|api|backend|algorithm)|backwards?.compatib\w*"
    r"|migrat\w+|numerical(ly)? (stab|precis)\w*|non-?determinis\w*|invalidat\w+)\b"
)

WORDS = pl.concat_str("title", "body", separator="\n", ignore_nulls=True).fill_null("")


def minutes(words: pl.Expr = WORDS) -> pl.Expr:
    """Of work, by `code_files`, `added_lines`, `removed_lines` and `test_lines`."""
    by_size = (
        MINUTES_A_FILE * pl.col("code_files")
        + MINUTES_AN_ADDED_LINE * pl.col("added_lines")
        + MINUTES_A_REMOVED_LINE * pl.col("removed_lines")
        + MINUTES_A_TEST_LINE * pl.col("test_lines")
    )
    is_slip, is_deep = words.str.contains(SLIPS), words.str.contains(DEPTHS)
    by_words = (
        pl.when(is_deep & ~is_slip)
        .then(WORDS_MOVE_BY)
        .when(is_slip & ~is_deep)
        .then(1 / WORDS_MOVE_BY)
        .otherwise(1.0)
    )
    return (by_size * by_words).round(1)


def level(spent: pl.Expr) -> pl.Expr:
    """Easy, medium or hard, by minutes."""
    return (
        pl.when(spent < EASY_MINUTES)
        .then(pl.lit("easy"))
        .when(spent < MEDIUM_MINUTES)
        .then(pl.lit("medium"))
        .when(spent >= MEDIUM_MINUTES)
        .then(pl.lit("hard"))
    )
