"""What else goes wrong on the way to GitHub, its REST, and the client that knows nothing of it."""

import json
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from github_apart import apart
from github_asking import ask, get
from github_month import FIRST_REPOSITORY, Month, pull_node_id
from github_replies import bad_gateway, dropped, malformed, secondary, stalled
from github_server import serve_github
from github_world import Repository, World, node_id

MONTH = Month()
TITLES = "query($ids: [ID!]!) { nodes(ids: $ids) { ... on PullRequest { title } } }"
IDS = [pull_node_id(MONTH, number) for number in range(200)]
LEDGER = World((Repository("kestrel/ledger", id=42, former=("ada/ledger",), stars=7),))
NAME = '{ repository(owner: "kestrel", name: "ledger") { nameWithOwner } }'


def naive(github, ids, *, at_once):
    # It knows GraphQL and nothing of GitHub: no bounds, no limits, no errors, no waiting.
    with httpx.Client(
        headers={"authorization": f"bearer {github.token}"},
        limits=httpx.Limits(max_connections=None),
        timeout=60,
    ) as client:

        def titles(some):
            body = {"query": TITLES, "variables": {"ids": some}}
            told = client.post(f"{github.url}/graphql", json=body).json()
            return [node["title"] for node in told["data"]["nodes"]]

        with ThreadPoolExecutor(at_once) as pool:
            asked = [pool.submit(titles, some) for some in ids]
        return [one.exception() for one in asked]


# The client that knows nothing


def test_naive_client_fails_on_a_hundred_and_one_ids():
    with serve_github(MONTH) as github:
        failures = naive(github, [IDS[:99], IDS[:101]], at_once=1)
    assert [type(failure) for failure in failures] == [type(None), TypeError]
    (error,) = github.asked[1].errors
    assert error["message"] == "You may not provide more than 100 node ids; you provided 101."


def test_naive_client_fails_on_a_pull_request_that_is_gone():
    with serve_github(MONTH) as github:
        failures = naive(github, [IDS[:100]], at_once=1)
    assert [type(failure) for failure in failures] == [TypeError]
    (error,) = github.asked[0].errors
    assert (error["type"], error["path"]) == ("NOT_FOUND", ["nodes", 99])


def test_naive_client_fails_with_two_hundred_at_once():
    with serve_github(MONTH, latency=2) as github:
        failures = naive(github, [[one] for one in IDS[:99] * 3][:200], at_once=200)
    assert sum(failure is None for failure in failures) == 100
    assert Counter(one.kind for one in github.asked) == {"answer": 100, "secondary": 100}
    refused = [json.loads(one.reply.body) for one in github.asked if one.kind == "secondary"]
    assert {one["message"][:44] for one in refused} == {
        "You have exceeded a secondary rate limit. Pl"
    }


def test_naive_client_fails_when_its_points_are_spent():
    with serve_github(MONTH, points=3) as github:
        failures = naive(github, [[one] for one in IDS[:9]], at_once=1)
    assert [failure is None for failure in failures] == [True] * 3 + [False] * 6
    assert github.asked[3].reply.headers["x-ratelimit-remaining"] == "0"


def test_client_that_does_not_say_who_it_is_is_refused():
    with serve_github(LEDGER) as github, httpx.Client() as client:
        del client.headers["user-agent"]
        reply = client.post(f"{github.url}/graphql", json={"query": NAME})
    assert reply.status_code == 403
    assert "User-Agent" in reply.json()["message"]


# Planted failures


def test_planted_replies_come_first_and_in_order():
    planted = [bad_gateway(), bad_gateway(504), None, secondary("429", retry_after=None)]
    with serve_github(LEDGER, first=planted) as github:
        replies = [ask(github, NAME) for _ in range(5)]
    assert [reply.status_code for reply in replies] == [502, 504, 200, 429, 200]
    assert "<center><h1>504 Gateway Time-out</h1></center>" in replies[1].text
    assert "retry-after" not in replies[3].headers
    assert [reply.headers["x-ratelimit-used"] for reply in replies] == ["0", "0", "1", "1", "2"]


def test_planted_header_stands_above_the_true_one():
    planted = secondary("403")._replace(headers={"retry-after": "soon", "x-ratelimit-reset": ""})
    with serve_github(LEDGER, first=[planted]) as github:
        headers = ask(github, NAME).headers
    assert (headers["retry-after"], headers["x-ratelimit-reset"]) == ("soon", "")


def test_malformed_answer_is_no_json():
    with serve_github(LEDGER, first=[malformed()]) as github, pytest.raises(json.JSONDecodeError):
        ask(github, NAME).json()


def test_stalled_answer_never_ends():
    with serve_github(LEDGER, first=[stalled()]) as github, httpx.Client(timeout=0.3) as client:
        client.headers["authorization"] = f"bearer {github.token}"
        with pytest.raises(httpx.ReadTimeout):
            client.post(f"{github.url}/graphql", json={"query": NAME})


def test_dropped_connection_says_nothing():
    with (
        serve_github(LEDGER, first=[dropped()]) as github,
        pytest.raises(httpx.RemoteProtocolError, match="without sending a response"),
    ):
        ask(github, NAME)


def test_node_may_be_null_for_a_reason_that_passes():
    with serve_github(MONTH, passing={IDS[1]: 2}) as github:
        told = [ask(github, TITLES, ids=IDS[:2]).json() for _ in range(3)]
    assert [one["data"]["nodes"][1] is None for one in told] == [True, True, False]
    (error,) = told[0]["errors"]
    assert (error["path"], "type" in error) == (["nodes", 1], False)
    assert error["message"].startswith("Something went wrong while executing your query.")


