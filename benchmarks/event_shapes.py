"""What events of GH Archive look like, full and trimmed, as templates of a line."""

import json
import re
from typing import Any

from benchmarks.event_fields import (
    ACCOUNT_URLS,
    REACTIONS,
    REPOSITORY_COUNTS,
    REPOSITORY_FLAGS,
    REPOSITORY_URLS,
)

Shape = dict[str, Any]

API, WEB = "https://api.github.com", "https://github.com"
AT = "<<at>>"
SLOT = b"\0"
"""Where a line is filled up to its length."""


def template(shape: Shape, *, is_sorted: bool) -> bytes:
    """A shape as bytes to be filled by `%`: `<<#name>>` stands for a number or other JSON.

    >>> template({"b": "<<#n>>", "a": "at <<x>>"}, is_sorted=True)
    b'{"a":"at %(x)b","b":%(n)b}'
    """
    line = json.dumps(shape, separators=(",", ":"), sort_keys=is_sorted).replace("%", "%%")
    line = re.sub(r'"<<#text>>"|<<text>>', SLOT.decode(), line, count=1).replace("<<text>>", "")
    line = re.sub(r'"<<#(\w+)>>"', r"%(\1)b", line)
    return re.sub(r"<<(\w+)>>", r"%(\1)b", line).encode()


def event(kind: str, payload: Shape, *, org: bool) -> Shape:
    """An event in the order of the full era."""
    actor = {
        "id": "<<#actor_id>>",
        "login": "<<actor>>",
        "display_login": "<<actor>>",
        "gravatar_id": "",
        "url": f"{API}/users/<<actor>>",
        "avatar_url": "https://avatars.githubusercontent.com/u/<<actor_id>>?",
    }
    repo = {
        "id": "<<#repo_id>>",
        "name": "<<owner>>/<<name>>",
        "url": f"{API}/repos/<<owner>>/<<name>>",
    }
    shape: Shape = {"id": "<<id>>", "type": kind, "actor": actor, "repo": repo, "payload": payload}
    shape |= {"public": True, "created_at": AT}
    return shape | ({"org": {**actor, "id": "<<#owner_id>>", "login": "<<owner>>"}} if org else {})


def payloads(*, is_trimmed: bool) -> dict[str, list[tuple[float, Shape]]]:
    """By type: the payloads that it may have, each with its weight."""
    pull = minimal() if is_trimmed else pull_request("open")
    review = {"action": "created", "review": comment("reviews"), "pull_request": pull}
    one = {
        "PushEvent": push(is_trimmed=is_trimmed),
        "CreateEvent": ref("branch") | {"master_branch": "main", "description": "<<text>>"},
        "DeleteEvent": ref("branch"),
        "WatchEvent": {"action": "started"},
        "PublicEvent": {},
        "ForkEvent": {"forkee": repository("<<head_owner>>") | {"public": True}},
        "MemberEvent": {"action": "added", "member": account("<<head_owner>>")},
        "GollumEvent": {
            "pages": [{"page_name": "<<title>>", "sha": "<<sha>>", "title": "<<text>>"}]
        },
        "IssueCommentEvent": {
            "action": "created",
            "issue": issue("<<body>>"),
            "comment": comment("comments"),
        },
        "CommitCommentEvent": {"comment": comment("comments")},
        "ReleaseEvent": {"action": "published", "release": comment("releases")},
        "PullRequestReviewEvent": review,
        "PullRequestReviewCommentEvent": {**review, "comment": comment("comments")},
    }
    actions = {"opened": 0.55, "closed": 0.4, "labeled": 0.05}
    issues = [
        (weight, {"action": name, "issue": issue("<<text>>")}) for name, weight in actions.items()
    ]
    many = {"IssuesEvent": issues, "PullRequestEvent": _pulls(is_trimmed=is_trimmed)}
    return {kind: [(1.0, payload)] for kind, payload in one.items()} | many


