"""Merges as GitHub itself lists them, hour by hour or repository by repository."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

import dataframely as dy
import polars as pl

from forge.artifacts import Artifacts
from forge.columns import PULL_REQUEST, PullRequestKey, dtypes, moment, text

Node = dict[str, Any]


class Found(PullRequestKey):
    """One row per merged pull request that GitHub lists."""

    repo = dy.String(description="owner/name by now")
    merged_at = moment("when it was merged, UTC")
    merger = dy.String(nullable=True, description="who merged it")
    author = dy.String(nullable=True, description="who opened it; null for who left GitHub")
    author_type = dy.String(nullable=True, description="User, Bot …")
    title = dy.String(description="title")
    body = text("description; null when empty", nullable=True)
    head_sha = dy.String(nullable=True, description="last commit of the pull request")
    head_ref = dy.String(nullable=True, description="branch it came from")
    base_ref = dy.String(nullable=True, description="branch it went into")
    base_sha = dy.String(nullable=True, description="tip of that branch as GitHub recorded it")
    merge_commit = dy.String(nullable=True, description="commit that brought it in")
    pull_request_id = dy.Int64(nullable=True, description="GitHub's id of the pull request")


def row_of(node: Node) -> dict[str, Any]:
    """What a pull request's node says of its merge."""
    author, number = node["author"] or {}, node["fullDatabaseId"]
    return {
        "repository_id": node["repository"]["databaseId"],
        "number": node["number"],
        "repo": node["repository"]["nameWithOwner"],
        "merged_at": moment_of(node["mergedAt"]),
        "merger": (node["mergedBy"] or {}).get("login"),
        "author": author.get("login"),
        "author_type": author.get("__typename"),
        "title": node["title"],
        "body": node["body"] or None,
        "head_sha": node["headRefOid"],
        "head_ref": node["headRefName"],
        "base_ref": node["baseRefName"],
        "base_sha": node["baseRefOid"],
        "merge_commit": (node["mergeCommit"] or {}).get("oid"),
        "pull_request_id": int(number) if number else None,
    }


def seen(nodes: Iterable[Node | None] | None) -> list[Node]:
    """The merges of a page; null is in the place of what a token may not see."""
    return [node for node in nodes or () if node and _is_told(node)]


def _is_told(node: Node) -> bool:
    # GitHub's schema lets either be null, and its index may call merged what is none.
    return bool(node["repository"]["databaseId"] and node["mergedAt"])


def moment_of(value: str) -> datetime:
    """A time as GitHub writes it, UTC, without its zone."""
    return datetime.fromisoformat(value).astimezone(UTC).replace(tzinfo=None)


def kept(artifacts: Artifacts, nodes: Iterable[Node]) -> str | None:
    """The name of the file that holds these merges, each once; None where there are none."""
    rows = pl.DataFrame([row_of(node) for node in nodes], schema=dtypes(Found))
    if rows.is_empty():
        return None
    draft = artifacts.draft()
    rows.unique(PULL_REQUEST, keep="first").sort(PULL_REQUEST).write_parquet(draft)
    return artifacts.keep(draft)
