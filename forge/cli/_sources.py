"""Sources of merges other than the archive: what each needs, and what it may leave out."""

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from forge.cli import _text
from forge.errors import UsageError

if TYPE_CHECKING:
    from forge.selection import Selection
    from forge.settings import Settings

EXAMPLES = {
    "git": "forge build --month 2026-03 --source git ../my-project",
    "search": "forge build --month 2026-03 --source search 'language:python'",
    "repositories": "forge build --month 2026-03 --source repositories mine.txt",
    "code-search": "forge build --month 2026-03 --source code-search 'filename:asv.conf.json'",
}
NEEDS = {
    "git": "the address of a repository",
    "repositories": "a file of owner/name lines",
    "code-search": "what to search for",
}
QUOTED = re.compile(r'"[^"]*"')
OURS = re.compile(r"(?<![\w:])-?(is|type|state|merged):\S*|(?-i:\bOR\b)", re.IGNORECASE)
STARS = re.compile(r"(?<![\w:])-?stars:\S*", re.IGNORECASE)
SIZE = re.compile(r"(?<![\w:])-?size:\S*", re.IGNORECASE)


def read_argument(source: str, where: str | None) -> dict[str, Any]:
    """What the argument beside --source selects; UsageError where they do not go together."""
    if source == "archive" and where:
        raise UsageError(
            f"{where!r} is of no use without --source, other than the archive\n"
            f"such as: {EXAMPLES['git']}"
        )
    if source in NEEDS and not (where or "").strip():
        raise UsageError(_goes_with(source))
    if not where:
        return {}
    return _READERS[source](where)


def _goes_with(source: str) -> str:
    return f"--source {source} goes with {NEEDS[source]}\nsuch as: {EXAMPLES[source]}"


def _git(where: str) -> dict[str, Any]:
    from forge.address import read

    return {"git_source": read(where).url}


def _repositories(where: str) -> dict[str, Any]:
    from forge import pools

    if names := pools.read_repositories(Path(where)):
        return {"walked": tuple(sorted({name.lower(): name for name in names}.values()))}
    raise UsageError(f"{where} names no repository\nsay one a line: owner/name")


def _search(where: str) -> dict[str, Any]:
    plain = QUOTED.sub("", where)
    if found := STARS.search(plain):
        raise UsageError(
            f"GitHub's search of pull requests has no {found[0]!r}\n"
            "leave it out, and say --limit repositories.stars=50"
        )
    if found := OURS.search(plain):
        raise UsageError(
            f"{found[0]!r} is not for --source search: merges of the wanted hours are searched\n"
            f"say further qualifiers only, such as: {EXAMPLES['search']}"
        )
    return {"query": " ".join(where.split())}


def _code_search(where: str) -> dict[str, Any]:
    if found := SIZE.search(QUOTED.sub("", where)):
        raise UsageError(
            f"{found[0]!r} is not for --source code-search: sizes part what it finds\n"
            f"such as: {EXAMPLES['code-search']}"
        )
    return {"query": " ".join(where.split())}


_READERS = {
    "git": _git,
    "search": _search,
    "repositories": _repositories,
    "code-search": _code_search,
}


def check_tokens(chosen: "Selection", settings: "Settings") -> None:
    """Raise UsageError where a source wants a token, and there is none."""
    from forge.selection import GITHUB_SOURCES

    if chosen.source in GITHUB_SOURCES and not settings.github_tokens:
        raise UsageError(
            f"--source {chosen.source} needs a token of GitHub\n"
            "set FORGE_GITHUB_TOKENS to one or several, or leave the flag out: "
            "the archive needs none"
        )


def warn_of_cuts(chosen: "Selection", settings: "Settings") -> None:
    """Say on stderr in how many hours GitHub's search lists fewer merges than it counts."""
    import polars as pl

    from forge.reader import scan

    if chosen.source != "search":
        return
    hours = scan("hours", month=chosen.month, root=settings.root)
    cut = hours.filter(pl.col("found_merges") < pl.col("searched_merges"))
    counts = cut.select(pl.len(), pl.sum("found_merges"), pl.sum("searched_merges"))
    hours_cut, found, searched = counts.collect().row(0)
    if hours_cut:
        _text.echo(
            f"GitHub's search lists {found:,} of {searched:,} merges of {hours_cut:,} hours\n"
            "narrower qualifiers find more; the table hours says which",
            err=True,
        )