def _pulls(*, is_trimmed: bool) -> list[tuple[float, Shape]]:
    # Trimmed: as counted in 2026-08-12-14. Full: merges as in 2015 (36 %) and 2025 (34 %).
    trimmed = {"opened": 265, "merged": 245, "unlabeled": 25, "closed": 10, "assigned": 8}
    if is_trimmed:
        plain = [(float(n), pulled(action, minimal())) for action, n in trimmed.items()]
        return [*plain, (216.0, pulled("labeled", minimal()) | {"labels": [label()]})]
    return [
        (0.50, pulled("opened", pull_request("open"))),
        (0.14, pulled("closed", pull_request("closed"))),
        (0.34, pulled("closed", pull_request("merged"))),
        (0.02, pulled("reopened", pull_request("open"))),
    ]


def pulled(action: str, pull: Shape) -> Shape:
    """What a PullRequestEvent says."""
    return {"action": action, "number": "<<#number>>", "pull_request": pull}


def account(login: str) -> Shape:
    """A user in full."""
    urls = {f"{word.split('{')[0]}_url": f"{API}/users/{login}/{word}" for word in ACCOUNT_URLS}
    head = {
        "login": login,
        "id": "<<#actor_id>>",
        "node_id": "U_<<node>>",
        "avatar_url": "https://avatars.githubusercontent.com/u/<<actor_id>>?v=4",
        "gravatar_id": "",
        "url": f"{API}/users/{login}",
        "html_url": f"{WEB}/{login}",
    }
    return head | urls | {"type": "User", "site_admin": False}


def repository(owner: str) -> Shape:
    """A repository in full."""
    repo = f"{owner}/<<name>>"
    urls = {
        f"{re.split('[/{]', word)[0]}_url": f"{API}/repos/{repo}/{word}" for word in REPOSITORY_URLS
    }
    head = {
        "id": "<<#repo_id>>",
        "node_id": "R_<<node>>",
        "name": "<<name>>",
        "full_name": repo,
        "owner": account(owner),
        "html_url": f"{WEB}/{repo}",
        "description": "<<title>>",
        "fork": False,
        "url": f"{API}/repos/{repo}",
    }
    tail = dict.fromkeys(("created_at", "updated_at", "pushed_at"), AT) | {
        "git_url": f"git://github.com/{repo}.git",
        "ssh_url": f"git@github.com:{repo}.git",
        "clone_url": f"{WEB}/{repo}.git",
        "svn_url": f"{WEB}/{repo}",
        **dict.fromkeys(("homepage", "mirror_url")),
        "language": "Python",
        "license": {"key": "mit", "name": "MIT License", "url": f"{API}/licenses/mit"},
        "default_branch": "main",
    }
    flags = dict.fromkeys(REPOSITORY_FLAGS, False)
    counts = dict.fromkeys(REPOSITORY_COUNTS, "<<#number>>")
    return head | urls | tail | flags | counts


def side(owner: str, branch: str, sha: str) -> Shape:
    """Head or base in full."""
    named = {"label": f"{owner}:{branch}", "ref": branch, "sha": sha}
    return named | {"user": account(owner), "repo": repository(owner)}


def pull_request(state: str) -> Shape:
    """A pull request in full: open, closed or merged."""
    place, is_merged = f"{API}/repos/<<owner>>/<<name>>", state == "merged"
    return {
        **thread("pulls", "<<text>>"),
        "diff_url": f"{WEB}/<<owner>>/<<name>>/pull/<<number>>.diff",
        "patch_url": f"{WEB}/<<owner>>/<<name>>/pull/<<number>>.patch",
        "closed_at": None if state == "open" else AT,
        "merged_at": AT if is_merged else None,
        "merge_commit_sha": "<<merge>>" if is_merged else None,
        "requested_reviewers": [],
        "requested_teams": [],
        "draft": False,
        "commits_url": f"{place}/pulls/<<number>>/commits",
        "review_comments_url": f"{place}/pulls/<<number>>/comments",
        "review_comment_url": f"{place}/pulls/comments{{/number}}",
        "statuses_url": f"{place}/statuses/<<sha>>",
        "issue_url": f"{place}/issues/<<number>>",
        "head": side("<<head_owner>>", "<<branch>>", "<<sha>>"),
        "base": side("<<owner>>", "main", "<<before>>"),
        "_links": links(place),
        "author_association": "CONTRIBUTOR",
        "merged": is_merged,
        **dict.fromkeys(("active_lock_reason", "assignee", "mergeable", "rebaseable")),
        "mergeable_state": "unknown",
        "maintainer_can_modify": False,
        "review_comments": 0,
        "merged_by": account("<<actor>>") if is_merged else None,
        **dict.fromkeys(("comments", "commits", "additions", "deletions"), "<<#number>>"),
        "changed_files": 3,
    }


