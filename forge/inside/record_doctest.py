"""Watches doctest, where no test of unittest runs it: each text with examples is a test."""

import doctest
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from forge.inside.record import React, Record


def start(record: "Record") -> None:
    """Take note of what doctests end with."""

    def run(original: "React", owner: Any, test: Any, *args: Any, **more: Any) -> Any:
        if record.running or record.is_inside or not test.examples:
            return original(test, *args, **more)
        record.has_begun = True
        is_wanted = record.is_wanted(record.relative(test.filename or ""))
        if is_wanted and record.ids:
            record.print_id(test.name)
        if not is_wanted or record.ids:
            return doctest.TestResults(0, 0)
        record.start(owner, test.name)
        ended = original(test, *args, **more)
        record.note(test.name, "F" if ended[0] else "S" if _is_skipped(test) else "P")
        record.stop()
        owner.failures = 0  # or files after this one would not be looked at
        return doctest.TestResults(0, ended[1])

    record.watch(doctest.DocTestRunner, "run", run)


def _is_skipped(test: Any) -> bool:
    return all(example.options.get(doctest.SKIP) for example in test.examples)
