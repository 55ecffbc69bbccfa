"""What is left to ask GitHub, in a few lines, before anything is spent."""

from dataclasses import asdict
from math import ceil
from typing import TYPE_CHECKING, Any

from forge.cli import _text

if TYPE_CHECKING:
    from forge.estimates import Estimate, Unknown

LEAST_HOURS = 0.1


def tell(found: "Estimate | Unknown | None", first: str) -> None:
    """Print what there is to ask, and whether it fits an hour; `first` makes what is unknown."""
    for line in _lines(found, first) if found else []:
        _text.echo(line)


def plain(found: "Estimate | Unknown | None") -> dict[str, Any] | None:
    """The figures for a script."""
    return asdict(found) if found else None


def _lines(found: "Estimate | Unknown", first: str) -> list[str]:
    from forge.estimates import Unknown

    if isinstance(found, Unknown):
        return [f"GitHub: what to ask is known when {found.must_be_built} is built:", f"  {first}"]
    # Criteria on repositories cut what is asked next.
    most = "at most " if found.is_at_most else ""
    load = f"{most}{_number(found.calls, 'call')}, {_number(found.points, 'point')}"
    left = [_number(found.repositories, "repository")] if found.repositories else []
    if found.pull_requests:
        left.append(most + _number(found.pull_requests, "pull request"))
    if found.discussions:
        left.append(_number(found.discussions, "discussion"))
    words = f"GitHub: {' and '.join(left)} to ask: {load}, {_hours(found.hours)}"
    return [words, f"  {_fit(found)}"]


def _fit(found: "Estimate") -> str:
    hour = f"an hour of {_number(found.tokens, 'token')}"
    if not found.is_token_set:
        hour += " (none is set)"
    if found.hours <= 1:
        return f"fits {hour}"
    if found.share_to_cut >= 1:
        return f"the repositories alone do not fit {hour}"
    cut = f"{ceil(100 * found.share_to_cut)} % of the pull requests"
    return (
        f"to fit {hour} the criteria on repositories would have to cut {cut}; "
        f"all of them take {_hours(found.hours)}"
    )


def _number(count: int, noun: str) -> str:
    several = f"{noun[:-1]}ies" if noun.endswith("y") else f"{noun}s"
    return f"{count:,} {noun if count == 1 else several}"


def _hours(hours: float) -> str:
    return f"{hours:,.1f} hours" if hours >= LEAST_HOURS else f"less than {LEAST_HOURS} hours"
