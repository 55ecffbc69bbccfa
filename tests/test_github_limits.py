"""GitHub's limits on loopback: each refuses whoever does not know it, in GitHub's words."""

import pytest
from github_asking import ask, get
from github_costs import Cost
from github_month import Month, pull_node_id
from github_queries import Query
from github_server import published_schema, serve_github
from github_world import PullRequest, PullRequestChangedFile, Repository, World, node_id

FILES = tuple(PullRequestChangedFile(f"{n}.py") for n in range(50))
PULLS = tuple(PullRequest(n, id=n, files=FILES) for n in range(1, 11))
LEDGER = World((Repository("kestrel/ledger", id=42, pull_requests=PULLS),))
IDS = [node_id("PullRequest", 42, pull.id) for pull in PULLS]
NUMBERS = "query($ids: [ID!]!) { nodes(ids: $ids) { ... on PullRequest { number } } }"
PATHS = """query($ids: [ID!]!) { nodes(ids: $ids) {
  ... on PullRequest { number files(first: 100) { nodes { path } } } } }"""
SPENT = "{ rateLimit { used remaining } }"


class Clock:
    """Seconds that pass when a test says so."""

    def __init__(self) -> None:
        self.now = 1_772_000_000.0

    def __call__(self) -> float:
        return self.now


# A query's own bounds


def test_hundred_and_one_ids_are_refused_and_twice_a_hundred_are_not():
    month = Month()
    ids = [pull_node_id(month, n) for n in range(101)]
    twice = "query($ids: [ID!]!) { a: nodes(ids: $ids) { id } b: nodes(ids: $ids) { id } }"
    with serve_github(month) as github:
        refused = ask(github, NUMBERS, ids=ids).json()
        told = ask(github, twice, ids=ids[:99]).json()["data"]
    assert refused["data"] is None
    assert refused["errors"] == [
        {
            "type": "ARGUMENT_LIMIT",
            "path": ["nodes"],
            "locations": [{"line": 1, "column": 23}],
            "message": "You may not provide more than 100 node ids; you provided 101.",
        }
    ]
    assert [len(told["a"]), len(told["b"])] == [99, 99]


UNBOUND = "You must provide a `first` or `last` value to properly paginate the `files`"
TOO_MANY = "Requesting 101 records on the `files` connection exceeds the `first` limit of 100"


@pytest.mark.parametrize(
    ("arguments", "kind", "message"),
    [
        ("", "MISSING_PAGINATION_BOUNDARIES", f"{UNBOUND} connection."),
        ("(first: 101)", "EXCESSIVE_PAGINATION", f"{TOO_MANY} records."),
    ],
)
def test_connection_is_refused_without_bounds_and_beyond_a_hundred(arguments, kind, message):
    query = f"""query($id: ID!) {{ node(id: $id) {{
      ... on PullRequest {{ number files{arguments} {{ nodes {{ path }} }} }} }} }}"""
    with serve_github(LEDGER) as github:
        told = ask(github, query, id=IDS[0]).json()
    (error,) = told["errors"]
    assert (error["type"], error["path"]) == (kind, ["node", "files"])
    assert error["message"] == message
    assert told["data"]["node"] == {"number": 1, "files": None}


def test_connection_that_is_only_counted_needs_no_bounds():
    query = "query($id: ID!) { node(id: $id) { ... on PullRequest { files { totalCount } } } }"
    with serve_github(LEDGER) as github:
        told = ask(github, query, id=IDS[0]).json()
    assert told == {"data": {"node": {"files": {"totalCount": 50}}}}


def test_query_that_could_touch_more_than_half_a_million_nodes_is_not_executed():
    query = """query($ids: [ID!]!) { nodes(ids: $ids) { ... on PullRequest {
      comments(first: 100) { nodes { id } }
      closingIssuesReferences(first: 100) { nodes { comments(first: 100) { nodes { id } } } } } } }
    """
    with serve_github(LEDGER) as github:
        told = ask(github, query, ids=IDS * 10).json()
        left = ask(github, SPENT).headers["x-ratelimit-remaining"]
    message = "This query requests up to 1,020,100 possible nodes which exceeds the maximum limit"
    error = {"type": "MAX_NODE_LIMIT_EXCEEDED", "message": f"{message} of 500,000."}
    assert told == {"errors": [error]}
    assert left == "4999"


# The examples of GitHub's page on rate limits and query limits, with their own figures.


