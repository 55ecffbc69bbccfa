"""A merged pull request as GitHub tells it."""

from typing import Any

from forge.effect import Failure, Row
from forge.services.github_repositories import moment

FILES = 100
"""As many as one call lists; far more than what becomes a candidate."""
WITHOUT_NEWS = {"DELETED", "RENAMED"}
Node = dict[str, Any]


def row_of(node: Node) -> Row:
    """What a pull request's node says."""
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
        "files": [_file(file) for file in _nodes(node["files"])],
        "labels": [label["name"] for label in _nodes(node["labels"])],
        "closing_issues": _closing(node),
    }


def refused(node: Node, repository_id: int, repo: str, number: int) -> Failure | None:
    """Why a node that came back is of no use."""
    name = f"{repo}#{number}"
    if not is_of(node, repository_id, number):
        found = f"{node['repository']['nameWithOwner']}#{node['number']}"
        return Failure("data", "pull_request_replaced", f"{name} is another one: {found}")
    if node["mergedAt"] is None:
        return Failure("data", "not_merged", f"GitHub says that {name} was not merged")
    if node["changedFiles"] > FILES:
        words = f"{node['changedFiles']} files changed; with GitHub, {FILES} are read at most"
        return Failure("policy", "too_many_files", words)
    if len(_nodes(node["files"])) != node["changedFiles"]:
        return Failure("data", "files_not_listed", f"GitHub does not list all files of {name}")
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


def _closing(node: Node) -> list[int]:
    here = node["repository"]["databaseId"]
    issues = _nodes(node["closingIssuesReferences"])
    return [issue["number"] for issue in issues if issue["repository"]["databaseId"] == here]


def _nodes(connection: Node | None) -> list[Node]:
    return [one for one in (connection or {}).get("nodes") or [] if one]
