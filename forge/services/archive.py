"""GH Archive, or a folder of the same hourly files elsewhere."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Self, TypeVar

from forge.artifacts import Artifacts
from forge.dumps import Counts, TimelineError, read_dump
from forge.effect import Failure, Row
from forge.events import Events
from forge.services.downloads import AbsentError, ChecksumError, Download, Downloads, name_of
from forge.settings import Settings

__all__ = ["Archive", "Events"]

R = TypeVar("R")


@dataclass
class Archive:
    """Downloads hours, reads them off the event loop, and keeps their events as artifacts."""

    downloads: Downloads
    artifacts: Artifacts
    workers: asyncio.Semaphore

    @classmethod
    def open(cls, settings: Settings, artifacts: Artifacts) -> Self:
        """The archive that the settings name."""
        return cls(Downloads.open(settings), artifacts, asyncio.Semaphore(settings.workers))

    @property
    def identity(self) -> str:
        """The address."""
        return self.downloads.address.url

    async def __aenter__(self) -> Self:
        await self.downloads.__aenter__()
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.downloads.__aexit__(*exc)

    async def read(self, hour: datetime) -> Row | Failure:
        """What one hour holds; its pull request events are an artifact."""
        with self._drafts() as (draft, events):
            try:
                dump = await self.downloads.bring(hour, draft)
            except AbsentError as error:
                return _absent(hour, error)
            except ChecksumError as error:
                return Failure("infra", "wrong_checksum", str(error))
            try:
                async with self.workers:
                    reading = partial(read_dump, dump.path, hour=hour, events=events)
                    counts = await _in_thread(reading)
            except TimelineError:
                return _timeline(hour)
            return await _in_thread(partial(self._kept, dump, counts, events))

    @contextmanager
    def _drafts(self) -> Iterator[tuple[Path, Path]]:
        dump, events = self.artifacts.draft(), self.artifacts.draft()
        try:
            yield dump, events
        finally:
            dump.unlink(missing_ok=True)
            events.unlink(missing_ok=True)

    def _kept(self, dump: Download, counts: Counts, events: Path) -> Row:
        damage = dump.damage or counts.damage
        return {
            "status": "corrupt" if damage else "ok",
            "bytes": dump.bytes,
            "raw_bytes": counts.raw_bytes,
            "lines": counts.lines,
            "bad_lines": counts.bad_lines,
            "pull_request_events": counts.pull_request_events,
            "merges": counts.merges,
            "digest": dump.sha256,
            "events": self.artifacts.keep(events),
            "damage": damage,
        }


async def _in_thread(function: Callable[[], R]) -> R:
    # A thread cannot be cancelled: it would write again what nobody will remove.
    thread = asyncio.create_task(asyncio.to_thread(function))
    try:
        await asyncio.wait([thread])
    except asyncio.CancelledError:
        await asyncio.wait([thread])
        thread.exception()
        raise
    return thread.result()


def _absent(hour: datetime, error: AbsentError) -> Row | Failure:
    if error.is_early(hour):
        return Failure("pending", "not_published", f"{name_of(hour)} is not published yet")
    names = ("bytes", "raw_bytes", "lines", "bad_lines", "pull_request_events", "merges")
    nothing = dict.fromkeys((*names, "digest", "events", "damage"))
    return {"status": "missing"} | nothing


def _timeline(hour: datetime) -> Failure:
    return Failure(
        "data",
        "timeline_format",
        f"{name_of(hour)} is in the Timeline format of before 2015, which names no repository's id",
    )
