"""A month of GH Archive becomes software-engineering tasks that a machine has verified."""

from typing import Any

__all__ = ["grade", "scan"]


def __getattr__(name: str) -> Any:
    # Lazy, because `forge --help` must not wait for Polars.
    if name == "scan":
        from forge.store import scan

        return scan
    if name == "grade":
        from forge.grade import grade

        return grade
    raise AttributeError(f"module 'forge' has no attribute {name!r}")
