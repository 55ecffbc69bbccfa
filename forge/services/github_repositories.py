"""A repository as GitHub describes it."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any

from forge.effect import Failure, Row
from forge.found import moment_of

NO_ASSERTION = "NOASSERTION"
Node = dict[str, Any]


def row_of(node: Node, fork_root_id: int) -> Row:
    """What a repository's node says."""
    branch, licence = node["defaultBranchRef"] or {}, node["licenseInfo"] or {}
    spdx = licence.get("spdxId")
    return {
        "canonical": node["nameWithOwner"],
        "fork_root_id": fork_root_id,
        "stars": node["stargazerCount"],
        "is_archived": node["isArchived"],
        "is_disabled": node["isDisabled"],
        "default_branch": branch.get("name"),
        "licence": None if spdx == NO_ASSERTION else spdx,
        "created_at": moment(node["createdAt"]),
        "pushed_at": moment(node["pushedAt"]),
        "primary_language": (node["primaryLanguage"] or {}).get("name"),
    }


def contents_of(node: Node) -> Row:
    """What a repository's languages and topics are."""
    languages, topics = node["languages"], node["repositoryTopics"]["nodes"] or []
    listed = [_language(edge) for edge in (languages or {}).get("edges") or [] if edge]
    return {
        "languages": None if languages is None else listed,
        "topics": [one["topic"]["name"] for one in topics if one],
    }


def _language(edge: Node) -> Row:
    return {"name": edge["node"]["name"], "bytes": edge["size"]}


async def fork_root(node: Node, ask: Callable[[Node], Awaitable[Node | None]]) -> int:
    """The id of the last of a repository's ancestors that is to be seen."""
    at = node
    while at["isFork"]:
        # What lies deeper than one call goes is asked of the last ancestor itself.
        above = at["parent"] if "parent" in at else (await ask(at) or {}).get("parent")
        if not above or above["databaseId"] is None:
            break
        at = above
    return int(at["databaseId"])


def moment(value: str | None) -> datetime | None:
    """A time as GitHub writes it, UTC, without its zone, where there is one."""
    return None if value is None else moment_of(value)


def refused(node: Node, repository_id: int, repo: str) -> Failure | None:
    """Why a node that came back is not what was asked for."""
    if failure := replaced(node, repository_id, repo):
        return failure
    if node["isPrivate"]:
        return Failure("data", "repository_private", f"{repo} is private")
    return None


def replaced(node: Node, repository_id: int, repo: str) -> Failure | None:
    """Why a repository that a name led to is not the one that was meant."""
    found = node["databaseId"]
    if found is None:
        return Failure("data", "repository_unidentified", f"GitHub tells no id of {repo}")
    if repository_id > 0 and found != repository_id:
        words = f"{repo} is now another repository, of id {found}"
        return Failure("data", "repository_replaced", words)
    return None
