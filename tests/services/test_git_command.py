import asyncio
import time
from contextlib import suppress

import pytest
from histories import Repository

from forge.services.git_command import Call, TooLargeError, git


def test_output_beyond_its_bound_ends_the_command_however_busy_the_process_is(tmp_path):
    repository = Repository(tmp_path / "ann/fix")
    repository.commit("Begin", {"large": "x" * 5_000_000})
    words = ["cat-file", "blob", "HEAD:large"]
    call = Call(repository.folder / ".git", words, bytes=1_000_000, seconds=5)

    with pytest.raises(TooLargeError):
        asyncio.run(while_busy(call))


async def while_busy(call: Call) -> None:
    other = asyncio.create_task(work())
    try:
        await git(call)
    finally:
        other.cancel()
        with suppress(asyncio.CancelledError):
            await other


async def work() -> None:
    """Other work, so that git fills its pipe before anybody looks at it."""
    while True:
        time.sleep(0.01)  # noqa: ASYNC251 - that is the point
        await asyncio.sleep(0)
