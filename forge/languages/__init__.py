"""What forge knows of a programming language: one value per language, each in its own file."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Language:
    """Patterns are regular expressions without look-around, so that Polars and `re` agree on them."""

    name: str
    source: str
    """Paths of this language's files, tests among them."""
    tests: str
    """Paths of tests and of what only tests read: fixtures, snapshots, expected outputs."""
    manifests: str
    """Paths of files that say how the project is built and tested."""
