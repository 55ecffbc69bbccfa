"""Whether a part is what a build would make now, and if not, why."""

from typing import Any

from forge.effect import OPEN
from forge.fingerprint import fingerprint_of, ingredients
from forge.stage import Stage, StageLimits
from forge.store import PartRecord, Store

LONGEST = 40
SOURCE = "source "


def blank(
    store: Store,
    stage: Stage,
    part: str,
    limits: StageLimits | None,
    flags: dict[str, Any],
) -> PartRecord:
    """The record of a part that would be made now, before anything is counted."""
    made_with = ingredients(stage, limits, flags)
    return PartRecord(
        fingerprint=fingerprint_of(made_with),
        inputs=inputs_of(store, stage, part),
        digest="",
        bytes=0,
        written_ns=0,
        rows=0,
        ingredients=made_with,
    )


def inputs_of(store: Store, stage: Stage, part: str) -> dict[str, str]:
    """Digests of everything upstream; of a bucket, its own slice of what is built by bucket."""
    found: dict[str, str] = {}
    for table in stage.upstream:
        digests = store.digests(table)
        own = {part: digests[part]} if stage.by == "bucket" and part in digests else digests
        found |= {f"{table}/{name}": digest for name, digest in own.items()}
    return found


def unfinished(record: PartRecord, retry: frozenset[str] = frozenset()) -> list[str]:
    """What a committed part still waits for."""
    # A row may be kept whose question is open, such as that of a search beside an hour held.
    left = record.open or record.failures.get(OPEN)
    found = [f"{left:,} open"] if left else []
    if pending := record.failures.get("pending"):
        found.append(f"{pending:,} pending")
    return found + [f"--retry {kind}" for kind in sorted(retry) if record.failures.get(kind)]


def changes(record: PartRecord, planned: PartRecord) -> list[str]:
    """What is no longer as it was when the part was made."""
    old, new = record.ingredients, planned.ingredients
    names = [name for name in {**new, **old} if old.get(name) != new.get(name)]
    code = [name.removeprefix(SOURCE) for name in names if name.startswith(SOURCE)]
    others = [name for name in names if not name.startswith(SOURCE)]
    made = [*_code(code), *(_change(name, old.get(name), new.get(name)) for name in others)]
    if not old and record.fingerprint != planned.fingerprint:
        made = ["made by an older forge"]
    moved = {name for name, _ in record.inputs.items() ^ planned.inputs.items()}
    return made + [changed(table) for table in sorted({name.split("/")[0] for name in moved})]


def _code(modules: list[str]) -> list[str]:
    more = f" and {len(modules) - 2} more" if len(modules) > 2 else ""
    return [f"code changed: {', '.join(modules[:2])}{more}"] if modules else []


def changed(name: str) -> str:
    """How it is told that something is not what it was."""
    return f"{name} changed"


def _change(name: str, old: str | None, new: str | None) -> str:
    is_shown = name.startswith(("limit ", "flag ")) and len(f"{old}{new}") <= LONGEST
    return f"{name}: {old} is now {new}" if is_shown and old and new else changed(name)
