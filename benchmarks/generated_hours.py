"""Generates hours of GH Archive, full and trimmed, as long and as mixed as real ones.

Nothing in them was captured: line lengths and the mix of types are those of real hours
(`line_lengths.py`), keys are GitHub's (`event_shapes.py`), names, texts and hashes are drawn.
"""

import random
import zlib
from bisect import bisect
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import accumulate
from pathlib import Path
from typing import Literal, NamedTuple

from benchmarks.event_shapes import API, SLOT, event, payloads, template
from benchmarks.line_lengths import AT, FULL, TRIMMED

Era = Literal["full", "trimmed"]
PULLS = "PullRequestEvent"

# As the hours of August 2018 and of March 2026, a little more than 30 MB each.
LINES: dict[Era, int] = {"full": 75_000, "trimmed": 165_000}
LEVEL, GZIP = 6, 31
BATCH = 500
REPOSITORIES, ACTORS, ORGANIZATIONS = 20_000, 15_000, 0.25
# Repositories come in bursts, and most work in their own: this brings the files to real sizes.
BURST, OWN = 0.35, 0.7
WORDS, TEXT_WORDS = 3_000, 400_000
BODY_BYTES = 300

SYLLABLES = [
    "an", "er", "in", "ti", "on", "re", "st", "en", "de", "al", "is", "at", "or", "ma", "ro",
    "li", "se", "co", "ne", "ta", "me", "lo", "pa", "su", "vi",
]  # fmt: skip
SPICE = (
    "\\r\\n", "\\r\\n\\r\\n- ", "\\n", "`code`", '\\"quoted\\"', "https://example.org/docs",
    "\N{ROCKET}", "\u4fee\u590d", "caf\u00e9", "(#12)", "v1.2.3", "<details>", "@someone",
)  # fmt: skip

Values = dict[bytes, bytes]


class Kind(NamedTuple):
    """One type of event: its line lengths and its templates, with and without an organization."""

    quantiles: tuple[int, ...]
    weights: list[float]
    templates: list[tuple[bytes, bytes]]


