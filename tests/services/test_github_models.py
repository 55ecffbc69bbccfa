"""REST's answers as GitHub publishes and as it was recorded to give them."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from github_replies import said
from github_server import serve_github
from github_world import World

from forge.artifacts import Artifacts
from forge.errors import ServiceError
from forge.services.github import GitHub
from forge.services.github_models import FoundCode, Left, MinimalRepository, RateLimits, told
from forge.settings import Settings

ITEM = {
    "path": "tox.ini",
    "repository": {"id": 1, "full_name": "a/b", "private": False, "fork": False, "stars": "many"},
}


@pytest.fixture(scope="module")
def published(shared: Path) -> Path:
    return shared / "data/github"


def read(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def recorded(published: Path) -> list[dict[str, Any]]:
    return read(published / "rename-repository/normalized-fixture.json")


def test_the_published_rate_limits_are_read(published):
    limits = told(RateLimits, read(published / "example_rate-limit-overview.json")).resources
    assert limits.graphql == Left(limit=5000, remaining=4993, reset=1691593228)
    assert limits.code_search == Left(limit=10, remaining=10, reset=1691591091)


@pytest.mark.parametrize("side", ["head", "base"])
def test_the_repositories_of_the_published_pull_request_are_read(published, side):
    repository = read(published / "example_pull-request.json")[side]["repo"]
    assert told(MinimalRepository, repository) == MinimalRepository(
        id=1296269, full_name="octocat/Hello-World", private=False, fork=False
    )


def test_recorded_repositories_are_read(recorded):
    answers = [one["response"] for one in recorded if one["status"] == 200]
    names = {told(MinimalRepository, answer).full_name for answer in answers}
    assert names == {"octokit-fixture-org/rename-repository-newname"}


def test_a_recorded_rename_is_followed_by_its_recorded_address(recorded, tmp_path):
    gets = [one for one in recorded if one["method"] == "get"]
    with serve_github(World(())) as loopback:
        for one in gets:
            place = (
                one["headers"].get("location", "").replace("https://api.github.com", loopback.url)
            )
            location = {"location": place} if place else {}
            loopback.first.append(said(one["status"], one["response"], **location))
        settings = Settings(memo=tmp_path, github_url=loopback.url, github_tokens=loopback.token)

        async def once() -> Any:
            async with GitHub.open(settings, Artifacts(tmp_path)) as github:
                return await github.rest.get(gets[0]["path"])

        page = asyncio.run(once())
    assert page.content == gets[1]["response"]
    assert [one.path for one in loopback.asked] == [gets[0]["path"], "/repositories/1000"]


def test_what_is_not_used_may_be_anything_and_what_is_used_may_not():
    found = {"total_count": 1, "incomplete_results": False, "items": [ITEM]}
    assert told(FoundCode, found).items[0].repository.full_name == "a/b"
    with pytest.raises(ServiceError, match=r"items\.0\.repository\.id: "):
        told(
            FoundCode, found | {"items": [{**ITEM, "repository": ITEM["repository"] | {"id": "1"}}]}
        )
