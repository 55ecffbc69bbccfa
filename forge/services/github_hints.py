"""What people said under issues before a pull request's first commit, as GitHub tells it."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any, NamedTuple

import msgspec

from forge.effect import Failure, Row
from forge.services.github_answers import Reply
from forge.services.github_documents import Discussed, Document, by_discussions
from forge.services.github_pages import Connection, Pages, nodes_of
from forge.services.github_repositories import moment, replaced

QUESTIONS = 50
"""Pull requests that one call asks about."""
COMMENTS = 1_000
"""Comments of one issue that are read at most."""
CONNECTION = Connection("Issue", "comments", "Comments")
Node = dict[str, Any]


class Said(NamedTuple):
    """Early comments of one issue, and whether there may be more of them."""

    comments: list[Row]
    is_cut: bool


def question(where: str, number: int, issues: list[int]) -> str:
    """A question for many such a call; `where` is a repository's node id or owner/name."""
    return msgspec.json.encode(Discussed(where, number, issues)).decode()


async def ask(
    call: Callable[[Document], Awaitable[list[Reply]]], questions: list[str]
) -> list[Reply]:
    """The repositories of discussions, in order."""
    return await call(by_discussions([msgspec.json.decode(q, type=Discussed) for q in questions]))


def refused(node: Node, repository_id: int, repo: str, number: int) -> Failure | None:
    """Why a repository that came back is of no use."""
    if failure := replaced(node, repository_id, repo):
        return failure
    if node["pullRequest"] is None:
        words = f"GitHub shows no {repo}#{number}: deleted or private"
        return Failure("data", "pull_request_gone", words)
    return None


async def row_of(node: Node, issues: list[int], pages: Pages) -> Row:
    """What was said under those of the issues that are there and no pull requests."""
    opened_at = moment(node["pullRequest"]["createdAt"])
    first_commit_at = _first_commit_at(node["pullRequest"])
    found = [number for number in issues if node[f"i{number}"]]
    before = min(at for at in (opened_at, first_commit_at) if at)
    told = [await _said(node[f"i{number}"], number, before, pages) for number in found]
    return {
        "opened_at": opened_at,
        "first_commit_at": first_commit_at,
        "found_issues": found,
        "comments": [comment for said in told for comment in said.comments],
        "is_cut": any(said.is_cut for said in told),
    }


def _first_commit_at(pull: Node) -> datetime | None:
    commits = nodes_of(pull["commits"])
    try:
        return moment(commits[0]["commit"]["authoredDate"]) if commits else None
    except (ValueError, OverflowError):
        return None  # whoever commits may write any date, such as one of the year 10000


async def _said(issue: Node, number: int, before: datetime, pages: Pages) -> Said:
    page, told = issue["comments"], []
    seen: set[str | None] = {None}
    while True:
        told += [_comment(one, number) for one in nodes_of(page)]
        early = [one for one in told if one["commented_at"] < before]
        # Comments come oldest first: what follows a late one is later still.
        if not page["pageInfo"]["hasNextPage"] or len(early) < len(told):
            return Said(early, is_cut=False)
        after = page["pageInfo"]["endCursor"]
        if len(told) >= COMMENTS or after in seen:
            return Said(early, is_cut=True)
        seen.add(after)
        page = await pages.page(CONNECTION, issue["id"], after)


def _comment(node: Node, issue: int) -> Row:
    author = node["author"] or {}
    return {
        "issue": issue,
        "author": author.get("login"),
        "author_type": author.get("__typename"),
        "association": node["authorAssociation"],
        "body": node["body"],
        "commented_at": moment(node["createdAt"]),
        "edited_at": moment(node["lastEditedAt"]),
        "is_minimized": node["isMinimized"],
    }