def test_points_are_those_of_the_published_example():
    query = """{ viewer { login repositories(first: 100) { edges { node { id
      issues(first: 50) { edges { node { id labels(first: 60) { edges { node { id name } } } } } }
    } } } } }"""
    assert published_schema().cost(Query(query)).points == 51


def test_nodes_are_those_of_the_published_example():
    query = """{ viewer { repositories(first: 50) { edges { repository: node { name
      pullRequests(first: 20) { edges { pullRequest: node { title
        comments(first: 10) { edges { comment: node { bodyHTML } } } } } }
      issues(first: 20) { totalCount edges { issue: node { title bodyHTML
        comments(first: 10) { edges { comment: node { bodyHTML } } } } } } } } }
      followers(first: 10) { edges { follower: node { login } } } } }"""
    assert published_schema().cost(Query(query)).nodes == 22_060


@pytest.mark.parametrize(("ids", "points"), [(10, 1), (74, 1), (75, 2), (100, 2), (125, 3)])
def test_every_connection_of_every_id_is_a_request_and_halves_round_up(ids, points):
    query = """query($ids: [ID!]!, $most: Int = 100) { nodes(ids: $ids) { ...Lists } }
    fragment Lists on PullRequest { files(first: $most) { nodes { path } } labels(first: 10) {
      nodes { name } } }"""
    cost = published_schema().cost(Query(query, {"ids": ["one"] * ids}))
    assert cost == Cost(points, nodes=ids * (1 + 100 + 10))


def test_field_that_the_schema_has_not_is_an_error_with_status_200_and_no_data():
    with serve_github(LEDGER) as github:
        reply = ask(github, '{ repository(owner: "a", name: "b") { stars } }')
    assert reply.status_code == 200
    assert reply.json() == {
        "errors": [
            {
                "extensions": {
                    "code": "undefinedField",
                    "typeName": "Repository",
                    "fieldName": "stars",
                },
                "locations": [{"line": 1, "column": 39}],
                "message": "Field 'stars' doesn't exist on type 'Repository'",
            }
        ]
    }


# Points


@pytest.mark.parametrize(
    ("form", "status", "told"),
    [
        (
            "RATE_LIMITED",
            200,
            {"type": "RATE_LIMITED", "message": "API rate limit exceeded for user ID 1431904."},
        ),
        (
            "RATE_LIMIT",
            200,
            {
                "type": "RATE_LIMIT",
                "code": "graphql_rate_limit",
                "message": "API rate limit already exceeded for user ID 1431904.",
            },
        ),
        ("403", 403, "API rate limit exceeded for user ID 1431904."),
        ("429", 429, "API rate limit exceeded for user ID 1431904."),
    ],
)
def test_points_run_out_in_every_published_form_and_come_back_after_the_hour(form, status, told):
    clock = Clock()
    with serve_github(LEDGER, points=2, primary=form, clock=clock) as github:
        replies = [ask(github, NUMBERS, ids=IDS) for _ in range(3)]
        clock.now += 3599
        early = ask(github, NUMBERS, ids=IDS)
        clock.now += 1
        later = ask(github, NUMBERS, ids=IDS)
    assert [reply.status_code for reply in replies] == [200, 200, status]
    assert replies[2].json().get("errors", [replies[2].json().get("message")]) == [told]
    assert {
        name: value for name, value in replies[2].headers.items() if name.startswith("x-ratelimit")
    } == {
        "x-ratelimit-limit": "2",
        "x-ratelimit-remaining": "0",
        "x-ratelimit-used": "2",
        "x-ratelimit-reset": "1772003600",
        "x-ratelimit-resource": "graphql",
    }
    assert "data" not in early.json()
    assert len(later.json()["data"]["nodes"]) == 10
    assert [one.kind for one in github.asked] == ["answer"] * 2 + ["primary"] * 2 + ["answer"]


def test_query_that_costs_more_than_is_left_is_refused_and_a_cheaper_one_is_not():
    dear = """query($ids: [ID!]!) { nodes(ids: $ids) { ... on PullRequest {
      files(first: 9) { totalCount } comments(first: 9) { totalCount } } } }"""
    with serve_github(LEDGER, points=3) as github:
        for query in (dear, dear, NUMBERS):
            ask(github, query, ids=IDS * 10)
    assert [(one.cost, one.kind) for one in github.asked] == [
        (2, "answer"),
        (2, "primary"),
        (1, "answer"),
    ]


