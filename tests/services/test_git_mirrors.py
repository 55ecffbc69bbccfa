import asyncio
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from histories import Repository

from forge.errors import ServiceError
from forge.services.git import Failed, Git, Pair, Sought
from forge.services.git_addresses import checked

TESTS = r"(^|/)tests/"
CUT = """
import asyncio, sys
from pathlib import Path
from forge.services.git import Git, Pair
template, mirrors, *pair = sys.argv[1:]
print(asyncio.run(Git(template, Path(mirrors)).cut("ann/fix", Pair(*pair), "(^|/)tests/")))
"""


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    made = Repository(tmp_path / "served/ann/fix")
    made.commit("Begin", {"a.py": "one\n", "tests/a.py": "one\n"})
    made.commit("Two (#2)", {"a.py": "two\n", "tests/a.py": "two\n"})
    return made


def pair(repository: Repository) -> Pair:
    return Pair(repository.sha("HEAD~1"), repository.head)


def process(repository: Repository, mirrors: Path) -> subprocess.Popen[str]:
    words = [repository.template, str(mirrors), *pair(repository)]
    return subprocess.Popen(
        [sys.executable, "-c", CUT, *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def held(mirror: Path) -> set[str]:
    """Kinds of objects that lie in a mirror's history."""
    lines = subprocess.run(
        ["git", f"--git-dir={mirror}/history.git", "cat-file", "--batch-all-objects",
         "--batch-check=%(objecttype)"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    return set(lines.stdout.split())


def test_a_history_holds_commits_alone(repository, tmp_path):
    git = Git(repository.template, tmp_path / "mirrors")

    asyncio.run(git.find_merge("ann/fix", Sought(2)))

    assert held(tmp_path / "mirrors/ann__fix") == {"commit"}


def test_a_repository_of_this_machine_needs_no_settings_to_give_commits_alone(repository, tmp_path):
    repository.git("config", "uploadpack.allowFilter", "false")
    git = Git(repository.template, tmp_path / "mirrors")

    assert asyncio.run(git.find_merge("ann/fix", Sought(2))).commit.sha == repository.head
    assert held(tmp_path / "mirrors/ann__fix") == {"commit"}


def test_a_server_without_filters_gives_the_whole_history(repository, tmp_path, monkeypatch):
    repository.git("config", "uploadpack.allowFilter", "false")
    ssh = tmp_path / "ssh"
    ssh.write_text('#!/bin/sh\nfor command; do :; done\nexec sh -c "$command"\n')
    ssh.chmod(0o755)
    monkeypatch.setenv("GIT_SSH_COMMAND", str(ssh))
    git = Git(repository.template.replace("file://", "ssh://far"), tmp_path / "mirrors")

    assert asyncio.run(git.find_merge("ann/fix", Sought(2))).commit.sha == repository.head
    assert held(tmp_path / "mirrors/ann__fix") == {"commit", "tree", "blob"}


def test_a_mirror_is_shared_by_questions_and_spellings(repository, tmp_path):
    git = Git(repository.template, tmp_path / "mirrors")

    async def ask() -> list[object]:
        return await asyncio.gather(*(git.find_merge("ann/fix", Sought(2)) for _ in range(8)))

    assert len(set(asyncio.run(ask()))) == 1
    assert git.mirror("Ann/Fix") is git.mirror("ann/fix")
    assert len(list((tmp_path / "mirrors/ann__fix/history.git/objects/pack").glob("*.pack"))) == 1


def test_processes_that_fetch_at_once_agree(repository, tmp_path):
    started = [process(repository, tmp_path / "mirrors") for _ in range(3)]

    printed = {one.communicate()[0] for one in started}

    assert len(printed) == 1
    assert "+two" in printed.pop()


def test_a_killed_fetch_leaves_nothing_in_the_way(repository, tmp_path):
    expected = process(repository, tmp_path / "whole").communicate()[0]
    mirrors = tmp_path / "mirrors"

    for tenths in (2, 4, 5, 6, 7, 9):
        killed = process(repository, mirrors)
        time.sleep(tenths / 10)
        killed.send_signal(signal.SIGKILL)
        killed.communicate()

    assert process(repository, mirrors).communicate()[0] == expected


def test_what_a_killed_git_left_is_removed(repository, tmp_path):
    git = Git(repository.template, tmp_path / "mirrors")
    asyncio.run(git.find_merge("ann/fix", Sought(2)))
    mirror = tmp_path / "mirrors/ann__fix"
    left = ("shallow.lock", "objects/tmp_obj_x", "objects/pack/tmp_pack_x", "objects/pack/x.keep")
    for name in left:
        (mirror / "objects.git" / name).touch()
    (mirror / "commits/draft").mkdir(parents=True)
    (tmp_path / "mirrors/.locks/ann__fix").write_text("!")

    patches = asyncio.run(git.cut("ann/fix", pair(repository), TESTS))

    assert patches.test_paths == ["tests/a.py"]
    assert [name for name in left if (mirror / "objects.git" / name).exists()] == []
    assert not (mirror / "commits/draft").exists()


def test_a_branch_that_is_named_like_a_draft_is_kept(repository, tmp_path):
    repository.git("branch", "tmp_x")
    git = Git(repository.template, tmp_path / "mirrors")
    asyncio.run(git.find_merge("ann/fix", Sought(2)))
    (tmp_path / "mirrors/.locks/ann__fix").write_text("!")

    asyncio.run(git.cut("ann/fix", pair(repository), TESTS))

    assert "refs/heads/tmp_x" in asyncio.run(git.mirror("ann/fix").read("for-each-ref")).decode()


def test_a_fetch_that_is_cancelled_takes_its_git_with_it(tmp_path, monkeypatch):
    hook = tmp_path / "slow"
    hook.write_text("#!/bin/sh\nsleep 600\nexit\n")
    hook.chmod(0o755)
    git = Git("ssh://host/{owner}/{repo}", tmp_path / "mirrors")
    monkeypatch.setenv("GIT_SSH_COMMAND", str(hook))

    async def ask() -> None:
        async with asyncio.timeout(1):
            await git.find_merge("ann/fix", Sought(2))

    with pytest.raises(TimeoutError):
        asyncio.run(ask())

    assert not subprocess.run(["pgrep", "-f", str(hook)], capture_output=True, check=False).stdout


def test_users_settings_hooks_and_variables_do_not_matter(repository, tmp_path, monkeypatch):
    home = tmp_path / "home"
    home.mkdir()
    (home / ".gitconfig").write_text("[diff]\n\tnoprefix = true\n[core]\n\thooksPath = /nowhere\n")
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(home / ".gitconfig"))
    monkeypatch.setenv("GIT_DIR", "/nowhere")
    monkeypatch.setenv("GIT_EXTERNAL_DIFF", "/bin/false")
    git = Git(repository.template, tmp_path / "mirrors")
    pair = Pair(*subprocess.run(
        ["git", f"--git-dir={repository.folder}/.git", "rev-parse", "main~1", "main"],
        capture_output=True, text=True, check=True,
    ).stdout.split())  # fmt: skip

    patches = asyncio.run(git.cut("ann/fix", pair, TESTS))

    assert patches.gold_patch.startswith("diff --git a/a.py b/a.py\n")


def test_a_repository_that_is_not_there_has_vanished(tmp_path):
    git = Git(f"file://{tmp_path}/{{owner}}/{{repo}}", tmp_path / "mirrors")

    assert reason(git) == "repository_vanished"
    assert not (tmp_path / "mirrors/ann__fix").exists()
    assert list((tmp_path / "mirrors/.drafts").iterdir()) == []


@pytest.mark.parametrize(
    ("status", "headers"),
    [(404, {}), (401, {"WWW-Authenticate": "Basic"})],
    ids=["not found", "gone or private, as GitHub says it"],
)
def test_a_server_that_knows_no_such_repository_says_it_has_vanished(tmp_path, status, headers):
    with serving(status, headers) as address:
        assert reason(Git(f"{address}/{{owner}}/{{repo}}", tmp_path / "mirrors")) == (
            "repository_vanished"
        )


def test_a_file_that_the_server_has_lost_is_a_reason(repository, tmp_path):
    blob = repository.sha("HEAD:a.py")
    (repository.folder / ".git/objects" / blob[:2] / blob[2:]).unlink()
    git = Git(repository.template, tmp_path / "mirrors")

    with pytest.raises(Failed, match="objects_missing"):
        asyncio.run(git.cut("ann/fix", pair(repository), TESTS))


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_server_in_trouble_is_down(tmp_path, status):
    with serving(status, {}) as address, pytest.raises(ServiceError, match="git cannot reach"):
        reason(Git(f"{address}/{{owner}}/{{repo}}", tmp_path / "mirrors"))


def test_a_web_page_where_a_repository_should_be_is_down(tmp_path):
    with serving(200, {}) as address, pytest.raises(ServiceError, match="git cannot reach"):
        reason(Git(f"{address}/{{owner}}/{{repo}}", tmp_path / "mirrors"))


def test_a_host_that_does_not_answer_is_down_and_its_password_is_not_told(tmp_path):
    git = Git("http://ann:secret@127.0.0.1:1/{owner}/{repo}", tmp_path / "mirrors")

    with pytest.raises(ServiceError) as down:
        reason(git)

    assert "http://127.0.0.1:1/ann/fix" in str(down.value)
    assert "FORGE_GIT_URL" in str(down.value)
    assert "secret" not in str(down.value)


def test_a_machine_without_git_is_told_so(repository, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(ServiceError, match="there is no git in PATH\ninstall git"):
        reason(Git(repository.template, tmp_path / "mirrors"))


@pytest.mark.parametrize("repo", ["--upload-pack=x/fix", "ann/../fix", "ann/fix;x", "ann", "a b/c"])
def test_a_name_that_is_no_repository_never_reaches_git(repository, tmp_path, repo):
    git = Git(repository.template, tmp_path / "mirrors")

    assert reason(git, repo) == "repository_name_invalid"


def test_a_remote_helper_is_no_address():
    with pytest.raises(Exception, match="no git repository at ext::"):
        checked("ext::sh -c 'touch /tmp/owned'")


def reason(git: Git, repo: str = "ann/fix") -> str:
    with pytest.raises(Failed) as failed:
        asyncio.run(git.find_merge(repo, Sought(2)))
    return failed.value.failure.reason


@contextmanager
def serving(status: int, headers: dict[str, str]) -> Iterator[str]:
    """A web server on loopback that gives every request the same answer."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(b"<html>Sorry</html>")

        def log_message(self, *words: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()
