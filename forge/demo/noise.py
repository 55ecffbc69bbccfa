"""What else happens on GitHub: events of repositories that nobody serves, none of them a merge.

Everything is drawn from hashes of a name, so that it is the same everywhere and always.
"""

import hashlib
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import TypeVar

from forge.demo.events import (
    Event,
    Happening,
    Place,
    Side,
    event,
    labelled,
    opened_issue,
    pull_request_event,
    push_event,
)
from forge.demo.world import number_of

T = TypeVar("T")
WORDS = ("amber", "basalt", "cedar", "delta", "fjord", "heron", "juniper", "lichen", "onyx")
TITLES = (
    "Build fails on the second run",
    "Crash when the list is empty",
    "Docs: the example does not work",
    "Support dark mode",
    "Umlauts are lost: ä becomes ?",
)


def noise(hour: datetime, events: int) -> list[Event]:
    """That many events of an hour."""
    return [_event(f"{hour.isoformat()} {i}", hour) for i in range(events)]


def _event(name: str, hour: datetime) -> Event:
    at = hour + timedelta(seconds=number_of(f"{name} second", below=3600))
    owner = f"{_pick(name, 'first', WORDS)}-{_pick(name, 'second', WORDS)}"
    repo = f"{owner}/{_pick(name, 'repository', WORDS)}"
    place = Place(100_000_000 + number_of(repo, below=700_000_000), repo)
    make = _pick(name, "kind", KINDS)
    return make(name, Happening(at, owner, place))


def _push(name: str, happening: Happening) -> Event:
    shas = _sha(f"{name} before"), _sha(f"{name} head")
    return push_event(happening, "refs/heads/main", before=shas[0], head=shas[1])


def _pull_request(action: str) -> Callable[[str, Happening], Event]:
    def make(name: str, happening: Happening) -> Event:
        number = 1 + number_of(f"{name} number", below=900)
        head = Side(_pick(name, "branch", WORDS), _sha(f"{name} head"), happening.place)
        base = Side("main", _sha(f"{name} base"), happening.place)
        return pull_request_event(action, happening, number, head=head, base=base)

    return make


def _label(name: str, happening: Happening) -> Event:
    return labelled(_pull_request("labeled")(name, happening), "bug")


def _branch(name: str, happening: Happening) -> Event:
    ref = _pick(name, "branch", WORDS)
    payload = {"ref": ref, "ref_type": "branch", "full_ref": f"refs/heads/{ref}"}
    rest = {"master_branch": "main", "description": None, "pusher_type": "user"}
    return event("CreateEvent", happening, payload | rest)


def _watch(_name: str, happening: Happening) -> Event:
    return event("WatchEvent", happening, {"action": "started"})


def _issue(name: str, happening: Happening) -> Event:
    number = 1 + number_of(f"{name} number", below=900)
    body = "Steps to reproduce:\r\n\r\n1. Start it\r\n2. Wait"
    return opened_issue(happening, number, title=_pick(name, "title", TITLES), body=body)


# Weights by repetition, near those of an hour of 2026-02.
KINDS: Sequence[Callable[[str, Happening], Event]] = (
    *[_push] * 31,
    *[_branch] * 8,
    *[_watch] * 4,
    *[_issue] * 2,
    *[_pull_request("opened")] * 2,
    _pull_request("closed"),
    _label,
)


def _pick(name: str, what: str, choices: Sequence[T]) -> T:
    return choices[number_of(f"{name} {what}", below=len(choices))]


def _sha(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()[:40]
