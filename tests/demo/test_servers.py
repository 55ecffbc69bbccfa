import re
import socket
import subprocess
from pathlib import Path

import httpx
import pytest

from forge.demo import serve_world
from forge.demo.history import Shas
from forge.demo.world import Repository

Settings = dict[str, str | Path]


def git(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = ["git", *map(str, arguments)]
    return subprocess.run(command, check=False, capture_output=True, text=True, timeout=60)


def address(served: Settings, repo: str) -> str:
    owner, name = repo.split("/")
    return str(served["git_url"]).format(owner=owner, repo=name)


def test_an_hour_comes_as_it_lies(served: Settings, made: Path) -> None:
    answer = httpx.get(f"{served['archive_url']}/2026-03-02-0.json.gz")
    assert answer.status_code == 200
    assert answer.content == (made / "archive" / "2026-03-02-0.json.gz").read_bytes()


@pytest.mark.parametrize(
    "path", ["2026-03-02-3.json.gz", "2026-03-02-03.json.gz", "", "../git", "%2e%2e/git.port"]
)
def test_what_is_not_an_hour_that_exists_is_not_found(served: Settings, path: str) -> None:
    answer = httpx.get(f"{served['archive_url']}/{path}")
    assert answer.status_code == 404
    assert "The specified key does not exist." in answer.text


def test_every_repository_clones(
    served: Settings, repositories: dict[str, Repository], tmp_path: Path
) -> None:
    for repo in repositories.keys() - {"ghosted/lostandfound"}:
        assert git("clone", "-q", address(served, repo), tmp_path / repo).returncode == 0
        assert (tmp_path / repo / ".git").is_dir()


@pytest.mark.parametrize("version", [0, 2])
def test_git_speaks_both_protocols_and_takes_the_suffix(
    served: Settings, tmp_path: Path, version: int
) -> None:
    url = f"{address(served, 'papertrail/glyphs')}.git"
    done = git("-c", f"protocol.version={version}", "clone", "-q", url, tmp_path / "glyphs")
    assert (done.returncode, done.stderr) == (0, "")


def test_history_comes_without_trees(served: Settings, tmp_path: Path) -> None:
    url, clone = address(served, "papertrail/glyphs"), tmp_path / "glyphs"
    git("clone", "-q", "--bare", "--filter=tree:0", url, clone)
    objects = git("-C", clone, "cat-file", "--batch-all-objects", "--batch-check=%(objecttype)")
    assert set(objects.stdout.split()) == {"commit"}


def test_a_commit_in_the_middle_comes_alone(
    served: Settings, shas: dict[str, dict[int, Shas]], tmp_path: Path
) -> None:
    sha = shas["papertrail/glyphs"][3].merged
    git("init", "-q", "--bare", tmp_path)
    url = address(served, "papertrail/glyphs")
    assert git("-C", tmp_path, "fetch", "-q", "--depth=1", url, sha).returncode == 0
    assert git("-C", tmp_path, "rev-list", "FETCH_HEAD").stdout.split() == [sha]


def test_heads_of_pull_requests_have_refs(
    served: Settings, shas: dict[str, dict[int, Shas]]
) -> None:
    refs = git("ls-remote", address(served, "papertrail/glyphs"), "refs/pull/6/head").stdout
    assert refs == f"{shas['papertrail/glyphs'][6].head}\trefs/pull/6/head\n"


@pytest.mark.parametrize("repo", ["ghosted/lostandfound", "no/body"])
def test_a_vanished_repository_asks_for_a_password_as_on_github(
    served: Settings, repo: str
) -> None:
    done = git("ls-remote", address(served, repo))
    assert done.returncode == 128
    assert re.search("could not read Username for .*: terminal prompts disabled", done.stderr)


def test_nobody_pushes(served: Settings, made: Path) -> None:
    folder = made / "git" / "papertrail" / "glyphs.git"
    done = git("-C", folder, "push", address(served, "papertrail/glyphs"), "HEAD:refs/heads/x")
    assert done.returncode != 0


def test_servers_are_silent(served: Settings, capfd: pytest.CaptureFixture[str]) -> None:
    httpx.get(f"{served['archive_url']}/nothing")
    git("ls-remote", address(served, "papertrail/glyphs"))
    assert capfd.readouterr() == ("", "")


def test_a_world_served_again_has_the_same_addresses(tmp_path: Path) -> None:
    with serve_world(tmp_path) as first:
        pass
    with serve_world(tmp_path) as second:
        assert second == first


def test_a_port_that_somebody_took_is_replaced(tmp_path: Path) -> None:
    with serve_world(tmp_path) as first:
        pass
    port = int((tmp_path / "archive.port").read_text())
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", port))
        taken.listen()
        with serve_world(tmp_path) as second:
            assert second["archive_url"] != first["archive_url"]
            assert second["git_url"] == first["git_url"]


def test_a_long_request_may_come_in_chunks(served: Settings) -> None:
    url = f"{address(served, 'papertrail/glyphs')}/git-upload-pack"
    request = [b"0014command=ls-refs\n", b"0000"]
    answer = httpx.post(url, content=iter(request), headers={"Git-Protocol": "version=2"})
    assert b"refs/heads/main" in answer.content
