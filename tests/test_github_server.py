"""The loopback GitHub: it answers like GitHub, and refuses like GitHub."""

import pytest
from github_asking import ask
from github_server import serve_github
from github_world import (
    Actor,
    Commit,
    Issue,
    IssueComment,
    Label,
    PullRequest,
    PullRequestChangedFile,
    Repository,
    World,
    node_id,
    old_node_id,
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
    (asked,) = github.asked
    assert (asked.status, asked.cost, asked.token) == (200, 1, github.token)
    # The pull request, a file, a label and an issue.
    assert (asked.touched, asked.reply.body) == (4, b"")


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


def test_repository_that_was_renamed_is_nowhere_to_who_does_not_follow():
    query = """{ repository(owner: "ada", name: "ledger", followRenames: false) { id } }"""
    with serve_github(World((LEDGER,))) as github:
        (error,) = ask(github, query).json()["errors"]
    assert error == {
        "type": "NOT_FOUND",
        "path": ["repository"],
        "locations": [{"line": 1, "column": 3}],
        "message": "Could not resolve to a Repository with the name 'ada/ledger'.",
    }


@pytest.mark.parametrize("fate", ["deleted", "private"])
def test_what_is_gone_or_private_is_null_with_an_error_and_the_others_are_answered(fate):
    gone = Repository("ada/secret", id=43, fate=fate, pull_requests=(PullRequest(8, id=99),))
    taken = Repository("ada/spam", id=45, pull_requests=(PullRequest(1, id=98, is_deleted=True),))
    ids = [node_id("PullRequest", 43, 99), PULL, node_id("PullRequest", 45, 98), "PR_nonsense"]
    query = "query($ids: [ID!]!) { nodes(ids: $ids) { ... on PullRequest { number } } }"
    with serve_github(World((LEDGER, gone, taken))) as github:
        reply = ask(github, query, ids=ids)
    told = reply.json()
    assert reply.status_code == 200
    assert told["data"]["nodes"] == [None, {"number": 7}, None, None]
    assert [(one["type"], one["path"]) for one in told["errors"]] == [
        ("NOT_FOUND", ["nodes", 0]),
        ("NOT_FOUND", ["nodes", 2]),
        ("NOT_FOUND", ["nodes", 3]),
    ]
    message = "Could not resolve to a node with the global id of 'PR_nonsense'"
    assert told["errors"][2]["message"] == message


def test_organization_may_hide_what_is_its_own_from_a_token():
    hidden = Repository("kestrel/ledger", fate="protected")
    query = "query($ids: [ID!]!) { nodes(ids: $ids) { id } }"
    with serve_github(World((hidden,))) as github:
        (error,) = ask(github, query, ids=[node_id("Repository", 42)]).json()["errors"]
    assert error["type"] == "FORBIDDEN"
    assert error["extensions"] == {"saml_failure": True}


def test_old_node_id_leads_to_the_same_and_is_said_where_it_was_made():
    old = Repository("kestrel/ledger", id=42, has_old_id=True)
    query = "query($id: ID!) { node(id: $id) { __typename id } }"
    with serve_github(World((old,))) as github:
        told = [
            ask(github, query, id=one).json()["data"]["node"]
            for one in (node_id("Repository", 42), old_node_id("Repository", 42))
        ]
    assert told == [{"__typename": "Repository", "id": "MDEwOlJlcG9zaXRvcnk0Mg=="}] * 2


def test_pull_request_whose_node_id_is_another_one_is_found_by_its_number_alone():
    pulls = (PullRequest(7, id=99, node_id="PR_of_another_making"),)
    world = World((Repository("kestrel/ledger", id=42, pull_requests=pulls),))
    query = """query($id: ID!) { node(id: $id) { id }
      repository(owner: "kestrel", name: "ledger") { pullRequest(number: 7) { id } } }"""
    with serve_github(world) as github:
        told = ask(github, query, id=node_id("PullRequest", 42, 99)).json()["data"]
    assert told == {"node": None, "repository": {"pullRequest": {"id": "PR_of_another_making"}}}


def test_pages_lead_through_all_files_and_back():
    files = tuple(PullRequestChangedFile(f"{n}.py") for n in range(250))
    pulls = (PullRequest(7, id=99, files=files),)
    world = World((Repository("kestrel/ledger", id=42, pull_requests=pulls),))
    query = """query($id: ID!, $after: String, $before: String, $first: Int, $last: Int) {
      node(id: $id) { ... on PullRequest { files(first: $first, last: $last, after: $after,
        before: $before) { edges { node { path } } pageInfo { hasNextPage hasPreviousPage
        startCursor endCursor } } } } }"""
    pages = []
    with serve_github(world) as github:

        def page(**places):
            asked = ask(github, query, id=node_id("PullRequest", 42, 99), **places)
            files = asked.json()["data"]["node"]["files"]
            pages.append([edge["node"]["path"] for edge in files["edges"]])
            return files["pageInfo"]

        first = page(first=100)
        second = page(first=100, after=first["endCursor"])
        third = page(first=100, after=second["endCursor"])
        page(last=2, before=third["startCursor"])
    assert [path for page in pages[:3] for path in page] == [file.path for file in files]
    assert pages[3] == ["198.py", "199.py"]
    assert [one["hasNextPage"] for one in (first, second, third)] == [True, True, False]
    assert [one["hasPreviousPage"] for one in (first, second)] == [False, True]


def test_cursor_that_is_none_is_refused():
    query = """query($id: ID!) { node(id: $id) { ... on PullRequest {
      files(first: 1, after: "zero") { totalCount } } } }"""
    with serve_github(World((LEDGER,))) as github:
        (error,) = ask(github, query, id=PULL).json()["errors"]
    assert error["type"] == "INVALID_CURSOR_ARGUMENTS"
    assert error["message"] == "`zero` does not appear to be a valid cursor."


def test_forks_licences_topics_and_languages_are_told_as_the_world_has_them():
    fork = Repository("ada/ledger", id=43, fork_of="kestrel/ledger", licence="NOASSERTION",
                      topics=("money",), languages=(("C", 1), ("Go", 2)))  # fmt: skip
    query = """{ repository(owner: "ada", name: "ledger") { isFork parent { nameWithOwner parent {
      id } } licenseInfo { spdxId key } repositoryTopics(first: 9) { nodes { topic { name } } }
      languages(first: 1, orderBy: {field: SIZE, direction: DESC}) {
        totalSize edges { size node { name } } } } }"""
    with serve_github(World((Repository("kestrel/ledger"), fork))) as github:
        told = ask(github, query).json()["data"]["repository"]
    assert told == {
        "isFork": True,
        "parent": {"nameWithOwner": "kestrel/ledger", "parent": None},
        "licenseInfo": {"spdxId": "NOASSERTION", "key": "other"},
        "repositoryTopics": {"nodes": [{"topic": {"name": "money"}}]},
        "languages": {"totalSize": 3, "edges": [{"size": 2, "node": {"name": "Go"}}]},
    }


@pytest.mark.parametrize("fate", ["deleted", "private"])
def test_fork_outlives_what_it_was_forked_from(fate):
    fork = Repository("ada/ledger", id=43, fork_of="kestrel/ledger")
    query = """{ repository(owner: "ada", name: "ledger") { isFork parent { id } } }"""
    with serve_github(World((Repository("kestrel/ledger", fate=fate), fork))) as github:
        told = ask(github, query).json()
    assert told == {"data": {"repository": {"isFork": True, "parent": None}}}


def test_comments_commits_and_authors_who_left_are_told():
    pull = PullRequest(7, id=99, author=None, comments=(IssueComment("Halves are even."),),
                       commits=(Commit("d" * 40, committed_date="2026-02-27T09:30:00Z"),),
                       closes=(Issue(4, of="ada/secret"), Issue(5, of="ada/other")))  # fmt: skip
    world = World((Repository("kestrel/ledger", pull_requests=(pull,)),
                   Repository("ada/secret", id=43, fate="private"),
                   Repository("ada/other", id=44)))  # fmt: skip
    query = """{ repository(owner: "kestrel", name: "ledger") { pullRequest(number: 7) {
      author { login } comments(first: 5) { nodes { body author { __typename login } } }
      commits(first: 1) { nodes { commit { oid committedDate } } }
      closingIssuesReferences(first: 5) { nodes { number repository { nameWithOwner } } } } } }"""
    with serve_github(world) as github:
        told = ask(github, query).json()["data"]["repository"]["pullRequest"]
    grace = {"__typename": "User", "login": "grace"}
    commit = {"oid": "d" * 40, "committedDate": "2026-02-27T09:30:00Z"}
    assert told == {
        "author": None,
        "comments": {"nodes": [{"body": "Halves are even.", "author": grace}]},
        "commits": {"nodes": [{"commit": commit}]},
        # An issue that the token may not see is left out without a word.
        "closingIssuesReferences": {
            "nodes": [{"number": 5, "repository": {"nameWithOwner": "ada/other"}}]
        },
    }


def test_id_beyond_32_bits_is_told_as_text_alone():
    query = "query($id: ID!) { node(id: $id) { ... on PullRequest { databaseId fullDatabaseId } } }"
    with serve_github(World((LEDGER,))) as github:
        told = ask(github, query, id=PULL).json()
    assert told["data"]["node"] == {"databaseId": None, "fullDatabaseId": "4262949744"}
    assert told["errors"][0]["path"] == ["node", "databaseId"]


def test_field_that_the_loopback_cannot_answer_fails_the_test_that_asked():
    query = "query($id: ID!) { node(id: $id) { ... on PullRequest { reviewDecision } } }"
    told = r"cannot answer PullRequest\.reviewDecision: teach it in tests/github_answers\.py"
    with pytest.raises(AssertionError, match=told), serve_github(World((LEDGER,))) as github:
        ask(github, query, id=PULL)
    assert [one.status for one in github.asked] == [500]


def test_name_that_somebody_took_over_leads_to_who_has_it_now():
    taken = Repository("ada/ledger", id=43)
    query = """{ repository(owner: "ada", name: "ledger") { databaseId } }"""
    with serve_github(World((taken, LEDGER))) as github:
        assert ask(github, query).json() == {"data": {"repository": {"databaseId": 43}}}
