"""Hourly files of a month, brought to this machine before anything reads them."""

import asyncio
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from forge.ask import OUTAGE, Progress, first_of
from forge.disk import explained
from forge.drafts import draft_in
from forge.errors import ServiceError
from forge.services.downloads import AbsentError, ChecksumError, Downloads, name_of
from forge.settings import Settings


@dataclass
class Fetched:
    """What became of the hours."""

    hours: int
    files: int = 0
    """Hours whose files stand, before or now."""
    downloaded: int = 0
    bytes: int = 0
    """How much was downloaded."""
    seconds: float = 0
    missing: list[datetime] = field(default_factory=list)
    pending: list[datetime] = field(default_factory=list)
    failed: list[datetime] = field(default_factory=list)
    error: ServiceError | None = None
    """Why the last hour failed that did."""
    errors_in_a_row: int = 0

    @property
    def done(self) -> int:
        """Hours of which something is known."""
        return self.files + len(self.missing) + len(self.pending) + len(self.failed)


def fetch(hours: list[datetime], settings: Settings, *, progress: Progress) -> Fetched:
    """Bring the files of these hours that do not stand yet, until the archive is down."""
    keeping = settings.model_copy(update={"raw": settings.raw_folder})
    fetched, started = Fetched(len(hours)), time.monotonic()
    with explained(keeping), asyncio.Runner() as runner:
        runner.run(_fetch(hours, keeping, fetched, progress))
    fetched.seconds = round(time.monotonic() - started, 1)
    return fetched


async def _fetch(
    hours: list[datetime], settings: Settings, fetched: Fetched, progress: Progress
) -> None:
    left = iter(hours)
    try:
        async with Downloads.open(settings) as downloads, asyncio.TaskGroup() as group:
            for _ in range(min(settings.downloads, len(hours))):
                group.create_task(_work(left, downloads, fetched, progress))
    except BaseExceptionGroup as several:
        raise first_of(several) from None
    for found in (fetched.missing, fetched.pending, fetched.failed):
        found.sort()


async def _work(
    left: Iterator[datetime], downloads: Downloads, fetched: Fetched, progress: Progress
) -> None:
    while fetched.errors_in_a_row < OUTAGE and (hour := next(left, None)):
        if downloads.held(hour):
            fetched.files += 1
        else:
            await _bring(hour, downloads, fetched)
        progress("fetch", fetched.done, fetched.hours)


async def _bring(hour: datetime, downloads: Downloads, fetched: Fetched) -> None:
    # Only what is longer than any hour would be written there.
    draft = draft_in(downloads.raw_folder, f"{name_of(hour)}.draft-")
    try:
        size = await _bytes(hour, downloads, draft)
    except AbsentError as error:
        (fetched.pending if error.is_early(hour) else fetched.missing).append(hour)
        fetched.errors_in_a_row = 0
    except (ServiceError, ChecksumError) as error:
        fetched.failed.append(hour)
        fetched.errors_in_a_row += 1
        fetched.error = ServiceError(str(error))
    else:
        fetched.files += 1
        fetched.downloaded += 1
        fetched.bytes += size
        fetched.errors_in_a_row = 0
    finally:
        draft.unlink(missing_ok=True)


async def _bytes(hour: datetime, downloads: Downloads, draft: Path) -> int:
    download = await downloads.bring(hour, draft)
    if download.damage:
        raise ServiceError(f"{name_of(hour)} has {download.damage}, and is no hour")
    return download.bytes
