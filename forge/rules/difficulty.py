"""How hard a change looks by its patches alone: SWE-gen's static score, mended.

Its dimensions and weights are kept, but for the length of the instruction, which no patch tells.
Mended: the scale reaches 10; definitions are known in more languages than Python and JavaScript;
the root is a directory too; tests are counted by the diff's lines, never by whole files; documents,
lock files and housekeeping do not count; the curve is a straight line over the logarithm, so that
the first line beyond easy is not worth a third of the way.
"""

from math import log
from typing import NamedTuple

import polars as pl


class Dimension(NamedTuple):
    """One side of difficulty: its raw number, and between which numbers it grows from 1 to 5."""

    raw: pl.Expr
    easy: float
    hard: float
    weight: float

    @property
    def score(self) -> pl.Expr:
        """From 1 (easy) to 5 (hard)."""
        share = (self.raw / self.easy).clip(lower_bound=1).log() / log(self.hard / self.easy)
        return (1 + 4 * share.clip(0, 1)).round(2)


DIMENSIONS = {
    "scope": Dimension(
        pl.col("code_lines") + 8 * pl.col("code_files") + 3 * pl.col("code_hunks"), 20, 260, 0.30
    ),
    "logic": Dimension(
        10 * pl.col("definitions") + 4 * pl.col("branches") + pl.col("code_lines"), 20, 220, 0.25
    ),
    "context": Dimension(
        15 * pl.col("code_directories") + 4 * pl.col("code_files") + pl.col("code_hunks"),
        20,  # one file in one directory: 15 + 4 + 1
        120,
        0.20,
    ),
    "tests": Dimension(pl.col("test_lines") + 10 * pl.col("test_files"), 35, 350, 0.15),
}

_WEIGHTS = sum(dimension.weight for dimension in DIMENSIONS.values())
_SHARE = pl.sum_horizontal((d.score - 1) / 4 * (d.weight / _WEIGHTS) for d in DIMENSIONS.values())

STATIC_DIFFICULTY = (1 + 9 * _SHARE).round(1)
"""From 1 (easy) to 10 (hard)."""

_MODIFIERS = (
    r"((export|default|pub(\([a-z ]+\))?|public|private|protected|internal|static|final|abstract"
    r"|async|inline|const|unsafe|extern|override|virtual|open|data|sealed|partial|case)\s+)*"
)
_NAMED = (
    r"(def|class|function\*?|func|fn|fun|struct|enum|union|trait|impl|interface|protocol|module"
    r"|object|record|namespace|macro_rules!|defp|defmodule|sub)\b"
)
_LIKE_C = r"[A-Za-z_][\w:<>,&*\[\] ]*[\s*&][A-Za-z_][\w:]*\([^;={}]*\)[\w\s,]*\{"
_ARROW = r"(const|let|var)\s+\w+\s*=\s*(async\s*)?(\([^)]*\)|\w+)\s*=>"

DEFINITION = rf"\n\+[ \t]*({_MODIFIERS}{_NAMED}|{_ARROW}|{_LIKE_C})"
BRANCH = (
    r"\n\+[ \t]*(\}\s*)?(if|elif|else|elsif|unless|for|foreach|while|until|loop|switch|case|match"
    r"|when|try|except|catch|finally|rescue|ensure|with|select|guard|defer)\b"
)
ELSE_IF = r"\n\+[ \t]*else\s+(if|for|while|switch)\([^;={}]*\)[\w\s,]*\{"
"""What looks like a definition in C, and is none."""
