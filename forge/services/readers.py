"""Processes that read files side by side, and end with the one that started them."""

import asyncio
import os
import pickle
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, TypeVar, cast

R = TypeVar("R")
SIZE_BYTES = 8
QUESTIONS, ANSWERS, ERRORS = 0, 1, 2
# Not multiprocessing: its processes would import the user's script, and build again.
COMMAND = (
    "import sys; sys.path.append(sys.argv[1]); from forge.services.readers import main; main()"
)


class KilledError(Exception):
    """A reader ended before it answered, such as for want of memory."""


@dataclass
class Readers:
    """So many processes at most; each starts when there is work for it."""

    processes: int
    places: asyncio.Semaphore = field(init=False)
    idle: list[Process] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.places = asyncio.Semaphore(self.processes)

    async def read(self, function: Callable[[], R]) -> R:
        """What the function returns; KilledError where its process ended before."""
        async with self.places:
            reader = self.idle.pop() if self.idle else await _started()
            try:
                answer = await to_end(_answer(reader, function))
            finally:
                self.idle += [reader] if reader.returncode is None else []
        if isinstance(answer, Exception):
            raise answer
        return answer  # type: ignore[no-any-return]

    async def close(self) -> None:
        """End them."""
        for reader in self.idle:
            _questions(reader).close()
            await reader.wait()


async def to_end(work: Awaitable[R]) -> R:
    """What the work gives; when cancelled it is awaited, for what it writes nobody would remove."""
    future = asyncio.ensure_future(work)
    try:
        await asyncio.wait([future])
    except asyncio.CancelledError:
        await asyncio.wait([future])
        future.exception()
        raise
    return future.result()


async def _started() -> Process:
    # Where this forge lies comes last in the path: whatever is beside it may be anything.
    words = [sys.executable, "-P", "-c", COMMAND, str(Path(__file__).parents[2])]
    # In a session of their own Ctrl-C does not reach them: what they read is awaited.
    return await asyncio.create_subprocess_exec(
        *words, stdin=PIPE, stdout=PIPE, start_new_session=True
    )


async def _answer(reader: Process, function: Callable[[], Any]) -> Any:
    _questions(reader).write(pickle.dumps(function))
    answers = cast("asyncio.StreamReader", reader.stdout)
    try:
        size = int.from_bytes(await answers.readexactly(SIZE_BYTES))
        return pickle.loads(await answers.readexactly(size))  # noqa: S301 - our own words
    except asyncio.IncompleteReadError:
        code = await reader.wait()
        raise KilledError(f"a process that read an hour ended with {code}") from None


def _questions(reader: Process) -> asyncio.StreamWriter:
    return cast("asyncio.StreamWriter", reader.stdin)


def _work(questions: BinaryIO, answers: BinaryIO) -> None:
    while questions.peek():  # type: ignore[attr-defined]  # of a buffered reader
        function = pickle.load(questions)  # noqa: S301 - our own words
        try:
            answer = function()
        except Exception as error:  # noqa: BLE001 - it is raised where the question came from
            answer = error
        content = pickle.dumps(answer)
        answers.write(len(content).to_bytes(SIZE_BYTES) + content)
        answers.flush()


def main() -> None:
    """Answer questions until nobody is left to ask."""
    questions, answers = os.fdopen(QUESTIONS, "rb"), os.fdopen(os.dup(ANSWERS), "wb")
    os.dup2(ERRORS, ANSWERS)  # what prints must not be taken for answers
    try:
        _work(questions, answers)
    except BrokenPipeError:
        os._exit(0)