@dataclass
class Hour:
    """One generated hour: what its lines are drawn from."""

    era: Era
    hour: datetime
    seed: int

    def __post_init__(self) -> None:
        """Draw names and texts."""
        self.chance = random.Random(f"{self.era} {self.seed}")  # noqa: S311 - same file every time
        self.text = _text(self.chance)
        self.repositories = [_repository(self.chance) for _ in range(REPOSITORIES)]
        self.actors = [_actor(self.chance) for _ in range(ACTORS)]
        self.place, self.number = (
            self.repositories[0],
            7_000_000_000 + self.seed % 1_000 * 1_000_000,
        )
        lengths = FULL if self.era == "full" else TRIMMED
        self.shares = {name: share for name, (share, _) in lengths.items()}
        self.kinds = {name: _kind(name, self.era, bytes_) for name, (_, bytes_) in lengths.items()}

    def lines(self, names: list[str]) -> Iterator[bytes]:
        """A line for each type named."""
        for place, name in enumerate(names):
            second = 3600 * place // len(names)
            at = f"{self.hour:%Y-%m-%dT%H}:{second // 60:02d}:{second % 60:02d}Z"
            yield self._line(name, at.encode())

    def types(self, lines: int) -> list[str]:
        """As many types as there are lines, in the mix of real hours."""
        return self.chance.choices(list(self.shares), list(self.shares.values()), k=lines)

    def _line(self, name: str, at: bytes) -> bytes:
        chance, kind = self.chance, self.kinds[name]
        if chance.random() > BURST:
            self.place = chance.choice(self.repositories)
        values, is_org = self.place
        bare, org = chance.choices(kind.templates, kind.weights)[0]
        filled = {**values, **self._actor(values), **self._numbers(), b"at": at}
        line = (org if is_org else bare) % filled
        missing = max(0, _drawn(chance.random(), kind.quantiles) - len(line))
        if name == "PushEvent":
            return line.replace(SLOT, self._commits(filled, missing), 1)
        return line.replace(SLOT, self._piece(missing), 1)

    def _actor(self, values: Values) -> Values:
        if self.chance.random() > OWN:
            return self.chance.choice(self.actors)
        return {b"actor": values[b"owner"], b"actor_id": values[b"owner_id"]}

    def _numbers(self) -> Values:
        chance = self.chance
        hexes = chance.randbytes(60).hex().encode()
        number, self.number = chance.getrandbits(40), self.number + 3
        return {
            b"id": b"%d" % self.number,
            b"number": b"%d" % (number % 9_000 + 1),
            b"thread_id": b"%d" % (self.number // 2),
            b"node": b"kwDO%s" % hexes[8:20],
            b"sha": hexes[:40],
            b"before": hexes[40:80],
            b"merge": hexes[80:],
            b"branch": b"%s-%d" % (self._word(), number % 900),
            b"title": self._piece(20 + number % 60),
            b"body": self._piece(number % (2 * BODY_BYTES)),
        }

    def _word(self) -> bytes:
        return self._piece(12).partition(b" ")[0].strip(b'\\"`<>(#)@').partition(b"\\")[0] or b"fix"

    def _piece(self, length: int) -> bytes:
        # Cut at blanks, no escape and no character is torn.
        if length < 2:
            return b""
        start = self.text.find(b" ", self.chance.randrange(len(self.text) - length - 200)) + 1
        end = self.text.rfind(b" ", start, start + length)
        return self.text[start:end] if end > start else b""

    def _commits(self, values: Values, missing: int) -> bytes:
        # A commit takes 300 bytes with a short message.
        number = max(1, min(20, missing // 380))
        spare = max(8, missing // number - 300)
        return b"[%s]" % b",".join(self._commit(values, spare) for _ in range(number))

    def _commit(self, values: Values, spare: int) -> bytes:
        sha = self.chance.randbytes(20).hex().encode()
        return COMMIT % {**values, b"sha": sha, b"text": self._piece(spare)}


COMMIT = (
    b'{"sha":"%%(sha)b","author":{"email":"%%(actor)b@users.noreply.github.com",'
    b'"name":"%%(actor)b"},"message":"%%(text)b","distinct":true,'
    b'"url":"%b/repos/%%(owner)b/%%(name)b/commits/%%(sha)b"}' % API.encode()
)


def write_hour(path: Path, *, era: Era, hour: datetime, seed: int = 7, lines: int = 0) -> Path:
    """Write one hour as one member of gzip."""
    drawn = Hour(era, hour, seed)
    return write_member(path, drawn.lines(drawn.types(lines or LINES[era])))


def write_member(path: Path, lines: Iterator[bytes]) -> Path:
    """Write lines as one member of gzip, at the level that the archive's files have."""
    gz = zlib.compressobj(LEVEL, wbits=GZIP)
    with path.open("wb") as file:
        file.writelines(gz.compress(line + b"\n") for line in lines)
        file.write(gz.flush())
    return path


def _kind(name: str, era: Era, quantiles: tuple[int, ...]) -> Kind:
    is_trimmed = era == "trimmed"
    choices = payloads(is_trimmed=is_trimmed)[name]
    shapes = [[event(name, shape, org=org) for org in (False, True)] for _, shape in choices]
    templates = [[template(shape, is_sorted=is_trimmed) for shape in pair] for pair in shapes]
    return Kind(quantiles, [weight for weight, _ in choices], [(a, b) for a, b in templates])


def _drawn(share: float, quantiles: tuple[int, ...]) -> int:
    upper = min(bisect(AT, share), len(AT) - 1)
    low, high = quantiles[upper - 1], quantiles[upper]
    return int(low + (high - low) * (share - AT[upper - 1]) / (AT[upper] - AT[upper - 1]))


def _text(chance: random.Random) -> bytes:
    # The n-th word is 1/n as frequent as the first, as in any language.
    words = ["".join(chance.choices(SYLLABLES, k=chance.randint(1, 4))) for _ in range(WORDS)]
    words[9::120] = (chance.choice(SPICE) for _ in words[9::120])
    weights = list(accumulate(1 / (place + 3) for place in range(WORDS)))
    return " ".join(chance.choices(words, cum_weights=weights, k=TEXT_WORDS)).encode()


def _login(chance: random.Random) -> bytes:
    return "".join(chance.choices(SYLLABLES, k=chance.randint(3, 6))).encode()


def _repository(chance: random.Random) -> tuple[Values, bool]:
    owner = _login(chance)
    return {
        b"owner": owner,
        b"owner_id": b"%d" % chance.randrange(1, 200_000_000),
        b"head_owner": owner if chance.random() < OWN else _login(chance),
        b"name": b"%s-%s" % (_login(chance), _login(chance)),
        b"repo_id": b"%d" % chance.randrange(1, 1_200_000_000),
    }, chance.random() < ORGANIZATIONS


def _actor(chance: random.Random) -> Values:
    return {b"actor": _login(chance), b"actor_id": b"%d" % chance.randrange(1, 200_000_000)}
