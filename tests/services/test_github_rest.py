"""GitHub's REST as the service asks it, by a loopback GitHub."""

import asyncio
import os
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from github_replies import Reply, bad_gateway, malformed, primary, said, secondary
from github_server import GitHub as Loopback
from github_server import serve_github
from github_world import Repository, World

from forge.artifacts import Artifacts
from forge.errors import InputError, ServiceError
from forge.leftovers import drafts
from forge.processes import process_label
from forge.services.github import GitHub
from forge.services.github_answers import RefusedError
from forge.services.github_rest import Rest
from forge.settings import Settings

TOOL = Repository("ada/tool", 42, former=("bob/old-tool",), stars=17)
WORLD = World((TOOL,))
MANY = World(tuple(Repository(f"a/r{n}", n, code=(("tox.ini", n),)) for n in range(1, 251)))
CODE = {"q": "filename:tox.ini", "per_page": 100}


def asked(
    loopback: Loopback, memo: Path, ask: Callable[[Rest], Awaitable[Any]], **settings: Any
) -> Any:
    """What comes of asking the REST of a server with its tokens."""
    given = {"github_url": loopback.url, "github_tokens": " ".join(loopback.tokens)} | settings

    async def once() -> Any:
        async with GitHub.open(Settings(memo=memo, **given), Artifacts(memo)) as github:
            return await ask(github.rest)

    return asyncio.run(once())


def tool(rest: Rest) -> Awaitable[Any]:
    return rest.get("/repos/ada/tool")


def elsewhere(url: str) -> Reply:
    return said(302, {"message": "Found"}, location=url)


def test_a_path_is_answered_under_the_pinned_version(tmp_path):
    with serve_github(WORLD) as loopback:
        page = asked(loopback, tmp_path, tool)
    assert (page.content["id"], page.content["stargazers_count"], page.next) == (42, 17, None)
    assert loopback.asked[0].headers["x-github-api-version"] == "2022-11-28"


def test_what_did_not_change_is_told_again_without_a_point(tmp_path):
    with serve_github(WORLD) as loopback:
        answers = [asked(loopback, tmp_path, tool).content for _ in range(3)]
        core = loopback.limits.hour(loopback.users[loopback.token], "core")
    assert answers[0] == answers[1] == answers[2]
    assert ([one.status for one in loopback.asked], core.used) == ([200, 304, 304], 1)


def test_what_changed_is_told_anew(tmp_path):
    with serve_github(WORLD) as loopback:
        asked(loopback, tmp_path, tool)
        loopback.world = World((Repository("ada/tool", 42, stars=18),))
        changed, again = (asked(loopback, tmp_path, tool).content for _ in range(2))
    assert (changed["stargazers_count"], again["stargazers_count"]) == (18, 18)
    assert [one.status for one in loopback.asked] == [200, 200, 304]


@pytest.mark.parametrize("broken", [b"", b"\x83\xa4etag", b"\xc0", b'\x83\xa4etag\xa3"x"'])
def test_a_held_answer_that_is_broken_is_asked_again(tmp_path, broken):
    with serve_github(WORLD) as loopback:
        first = asked(loopback, tmp_path, tool)
        (held,) = (tmp_path / "conditional").iterdir()
        held.write_bytes(broken)
        assert asked(loopback, tmp_path, tool) == first
    assert [one.status for one in loopback.asked] == [200, 200]


@pytest.mark.parametrize("wrong", [{"body": b"hal"}, {"etag": "a\r\nb: c"}, {"etag": "\u0663"}])
def test_a_held_answer_that_says_what_none_can_is_asked_again(tmp_path, wrong):
    with serve_github(WORLD) as loopback:
        first = asked(loopback, tmp_path, tool)
        (held,) = (tmp_path / "conditional").iterdir()
        known = msgspec.msgpack.decode(held.read_bytes())
        held.write_bytes(msgspec.msgpack.encode(known | wrong))
        assert asked(loopback, tmp_path, tool) == first
    assert [one.status for one in loopback.asked] == [200, 200]


def test_a_held_answer_has_no_token_and_no_header_but_its_tag(tmp_path):
    with serve_github(WORLD) as loopback:
        asked(loopback, tmp_path, tool)
    (held,) = (tmp_path / "conditional").iterdir()
    content = held.read_bytes()
    assert b"ada/tool" in content
    assert not [word for word in (b"ghp_", b"ratelimit", b"Bearer") if word in content]


def test_what_a_killed_process_left_half_written_is_cleaned_with_the_rest_of_the_memo(tmp_path):
    half = tmp_path / "conditional" / f"draft-{process_label().replace(':', '~')}0~half"
    half.parent.mkdir()
    half.write_bytes(b"half")
    os.utime(half, (0, 0))
    left = [one.name for one in drafts(Settings(root=tmp_path / "root", memo=tmp_path), before=1)]
    assert left == [str(half)]
    with serve_github(WORLD) as loopback:
        asked(loopback, tmp_path, tool)
    assert not half.exists()


