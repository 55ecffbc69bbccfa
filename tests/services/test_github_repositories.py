"""Repositories as the service tells them, by a loopback GitHub."""

import asyncio
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import stamina
from github_replies import bad_gateway, primary, secondary
from github_server import GitHub as Loopback
from github_server import published_schema, serve_github
from github_world import Repository, World

from forge.artifacts import Artifacts
from forge.errors import InputError, ServiceError
from forge.services import github_batches
from forge.services.github import GitHub
from forge.services.github_documents import by_names, by_nodes, repository_node
from forge.settings import Settings

TOOL = Repository(
    "ada/tool",
    42,
    former=("bob/old-tool",),
    stars=17,
    licence="Apache-2.0",
    is_archived=True,
    default_branch="trunk",
    languages=(("Go", 1000), ("C", 2)),
)


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch):
    monkeypatch.setattr(github_batches, "PAUSE", 0.001)


def ask(loopback: Loopback, *questions: tuple[int, str], tokens: str | None = None) -> list[Any]:
    """What the service answers to many questions at once."""
    settings = Settings(github_url=loopback.url, github_tokens=tokens or " ".join(loopback.tokens))

    async def all_of_them() -> list[Any]:
        async with GitHub.open(settings, Artifacts(Path())) as github:
            asking = [github.repository(*question) for question in questions]
            return await asyncio.gather(*asking, return_exceptions=True)

    return asyncio.run(all_of_them())


def many(count: int) -> World:
    return World(tuple(Repository(f"ann/r{n}", 1000 + n, stars=n) for n in range(count)))


def test_a_repository_is_told_by_its_id_under_its_name_of_now():
    with serve_github(World((TOOL,))) as loopback:
        assert ask(loopback, (42, "bob/old-tool")) == [
            {
                "canonical": "ada/tool",
                "fork_root_id": 42,
                "stars": 17,
                "is_archived": True,
                "is_disabled": False,
                "default_branch": "trunk",
                "licence": "Apache-2.0",
                "created_at": datetime(2020, 1, 1),
                "pushed_at": datetime(2026, 3, 1, 5, 10),
                "primary_language": "Go",
            }
        ]


def test_what_github_does_not_know_is_null():
    bare = Repository(
        "ada/bare", 1, licence=None, default_branch=None, pushed_at=None, languages=()
    )
    unsure = Repository("ada/unsure", 2, licence="NOASSERTION")
    with serve_github(World((bare, unsure))) as loopback:
        found, other = ask(loopback, (1, "ada/bare"), (2, "ada/unsure"))
    names = ("licence", "default_branch", "pushed_at", "primary_language")
    assert [found[name] for name in names] == [None] * 4
    assert other["licence"] is None


def test_a_thousand_repositories_are_two_calls():
    with serve_github(many(1_000)) as loopback:
        answers = ask(loopback, *[(1000 + n, f"ann/r{n}") for n in range(1_000)])
    assert [answer["stars"] for answer in answers] == list(range(1_000))
    assert [asked.cost for asked in loopback.asked] == [1, 1]


def test_deleted_private_and_replaced_are_answers():
    world = World(
        (
            Repository("ann/deleted", 1, fate="deleted"),
            Repository("ann/private", 2, fate="private"),
            Repository("ann/protected", 3, fate="protected"),
            Repository("ann/taken", 9),
        )
    )
    questions = [(1, "ann/deleted"), (2, "ann/private"), (3, "ann/protected"), (4, "ann/taken")]
    with serve_github(world) as loopback:
        answers = ask(loopback, *questions)
    assert [(answer.kind, answer.reason) for answer in answers] == [
        ("data", "repository_gone"),
        ("data", "repository_gone"),
        ("data", "repository_refused"),
        ("data", "repository_replaced"),
    ]
    assert len(loopback.asked) == 2, "by their ids, then by their names"


def test_a_repository_without_an_id_is_asked_by_its_name():
    with serve_github(World((TOOL,))) as loopback:
        (found,) = ask(loopback, (-7, "bob/old-tool"))
    assert (found["canonical"], found["fork_root_id"]) == ("ada/tool", 42)


