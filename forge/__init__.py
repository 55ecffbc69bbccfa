"""A month of GH Archive becomes software-engineering tasks that a machine has verified."""

import importlib
from typing import Any

__all__ = ["grade", "scan"]
HOMES = {"grade": "forge.grading", "scan": "forge.reader"}


def __getattr__(name: str) -> Any:
    # Lazy, because `forge --help` must not wait for Polars.
    if name not in HOMES:
        raise AttributeError(f"module 'forge' has no attribute {name!r}")
    return getattr(importlib.import_module(HOMES[name]), name)