def test_a_renamed_repository_is_followed_on_the_same_server(tmp_path):
    with serve_github(WORLD) as loopback:
        page = asked(loopback, tmp_path, lambda rest: rest.get("/repos/bob/old-tool"))
    assert page.content["full_name"] == "ada/tool"
    assert [one.path for one in loopback.asked] == ["/repos/bob/old-tool", "/repositories/42"]


def test_no_redirect_takes_a_token_to_another_server(tmp_path):
    with serve_github(WORLD) as other:
        away = [elsewhere(f"{other.url}/repos/ada/tool")]
        with serve_github(WORLD, first=away) as loopback, pytest.raises(InputError) as error:
            asked(loopback, tmp_path, tool)
    assert other.asked == []
    assert "leads to another server, which is told no token" in str(error.value)


def test_redirects_that_end_nowhere_end(tmp_path):
    with serve_github(WORLD, first=[elsewhere("/repos/ada/tool")] * 99) as loopback:
        with pytest.raises(ServiceError, match="leads around in circles"):
            asked(loopback, tmp_path, tool)
        assert len(loopback.asked) < 10


@pytest.mark.parametrize("first", [bad_gateway(), malformed(), said(500, {})])
def test_a_failure_that_passes_is_asked_again(tmp_path, first):
    with serve_github(WORLD, first=[first] * 2) as loopback:
        assert asked(loopback, tmp_path, tool).content["id"] == 42


def test_what_is_not_there_is_refused_with_its_status(tmp_path):
    with serve_github(WORLD) as loopback, pytest.raises(RefusedError) as refused:
        asked(loopback, tmp_path, lambda rest: rest.get("/repos/ada/none"))
    assert refused.value.status == 404


def test_a_wrong_token_is_named_by_its_place_alone(tmp_path):
    with serve_github(WORLD) as loopback, pytest.raises(InputError) as error:
        asked(loopback, tmp_path, tool, github_tokens="ghp_PLANTED11mn")
    assert "token 1 of 1 of FORGE_GITHUB_TOKENS" in str(error.value)
    assert "PLANTED" not in str(error.value)


def test_pages_follow_their_links_to_the_last(tmp_path):
    async def all_of_them(rest: Rest) -> list[int]:
        pages = rest.pages("/search/code", CODE, resource="code_search")
        return [len(page.content["items"]) async for page in pages]

    with serve_github(MANY) as loopback:
        assert asked(loopback, tmp_path, all_of_them) == [100, 100, 50]
        assert asked(loopback, tmp_path, all_of_them) == [100, 100, 50]
    assert [one.status for one in loopback.asked] == [200] * 3 + [304] * 3


def test_a_page_on_another_server_is_not_asked(tmp_path):
    page = said(200, {"items": []}, link='<http://127.0.0.1:1/search/code>; rel="next"')

    async def all_of_them(rest: Rest) -> list[Any]:
        return [page async for page in rest.pages("/search/code", CODE)]

    with serve_github(MANY, first=[page]) as loopback, pytest.raises(InputError, match="another"):
        asked(loopback, tmp_path, all_of_them)


def test_searches_for_code_wait_for_their_minute_and_hold_nothing_else_up(tmp_path):
    async def both(rest: Rest) -> int:
        async def search(page: int) -> None:
            words = CODE | {"per_page": 1, "page": page}
            await rest.get("/search/code", words, resource="code_search")

        searching = [asyncio.create_task(search(n)) for n in range(1, 6)]
        await searching[0]
        await rest.get("/repos/a/r1")
        waiting = sum(not task.done() for task in searching)
        await asyncio.gather(*searching)
        return waiting

    with serve_github(MANY, code_searches=2, minute=3) as loopback:
        assert asked(loopback, tmp_path, both) > 0
    kinds = [one.kind for one in loopback.asked if "/search/" in one.path]
    assert kinds.count("answer") == 5


@pytest.mark.parametrize(
    ("limit", "rests"), [(primary("403", 4), False), (secondary("403", 4), True)]
)
def test_a_primary_limit_is_of_its_resource_and_a_secondary_one_of_all(tmp_path, limit, rests):
    async def both(rest: Rest) -> float:
        searching = asyncio.create_task(rest.get("/search/code", CODE, resource="code_search"))
        await asyncio.sleep(1)  # by then it has met its limit
        began = time.monotonic()
        await rest.get("/repos/a/r1")
        took = time.monotonic() - began
        searching.cancel()
        return took

    limit = limit._replace(headers=limit.headers | {"x-ratelimit-resource": "code_search"})
    with serve_github(MANY, first=[limit]) as loopback:
        assert (asked(loopback, tmp_path, both) > 2) == rests
