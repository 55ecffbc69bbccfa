"""Secrets that are planted everywhere occur nowhere in what commands leave, say and call."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from archives import Answer, packed, serve, trimmed
from guarded import Guard, guard
from planted import ARCHIVE, GIT, OTHERS, PROXY, Watch, found_in, leaks, plant, unpacked, watched

from forge.demo import serve_world

BUILD = ["build", "--month", "2026-03", "--hours", "24-71", "--sample", "100%"]
POOL = ["build", "--pool", "pool.txt", "--to", "repositories"]
HOUR = ["build", "--month", "2026-03", "--hours", "0", "--to", "merges"]
NUMBER = "lanternworks/tidytext#18"
ONE_BY_ONE = """
import sys
from forge.cli import exit_code
for words in {}:
    sys.argv = ["forge", *words]
    print("===", exit_code() or 0, words, flush=True)
sys.exit()
"""
GOES_DEEP = """
import forge.services.git_command as deep
def broken(call):
    raise RuntimeError(f"{call!r} {call.command} {call.address!r} {call.address}")
deep._execute = broken
"""
GOES_TO_THE_EDGE = """
from forge.run import Session
def broken(self, effect):
    raise RuntimeError(repr(self) + repr(self.settings.model_dump()) + str(vars(self.settings)))
Session.memo = broken
"""


class Site(NamedTuple):
    """The demo's world behind logins: how it is reached, and who asked for the logins."""

    settings: dict[str, str]
    archive: Guard
    git: Guard
    proxy: Guard


class Ended(NamedTuple):
    """How a command ended."""

    code: int
    said: str


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("site")
    with (
        serve_world(folder / "world") as world,
        guard(ARCHIVE, str(world["archive_url"])) as archive,
        guard(GIT, str(world["git_url"]).removesuffix("/{owner}/{repo}")) as git,
        guard(PROXY) as proxy,
    ):
        settings = plant(folder / "home") | {
            "FORGE_ARCHIVE_URL": archive.url,
            "FORGE_GIT_URL": f"{git.url}/{{owner}}/{{repo}}",
            "FORGE_RECIPES": str(world["recipes"]),
            **dict.fromkeys(("http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy"), proxy.url),
            **dict.fromkeys(("no_proxy", "NO_PROXY"), ""),
            "DOCKER_HOST": "unix:///no/such/engine",
        }
        yield Site(settings, archive, git, proxy)


def forge(folder: Path, site: Site, *arguments: str, before: str = "", **changed: str) -> Ended:
    """Run a command in a folder; what it says is kept there too, to be searched."""
    program = f"{before}\nfrom forge.cli import main\nmain()"
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments],
        cwd=folder,
        env=os.environ | site.settings | changed,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )
    with (folder / "said").open("ab") as file:
        file.write(done.stdout)
    return Ended(done.returncode, done.stdout.decode())


@pytest.fixture(scope="module")
def built(site: Site, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Watch]:
    """A build by git and archive behind logins and a proxy, as far as no engine lets it go."""
    folder = tmp_path_factory.mktemp("built")
    with watched() as watch:
        ended = forge(folder, site, *BUILD)
    assert ended.code == 6, ended.said
    return folder, watch


def test_search_finds_a_secret_in_every_form(tmp_path):
    import base64

    import polars as pl

    pl.DataFrame({"a": [{"b": [f"x{GIT[1]}"]}]}).write_parquet(tmp_path / "a.parquet")
    (tmp_path / "b").write_bytes(base64.b64encode(f"{PROXY[0]}:{PROXY[1]}".encode()))
    (tmp_path / "c").write_text("http://a:sk-or-PLANTED00kl@b")
    found = {Path(name).name: secrets for name, secrets in leaks(tmp_path).items()}
    assert found == {"a.parquet": {GIT[1]}, "b": {PROXY[1]}, "c": {OTHERS["model"]}}


def test_build_passes_every_login_and_leaves_none_on_disk_or_terminal(site, built):
    folder, _ = built
    passed = [one.passed for one in (site.archive, site.git, site.proxy)]
    assert min(passed) > 40, passed
    assert len([*folder.rglob("*.parquet")]) > 10
    assert leaks(folder) == {}


def test_no_command_line_shows_a_login_while_a_build_runs(built):
    _, watch = built
    assert {"git", "git-remote-http"} & watch.seen
    assert watch.leaks == {}


def test_no_command_shows_or_leaves_a_login(site, built):
    folder, _ = built
    commands = [
        ["status"],
        ["status", "--month", "2026-03", "--json"],
        ["funnel", "--month", "2026-03", "--json"],
        ["why", NUMBER],
        ["why", NUMBER, "--json"],
        ["sql", "select * from repositories"],
        ["limits"],
        ["try", NUMBER],
        ["grade", "lanternworks__tidytext-12", "--gold", "--month", "2026-03"],
        ["export", "swebench", "--month", "2026-03", "-o", "exported.parquet"],
        ["clean", "--dry-run", "--mirrors"],
        ["doctor"],
        ["doctor", "--json"],
        [*BUILD, "--dry-run", "--json"],
        [*BUILD, "--json", "--to", "statements"],
    ]
    ended = forge(folder, site, before=ONE_BY_ONE.format(commands))
    assert ended.said.count("=== ") == len(commands), ended.said
    assert leaks(folder) == {}


