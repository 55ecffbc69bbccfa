"""An hour brought from a loopback archive."""

import asyncio
from datetime import datetime
from pathlib import Path

import stamina
from archives import Answer, packed, push, trimmed

from forge.artifacts import Artifacts
from forge.effect import Failure, Row
from forge.services.archive import Archive
from forge.services.downloads import Download, Downloads
from forge.settings import Settings

HOUR = datetime(2026, 3, 1, 5)
NAME = "2026-03-01-5"
GOOD = packed(trimmed(), push())
OTHER = packed(push(), push())
LEFT = 40
ONE = {"ETag": '"one"'}
ANEW = (None, None)
AGAIN = (f"bytes={LEFT}-", '"one"')
"""What is asked for after all of an hour, or after its first bytes."""


def broken(**headers: str) -> Answer:
    """The first bytes of an hour whose end does not come."""
    return Answer(200, GOOD[:LEFT], headers, cut=len(GOOD) - LEFT)


def bring(
    url: str, folder: Path, *, raw: Path | None = None, is_doubted: bool = False
) -> tuple[Download, bytes]:
    """An hour's download and its content, with three tries and no waiting."""

    async def asked() -> tuple[Download, bytes]:
        settings = Settings(root=folder, archive_url=url, raw=raw)
        async with Downloads.open(settings) as opened:
            download = await opened.bring(HOUR, folder / "draft", is_doubted=is_doubted)
            return download, download.path.read_bytes()

    with stamina.set_testing(testing=True, attempts=3):
        return asyncio.run(asked())


def read(url: str, folder: Path) -> Row | Failure:
    """What the archive service answers for the hour, with three tries and no waiting."""

    async def asked() -> Row | Failure:
        settings = Settings(root=folder, archive_url=url)
        async with Archive.open(settings, Artifacts(folder / "artifacts")) as archive:
            return await archive.read(HOUR)

    with stamina.set_testing(testing=True, attempts=3):
        return asyncio.run(asked())
