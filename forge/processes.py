"""Processes, named so that others can tell whether they still live."""

import os
import re
import socket
from pathlib import Path


def process_label() -> str:
    """Host, pid and start time of this process: a later process of the same pid has another one."""
    return f"{_host()}:{os.getpid()}:{_started(os.getpid())}"


def is_dead(label: str) -> bool:
    """Whether the process of a label ran on this host and has ended.

    >>> is_dead(process_label()), is_dead(process_label() + "0"), is_dead("elsewhere:1:0")
    (False, True, False)
    """
    host, *process = label.split(":")
    if host != _host() or len(process) != 2:
        return False
    pid, started = process
    try:
        return _started(int(pid)) != started
    except OSError:  # such as too many open files: what cannot be told is nobody's leftover
        return False


def _host() -> str:
    # Containers may share a host's name and its disk, but number their processes apart.
    try:
        namespace = Path("/proc/self/ns/pid").readlink().name
    except OSError:
        namespace = ""
    return socket.gethostname() + "@" + re.sub(r"\D", "", namespace)


def _started(pid: int) -> str | None:
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[19]
    except (FileNotFoundError, ProcessLookupError):
        return None