def links(place: str) -> Shape:
    """Where the parts of a pull request are, once more."""
    pull, issue = f"{place}/pulls/<<number>>", f"{place}/issues/<<number>>"
    targets = {
        "self": pull,
        "html": f"{WEB}/<<owner>>/<<name>>/pull/<<number>>",
        "issue": issue,
        "comments": f"{issue}/comments",
        "review_comments": f"{pull}/comments",
        "review_comment": f"{place}/pulls/comments{{/number}}",
        "commits": f"{pull}/commits",
        "statuses": f"{place}/statuses/<<sha>>",
    }
    return {name: {"href": target} for name, target in targets.items()}


def minimal() -> Shape:
    """A pull request since October 2025."""
    repo = {
        "id": "<<#repo_id>>",
        "url": f"{API}/repos/<<owner>>/<<name>>",
        "name": "<<name>>",
    }
    return {
        "url": f"{API}/repos/<<owner>>/<<name>>/pulls/<<number>>",
        "id": "<<#thread_id>>",
        "number": "<<#number>>",
        "head": {"ref": "<<branch>>", "sha": "<<sha>>", "repo": repo},
        "base": {"ref": "main", "sha": "<<before>>", "repo": repo},
    }


def thread(kind: str, body: str) -> Shape:
    """What issues and pull requests have in common."""
    place = f"{API}/repos/<<owner>>/<<name>>/{kind}/<<number>>"
    return {
        "url": place,
        "id": "<<#thread_id>>",
        "node_id": "I_<<node>>",
        "html_url": f"{WEB}/<<owner>>/<<name>>/{kind}/<<number>>",
        "comments_url": f"{place}/comments",
        "number": "<<#number>>",
        "state": "open",
        "locked": False,
        "title": "<<title>>",
        "user": account("<<actor>>"),
        "labels": [],
        "assignees": [],
        "milestone": None,
        "created_at": AT,
        "updated_at": AT,
        "body": body,
    }


def issue(body: str) -> Shape:
    """An issue, which both eras have in full."""
    place = f"{API}/repos/<<owner>>/<<name>>/issues/<<number>>"
    return {
        **thread("issues", body),
        "labels": [label()],
        "labels_url": f"{place}/labels{{/name}}",
        "events_url": f"{place}/events",
        "reactions": {"url": f"{place}/reactions", "total_count": 0} | dict.fromkeys(REACTIONS, 0),
        "timeline_url": f"{place}/timeline",
        "state_reason": None,
    }


def comment(kind: str) -> Shape:
    """A comment, a review or a release."""
    place = f"{API}/repos/<<owner>>/<<name>>/{kind}/<<thread_id>>"
    return {
        "url": place,
        "html_url": f"{WEB}/<<owner>>/<<name>>/issues/<<number>>#comment-<<thread_id>>",
        "id": "<<#thread_id>>",
        "node_id": "IC_<<node>>",
        "user": account("<<actor>>"),
        "commit_id": "<<sha>>",
        "created_at": AT,
        "updated_at": AT,
        "body": "<<text>>",
    }


def label() -> Shape:
    """A label."""
    url = f"{API}/repos/<<owner>>/<<name>>/labels/bug"
    return {"id": "<<#repo_id>>", "url": url, "name": "bug", "color": "d73a4a", "default": True}


def push(*, is_trimmed: bool) -> Shape:
    """A push; its commits in the full era only."""
    moved = {"ref": "refs/heads/<<branch>>", "head": "<<sha>>", "before": "<<before>>"}
    if is_trimmed:
        return {"repository_id": "<<#repo_id>>", "push_id": "<<#thread_id>>", **moved}
    return {
        "push_id": "<<#thread_id>>",
        "size": 1,
        "distinct_size": 1,
        **moved,
        "commits": "<<#text>>",
    }


def ref(kind: str) -> Shape:
    """A branch that came or went."""
    return {"ref": "<<branch>>", "ref_type": kind, "pusher_type": "user"}
