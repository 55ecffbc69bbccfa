"""Lists Django's own tests without making the databases in which they would run."""

import unittest
from typing import TYPE_CHECKING, Any

from django.test.runner import DiscoverRunner  # type: ignore[import-not-found] # in images alone

if TYPE_CHECKING:
    from forge.inside.record import React, Record


def start(record: "Record") -> None:
    """Stop at the whole suite, where ids are wanted."""

    def build(original: "React", _runner: Any, *args: Any, **more: Any) -> Any:
        original(*args, **more).run(unittest.TestResult())
        raise SystemExit(0)

    if record.ids:
        record.watch(DiscoverRunner, "build_suite", build)
