"""A merged pull request as GitHub tells it."""

from typing import Any

from forge.effect import Failure, Row
from forge.services.github_pages import Connection, Listed, Pages
from forge.services.github_repositories import moment

MOST_FILES = 3_000
"""As many as GitHub lists: docs.github.com/rest/pulls/pulls#list-pull-requests-files."""
FILES = Connection("PullRequest", "files", "ChangedFiles")
LABELS = Connection("PullRequest", "labels", "Labels")
ISSUES = Connection("PullRequest", "closingIssuesReferences", "ClosingIssues")
LISTS = (FILES, LABELS, ISSUES)
WITHOUT_NEWS = {"DELETED", "RENAMED"}
Node = dict[str, Any]
Lists = dict[Connection, Listed | None]


async def told(node: Node, name: str, pages: Pages) -> Row | Failure:
    """What a pull request's node says, and the further pages of its lists."""
    lists: Lists = {of: await _whole(of, node, pages) for of in LISTS}
    return _unlisted(node, name, lists) or _row_of(node, lists)


async def _whole(of: Connection, node: Node, pages: Pages) -> Listed | None:
    first = node[of.field]
    return await pages.whole(of, node["id"], first) if first else None


def _unlisted(node: Node, name: str, lists: Lists) -> Failure | None:
    cut = [of.field for of, listed in lists.items() if listed and not listed.is_whole]
    if len(_nodes(lists[FILES])) != node["changedFiles"]:
        cut = [FILES.field]
    if not cut:
        return None
    words = f"GitHub does not list all {cut[0]} of {name}"
    return Failure("data", "files_not_listed" if cut[0] == FILES.field else "not_listed", words)


def _row_of(node: Node, lists: Lists) -> Row:
    author = node["author"] or {}
    return {
        "title": node["title"],
        "body": node["body"] or None,
        "author": author.get("login"),
        "is_bot": author.get("__typename") == "Bot" if author else None,
        "association": node["authorAssociation"],
        "merged_at": moment(node["mergedAt"]),
        "head_sha": node["headRefOid"],
        "base_ref": node["baseRefName"],
        "base_sha": node["baseRefOid"],
        "merge_commit": (node["mergeCommit"] or {}).get("oid"),
        "commits": node["commits"]["totalCount"],
        "changed_files": node["changedFiles"],
        "additions": node["additions"],
        "deletions": node["deletions"],
        "files": [_file(file) for file in _nodes(lists[FILES])],
        "labels": (labels := lists[LABELS]) and [label["name"] for label in labels.nodes],
        "issues": (issues := lists[ISSUES]) and _issues(issues, node["repository"]["databaseId"]),
    }


def refused(node: Node, repository_id: int, repo: str, number: int) -> Failure | None:
    """Why a node that came back is of no use."""
    name = f"{repo}#{number}"
    if not is_of(node, repository_id, number):
        found = f"{node['repository']['nameWithOwner']}#{node['number']}"
        return Failure("data", "pull_request_replaced", f"{name} is another one: {found}")
    if node["mergedAt"] is None:
        return Failure("data", "not_merged", f"GitHub says that {name} was not merged")
    if node["changedFiles"] > MOST_FILES:
        words = f"{node['changedFiles']} files changed; GitHub lists {MOST_FILES} at most"
        return Failure("policy", "too_many_files", words)
    return None


def is_of(node: Node, repository_id: int, number: int) -> bool:
    """Whether a node is the pull request that was asked for."""
    is_there = repository_id < 0 or node["repository"]["databaseId"] == repository_id
    return bool(is_there and node["number"] == number)


def _file(file: Node) -> Row:
    has_lines = bool(file["additions"] or file["deletions"])
    return {
        "path": file["path"],
        "previous_path": None,
        "additions": file["additions"],
        "deletions": file["deletions"],
        # What has no lines to count may be binary, or empty: GitHub does not say.
        "is_binary": False if has_lines or file["changeType"] in WITHOUT_NEWS else None,
    }


def _issues(listed: Listed, repository_id: int) -> list[Row]:
    here = [one for one in listed.nodes if one["repository"]["databaseId"] == repository_id]
    # A list that changes between its pages may tell an issue twice.
    return list({issue["number"]: _issue(issue) for issue in here}.values())


def _issue(issue: Node) -> Row:
    author = issue["author"] or {}
    return {
        "number": issue["number"],
        "title": issue["title"],
        "body": issue["body"] or None,
        "author": author.get("login"),
        "author_type": author.get("__typename"),
        "opened_at": moment(issue["createdAt"]),
        "edited_at": moment(issue["lastEditedAt"]),
    }


def _nodes(listed: Listed | None) -> list[Node]:
    return listed.nodes if listed else []
