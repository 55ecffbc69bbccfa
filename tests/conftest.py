"""What tests need of the machine: a shared folder, a Docker engine, tools; or why they skip."""

import os
import shutil
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import TypeVar

import docker
import pytest
import stock_swebench
from docker.errors import DockerException

R = TypeVar("R", pytest.TestReport, pytest.CollectReport)
HERE = Path(__file__).resolve().parent
# What a machine says about itself; every other setting of the developer's stays out of the tests.
OF_THE_MACHINE = {"FORGE_SHARED", "FORGE_BUILD_NETWORK", "FORGE_BUILD_CA_BUNDLE"}
SECRETS = {"GITHUB_TOKEN", "OPENAI_API_KEY", "OPENROUTER_API_KEY"}
GIT = {
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_AUTHOR_NAME": "Ada",
    "GIT_AUTHOR_EMAIL": "ada@example.org",
    "GIT_COMMITTER_NAME": "Ada",
    "GIT_COMMITTER_EMAIL": "ada@example.org",
}


def pytest_configure() -> None:
    """The same environment on every machine, and loopback never through a proxy."""
    for name in set(os.environ) - OF_THE_MACHINE:
        if name.startswith("FORGE_") or name in SECRETS:
            del os.environ[name]
    os.environ |= GIT
    for name in ("no_proxy", "NO_PROXY"):
        os.environ[name] = ",".join(filter(None, [os.environ.get(name), "127.0.0.1,localhost"]))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests that use an engine carry its marker, and come first because they take long."""
    for item in items:
        if "docker_engine" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.docker)
    items.sort(key=lambda item: item.get_closest_marker("docker") is None)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """With CI set, a skip that nobody allowed is a failure."""
    report = yield
    return _without_silent_skip(report)


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """A whole file that skips is judged like a test that does."""
    report = yield
    return _without_silent_skip(report)


def _without_silent_skip(report: R) -> R:
    if not (report.skipped and os.environ.get("CI")) or hasattr(report, "wasxfail"):
        return report
    reason = str(report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr)
    if reason.removeprefix("Skipped: ") not in allowed_skips():
        report.outcome = "failed"
        report.longrepr = f"{reason}\nCI is set, and tests/allowed_skips.txt does not allow this"
    return report


def allowed_skips() -> set[str]:
    """The reasons for which a test may be skipped where CI is set."""
    lines = (HERE / "allowed_skips.txt").read_text(encoding="utf-8").splitlines()
    return {line.strip() for line in lines if line.strip() and not line.startswith("#")}


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder `shared` beside the checkout, or where FORGE_SHARED says."""
    folder = Path(os.environ.get("FORGE_SHARED", HERE.parent.parent / "shared"))
    if not folder.is_dir():
        pytest.skip("no shared folder beside the checkout")
    return folder


@pytest.fixture(scope="session")
def docker_engine() -> Iterator[docker.DockerClient]:
    """The Docker engine of this machine."""
    try:
        engine = docker.from_env()
    except DockerException:
        pytest.skip("no Docker engine answers")
    yield engine
    engine.close()


@pytest.fixture(scope="session")
def needs() -> Callable[[str], str]:
    """`needs("git")` is the path of a tool, or a skip that names it."""

    def path_of(tool: str) -> str:
        return shutil.which(tool) or pytest.skip(f"no {tool} on this machine")

    return path_of


@pytest.fixture(scope="session")
def swebench(needs: Callable[[str], str]) -> Path:
    """The commands of the stock `swebench` package."""
    needs("docker")  # it stops its containers by the command
    return stock_swebench.installed()
