r"""What diffs say of their files, as expressions: one row per file of a patch.

Diffs are made without renames, so both names of a header are equal; every line of a hunk begins
with a blank, `+`, `-` or a backslash, so that `\ndiff --git ` and `\n@@ ` are never content.
"""

import polars as pl

START = "\ndiff --git "
HUNK = "\n@@ "


def sections(patches: pl.LazyFrame, patch: str) -> pl.LazyFrame:
    """One row per file of each row's patch: path, head (before the first hunk), body and counts."""
    cut = (pl.lit("\n") + pl.col(patch)).str.split(START).list.slice(1)
    parts = pl.col("section").str.splitn(HUNK, 2).struct
    return (
        patches.with_columns(section=cut)
        .drop(patch)
        .explode("section")
        .drop_nulls("section")
        .with_columns(head=parts.field("field_0"), body=parts.field("field_1").fill_null(""))
        .drop("section")
        .with_columns(
            path=_path(),
            added=pl.col("body").str.count_matches("\n+", literal=True).cast(pl.Int64),
            removed=pl.col("body").str.count_matches("\n-", literal=True).cast(pl.Int64),
            hunks=(
                pl.col("body").str.count_matches(HUNK, literal=True).cast(pl.Int64)
                + (pl.col("body") != "")
            ),
        )
    )


def _path() -> pl.Expr:
    # `a/<path> b/<path>`: half of the line, quoted by git where a name is odd.
    names = pl.col("head").str.split("\n").list.first()
    half = names.str.slice(0, (names.str.len_chars() - 1) // 2)
    return half.str.strip_chars('"').str.strip_prefix("a/")
