"""Merges of a repository's own history, for builds without an archive."""

from collections.abc import Iterable
from datetime import datetime, timedelta

import dataframely as dy

from forge.effect import Failure, Row, effect
from forge.rules.messages import NUMBER, fork_owner, login_of, of_merge, of_squash
from forge.selection import first_hour
from forge.services.git import Commit, Failed, Git, number_in
from forge.services.git_numbers import numbers


class Walk(dy.Schema):
    """What a default branch took in during a month."""

    walked = dy.List(
        dy.Struct(
            {
                "number": dy.Int64(),
                "merged_at": dy.Datetime(time_unit="us"),
                "merge_commit": dy.String(nullable=True),
                "head_sha": dy.String(nullable=True),
                "author": dy.String(nullable=True),
                "title": dy.String(nullable=True),
                "body": dy.String(nullable=True),
                "base_ref": dy.String(),
            }
        ),
        description="first-parent commits whose subject names a pull request",
    )
    skipped = dy.Int64(description="first-parent commits that name no pull request")


@effect(answers=Walk, version=2, since=2, seconds=3600)
async def walk_merges(git: Git, *, repo: str, month: str, as_of: datetime) -> Row | Failure:
    """List the merges that a default branch's own subjects name; `as_of`, because it grows."""
    start = first_hour(month)
    end = (start + timedelta(days=32)).replace(day=1) - timedelta(seconds=1)
    try:
        branch, commits = await git.walk(repo, start, min(end, as_of))
        known = await numbers(git.mirror(repo))
    except Failed as failed:
        return failed.failure
    rows = [_row(commit, message, branch, repo) for commit, message in commits]
    named = [row for row in rows if row["number"] and (known is None or row["number"] in known)]
    return {"walked": _first_of_each(named), "skipped": len(commits) - len(named)}


def _row(commit: Commit, message: str, branch: str | None, repo: str) -> Row:
    is_merge = len(commit.parents) > 1
    words = of_squash(message) if NUMBER.search(commit.subject) else of_merge(message)
    return {
        "number": number_in(commit.subject),
        "merged_at": commit.committed_at,
        "merge_commit": commit.sha,
        "head_sha": commit.parents[1] if is_merge else None,
        "author": _author(commit, repo),
        **words._asdict(),
        "base_ref": branch,
    }


def _author(commit: Commit, repo: str) -> str | None:
    # A merge was written by who merged it; only a fork's name says whose change it was.
    if len(commit.parents) == 1:
        return login_of(commit.author, commit.email)
    owner = fork_owner(commit.subject)
    return owner if owner and owner.lower() != repo.partition("/")[0].lower() else None


def _first_of_each(rows: Iterable[Row]) -> list[Row]:
    # A number that comes again is a change that was reverted and reapplied, or a rebase whose every
    # commit names it: only the head's own commits tell which is the merge.
    found: dict[int, Row] = {}
    for row in rows:
        if first := found.get(row["number"]):
            first["merge_commit"] = None
        found.setdefault(row["number"], row)
    return list(found.values())
