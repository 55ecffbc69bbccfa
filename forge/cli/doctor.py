"""`forge doctor`: what a build needs of this machine, one line each, with the remedy."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from forge.cli import _options, _text

if TYPE_CHECKING:
    from forge.doctor.findings import Finding

NAME, STATE = 13, 9


@click.command("doctor", short_help="Check what a build needs: engine, git, disk, network.")
@_options.root
@_options.as_json
def command(*, root: Path | None, as_json: bool) -> int:
    """Check what a build needs, in seconds, and say what to do where something is amiss.

    Nothing is built, and nothing stays behind but what a check that hangs was at: `forge clean`
    takes its container. The exit code is 0 when a build can run; else it is the one with which the
    build would end. No password and no token is shown.

    \b
    forge doctor
    forge doctor --json | jq '.findings[] | select(.state != "ok")'
    """
    from forge.doctor import examine

    settings = _options.settings(root)
    found = examine(settings)
    code = next((one.exit_code for one in found if one.state == "missing"), 0)
    if as_json:
        _text.echo(_text.to_json(_plain(found)))
    else:
        for one in found:
            _tell(one)
        _text.echo(f"\n{_summary(found)}")
    return code


def _tell(one: "Finding") -> None:
    _text.echo(f"{one.state:<{STATE}}{one.subject:<{NAME}}{_text.line(one.found)}")
    if one.remedy:
        _text.echo(f"{'':<{STATE + NAME}}{_text.line(one.remedy)}")


def _summary(found: "list[Finding]") -> str:
    amiss = [one.subject for one in found if one.state == "missing"]
    if amiss:
        return f"a build cannot run to its end: {', '.join(amiss)}"
    return "a build can run"


def _plain(found: "list[Finding]") -> dict[str, object]:
    from dataclasses import asdict

    return {
        "can_build": all(one.state != "missing" for one in found),
        "findings": [asdict(one) for one in found],
    }
