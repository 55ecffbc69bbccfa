"""Columns and keys that several tables share, and what a schema says about itself."""

from typing import Any

import dataframely as dy

KEY = {"key": True}
WIDE = {"wide": True}
ARTIFACT = {"artifact": True}


def moment(description: str, **kwargs: Any) -> dy.Datetime:
    """A time in UTC, without a zone, to the microsecond."""
    return dy.Datetime(time_unit="us", description=description, **kwargs)


def text(description: str, *, nullable: bool = False) -> dy.String:
    """A text of any length; sorting a table that holds one takes memory."""
    return dy.String(description=description, nullable=nullable, metadata=WIDE)


def artifact(description: str, *, nullable: bool = False) -> dy.String:
    """The sha256 that names a file among the artifacts."""
    return dy.String(description=description, nullable=nullable, metadata=ARTIFACT)


def leaks_column(description: str) -> dy.List:
    """What gives the fix away: of which kind, where, and in which words."""
    leak = dy.Struct({"kind": dy.String(), "path": dy.String(), "evidence": dy.String()})
    return dy.List(leak, description=description)


class RepositoryKey(dy.Schema):
    """A repository."""

    repository_id = dy.Int64(
        metadata=KEY, description="GitHub's id; negative where forge derived it from owner/name"
    )


class PullRequestKey(RepositoryKey):
    """A pull request."""

    number = dy.Int64(
        metadata=KEY, min=1, description="number of the pull request in its repository"
    )


class Decision(dy.Schema):
    """What a kept row was kept in spite of."""

    unknown = dy.List(
        dy.String(), description="tolerant criteria whose value is unknown for this row"
    )


def marked(schema: type[dy.Schema], mark: dict[str, bool]) -> list[str]:
    """Names of the columns that carry a mark, in order.

    >>> marked(PullRequestKey, KEY)
    ['repository_id', 'number']
    """
    return [
        name
        for name, column in schema.columns().items()
        if mark.items() <= (column.metadata or {}).items()
    ]


def key_of(schema: type[dy.Schema]) -> list[str]:
    """The columns that name one row."""
    return marked(schema, KEY)


def dtypes(schema: type[dy.Schema]) -> dict[str, Any]:
    """Polars dtype by column name."""
    return {name: column.dtype for name, column in schema.columns().items()}


PULL_REQUEST = key_of(PullRequestKey)