@pytest.mark.parametrize(
    ("what", "changed", "code"),
    [
        ("wrong login of the archive", {"FORGE_ARCHIVE_URL": "http://ada:{0}@{archive}"}, 4),
        ("wrong login of git", {"FORGE_GIT_URL": "http://ada:{0}@{git}/{{owner}}/{{repo}}"}, 4),
        ("token as the user of git", {"FORGE_GIT_URL": "http://{0}@{git}/{{owner}}/{{repo}}"}, 4),
        ("wrong login of the proxy", {"http_proxy": "http://ada:{0}@{proxy}"}, 4),
        ("no such proxy", {"http_proxy": "http://ada:{0}@127.0.0.1:1"}, 4),
        ("no such archive", {"FORGE_ARCHIVE_URL": "http://ada:{0}@127.0.0.1:1"}, 4),
        ("a proxy of no known kind", {"http_proxy": "gopher://ada:{0}@{proxy}"}, 3),
        ("a proxy without scheme", {"http_proxy": "ada:{0}@127.0.0.1:1"}, 4),
        ("a proxy with a # in it", {"http_proxy": "http://ada:{0}#x@{proxy}"}, 3),
        ("a proxy with a / in it", {"http_proxy": "http://ada:{0}/x@{proxy}"}, 3),
        ("git by a proxy with a blank in it", {"http_proxy": "http://ada:{0} x@{proxy}:no"}, 3),
        ("an archive with a # in it", {"FORGE_ARCHIVE_URL": "http://ada:{0}#x@{archive}"}, 3),
        ("an archive by ftp", {"FORGE_ARCHIVE_URL": "ftp://ada:{0}@{archive}"}, 3),
        ("git with a / in it", {"FORGE_GIT_URL": "https://ada:{0}/x@{git}/{{owner}}/{{repo}}"}, 3),
        (
            "git by ssh with a password",
            {"FORGE_GIT_URL": "ssh://ada:{0}@{git}/{{owner}}/{{repo}}"},
            3,
        ),
    ],
)
def test_failure_tells_no_login(tmp_path, site, what, changed, code):
    hosts = {"archive": site.archive.host, "git": site.git.host, "proxy": site.proxy.host}
    given = {name: text.format(OTHERS["token"], **hosts) for name, text in changed.items()}
    (tmp_path / "pool.txt").write_text(NUMBER)
    with watched() as watch:
        ended = forge(tmp_path, site, *(POOL if "git" in what else HOUR), **given)
    assert ended.code == code, (what, ended.said)
    assert len(ended.said) > 40
    assert leaks(tmp_path) == {}
    assert watch.leaks == {}


@pytest.mark.parametrize("status", [401, 403, 407, 502])
def test_refusal_tells_no_login(tmp_path, site, status):
    with serve({}, [Answer(status, b"no")] * 20) as archive:
        url = archive.url.replace("http://", f"http://ada:{OTHERS['token']}@")
        changed = {"FORGE_ARCHIVE_URL": url, "http_proxy": ""}
        ended = forge(tmp_path, site, *HOUR, **changed, all_proxy="")
    assert (ended.code, f"status {status}" in ended.said) == (4, True), ended.said
    assert leaks(tmp_path) == {}


def test_redirect_to_another_server_takes_no_login_along(tmp_path, site):
    with serve({"2026-03-01-0": packed(trimmed())}) as other:
        away = Answer(302, headers={"Location": f"{other.url}/2026-03-01-0.json.gz"})
        with serve(first=[away]) as archive, guard(GIT, other.url) as guarded:
            away.headers["Location"] = f"http://{guarded.host}/2026-03-01-0.json.gz"
            url = archive.url.replace("http://", f"http://{guarded.url[7:].partition('@')[0]}@")
            ended = forge(tmp_path, site, *HOUR, FORGE_ARCHIVE_URL=url, http_proxy="", all_proxy="")
    assert (guarded.passed, guarded.refused, ended.code) == (0, 1, 4), ended.said


@pytest.mark.parametrize("address", ["http://a:{0}@{1}/a/b", "htp://ada:{0}@x"])
def test_login_in_a_source_is_in_no_manifest_and_no_error(tmp_path, site, address):
    given = address.format(OTHERS["token"], site.git.host)
    build = ["build", "--month", "2026-03", "--source", "git", given, "--to", "merges"]
    ended = forge(tmp_path, site, *build)
    assert ended.code in {3, 4}
    assert leaks(tmp_path) == {}


@pytest.mark.parametrize(
    ("before", "code"), [(GOES_DEEP, 0), (GOES_TO_THE_EDGE, 1)], ids=["deep", "to the edge"]
)
def test_crash_tells_no_login(tmp_path, site, before, code):
    (tmp_path / "pool.txt").write_text(NUMBER)
    ended = forge(tmp_path, site, *POOL, before=before)
    story = forge(tmp_path, site, "status", "--month", "pool-pool", "--json")
    assert (ended.code, "RuntimeError" in ended.said + text_of(tmp_path)) == (code, True)
    assert story.said
    assert leaks(tmp_path) == {}


def text_of(folder: Path) -> str:
    files = (path for path in folder.rglob("*") if path.is_file())
    return b"".join(map(unpacked, files)).decode(errors="replace")


def test_interrupted_build_leaves_no_login(tmp_path, site):
    passed = site.git.passed
    process = subprocess.Popen(
        [sys.executable, "-m", "forge", *BUILD],
        cwd=tmp_path,
        env=os.environ | site.settings,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    while site.git.passed < passed + 5:
        assert process.poll() is None
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    said, _ = process.communicate(timeout=30)
    assert process.returncode == 130
    assert found_in(said) == set()
    assert leaks(tmp_path) == {}