def test_answers_take_as_long_as_stated_and_side_by_side():
    with serve_github(MONTH, latency=0.5) as github:
        failures = naive(github, [[one] for one in IDS[:20]], at_once=20)
    assert failures == [None] * 20
    assert github.limits.most_at_once > 10


@pytest.mark.parametrize("body", [b"{", b"[]", b'{"query": 7}'])
def test_body_that_is_no_query_is_refused(body):
    with serve_github(LEDGER) as github:
        headers = {"authorization": f"bearer {github.token}"}
        told = httpx.post(f"{github.url}/graphql", content=body, headers=headers).json()
    assert "data" not in told
    assert github.asked[0].kind == "invalid"


def test_query_without_its_variables_is_refused():
    with serve_github(MONTH) as github:
        told = ask(github, TITLES).json()
    assert list(told) == ["errors"]
    assert "$ids" in told["errors"][0]["message"]


# REST


def test_enterprise_paths_lead_to_the_same():
    with serve_github(LEDGER) as github:
        repository = get(github, "/api/v3/repos/kestrel/ledger").json()
        github.url += "/api"
        told = ask(github, NAME).json()
    assert repository["full_name"] == told["data"]["repository"]["nameWithOwner"]


def test_former_name_moved_for_good_to_the_id():
    with serve_github(LEDGER) as github:
        moved = get(github, "/repos/ada/ledger")
        there = get(github, moved.headers["location"].removeprefix(github.url))
    assert moved.status_code == 301
    assert moved.json()["message"] == "Moved Permanently"
    assert moved.headers["location"] == f"{github.url}/repositories/42"
    assert (there.json()["full_name"], there.json()["stargazers_count"]) == ("kestrel/ledger", 7)


def test_repository_that_did_not_change_costs_nothing_to_ask_again():
    with serve_github(LEDGER) as github:
        first = get(github, "/repos/kestrel/ledger")
        again = get(github, "/repos/kestrel/ledger", if_none_match=first.headers["etag"])
        other = get(github, "/repos/kestrel/ledger", if_none_match='W/"another"')
    assert [reply.status_code for reply in (first, again, other)] == [200, 304, 200]
    assert [reply.headers["x-ratelimit-used"] for reply in (first, again, other)] == ["1", "1", "2"]
    assert again.content == b""


def test_repository_that_is_gone_is_not_found():
    gone = World((Repository("kestrel/ledger", fate="deleted"),))
    with serve_github(gone) as github:
        replies = [get(github, f"/repos/{name}") for name in ("kestrel/ledger", "ada/nothing")]
    assert [reply.status_code for reply in replies] == [404, 404]
    assert replies[0].json()["message"] == "Not Found"


def test_rate_limit_is_told_in_the_published_shape_and_free(shared):
    published = json.loads((shared / "data/github/example_rate-limit-overview.json").read_text())
    with serve_github(LEDGER) as github:
        ask(github, NAME)
        told = [get(github, "/rate_limit").json() for _ in range(2)][1]
    assert {name: set(one) for name, one in told["resources"].items()} == {
        name: set(published["resources"][name])
        for name in ("graphql", "core", "search", "code_search")
    }
    assert {name: told["resources"][name]["limit"] for name in ("search", "code_search")} == {
        name: published["resources"][name]["limit"] for name in ("search", "code_search")
    }
    assert [told["resources"][name]["used"] for name in ("graphql", "core")] == [1, 0]
    assert set(told["rate"]) == set(published["rate"])


# A month


def test_month_answers_what_its_numbers_derive():
    query = """query($ids: [ID!]!) { nodes(ids: $ids) { ... on PullRequest { number
      fullDatabaseId repository { databaseId nameWithOwner } } } }"""
    with serve_github(MONTH) as github:
        (told,) = ask(github, query, ids=[pull_node_id(MONTH, 99_998)]).json()["data"]["nodes"]
        owner, name = told["repository"]["nameWithOwner"].split("/")
        by_number = f"""{{ repository(owner: "{owner}", name: "{name}") {{
          pullRequest(number: {told["number"]}) {{ fullDatabaseId }} }} }}"""
        named = ask(github, by_number).json()["data"]["repository"]["pullRequest"]
    assert told["repository"]["databaseId"] == FIRST_REPOSITORY + 9_998
    assert named == {"fullDatabaseId": told["fullDatabaseId"]}


@pytest.mark.parametrize(
    "wrong",
    [
        pull_node_id(Month(pull_requests=200_000), 100_000),
        node_id("Repository", FIRST_REPOSITORY + 30_000),
        "R_" + IDS[0][3:],
        "PR_x",
    ],
)
def test_month_knows_no_other_node(wrong):
    assert MONTH.node(wrong) is None


@pytest.mark.parametrize("wrong", ["owner-0/project-30000", "owner-1/project-0", "ada/ledger"])
def test_month_knows_no_other_name(wrong):
    assert MONTH.named(wrong) is None


def test_month_in_a_process_of_its_own_counts_what_it_was_asked():
    with apart(Month(10, 40), seconds_a_node=3) as github:
        for some in (IDS[:3], IDS[2:5], IDS[:9]):
            ask(github, TITLES, ids=some)
    assert github.totals == {
        "calls": 3,
        "points": 2,
        "kinds": {"answer": 2, "timeout": 1},
        "most_at_once": 1,
        "ids_answered": 5,
        "ids_answered_twice": 1,
    }
