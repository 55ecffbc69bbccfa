"""The loopback GitHub of a month in a process of its own, so that figures are forge's alone."""

import json
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from typing import Any

from github_month import Month
from github_replies import stalled
from github_server import Asked, GitHub, schema_file, serve_github

SPREAD = re.compile(r"\.\.\. ?(on )?\w+")


@dataclass
class Apart:
    """Where it listens, and, when it is over, what it was asked."""

    url: str
    tokens: list[str]
    totals: dict[str, Any] = field(default_factory=dict)

    @property
    def token(self) -> str:
        return self.tokens[0]


@contextmanager
def apart(month: Month, **faults: Any) -> Iterator[Apart]:
    """Serve a month by another process, with what `serve_github` takes as JSON.

    `stalls` are two numbers: after how many requests the next so many never come to their end.
    """
    schema_file()
    command = [sys.executable, __file__, json.dumps({"month": asdict(month), "faults": faults})]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        github = Apart(**json.loads(process.stdout.readline()))
        try:
            yield github
        finally:
            told, _ = process.communicate()
            github.totals = json.loads(told)


def totals(github: GitHub) -> dict[str, Any]:
    """What was asked, and how much of it was answered twice."""
    answered = [asked for asked in github.asked if asked.kind == "answer"]
    ids = Counter(one for asked in answered for one in _ids(asked))
    return {
        "calls": len(github.asked),
        "points": sum(asked.cost for asked in answered),
        "kinds": Counter(asked.kind for asked in github.asked),
        "most_at_once": github.limits.most_at_once,
        "ids_answered": len(ids),
        "ids_answered_twice": sum(count > 1 for count in ids.values()),
    }


def _ids(asked: Asked) -> Iterable[tuple[str, str]]:
    """Each id with what is asked of it: the first fragment that the query spreads."""
    lists = [value for value in asked.variables.values() if isinstance(value, list)]
    what = SPREAD.search(asked.query)
    return ((what[0] if what else "", one) for some in lists for one in some)


def main(told: str) -> None:
    """Serve until nobody holds the other end of this process's input."""
    asked = json.loads(told)
    before, several = asked["faults"].pop("stalls", (0, 0))
    first = [None] * before + [stalled()] * several
    with serve_github(Month(**asked["month"]), first=first, **asked["faults"]) as github:
        sys.stdout.write(json.dumps({"url": github.url, "tokens": github.tokens}) + "\n")
        sys.stdout.flush()
        sys.stdin.read()
    sys.stdout.write(json.dumps(totals(github)))


if __name__ == "__main__":
    main(sys.argv[1])
