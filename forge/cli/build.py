"""`forge build`: a month of the archive, or a pool, as far as its bounds allow."""

from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from forge.cli import _coverage, _estimates, _options, _text
from forge.cli._selection import read_selection
from forge.cli._sources import check_tokens, warn_of_cuts
from forge.errors import UsageError

if TYPE_CHECKING:
    from forge.build import Options, Outcome
    from forge.estimates import Estimate, Unknown
    from forge.plan import Planned
    from forge.selection import Selection
    from forge.settings import Settings

HOURS, MERGES = "hours", "merges"
UNBOUNDED_ENDS = {"git": "merges", "github": "candidates"}
"""Beyond it every repository would be fetched."""
NO_NUMBERS = """\
no commit of {month} on the default branch names a pull request: `(#12)`, `Merge pull request #12`
name them yourself, one a line, with --pool FILE"""


@click.command("build", short_help="Build a month as far as its bounds allow; rerun to go on.")
@click.argument("address", required=False, metavar="[WHERE]")
@click.option("--month", help="The month, such as 2026-03.")
@click.option("--hours", help="Fetch only these hours, from the month's first: 0-23,48.")
@click.option("--keep", type=click.Choice(["issues"]), multiple=True,
              help="Keep events of issues and their text, too.")  # fmt: skip
@click.option("--source", default="archive", help="Where merges come from, see above.",
              type=click.Choice(["archive", "git", "search", "repositories", "code-search"]),
              )  # fmt: skip
@click.option("--enrich", type=click.Choice(["git", "github"]),
              help="Who knows the rest; github where FORGE_GITHUB_TOKENS is set.")  # fmt: skip
@click.option("--pool", type=click.Path(path_type=Path), help="File of owner/repo#123 lines.")
@click.option("--rows", type=click.Path(path_type=Path), help="SWE-bench rows, .parquet or .jsonl.")
@click.option("--exclude", type=click.Path(path_type=Path), help="File of what never to touch.")
@click.option("--repositories", type=click.Path(path_type=Path), help="File of owner/name lines.")
@click.option("--sample", help="A share of the repositories by hash, such as 1%.")
@click.option("--per-repository", type=click.IntRange(1), help="Candidates tried per repository.")
@click.option("--tasks", type=click.IntRange(1), help="Stop when so many are verified.")
@click.option("--difficulty", type=click.Choice(["easy", "medium", "hard"]), multiple=True,
              help="Go on with what looks so hard alone (repeatable).")  # fmt: skip
@click.option("--to", help="The last table to build.")
@click.option("--force", multiple=True, help="Build this table again (repeatable).")
@click.option("--retry", multiple=True, help="Ask again what failed as data, policy, environment, "
              "model or infra (repeatable).")  # fmt: skip
@click.option("--dry-run", is_flag=True, help="Say what would be made and why; make nothing.")
@_options.limit
@_options.raw
@_options.root
@_options.as_json
def command(**flags: Any) -> None:
    """Build every table of a month that is not fresh, best candidates first.

    It can be stopped at any time and run again: what was answered is never asked twice.

    \b
    forge build --month 2026-03 --hours 0-23 --sample 1%
    forge build --pool mine.txt
    forge build --month 2026-03 --source git https://github.com/owner/name

    Merges come from the archive, or of --source (what it needs comes as WHERE):

    \b
    git ADDRESS         the history of one repository, its address
    search 'WORDS'      GitHub's search: pull requests merged in the hours, and
                        by its qualifiers, if any: 'language:python -author:x'.
                        It has none of stars: for these, say
                        --limit repositories.stars=50, as of any source
    repositories FILE   GitHub's lists of the repositories in a file
    code-search 'WORDS' the same of repositories that GitHub's code search
                        finds: 'filename:asv.conf.json' (of forks with fork:true)

    The last three need FORGE_GITHUB_TOKENS. Hours of the archive that are held
    count with them. What they found is in the tables of builds that say the
    same --source; a build without it leaves it out, and to say it again costs
    nothing: what was answered is never asked twice.
    """
    from forge.services.llm_endpoint import judge_of

    chosen = read_selection(flags)
    settings = _settings(flags)
    check_tokens(chosen, settings)
    enrich = _enriched_by(flags, chosen, settings)
    chosen = replace(chosen, enrich=enrich, judge=judge_of(settings))
    unbounded_end = UNBOUNDED_ENDS[chosen.enrich]
    to = flags["to"] or (None if chosen.is_bounded else unbounded_end)
    if flags["dry_run"]:
        _tell_plan(chosen, settings, flags, to)
        return
    outcomes = run(chosen, settings, flags, to)
    if flags["as_json"]:
        _text.echo(_text.to_json([_plain(outcome) for outcome in outcomes]))
    if chosen.source == "git" and not _rows_of(MERGES, outcomes):
        _text.echo(NO_NUMBERS.format(month=chosen.month), err=True)
    if not chosen.is_bounded and not flags["to"]:
        _text.echo(_unbounded(settings, chosen, unbounded_end), err=True)


def _enriched_by(flags: dict[str, Any], chosen: "Selection", settings: "Settings") -> str:
    wish: str | None = flags["enrich"]
    if wish == "github" and not settings.github_tokens and not flags["dry_run"]:
        raise UsageError(
            "--enrich github needs a token of GitHub\n"
            "set FORGE_GITHUB_TOKENS to one or several, or leave the flag out: git needs none"
        )
    from forge.selection import GITHUB_SOURCES

    has_ids = chosen.source in {"archive", *GITHUB_SOURCES} and bool(settings.github_tokens)
    return wish or ("github" if has_ids else "git")


