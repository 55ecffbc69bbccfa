"""`forge demo`: the whole way on a small world that forge makes and serves on loopback."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from forge.cli import _options, _text
from forge.errors import EngineError

if TYPE_CHECKING:
    import polars as pl

    from forge.settings import Settings

MONTH = "2026-03"
HOURS = "24-71"
FOLDER = Path("data/demo")
LIMITS = ("attempts.would_be_tasks=3", "attempts.dependences=false", "recipes.ranks=2")
"""A real month makes ten attempts after the gold patch, by three recipes if need be; the demo is
to be short."""
NEXT = """
Look further:
  forge why {pull_request} --root {root}
  forge funnel --month {month} --root {root}
  forge sql 'select repo, number, {column} from {table}' --root {root}
"""
NEXT_OF_TASKS = """\
  forge export swebench --month {month} -o tasks.parquet --root {root}
  forge grade {instance_id} --gold --month {month} --root {root}
"""


@click.command("demo", short_help="The whole way on a small world, in minutes.")
@_options.root
def command(root: Path | None) -> None:
    """Make a small world, serve it on loopback, and build verified tasks from it.

    The way is that of a real month: hours over HTTP, repositories by git, tests in Docker. Without
    a Docker engine it goes as far as it can, and says what was not verified.

    \b
    forge demo
    FORGE_ROOT=/tmp/demo forge demo
    """
    from forge.demo import serve_world

    settings = _options.settings(root)
    if "root" not in settings.model_fields_set:
        settings = settings.model_copy(update={"root": FOLDER})
    with serve_world(settings.root / "world") as world:
        missing = _build(settings.model_copy(update=world))
    _show(settings, missing)


def _build(settings: "Settings") -> EngineError | None:
    """Build the world's month; what kept it from being verified, if anything did."""
    from forge.cli._selection import window
    from forge.cli.build import run
    from forge.pools import read_hand_recipes
    from forge.selection import Selection

    recipes = read_hand_recipes(settings.recipes)
    chosen = Selection(
        MONTH, window=window(HOURS), keep=("issues",), sample=1.0, hand_recipes=recipes
    )
    try:
        run(chosen, settings, {"force": (), "retry": (), "limits": LIMITS, "as_json": False}, None)
    except EngineError as error:
        return error
    return None


def _show(settings: "Settings", missing: EngineError | None) -> None:
    from forge.build import stages
    from forge.cli.funnel import tell
    from forge.report import funnel
    from forge.store import Store

    _text.echo("")
    tell(funnel(Store(settings.root, MONTH), stages()), 4)
    tasks = None if missing else _tasks(settings)
    names = {"month": MONTH, "root": settings.root, "pull_request": "lanternworks/tidytext#18"}
    if tasks is None:
        _text.echo(f"\nNothing was verified, because no environment was built.\n{missing}")
        _text.echo(NEXT.format(**names, table="candidates", column="language").rstrip())
    else:
        _tell_tasks(tasks)
        names |= {"table": "tasks", "column": "static_difficulty"}
        _text.echo((NEXT + NEXT_OF_TASKS).format(**names, instance_id=tasks["instance_id"][0]))


def _tasks(settings: "Settings") -> "pl.DataFrame":
    import polars as pl

    from forge.columns import PULL_REQUEST
    from forge.reader import scan

    tasks, splits = (scan(name, month=MONTH, root=settings.root) for name in ("tasks", "splits"))
    shown = ["instance_id", "split", "static_difficulty", "fail_to_pass", "pass_to_pass"]
    return (
        tasks.join(splits.select(*PULL_REQUEST, "split"), on=PULL_REQUEST)
        .select(shown)
        .with_columns(pl.col("fail_to_pass", "pass_to_pass").list.len())
        .sort("instance_id")
        .collect()
    )


def _tell_tasks(tasks: "pl.DataFrame") -> None:
    _text.echo(f"\n{tasks.height} tasks verified: nothing fails, gold passes, cheating fails")
    _text.echo(f"(with {', '.join(LIMITS)}: fewer attempts than a real month makes)")
    _text.echo(f"{'instance':<34}{'split':<8}{'difficulty':>11}{'to pass':>9}{'to keep':>9}")
    for instance, split, difficulty, fails, passes in tasks.iter_rows():
        name = _text.cut(_text.line(instance), 33)
        _text.echo(f"{name:<34}{split:<8}{difficulty:>11.2f}{fails:>9}{passes:>9}")
