"""`forge doctor` asks GitHub what its tokens have left."""

import json
import os
import subprocess
import sys

import pytest
from archives import Answer, serve
from github_server import GitHub as Loopback
from github_server import serve_github
from github_world import Repository, World

from forge.doctor import CHECKS, examine
from forge.doctor.findings import Finding
from forge.settings import Settings

NOON = 1_772_366_400.0
"""12:00 UTC on 2026-03-01."""
WORLD = World((Repository("ann/tool", 1),))
DISABLED = b'{"message": "Rate limiting is not enabled.", "documentation_url": "https://docs"}'


def found(address: str, *tokens: str) -> list[Finding]:
    settings = Settings(github_url=address, github_tokens=" ".join(tokens))
    return examine(settings, {"github": CHECKS["github"]})


def spend(loopback: Loopback, token: str, points: int) -> None:
    user = loopback.users[token]
    loopback.limits.hour(user, "graphql")
    loopback.limits.charge(user, "graphql", points)


def test_without_a_token_it_says_what_is_used_instead_and_how_to_set_one():
    (one,) = found("http://127.0.0.1:1")
    assert (one.subject, one.state, one.found) == (
        "github",
        "ok",
        "no token is set: --enrich git is used",
    )
    assert "FORGE_GITHUB_TOKENS" in (one.remedy or "")


def test_each_token_is_told_by_its_place_with_what_is_left_of_each_limit_and_until_when():
    with serve_github(WORLD, tokens=2, clock=lambda: NOON) as loopback:
        spend(loopback, loopback.tokens[1], 1_234)
        first, second = found(loopback.url, *loopback.tokens)
        spent = [hour.used for user in loopback.users.values() for hour in user.hours.values()]
    rest = (
        "5,000 of 5,000 requests of REST until 13:00 UTC, 30 of 30 searches until 12:01 UTC, "
        "10 of 10 searches for code until 12:01 UTC"
    )
    assert [(one.subject, one.state, one.found) for one in (first, second)] == [
        ("github/1", "ok", f"5,000 of 5,000 points of GraphQL until 13:00 UTC, {rest}"),
        ("github/2", "ok", f"3,766 of 5,000 points of GraphQL until 13:00 UTC, {rest}"),
    ]
    assert sum(spent) == 1_234 + 2, "but for one request of each, that tells whose it is"


def test_a_token_that_is_spent_is_a_warning():
    with serve_github(WORLD) as loopback:
        spend(loopback, loopback.token, 5_000)
        (one,) = found(loopback.url, loopback.token)
    assert (one.state, one.found.split(" until")[0]) == (
        "warning",
        "0 of 5,000 points of GraphQL",
    )


@pytest.mark.parametrize(("users", "said"), [(3, []), (1, ["1, 2, 3"]), (2, ["1, 3"])])
def test_tokens_of_one_user_are_told_apart_from_those_of_others(users, said):
    with serve_github(WORLD, tokens=3, users=users) as loopback:
        told = found(loopback.url, *loopback.tokens)[3:]
    assert [one.found for one in told] == [
        f"tokens {numbers} are of one user, whose limits they share" for numbers in said
    ]


def test_a_wrong_token_is_missing_and_the_others_are_told():
    with serve_github(WORLD) as loopback:
        first, second = found(loopback.url, "ghp_PLANTED11mn", loopback.token)
    assert (first.subject, first.state, first.exit_code, second.state) == (
        "github/1",
        "missing",
        3,
        "ok",
    )
    assert "PLANTED" not in repr(first)


@pytest.mark.parametrize("tokens", [["ghp_a"], ["ghp_a", "ghp_b", "ghp_c"]])
def test_a_server_that_is_not_there_is_missing_once(tokens):
    (one,) = found("http://127.0.0.1:1", *tokens)
    assert (one.subject, one.state, one.exit_code) == ("github", "missing", 4)
    assert one.found.startswith("http://127.0.0.1:1 does not answer: ")
    assert "--enrich git" in (one.remedy or "")


def test_an_enterprise_server_without_limits_is_well():
    with serve(first=[Answer(404, DISABLED)]) as server:
        (one,) = found(server.url, "ghp_a")
    assert (one.state, one.found) == ("ok", f"{server.url} answers, and counts no requests")
    assert "administrator" in (one.remedy or "")


@pytest.mark.parametrize(
    ("answer", "code", "said"),
    [
        (Answer(404, b'{"message": "Not Found"}'), 3, "is no API of GitHub"),
        (Answer(200, b'{"resources": {}}'), 4, "GitHub answers something else than expected"),
        (Answer(200, b"<html>Log in</html>"), 4, "does not answer: an answer that is no JSON"),
        (Answer(301, headers={"Location": "http://127.0.0.1:1/"}), 3, "is no API of GitHub"),
        (Answer(502), 4, "does not answer: status 502"),
    ],
)
def test_a_server_that_is_something_else_is_missing(answer, code, said):
    with serve(first=[answer]) as server:
        (one,) = found(server.url, "ghp_a")
    assert (one.state, one.exit_code) == ("missing", code)
    assert said in one.found
    assert one.remedy


def test_scripts_get_what_is_left_and_no_token(tmp_path):
    with serve_github(WORLD) as loopback:
        given = {
            "FORGE_GITHUB_URL": loopback.url,
            "FORGE_GITHUB_TOKENS": f"{loopback.token} ghp_PLANTED11mn",
            "FORGE_GIT_URL": str(tmp_path),
            "FORGE_ARCHIVE_URL": "http://127.0.0.1:1",
            "DOCKER_HOST": "unix:///no/engine",
        }
        done = subprocess.run(
            [sys.executable, "-m", "forge", "doctor", "--json"],
            cwd=tmp_path,
            env=os.environ | given,
            capture_output=True,
            text=True,
            check=False,
        )
    told = {one["subject"]: one for one in json.loads(done.stdout)["findings"]}
    assert told["github/1"]["found"].startswith("5,000 of 5,000 points of GraphQL until ")
    assert (told["github/2"]["state"], told["github/2"]["exit_code"]) == ("missing", 3)
    assert not [word for word in (loopback.token, "PLANTED") if word in done.stdout + done.stderr]


def test_a_proxy_that_cannot_be_used_is_named_without_its_login(monkeypatch):
    monkeypatch.setenv("https_proxy", "http://ada:secret@127.0.0.1:1")
    (one,) = found("https://github.example", "ghp_a")
    assert (one.state, one.exit_code, "secret" in repr(one)) == ("missing", 4, False)
