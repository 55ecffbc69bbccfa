"""`forge try`: one pull request's environment and tests, or a shell in it."""

import shutil
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from forge.cli import _options, _text
from forge.errors import InputError, UsageError

if TYPE_CHECKING:
    from forge.settings import Settings
    from forge.trial import Trial

TABLES = ("recipes", "environments", "attempts")
PATCHES = {"before": ("test_patch",), "after": ("test_patch", "gold_patch")}


@click.command("try", short_help="Build one pull request's environment and run its tests.")
@click.argument("pull_request")
@click.option("--month", help="The month that holds it [the latest].")
@click.option("--side", type=click.Choice(list(PATCHES)), help="Without or with the gold patch "
              "[both; in a shell: before].")  # fmt: skip
@click.option("--shell", is_flag=True, help="Open a shell in the container, without network.")
@_options.limit
@_options.root
def command(**flags: Any) -> None:
    """Try a candidate alone: the recipe written by hand first, then what the search finds.

    Shows what was built and the letters of its tests. The month must be built up to `statements`.

    \b
    forge try lanternworks/tidytext#12
    forge try lanternworks/tidytext#12 --shell --side after
    """
    from forge.build import stages
    from forge.cli._progress import shown
    from forge.limits import read_limits
    from forge.trial import Told, tried

    settings = _options.settings(flags["root"])
    limits = read_limits(stages(), Path("forge.toml"), flags["limits"])
    with shown() as progress:
        told = Told(datetime.now(UTC).replace(tzinfo=None), progress.asked)
        trial = tried(settings, flags["pull_request"], flags["month"], limits, told)
    _tell(trial, flags["side"], settings)
    if flags["shell"]:
        _open_shell(trial, flags["side"] or "before")


def _tell(trial: "Trial", side: str | None, settings: "Settings") -> None:
    from forge.artifacts import Artifacts
    from forge.cli.why import tell_chapter

    artifacts = Artifacts(settings.memo_folder / "artifacts")
    for chapter in trial.story.chapters:
        if chapter.table in TABLES:
            rows = [row for row in chapter.rows if side in {None, row.get("side", side)}]
            tell_chapter(chapter, rows, artifacts)


def _open_shell(trial: "Trial", side: str) -> None:
    from forge import leftovers
    from forge.services.docker_files import File, put

    if trial.image is None:
        raise InputError("there is no environment to open a shell in\nits log says why")
    if shutil.which("docker") is None:
        raise UsageError("a shell needs the command `docker`\nput it on the PATH")
    with leftovers.engine() as client, leftovers.container(client, trial.image, SHELL) as made:
        names = PATCHES[side]
        texts = {name: trial.patches[name] or "" for name in names}
        put(made, {f"/forge/try/{n}": File(t.encode(), owner=1000) for n, t in texts.items()})
        _text.echo(f"\n{' + '.join(['base', *names])} in /testbed; exit ends it. The tests:")
        _text.echo(trial.test_command or "")
        subprocess.run(["docker", "start", "--attach", "--interactive", f"{made.id}"], check=False)


SHELL = """cd /testbed
for patch in /forge/try/test_patch /forge/try/gold_patch; do
  [ ! -s "$patch" ] || git -c core.hooksPath=/dev/null apply --whitespace=nowarn "$patch"
done
exec bash -i
"""
