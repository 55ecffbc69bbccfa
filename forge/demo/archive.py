"""Archive hours: the world's merges among much else, with the flaws that real dumps have."""

import zlib
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import NamedTuple

from forge.demo.events import (
    Event,
    Happening,
    Place,
    Side,
    labelled,
    line,
    opened_issue,
    pull_request_event,
    push_event,
)
from forge.demo.history import Shas
from forge.demo.messages import head_owner
from forge.demo.noise import noise
from forge.demo.world import PullRequest, Repository, number_of

FIRST = datetime(2026, 3, 2, tzinfo=UTC)
HOURS = 48
ABSENT = ("2026-03-02-3", "2026-03-02-4", "2026-03-03-2", "2026-03-03-21")
NOISE = 200
LEVEL, GZIP = 6, 31


class Garbage(NamedTuple):
    """A line that is no event, and the hour that holds it."""

    hour: str
    line: bytes


class CutOff(NamedTuple):
    """An hour whose file breaks off, and the time of the first event lost."""

    hour: str
    at: str


GARBAGE = Garbage(
    "2026-03-02-9", b'{"id":"7613350021","type":"PullRequestEvent","actor":{"id":99,"lo\n'
)
CUT_OFF = CutOff("2026-03-03-17", "2026-03-03T17:45:00Z")

Merges = Mapping[str, Mapping[int, Shas]]


def write_archive(repositories: list[Repository], shas: Merges, folder: Path) -> None:
    """Write every hour that the archive has."""
    ours = [event for r in repositories for event in _events(r, shas[r.repo])]
    folder.mkdir()
    for hour in (FIRST + timedelta(hours=n) for n in range(HOURS)):
        name = f"{hour:%Y-%m-%d}-{hour.hour}"
        here = [e for e in ours if e["created_at"].startswith(f"{hour:%Y-%m-%dT%H}")]
        if name not in ABSENT:
            (folder / f"{name}.json.gz").write_bytes(_dump(name, here + noise(hour, NOISE)))


def _dump(name: str, events: list[Event]) -> bytes:
    events = sorted(events, key=lambda e: (e["created_at"], e["id"]))
    if name == CUT_OFF.hour:
        return _cut_off(events)
    lines = [line(e) for e in events]
    if name == GARBAGE.hour:
        lines.insert(len(lines) // 2, GARBAGE.line)
    gz = zlib.compressobj(LEVEL, wbits=GZIP)
    return gz.compress(b"".join(lines)) + gz.flush()


def _cut_off(events: list[Event]) -> bytes:
    # A flush before the break, and a few bytes after it: every zlib gets the same whole lines.
    gz = zlib.compressobj(LEVEL, wbits=GZIP)
    whole = [line(e) for e in events if e["created_at"] < CUT_OFF.at]
    lost = [line(e) for e in events if e["created_at"] >= CUT_OFF.at]
    kept = gz.compress(b"".join(whole)) + gz.flush(zlib.Z_SYNC_FLUSH)
    return kept + (gz.compress(b"".join(lost)) + gz.flush())[:16]


def _events(repository: Repository, shas: Mapping[int, Shas]) -> Iterator[Event]:
    place = Place(repository.id, repository.repo)
    for issue in repository.issues:
        happening = Happening(issue.opened, issue.author, place)
        yield opened_issue(happening, issue.number, title=issue.title, body=issue.body)
    for pull_request in repository.pull_requests:
        yield from _story(repository, pull_request, shas[pull_request.number])


def _story(repository: Repository, pull_request: PullRequest, shas: Shas) -> Iterator[Event]:
    place = Place(repository.id, repository.repo)
    told = partial(_told, repository, pull_request, shas)
    opened = told("opened", Happening(pull_request.opened, pull_request.author, place))
    yield opened
    yield from (labelled(opened, label) for label in pull_request.labels)
    if pull_request.closed:
        yield told("closed", Happening(pull_request.closed, pull_request.merged_by, place))
    if pull_request.merged:
        happening = Happening(pull_request.merged, pull_request.merged_by, place)
        if shas.before != shas.merged:
            ref = f"refs/heads/{repository.branch}"
            yield push_event(happening, ref, before=shas.before, head=shas.merged)
        yield from [told("merged", happening)] * pull_request.records


def _told(
    repository: Repository, pull_request: PullRequest, shas: Shas, action: str, happening: Happening
) -> Event:
    place = happening.place
    owner, name = head_owner(repository, pull_request), place.repo.split("/")[1]
    head = Side(pull_request.head, shas.head, _head_place(place, f"{owner}/{name}"))
    base = Side(repository.branch, shas.base, place)
    return pull_request_event(action, happening, pull_request.number, head=head, base=base)


def _head_place(place: Place, repo: str) -> Place:
    if repo == place.repo:
        return place
    return Place(1_000_000_000 + number_of(repo, below=100_000_000), repo)
