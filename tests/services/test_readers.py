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

SCRIPT = """
import asyncio, pathlib, sys, time
from functools import partial
from forge.services.readers import Readers

print("a script without a guard", flush=True)
async def ask():
    readers = Readers(1)
    await readers.read(int)
    print(readers.idle[0].pid, flush=True)
    await readers.read(partial(time.sleep, float(sys.argv[1])))
    await readers.close()
asyncio.run(ask())
"""


def is_alive(pid: int) -> bool:
    stat = Path(f"/proc/{pid}/stat")
    return stat.exists() and stat.read_text().rpartition(")")[2].split()[0] != "Z"


async def opened(ask, processes=1):
    readers = Readers(processes)
    try:
        return await ask(readers)
    finally:
        await readers.close()


def test_readers_are_other_processes_that_stay_for_the_next_question():
    async def ask(readers):
        return [await readers.read(os.getpid) for _ in range(3)]

    pids = asyncio.run(opened(ask))
    assert len(set(pids)) == 1
    assert pids[0] != os.getpid()
    assert not is_alive(pids[0])


def test_as_many_questions_as_there_are_readers_are_answered_at_a_time():
    async def ask(readers):
        return await asyncio.gather(*[readers.read(os.getpid) for _ in range(6)])

    assert len(set(asyncio.run(opened(ask, processes=2)))) == 2


def test_what_a_question_raises_is_raised_where_it_was_asked():
    async def ask(readers):
        with pytest.raises(OSError, match="No space left") as caught:
            await readers.read(partial(exec, "raise OSError(28, 'No space left on device', 'x')"))
        assert (caught.value.errno, caught.value.filename) == (28, "x")
        return await readers.read(partial(sum, [1, 2]))

    assert asyncio.run(opened(ask)) == 3


def test_what_is_printed_while_reading_is_no_answer():
    async def ask(readers):
        await readers.read(partial(print, "x" * 100, flush=True))
        return await readers.read(partial(sum, [1, 2]))

    assert asyncio.run(opened(ask)) == 3


def test_killed_reader_is_named_and_another_takes_its_place():
    async def ask(readers):
        with pytest.raises(KilledError, match="ended with -9"):
            await readers.read(partial(signal.raise_signal, signal.SIGKILL))
        return await readers.read(partial(sum, [1, 2]))

    assert asyncio.run(opened(ask)) == 3


def test_cancelled_question_ends_when_its_file_is_written(tmp_path: Path):
    script = f"import time, pathlib; time.sleep(1); pathlib.Path({str(tmp_path / 'x')!r}).touch()"

    async def ask(readers):
        await readers.read(int)
        task = asyncio.create_task(readers.read(partial(exec, script)))
        await asyncio.sleep(0.2)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert (tmp_path / "x").exists()
        return await readers.read(partial(sum, [1, 2]))

    assert asyncio.run(opened(ask)) == 3


def test_reader_ends_when_the_process_that_started_it_is_killed():
    words = [sys.executable, "-c", SCRIPT, "0.5"]
    starter = subprocess.Popen(words, stdout=subprocess.PIPE, text=True)
    assert starter.stdout
    starter.stdout.readline()
    reader = int(starter.stdout.readline())
    assert is_alive(reader)
    starter.kill()
    starter.wait()
    until = time.monotonic() + 10
    while is_alive(reader) and time.monotonic() < until:
        time.sleep(0.05)
    assert not is_alive(reader)
    starter.stdout.close()


def test_script_of_a_user_is_not_run_again_by_readers(tmp_path: Path):
    (tmp_path / "script.py").write_text(SCRIPT)
    words = [sys.executable, tmp_path / "script.py", "0"]
    told = subprocess.run(words, capture_output=True, text=True, check=True)
    assert told.stdout.count("a script without a guard") == 1
