import fcntl
import threading
import time

import pytest

from forge.errors import LockError
from forge.lock import is_idle, locked

MONTH = "2026-03"


def lock_file(root):
    with locked(root, MONTH):
        pass
    return root / f".locks/{MONTH}.json"


def test_build_starts_while_somebody_looks_whether_one_is_at_work(tmp_path):
    with lock_file(tmp_path).open() as looking:
        fcntl.flock(looking, fcntl.LOCK_SH)
        threading.Timer(0.2, fcntl.flock, (looking, fcntl.LOCK_UN)).start()
        with locked(tmp_path, MONTH):
            assert not is_idle(tmp_path)
    assert is_idle(tmp_path)


def test_two_that_look_do_not_take_each_other_for_builds(tmp_path):
    with lock_file(tmp_path).open() as looking:
        fcntl.flock(looking, fcntl.LOCK_SH)
        assert is_idle(tmp_path)


def test_second_build_of_a_month_is_refused_within_seconds(tmp_path):
    began = time.monotonic()
    with (
        locked(tmp_path, MONTH),
        pytest.raises(LockError, match=r"another build holds 2026-03 in .*: process \d+ on"),
        locked(tmp_path, MONTH),
    ):
        pass
    assert time.monotonic() - began < 5