def test_the_root_of_forks_is_found_however_deep_it_lies():
    forks = [Repository(f"f{n}/tool", 100 + n, fork_of=f"f{n - 1}/tool") for n in range(1, 9)]
    world = World((Repository("f0/tool", 100), *forks))
    with serve_github(world) as loopback:
        deep, first, root = ask(loopback, (108, "f8/tool"), (101, "f1/tool"), (100, "f0/tool"))
    assert [found["fork_root_id"] for found in (deep, first, root)] == [100] * 3


def test_a_fork_of_what_is_gone_is_a_root():
    world = World(
        (Repository("a/tool", 1, fate="deleted"), Repository("b/tool", 2, fork_of="a/tool"))
    )
    with serve_github(world) as loopback:
        (found,) = ask(loopback, (2, "b/tool"))
    assert found["fork_root_id"] == 2


def test_a_fork_of_what_has_no_id_is_a_root():
    world = World((Repository("a/tool", None), Repository("b/tool", 2, fork_of="a/tool")))
    with serve_github(world) as loopback:
        (found,) = ask(loopback, (2, "b/tool"))
    assert found["fork_root_id"] == 2


@pytest.mark.parametrize("repository_id", [-7, 42])
def test_a_repository_whose_id_is_not_told_is_not_called_another_one(repository_id):
    with serve_github(World((Repository("ada/tool", None),))) as loopback:
        (found,) = ask(loopback, (repository_id, "ada/tool"))
    assert (found.kind, found.reason) == ("data", "repository_unidentified")


def test_calls_that_are_too_much_are_asked_again_by_halves():
    # GitHub cuts what touches more than 150 nodes.
    with serve_github(many(600), touched=150) as loopback:
        answers = ask(loopback, *[(1000 + n, f"ann/r{n}") for n in range(600)])
    assert [answer["stars"] for answer in answers] == list(range(600))


@pytest.mark.parametrize("status", [502, 503, 504])
def test_a_gateway_that_fails_for_a_while_costs_nothing_but_time(status):
    with serve_github(many(10), first=[bad_gateway(status)] * 3) as loopback:
        answers = ask(loopback, *[(1000 + n, f"ann/r{n}") for n in range(10)])
    assert [answer["stars"] for answer in answers] == list(range(10))


def test_a_gateway_that_fails_on_is_an_outage_told_by_few_calls():
    with serve_github(many(600), first=[bad_gateway()] * 9_999) as loopback:
        answers = ask(loopback, *[(1000 + n, f"ann/r{n}") for n in range(600)])
    assert {type(answer) for answer in answers} == {ServiceError}
    assert len(loopback.asked) < 20


@pytest.mark.parametrize("form", ["RATE_LIMITED", "RATE_LIMIT", "403", "429"])
def test_a_limit_of_one_token_is_met_by_another(form):
    with serve_github(many(1), tokens=2, first=[primary(form, 1)]) as loopback:
        (answer,) = ask(loopback, (1000, "ann/r0"))
    assert answer["stars"] == 0
    assert len({asked.token for asked in loopback.asked}) == 2


@pytest.mark.parametrize("form", ["403", "429", "200"])
def test_a_secondary_limit_is_waited_for(form):
    with serve_github(many(1), first=[secondary(form, 1)]) as loopback:
        (answer,) = ask(loopback, (1000, "ann/r0"))
    assert answer["stars"] == 0
    assert [asked.kind for asked in loopback.asked] == ["secondary", "answer"]


def test_a_token_that_is_spent_is_left_alone_until_its_points_return():
    with serve_github(many(1_500), points=1, hour=2, users=2, tokens=2) as loopback:
        answers = ask(loopback, *[(1000 + n, f"ann/r{n}") for n in range(1_500)])
    assert [answer["stars"] for answer in answers] == list(range(1_500))
    assert {asked.kind for asked in loopback.asked[2:]} <= {"answer", "primary"}


