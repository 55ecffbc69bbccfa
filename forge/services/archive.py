"""GH Archive, or a folder of the same hourly files elsewhere."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Self

from forge.artifacts import Artifacts
from forge.dumps import Counts, TimelineError, read_dump
from forge.effect import Failure, Row
from forge.errors import ServiceError
from forge.events import PULL_REQUESTS, Events
from forge.services.downloads import AbsentError, ChecksumError, Download, Downloads, name_of
from forge.services.readers import KilledError, Readers, to_end
from forge.settings import Settings

__all__ = ["Archive", "Events"]


@dataclass
class Archive:
    """Downloads hours, reads them off the event loop, and keeps their events as artifacts."""

    downloads: Downloads
    artifacts: Artifacts
    readers: Readers

    @classmethod
    def open(cls, settings: Settings, artifacts: Artifacts) -> Self:
        """The archive that the settings name."""
        return cls(Downloads.open(settings), artifacts, Readers(settings.workers))

    @property
    def identity(self) -> str:
        """The address."""
        return self.downloads.address.url

    async def __aenter__(self) -> Self:
        await self.downloads.__aenter__()
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.readers.close()
        await self.downloads.__aexit__(*exc)

    async def read(
        self, hour: datetime, types: tuple[str, ...] = (PULL_REQUESTS,)
    ) -> Row | Failure:
        """What one hour holds; its events of these types are an artifact."""
        with self._drafts() as (draft, events):
            reading = partial(read_dump, hour=hour, events=events, types=types)
            try:
                dump, counts = await self._believed(hour, draft, reading)
            except AbsentError as error:
                return _absent(hour, error)
            except ChecksumError as error:
                return Failure("infra", "wrong_checksum", str(error))
            except TimelineError:
                return _timeline(hour)
            except KilledError as error:
                return Failure("infra", "reader_killed", str(error))
            return await to_end(asyncio.to_thread(self._kept, dump, counts, events))

    async def _believed(
        self, hour: datetime, draft: Path, reading: "partial[Counts]"
    ) -> tuple[Download, Counts]:
        """What an hour's file holds; one that is broken on this side is brought again."""
        dump = await self.downloads.bring(hour, draft)
        counts = await self.readers.read(partial(reading, dump.path))
        if counts.damage and not dump.is_proven:
            # What stands is all that there is, where the archive has no other, or does not answer.
            with suppress(AbsentError, ChecksumError, ServiceError):
                dump = await self.downloads.bring(hour, draft, is_doubted=True)
                counts = await self.readers.read(partial(reading, dump.path))
        return dump, counts

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
        told = {"status": "corrupt" if damage else "ok", "bytes": dump.bytes, "digest": dump.sha256}
        return told | asdict(counts) | {"events": self.artifacts.keep(events), "damage": damage}


def _absent(hour: datetime, error: AbsentError) -> Row | Failure:
    if error.is_early(hour):
        return Failure("pending", "not_published", f"{name_of(hour)} is not published yet")
    names = (field.name for field in fields(Counts))
    return {"status": "missing"} | dict.fromkeys(("bytes", "digest", "events", *names))


def _timeline(hour: datetime) -> Failure:
    return Failure(
        "data",
        "timeline_format",
        f"{name_of(hour)} is in the Timeline format of before 2015, which names no repository's id",
    )
