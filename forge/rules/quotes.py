"""What a text gives away of a change: lines that it quotes, commits and links that it names."""

import polars as pl

from forge.columns import PULL_REQUEST
from forge.rules.paths import DOCS
from forge.rules.sections import sections

BLANKS = r"\s+"
SHA = r"(?:^|[^0-9A-Za-z])([0-9a-f]{7,40})\b"
IMPORT = r"^(from\s+\S+\s+)?import\s"
# Words that only code has: parts that are joined by underscores or capitals.
IDENTIFIER = r"\b[A-Za-z][a-z0-9]*(?:_[A-Za-z0-9]+)+\b|\b[A-Za-z]+[a-z][A-Z][A-Za-z]+\b"
PLACE = pl.lit("problem_statement")


def leaks(texts: pl.LazyFrame, patches: pl.LazyFrame, letters: int) -> pl.LazyFrame:
    """By key of `texts`: all that they give away, as `statement_leaks`; no row where nothing."""
    told = [quoted(texts, patches, patch, letters) for patch in ("gold_patch", "test_patch")]
    told += [named_commits(texts, ["merge_commit", "head_sha"]), linked(texts)]
    leak = pl.struct("kind", "path", "evidence")
    listed = leak.sort_by("kind", "path", "evidence")
    return pl.concat(told).group_by(PULL_REQUEST).agg(statement_leaks=listed)


def quoted(texts: pl.LazyFrame, patches: pl.LazyFrame, patch: str, letters: int) -> pl.LazyFrame:
    """By key of `texts`: the lines of so many letters that its `words` hold and a patch adds.

    Lines that the patch also shows as they were are none: a report quotes today's code.
    """
    is_code = ~pl.col("path").str.contains(DOCS)
    text = pl.col("words").str.replace_all(BLANKS, " ")
    return (
        _lines(patches, patch)
        .filter(pl.col("line").str.len_chars() >= letters)
        .filter(~pl.col("line").str.contains(IMPORT))
        .group_by(*PULL_REQUEST, "line")
        .agg(is_new=pl.col("is_added").all(), path=pl.col("path").filter(is_code).min())
        .filter("is_new", pl.col("path").is_not_null())
        .join(texts.select(*PULL_REQUEST, text=text), on=PULL_REQUEST)
        .filter(pl.col("text").str.contains(pl.col("line"), literal=True))
        .select(*PULL_REQUEST, kind=pl.lit(f"quotes_{patch}"), path="path", evidence="line")
    )


def _lines(patches: pl.LazyFrame, patch: str) -> pl.LazyFrame:
    """By key of `patches`: each line that a patch shows, blanks alike, and whether it adds it."""
    shown = pl.col("body").str.extract_all(r"\n[-+ ][^\n]*")
    return (
        sections(patches.select(*PULL_REQUEST, patch), patch)
        .select(*PULL_REQUEST, "path", line=shown)
        .explode("line")
        .with_columns(
            is_added=pl.col("line").str.starts_with("\n+"),
            line=pl.col("line").str.slice(2).str.replace_all(BLANKS, " ").str.strip_chars(),
        )
    )


def named_commits(texts: pl.LazyFrame, shas: list[str]) -> pl.LazyFrame:
    """By key of `texts`: whole or short names in its `words` of the commits in these columns."""
    is_named = [pl.col(sha).str.starts_with(pl.col("name")).fill_null(value=False) for sha in shas]
    return (
        texts.with_columns(name=pl.col("words").str.to_lowercase().str.extract_all(SHA))
        .explode("name")
        .with_columns(name=pl.col("name").str.extract(SHA))
        .filter(pl.any_horizontal(is_named))
        .unique([*PULL_REQUEST, "name"])
        .select(*PULL_REQUEST, kind=pl.lit("names_commit"), path=PLACE, evidence="name")
    )


def linked(texts: pl.LazyFrame) -> pl.LazyFrame:
    """By key of `texts`: where its `words` point to the change itself, by `repo` and `number`."""
    address = pl.format(r"(?i)\b{}(?:/(?:pulls?|issues)/|#){}\b", pl.col("repo"), pl.col("number"))
    named = r"(?i)(?:^|[^\w/&])((?:#|GH-|PR #?|pull request #?){})\b"
    alone = pl.format(named, pl.col("number"))
    words = pl.col("words").str
    return (
        texts.with_columns(link=pl.coalesce(words.extract(address, 0), words.extract(alone, 1)))
        .drop_nulls("link")
        .select(*PULL_REQUEST, kind=pl.lit("links_to_fix"), path=PLACE, evidence="link")
    )


def new_identifiers(patch: str, words: str) -> pl.Expr:
    """Identifiers of a text that a patch adds, and that stand in no other of its lines."""
    lines = pl.col(patch).str.extract_all(r"(?m)^\+[^+\n][^\n]*").list.join("\n")
    others = pl.col(patch).str.extract_all(r"(?m)^[- ][^\n]*").list.join("\n")
    added, known = lines.str.extract_all(IDENTIFIER), others.str.extract_all(IDENTIFIER)
    told = pl.col(words).str.extract_all(IDENTIFIER)
    return told.list.set_intersection(added.list.set_difference(known)).list.sort()