def test_a_wrong_token_is_named_by_its_place_and_setting_alone():
    with serve_github(many(1)) as loopback:
        (error,) = ask(loopback, (1000, "ann/r0"), tokens="ghp_PLANTED11mn")
    assert isinstance(error, InputError)
    assert "token 1 of 1 of FORGE_GITHUB_TOKENS" in str(error)
    assert "PLANTED" not in str(error) + repr(error.__context__) + repr(error.__cause__)


def test_a_server_that_is_not_there_is_an_outage():
    with serve_github(many(1)) as loopback:
        url = loopback.url
    with stamina.set_testing(testing=True, attempts=2):
        gone = Loopback(many(1), published_schema(), loopback.limits, loopback.users, url=url)
        (error,) = ask(gone, (1000, "ann/r0"))
    assert isinstance(error, ServiceError)


def test_every_call_says_its_version_and_who_asks():
    with serve_github(many(1)) as loopback:
        ask(loopback, (1000, "ann/r0"))
    headers = loopback.asked[0].headers
    assert headers["x-github-api-version"] == "2022-11-28"
    assert headers["user-agent"] == "sweforge"


def test_enterprise_is_asked_beside_its_rest_api():
    with serve_github(many(1)) as loopback:
        settings = Settings(github_url=f"{loopback.url}/api/v3", github_tokens=loopback.token)

        async def one() -> Any:
            async with GitHub.open(settings, Artifacts(Path())) as github:
                return await github.repository(1000, "ann/r0")

        assert asyncio.run(one())["stars"] == 0
    assert loopback.asked[0].path == "/api/graphql"


def contents(loopback: Loopback, *questions: tuple[int, str]) -> list[Any]:
    """What the service answers to many questions for languages at once."""
    settings = Settings(github_url=loopback.url, github_tokens=" ".join(loopback.tokens))

    async def all_of_them() -> list[Any]:
        async with GitHub.open(settings, Artifacts(Path())) as github:
            return await asyncio.gather(*[github.contents(*question) for question in questions])

    return asyncio.run(all_of_them())


def test_languages_are_told_by_bytes_the_most_first_and_a_hundred_at_most():
    many_of_them = tuple((f"L{n}", n) for n in range(1, 121))
    world = World(
        (
            Repository("a/one", 1, languages=(("C", 2), ("Go", 9)), topics=("cli",)),
            Repository("a/many", 2, languages=many_of_them),
            Repository("a/none", 3, languages=()),
        )
    )
    with serve_github(world) as loopback:
        one, most, none = contents(loopback, (1, "a/one"), (2, "a/many"), (-7, "a/none"))
    go, c = {"name": "Go", "bytes": 9}, {"name": "C", "bytes": 2}
    assert one == {"languages": [go, c], "topics": ["cli"]}
    assert [language["bytes"] for language in most["languages"]] == [*range(120, 20, -1)]
    assert none == {"languages": [], "topics": []}


def test_languages_of_who_is_gone_or_another_are_answers_too():
    world = World((Repository("a/gone", 1, fate="deleted"), Repository("a/taken", 9)))
    with serve_github(world) as loopback:
        answers = contents(loopback, (1, "a/gone"), (2, "a/taken"))
    assert [answer.reason for answer in answers] == ["repository_gone", "repository_replaced"]


def test_languages_of_thirty_thousand_repositories_cost_less_than_450_points():
    with serve_github(many(700)) as loopback:
        answers = contents(loopback, *[(1000 + n, f"ann/r{n}") for n in range(700)])
    assert len(answers) == 700
    costs = [asked.cost for asked in loopback.asked]
    assert costs == [1] * 10
    assert sum(costs) * 30_000 / 700 <= 450


def test_documents_are_of_the_published_schema():
    nodes = by_nodes("Repository", [repository_node(n) for n in range(1, 501)])
    names = by_names("Repository", ["a/b"] * 100)
    contents = [
        by_nodes("RepositoryLanguages", [repository_node(n) for n in range(1, 71)]),
        by_names("RepositoryLanguages", ["a/b"] * 70),
    ]
    schema = published_schema()
    assert [document.points for document in contents] == [1, 1]
    found = [schema.read(document.query).errors for document in (nodes, names, *contents)]
    assert found == [[]] * 4
