"""The loopback GitHub: it answers like GitHub, and refuses like GitHub."""

import httpx
from github_server import serve_github
from github_world import (
    Actor,
    Issue,
    Label,
    PullRequest,
    PullRequestChangedFile,
    Repository,
    World,
    node_id,
)

LEDGER = Repository(
    "kestrel/ledger",
    id=42,
    former=("ada/ledger",),
    stars=120,
    languages=(("Shell", 10), ("Python", 90)),
    pull_requests=(
        PullRequest(
            7,
            id=4_262_949_744,
            files=(PullRequestChangedFile("ledger.py", 3, 1), PullRequestChangedFile("test.py", 9)),
            labels=(Label("bug"),),
            closes=(Issue(3),),
            author=Actor("dependabot", "Bot", id=49699333),
        ),
    ),
)
PULL = node_id("PullRequest", 42, 4_262_949_744)


def ask(github, query, **variables):
    return httpx.post(
        f"{github.url}/graphql",
        json={"query": query, "variables": variables},
        headers={"authorization": f"bearer {github.token}"},
    )


def test_pull_request_is_answered_by_the_node_id_that_its_event_gives():
    query = """query($ids: [ID!]!) { nodes(ids: $ids) { ... on PullRequest {
      id number title fullDatabaseId merged mergedAt mergeCommit { oid } additions changedFiles
      author { __typename login } repository { nameWithOwner databaseId }
      files(first: 1) { totalCount nodes { path additions } pageInfo { hasNextPage endCursor } }
      labels(first: 5) { nodes { name } }
      closingIssuesReferences(first: 5) { nodes { number title repository { nameWithOwner } } }
    } } }"""
    with serve_github(World((LEDGER,))) as github:
        reply = ask(github, query, ids=[PULL])
    (pull,) = reply.json()["data"]["nodes"]
    assert pull == {
        "id": PULL,
        "number": 7,
        "title": "Round half to even",
        "fullDatabaseId": "4262949744",
        "merged": True,
        "mergedAt": "2026-03-01T05:09:59Z",
        "mergeCommit": {"oid": "c" * 40},
        "additions": 12,
        "changedFiles": 2,
        "author": {"__typename": "Bot", "login": "dependabot"},
        "repository": {"nameWithOwner": "kestrel/ledger", "databaseId": 42},
        "files": {
            "totalCount": 2,
            "nodes": [{"path": "ledger.py", "additions": 3}],
            "pageInfo": {"hasNextPage": True, "endCursor": "Y3Vyc29yOnYyOpEA"},
        },
        "labels": {"nodes": [{"name": "bug"}]},
        "closingIssuesReferences": {
            "nodes": [
                {
                    "number": 3,
                    "title": "Halves vanish",
                    "repository": {"nameWithOwner": "kestrel/ledger"},
                }
            ]
        },
    }
    assert reply.headers["x-ratelimit-remaining"] == "4999"
    assert [(one.status, one.cost, one.token) for one in github.asked] == [(200, 1, github.token)]


def test_former_name_answers_under_the_name_of_now():
    query = """{ repository(owner: "ada", name: "ledger") { nameWithOwner stargazerCount
      primaryLanguage { name } licenseInfo { spdxId } defaultBranchRef { name } owner { login }
      pullRequest(number: 7) { title } } rateLimit { cost remaining limit nodeCount } }"""
    with serve_github(World((LEDGER,))) as github:
        told = ask(github, query).json()
    assert told == {
        "data": {
            "repository": {
                "nameWithOwner": "kestrel/ledger",
                "stargazerCount": 120,
                "primaryLanguage": {"name": "Python"},
                "licenseInfo": {"spdxId": "MIT"},
                "defaultBranchRef": {"name": "main"},
                "owner": {"login": "kestrel"},
                "pullRequest": {"title": "Round half to even"},
            },
            "rateLimit": {"cost": 1, "remaining": 4999, "limit": 5000, "nodeCount": 0},
        }
    }
