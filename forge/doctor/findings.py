"""What the doctor says of one thing."""

from dataclasses import dataclass
from typing import Literal

from forge.errors import ForgeError

State = Literal["ok", "warning", "missing"]


@dataclass(frozen=True)
class Finding:
    """One thing that a build needs: what was found, and where something is amiss, what to do."""

    subject: str
    state: State
    found: str
    remedy: str | None = None
    exit_code: int = 0


def ok(subject: str, found: str) -> Finding:
    """All is well."""
    return Finding(subject, "ok", found)


def warning(subject: str, found: str, remedy: str) -> Finding:
    """A build can run, but not as well as it should."""
    return Finding(subject, "warning", found, remedy)


def missing(subject: str, found: str, remedy: str, error: type[ForgeError]) -> Finding:
    """A build cannot run to its end; it would end with that error's code."""
    return Finding(subject, "missing", found, remedy, error.exit_code)
