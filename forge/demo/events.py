"""Events in the shape that GH Archive has had since October 2025."""

import base64
import json
from datetime import datetime
from typing import Any, NamedTuple

import msgspec

from forge.demo.stream import account
from forge.demo.world import number_of

Event = dict[str, Any]
API = "https://api.github.com"


class Place(NamedTuple):
    """A repository by id and owner/name."""

    id: int
    repo: str


class Side(NamedTuple):
    """One end of a pull request: a branch, its tip, and where it is."""

    ref: str
    sha: str
    place: Place


class Happening(NamedTuple):
    """When something happened, who did it, and where."""

    at: datetime
    login: str
    place: Place


def event(kind: str, happening: Happening, payload: Event) -> Event:
    """One line of a dump."""
    at, login, place = happening
    text = f"{kind} {at.isoformat()} {login} {place.repo} {payload.get('action')}"
    url = f"{API}/users/{login}"
    avatar = f"https://avatars.githubusercontent.com/u/{account(login)}?"
    return {
        "id": event_id(text),
        "type": kind,
        "actor": {
            "id": account(login),
            "login": login,
            "display_login": login.removesuffix("[bot]"),
            "gravatar_id": "",
            "url": url,
            "avatar_url": avatar,
        },
        "repo": {"id": place.id, "name": place.repo, "url": f"{API}/repos/{place.repo}"},
        "payload": payload,
        "public": True,
        "created_at": moment(at),
    }


def pull_request_event(
    action: str, happening: Happening, number: int, *, head: Side, base: Side
) -> Event:
    """Somebody did something to a pull request."""
    url = f"{API}/repos/{base.place.repo}/pulls/{number}"
    identity = 3_300_000_000 + number_of(url, below=400_000_000)
    pull_request = {
        "id": identity,
        "number": number,
        "url": url,
        "head": _side(head),
        "base": _side(base),
    }
    payload = {"action": action, "number": number, "pull_request": pull_request}
    return event("PullRequestEvent", happening, payload)


def labelled(opened: Event, name: str) -> Event:
    """Its author added a label in the same second."""
    repo = opened["repo"]
    identity = 5_000_000_000 + number_of(f"{repo['name']} {name}", below=2_000_000_000)
    label = {
        "id": identity,
        "name": name,
        "color": "ededed",
        "default": False,
        "description": None,
        "node_id": node_id("LA", repo["id"], identity),
        "url": f"{repo['url']}/labels/{name}",
    }
    payload = opened["payload"] | {"action": "labeled", "label": label, "labels": [label]}
    return opened | {"id": event_id(f"{opened['id']} {name}"), "payload": payload}


def push_event(happening: Happening, ref: str, *, before: str, head: str) -> Event:
    """Somebody moved a branch."""
    push = 29_000_000_000 + number_of(f"{before} {head}", below=4_000_000_000)
    payload = {"repository_id": happening.place.id, "push_id": push, "ref": ref}
    return event("PushEvent", happening, payload | {"head": head, "before": before})


def opened_issue(happening: Happening, number: int, *, title: str, body: str) -> Event:
    """Somebody found something wrong; of issues, events tell all."""
    at, login, place = happening
    repository = f"{API}/repos/{place.repo}"
    identity = 3_900_000_000 + number_of(f"{repository} {number}", below=300_000_000)
    issue = {
        "id": identity,
        "node_id": node_id("I", place.id, identity),
        "number": number,
        "url": f"{repository}/issues/{number}",
        "html_url": f"https://github.com/{place.repo}/issues/{number}",
        "repository_url": repository,
        "title": title,
        "body": body,
        "user": {"login": login, "id": account(login), "type": "User", "site_admin": False},
        "labels": [],
        "state": "open",
        "state_reason": None,
        "locked": False,
        "assignee": None,
        "assignees": [],
        "milestone": None,
        "comments": 0,
        "created_at": moment(at),
        "updated_at": moment(at),
        "closed_at": None,
    }
    return event("IssuesEvent", happening, {"action": "opened", "issue": issue})


def event_id(name: str) -> str:
    """An id within the range of 2026-03."""
    return str(7_000_000_000 + number_of(name, below=2_000_000_000))


def line(event: Event) -> bytes:
    """An event as a dump holds it."""
    return json.dumps(event, sort_keys=True, separators=(",", ":")).encode() + b"\n"


def moment(at: datetime) -> str:
    """A time as events write it."""
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def node_id(kind: str, repository: int, identity: int) -> str:
    """GitHub's newer global ids.

    >>> node_id("LA", 636564605, 6469516813)
    'LA_kwDOJfE0fc8AAAABgZz-DQ'
    """
    packed = msgspec.msgpack.encode([0, repository, identity])
    return f"{kind}_{base64.urlsafe_b64encode(packed).decode().rstrip('=')}"


def _side(side: Side) -> Event:
    place = side.place
    url = f"{API}/repos/{place.repo}"
    repo = {"id": place.id, "url": url, "name": place.repo.split("/")[1]}
    return {"ref": side.ref, "sha": side.sha, "repo": repo}
