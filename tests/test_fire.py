"""A hundred thousand broken hours: forge reads what the plain reader reads, and never falls."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from fire import HERE, fire

# Each was once read otherwise than by the plain reader: unknown flags in a header, first lines
# that tell no format, codes with gaps (which ISA-L takes and zlib does not), and a cut behind the
# end of a line, which ISA-L kept back.
FAILED_ONCE = [72, 792, 1091, 1350, 4492, 5015, 5628, 6276, 6413, 99016]
SEEDS = 20_000
SECONDS = 500


def fired(folder: Path, *flags: str) -> subprocess.Popen[str]:
    """A process that breaks and reads hours; the seed at work is always in its last argument."""
    told = folder / f"seed{flags[-1]}"
    told.write_text("none")
    command = [sys.executable, HERE / "fire.py", *flags, "--told", told]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)


def said(process: subprocess.Popen[str]) -> str:
    """Nothing where all went well."""
    try:
        output, _ = process.communicate(timeout=SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        output, _ = process.communicate()
    seed = Path(process.args[-1]).read_text().strip()
    return "" if process.returncode == 0 else f"{output}\nended {process.returncode} at seed {seed}"


def test_seeds_that_failed_once_are_read_as_the_plain_reader_reads_them(shared):
    assert [*fire(FAILED_ONCE, shared / "data/gharchive")] == []


@pytest.mark.usefixtures("shared")
@pytest.mark.parametrize("first", range(0, 100_000, SEEDS))
def test_broken_real_hours_are_read_as_the_plain_reader_reads_them(tmp_path, first):
    half = first + SEEDS // 2
    ranges = f"{first}-{half}", f"{half}-{first + SEEDS}"
    both = [fired(tmp_path, "--seeds", seeds) for seeds in ranges]
    assert [said(process) for process in both] == ["", ""]


def test_broken_made_hours_are_read_as_the_plain_reader_reads_them(tmp_path):
    assert said(fired(tmp_path, "--made", "--seeds", "0-2000")) == ""