def _rows_of(table: str, outcomes: list["Outcome"]) -> int:
    return sum(outcome.record.rows for outcome in outcomes if outcome.table == table)


def _settings(flags: dict[str, Any]) -> "Settings":
    from forge.address import read
    from forge.services.git_addresses import checked

    settings = _options.settings(flags["root"], raw=flags["raw"])
    if flags["source"] != "git":
        return settings
    return settings.model_copy(update={"git_url": read(checked(flags["address"]))})


def run(
    chosen: "Selection", settings: "Settings", flags: dict[str, Any], to: str | None
) -> list["Outcome"]:
    """Build, telling progress and every part on the way; the outcomes in order."""
    from forge.build import build, stages, stages_to
    from forge.cli._progress import shown
    from forge.views import write_views

    options = _read_options(flags)
    tables, now = stages_to(to), datetime.now(UTC).replace(tzinfo=None)
    done = []
    try:
        with shown() as progress:
            for outcome in build(
                tables, chosen, settings, options, now=now, progress=progress.asked
            ):
                progress.committed(outcome, to_stdout=not flags["as_json"])
                done.append(outcome)
                if outcome.table == HOURS:
                    # The stages that cost something come next.
                    _coverage.warn(chosen, settings, options.limits)
                    warn_of_cuts(chosen, settings)
    finally:
        if done:
            write_views(settings, stages())
    return done


def _read_options(flags: dict[str, Any]) -> "Options":
    from forge.build import Options, stages
    from forge.effect import KINDS
    from forge.limits import read_limits

    if unknown := set(flags["retry"]) - set(KINDS):
        raise UsageError(
            f"no such kind of failure: {', '.join(unknown)}\nkinds: {', '.join(KINDS)}"
        )
    _check_tables(flags["force"])
    limits = read_limits(stages(), Path("forge.toml"), flags["limits"])
    return Options(frozenset(flags["force"]), frozenset(flags["retry"]), limits)


def _tell_plan(
    chosen: "Selection", settings: "Settings", flags: dict[str, Any], to: str | None
) -> None:
    from forge.build import stages_to
    from forge.plan import plan

    options = _read_options(flags)
    planned = plan(stages_to(to), chosen, settings, options)
    asked = _estimate(planned, chosen, settings, options)
    if flags["as_json"]:
        parts = [asdict(part) for part in planned]
        _text.echo(_text.to_json({"parts": parts, "github": _estimates.plain(asked)}))
    else:
        for part in planned:
            _text.echo(_planned_line(part))
        _estimates.tell(asked, f"the same command with --to {MERGES} in place of --dry-run")
        if any(part.table == MERGES and not part.is_fresh for part in planned):
            _tell_what_moves(asked, chosen)
        if chosen.enrich == "git" and settings.github_tokens:
            _text.echo("GitHub: nothing to ask, git tells of everything")
    if any(part.table == HOURS for part in planned):
        _coverage.warn(chosen, settings, options.limits)


def _estimate(
    planned: list["Planned"], chosen: "Selection", settings: "Settings", options: "Options"
) -> "Estimate | Unknown | None":
    from forge.build import stages
    from forge.estimates import Estimating
    from forge.store import Store

    moving = {part.table for part in planned if not part.is_fresh}
    store = Store(settings.root, chosen.month)
    return Estimating(store, stages(), moving, chosen, options, settings).estimate()


def _tell_what_moves(asked: "Estimate | Unknown | None", chosen: "Selection") -> None:
    from forge.estimates import Estimate

    if isinstance(asked, Estimate):
        _text.echo(f"  as of the {MERGES} at hand, which would be made again")
    elif asked is None and chosen.enrich == "github":
        _text.echo(f"GitHub: nothing to ask of the {MERGES} at hand, which would be made again")


def _planned_line(part: "Planned") -> str:
    name = part.table if part.part == "part" else f"{part.table}/{part.part}"
    if part.reasons:
        return f"{name:<24} would be made: {', '.join(part.reasons)}"
    if part.waits_for:
        return f"{name:<24} depends on {', '.join(part.waits_for)}"
    return f"{name:<24} fresh"


def _check_tables(names: list[str]) -> None:
    from forge.build import stages_to

    for name in names:
        stages_to(name)


def _unbounded(settings: "Settings", chosen: "Selection", end: str) -> str:
    import polars as pl

    from forge.reader import scan
    from forge.selection import BOUNDS

    def rows(table: str) -> pl.LazyFrame:
        return scan(table, month=chosen.month, root=settings.root)

    merges = rows(MERGES).join(rows(end), on="repository_id", how="semi")
    counts = merges.select(pl.len(), repositories=pl.n_unique("repository_id")).collect().row(0)
    return (
        f"stopped after {end}: {counts[0]:,} pull requests in {counts[1]:,} repositories, "
        "each of which git would fetch\n"
        f"bound them by one of {', '.join(BOUNDS)}, such as: "
        f"forge build --month {chosen.month} --sample 1%"
    )


def _plain(outcome: "Outcome") -> dict[str, Any]:
    record = outcome.record
    return {
        "table": outcome.table, "part": outcome.part, "is_fresh": outcome.is_fresh,
        "rows": record.rows, "rejected": record.rejected, "open": record.open,
        "deferred": record.deferred, "failures": record.failures, "seconds": record.seconds,
    }  # fmt: skip
