"""The little of GitHub's REST that tests need: repositories, code search, and the rate limit."""

import hashlib
from typing import Any

from github_code_search import searched
from github_limits import Limits, Resource, User
from github_replies import DOCS, Reply, nothing_found, said
from github_world import Knows, Repository, node_id


def totals(limits: Limits, user: User) -> Reply:
    """What is left of every resource; asking it is free."""
    hours = {name: limits.hour(user, name) for name in user.hours}
    resources = {
        name: {
            "limit": limits.ceilings.allowed(name),
            "used": hour.used,
            "remaining": max(0, limits.ceilings.allowed(name) - hour.used),
            "reset": int(hour.reset_at),
        }
        for name, hour in hours.items()
    }
    return said(200, {"resources": resources, "rate": resources["core"]})


def owner_of(user: User) -> Reply:
    """Whose a token is."""
    return said(200, {"id": user.id, "login": f"user-{user.id}", "type": "User"})


def resource_of(place: str) -> Resource:
    """What a path counts against."""
    if place == "/graphql":
        return "graphql"
    if place.startswith("/search/code"):
        return "code_search"
    return "search" if place.startswith("/search/") else "core"


def answer_at(path: str, headers: dict[str, str], world: Knows, url: str) -> Reply:
    """What a path of REST leads to, unless who asks holds it already."""
    if resource_of(path.removeprefix("/api/v3")) == "code_search":
        reply = searched(path, world, url, _told)
    else:
        reply = repository_at(path, world, url)
    is_found = reply.status == 200
    return _unless_known(reply, headers.get("if-none-match", "")) if is_found else reply


def repository_at(path: str, world: Knows, url: str) -> Reply:
    """A repository, where it moved to, or that nothing is there."""
    root, _, name = path.removeprefix("/api/v3").removeprefix("/").partition("/")
    if root == "repositories" and name.isdigit():
        found = world.node(node_id("Repository", int(name)))
    else:
        found = world.named(name) if root == "repos" else None
    if not isinstance(found, Repository) or found.fate != "there":
        return nothing_found()
    if root == "repos" and name.lower() != found.name_with_owner.lower():
        return _moved(f"{url}/repositories/{found.id}")
    return said(200, _told(found))


def _moved(url: str) -> Reply:
    told = {"message": "Moved Permanently", "url": url}
    return said(301, told | {"documentation_url": f"{DOCS}/v3/#http-redirects"}, location=url)


def _unless_known(reply: Reply, known: str) -> Reply:
    tag = f'"{hashlib.sha256(reply.body).hexdigest()}"'
    is_known = tag in {one.strip().removeprefix("W/") for one in known.split(",")}
    headers = reply.headers | {"etag": tag}
    return Reply(304, b"", headers) if is_known else reply._replace(headers=headers)


def _told(one: Repository) -> dict[str, Any]:
    owner, _, name = one.name_with_owner.partition("/")
    return {
        "id": one.id,
        "node_id": node_id("Repository", one.id),
        "name": name,
        "full_name": one.name_with_owner,
        "private": False,
        "owner": {"login": owner, "type": one.owner_kind},
        "fork": bool(one.fork_of),
        "archived": one.is_archived,
        "disabled": one.is_disabled,
        "default_branch": one.default_branch,
        "stargazers_count": one.stars,
        "forks_count": one.forks,
        "license": one.licence and {"key": one.licence.lower(), "spdx_id": one.licence},
        "created_at": one.created_at,
        "pushed_at": one.pushed_at,
        "updated_at": one.updated_at,
        "topics": list(one.topics),
    }