def test_points_of_rest_are_others_and_run_out_with_a_status():
    with serve_github(LEDGER, points=1) as github:
        ask(github, SPENT)
        replies = [get(github, "/repos/kestrel/ledger") for _ in range(2)]
    assert [reply.status_code for reply in replies] == [200, 403]
    assert replies[1].headers["x-ratelimit-resource"] == "core"
    assert replies[1].headers["x-ratelimit-remaining"] == "0"


def test_tokens_of_one_user_share_their_points_and_those_of_two_do_not():
    for users, last in ((1, "primary"), (2, "answer")):
        with serve_github(LEDGER, tokens=2, users=users, points=1) as github:
            for token in github.tokens:
                ask(github, NUMBERS, token, ids=IDS)
        assert [one.kind for one in github.asked] == ["answer", last]


def test_wrong_token_is_told_so():
    with serve_github(LEDGER) as github:
        reply = ask(github, NUMBERS, "ghp_revoked", ids=IDS)
    assert (reply.status_code, reply.json()["message"]) == (401, "Bad credentials")


# Secondary limits


@pytest.mark.parametrize(("form", "status"), [("403", 403), ("429", 429), ("200", 200)])
def test_more_than_two_thousand_a_minute_are_refused_until_the_wait_is_over(form, status):
    clock = Clock()
    with serve_github(LEDGER, clock=clock, graphql_a_minute=3, secondary=form) as github:
        replies = [ask(github, SPENT) for _ in range(4)]
        for seconds in (59, 2, 60):
            clock.now += seconds
            ask(github, SPENT)
    told = replies[3].json()
    assert (replies[3].status_code, replies[3].headers["retry-after"]) == (status, "60")
    assert told["message"].startswith("You have exceeded a secondary rate limit. Please wait")
    assert told["documentation_url"].endswith("secondary-rate-limits")
    assert ("errors" in told, "data" in told) == (form == "200", False)
    # Asking while told to wait makes the wait longer.
    kinds = ["answer"] * 3 + ["secondary"] * 3 + ["answer"]
    assert [one.kind for one in github.asked] == kinds


def test_requests_of_rest_have_a_minute_of_their_own():
    clock = Clock()
    with serve_github(LEDGER, clock=clock, rest_a_minute=2) as github:
        kinds = [get(github, "/repos/kestrel/ledger").status_code for _ in range(2)]
        ask(github, SPENT)
        kinds.append(get(github, "/repos/kestrel/ledger").status_code)
    assert kinds == [200, 200, 403]
    assert [one.kind for one in github.asked] == ["answer"] * 3 + ["secondary"]


def test_githubs_own_seconds_are_limited_too():
    clock = Clock()
    slow = {"latency": 0.05, "seconds_a_node": 0.01, "busy_seconds_a_minute": 0.2}
    with serve_github(LEDGER, clock=clock, **slow) as github:
        for _ in range(5):
            ask(github, NUMBERS, ids=IDS)
        clock.now += 61
        ask(github, NUMBERS, ids=IDS)
    assert [one.kind for one in github.asked] == ["answer"] * 4 + ["secondary", "answer"]


# What an answer may take


@pytest.mark.parametrize("html", [False, True])
def test_query_of_more_than_ten_seconds_ends_in_502_and_costs_more(html):
    with serve_github(LEDGER, seconds_a_node=0.02, timeout_html=html) as github:
        reply = ask(github, PATHS, ids=IDS)
        used = ask(github, SPENT).json()["data"]["rateLimit"]["used"]
        half = ask(github, PATHS, ids=IDS[:5])
    assert reply.status_code == 502
    assert reply.headers["content-type"].startswith("text/html" if html else "application/json")
    assert ("may be the result of a timeout" in reply.text) is not html
    assert used == 3
    assert half.status_code == 200


def test_resource_limit_leaves_a_part_of_the_answer_with_errors():
    with serve_github(LEDGER, touched=101) as github:
        told = ask(github, PATHS, ids=IDS).json()
    # One for each pull request and fifty for its files.
    assert [one and one["number"] for one in told["data"]["nodes"][:2]] == [1, 2]
    assert told["data"]["nodes"][2:] == [None] * 8
    files = [file for one in told["data"]["nodes"][:2] for file in one["files"]["nodes"]]
    assert (len(files), files.count(None)) == (100, 1)
    assert {one["type"] for one in told["errors"]} == {"RESOURCE_LIMITS_EXCEEDED"}
    assert told["errors"][0]["path"] == ["nodes", 1, "files", "nodes", 49]
    assert {one["message"] for one in told["errors"]} == {
        "Resource limits for this query exceeded."
    }
