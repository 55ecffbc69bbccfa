"""What a build needs of this machine, looked at from all sides at once and within seconds."""

import threading
import time
from collections.abc import Callable, Iterator

from forge.address import masked
from forge.doctor import engine, github, machine, network
from forge.doctor.findings import Finding, missing, warning
from forge.errors import ForgeError
from forge.settings import Settings

Check = Callable[[Settings], Iterator[Finding]]
SECONDS = 12.0
CHECKS: dict[str, Check] = {
    "engine": engine.engine,
    "images": engine.images,
    "builds": engine.builds,
    "disk": machine.disk,
    "root": machine.root,
    "memo": machine.memo,
    "git": machine.git,
    "archive": network.archive,
    "mirrors": network.mirrors,
    "github": github.github,
    "tokens": network.tokens,
    "proxies": network.proxied,
    "clock": network.clock,
    "machine": machine.machine,
    "python": machine.python,
}


def examine(
    settings: Settings, checks: dict[str, Check] = CHECKS, *, seconds: float = SECONDS
) -> list[Finding]:
    """What all checks find, side by side; one that takes too long is a warning."""
    found: dict[str, list[Finding]] = {}
    threads = [
        threading.Thread(target=_look, args=(subject, check, settings, found), daemon=True)
        for subject, check in checks.items()
    ]
    until = time.monotonic() + seconds
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(max(0.0, until - time.monotonic()))
    return [one for subject in checks for one in found.get(subject, _late(subject, seconds))]


def _look(subject: str, check: Check, settings: Settings, found: dict[str, list[Finding]]) -> None:
    try:
        found[subject] = [*check(settings)]
    except ForgeError as error:
        said, _, remedy = masked(str(error)).partition("\n")
        found[subject] = [missing(subject, said, remedy, type(error))]
    except Exception as error:  # noqa: BLE001 - one check that fails must not hide the others
        said = f"cannot be told: {type(error).__name__}: {masked(str(error))}"
        found[subject] = [warning(subject, said, "please report this with the command you ran")]


def _late(subject: str, seconds: float) -> list[Finding]:
    said = f"no answer within {seconds:g} seconds"
    return [warning(subject, said, "the machine is busy, or what was asked hangs: try again")]
