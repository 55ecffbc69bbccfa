import asyncio
import os
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import pytest

from forge.services.readers import KilledError, Readers

STARTED = """
import asyncio, sys, time
from forge.services.readers import Readers

readers = Readers(1)
asyncio.run(readers.read(int))
print(next(iter(readers.pool._processes)), flush=True)
time.sleep(60)
"""


def is_alive(pid: int) -> bool:
    stat = Path(f"/proc/{pid}/stat")
    return stat.exists() and stat.read_text().rpartition(")")[2].split()[0] != "Z"


def test_readers_are_other_processes_and_raise_what_they_raise():
    async def ask(readers):
        return await readers.read(os.getpid), await readers.read(partial(int, "x"))

    readers = Readers(1)
    try:
        assert asyncio.run(readers.read(os.getpid)) != os.getpid()
        with pytest.raises(ValueError, match="invalid literal"):
            asyncio.run(ask(readers))
    finally:
        readers.close()


def test_killed_reader_is_named_and_another_takes_its_place():
    async def ask(readers):
        with pytest.raises(KilledError):
            await readers.read(partial(signal.raise_signal, signal.SIGKILL))
        return await readers.read(partial(sum, [1, 2]))

    readers = Readers(1)
    try:
        assert asyncio.run(ask(readers)) == 3
    finally:
        readers.close()


def test_cancelled_question_ends_when_its_file_is_written(tmp_path: Path):
    script = f"import time, pathlib; time.sleep(1); pathlib.Path({str(tmp_path / 'x')!r}).touch()"

    async def ask(readers):
        await readers.read(int)
        task = asyncio.create_task(readers.read(partial(exec, script)))
        await asyncio.sleep(0.2)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    readers = Readers(1)
    try:
        asyncio.run(ask(readers))
        assert (tmp_path / "x").exists()
    finally:
        readers.close()


def test_reader_ends_when_the_process_that_started_it_is_killed():
    starter = subprocess.Popen([sys.executable, "-c", STARTED], stdout=subprocess.PIPE, text=True)
    assert starter.stdout
    reader = int(starter.stdout.readline())
    assert is_alive(reader)
    starter.kill()
    starter.wait()
    until = time.monotonic() + 10
    while is_alive(reader) and time.monotonic() < until:
        time.sleep(0.05)
    assert not is_alive(reader)
    starter.stdout.close()
