import asyncio
import resource
import subprocess
import sys
import time
from pathlib import Path

import pytest
from forwarding import Forward
from projects import IMAGE, Project, make_project

from forge.artifacts import Artifacts
from forge.effect import Failure
from forge.errors import EngineError
from forge.processes import is_dead, process_label
from forge.services.docker import Bounds, Docker, Image, Ran
from forge.services.docker_containers import Program, ended
from forge.services.docker_engine import PROCESS
from forge.services.docker_room import Held, our_images, surplus
from forge.settings import Settings

SUMS = "def add(a, b):\n    return a + b\n"
OWN = f"{PROCESS}={process_label()}"
TEST = "from sums import add\n\n\ndef test_add():\n    assert add(1, 1) == 2\n"


@pytest.fixture(scope="module")
def project(tmp_path_factory) -> Project:
    return make_project(
        tmp_path_factory.mktemp("origin"), {"sums.py": SUMS, "tests/test_sums.py": TEST}
    )


def run_in(docker: Docker, runner: asyncio.Runner, image: Image, script: str, **kwargs) -> Ran:
    ran = runner.run(docker.run_script(image.tag, script, **kwargs))
    assert isinstance(ran, Ran), ran
    return ran


def test_recipe_becomes_an_image_once_which_remembers_its_build(
    docker, project, runner, image, docker_engine
):
    again = runner.run(docker.image(project.recipe()))
    assert again == image
    assert b"=== install" in docker.artifacts.path(image.log).read_bytes()
    labels = docker_engine.images.get(image.tag).labels
    assert (labels["forge"], labels[PROCESS]) == ("task", "")


def test_image_holds_one_commit_and_nothing_of_the_build(docker, runner, image, project):
    script = """
    cd /testbed
    git log --format=%H --all HEAD; git rev-parse --abbrev-ref HEAD; git status --porcelain
    git fsck --unreachable --no-reflogs
    ls -A /forge | grep -vx script; stat -c %U /testbed /testbed/sums.py; find /forge -name '*.pem'
    """
    lines = run_in(docker, runner, image, script).log.decode().splitlines()
    expected = ["bin", "build.log", "kept.tar.gz", "kept.tar.gz.modules", "lock", "forge", "forge"]
    assert lines == [project.base_commit, "HEAD", *expected]


def test_script_sees_its_files_and_gives_back_what_was_asked_for(docker, runner, image):
    ran = run_in(
        docker,
        runner,
        image,
        "id -un; pwd; cat in.txt >out.txt; echo done; exit 3",
        files={"in.txt": b"\x00bytes\n"},
        collect=("out.txt", "absent.txt"),
    )
    assert (ran.exit_code, ran.log) == (3, b"forge\n/home/forge\ndone\n")
    assert ran.files == {"out.txt": b"\x00bytes\n"}


def test_script_has_no_network_and_no_rights(docker, runner, image):
    script = """
    python3 -c 'import socket; socket.create_connection(("1.1.1.1", 53), 2)' 2>&1 | tail -n 1
    grep -E '^(CapEff|CapBnd|NoNewPrivs)' /proc/self/status | tr -s '\\t ' ' '
    touch /root/x /etc/x 2>&1 | grep -c denied
    """
    assert run_in(docker, runner, image, script).log.decode().splitlines() == [
        "OSError: [Errno 101] Network is unreachable",
        "CapEff: 0000000000000000",
        "CapBnd: 0000000000000000",
        "NoNewPrivs: 1",
        "2",
    ]


def test_script_past_its_time_is_killed_and_its_log_kept(docker, runner, image):
    began = time.monotonic()
    script = "echo began; trap '' TERM INT; sleep 60"
    failure = runner.run(docker.run_script(image.tag, script, seconds=1))
    assert (failure.reason, failure.detail) == (
        "time_limit",
        "it ran longer than 1 seconds\nbegan\n",
    )
    assert time.monotonic() - began < 20


def test_link_in_place_of_a_collected_file_is_not_followed(docker, runner, image):
    script = "ln -s /etc/passwd out.txt"
    assert run_in(docker, runner, image, script, collect=("out.txt",)).files == {}


def test_program_past_its_memory_is_told_so(docker, runner, image):
    hog = ("python3", "-c", "x = bytearray(10**8)")
    program = Program(image.tag, hog, bounds=Bounds(memory_bytes=50_000_000))

    async def run() -> Failure | None:
        async with ended(docker.engine, program) as (_, end):
            return end.limit

    failure = runner.run(run())
    assert (failure.kind, failure.reason) == ("infra", "memory_limit")


def test_install_that_fails_says_its_last_words_and_keeps_the_whole_log(docker, project, runner):
    recipe = project.recipe(install="echo first; seq 100; echo last words >&2; exit 7")
    failure = runner.run(docker.image(recipe))
    assert (failure.kind, failure.reason) == ("environment", "install_failed")
    words, _, log = failure.detail.rpartition("\nfull log: ")
    assert words.endswith("99\n100\nlast words")
    assert "first\n" in docker.artifacts.path(log).read_text()


def test_package_that_debian_does_not_have_is_named(docker, project, runner):
    failure = runner.run(docker.image(project.recipe(system_packages=("no-such-package",))))
    assert (failure.kind, failure.reason) == ("environment", "system_packages_failed")
    assert "Unable to locate package no-such-package" in failure.detail


def test_base_commit_that_is_gone_is_the_failure_of_git(docker, project, runner):
    failure = runner.run(docker.image(project.recipe(base_commit="0" * 40)))
    assert isinstance(failure, Failure)
    assert failure.kind in {"data", "infra"}


def test_failed_build_leaves_no_image_and_no_container(docker, docker_engine, project, runner):
    before = {image.id for image in docker_engine.images.list(all=True)}
    runner.run(docker.image(project.recipe(install="exit 1")))
    assert {image.id for image in docker_engine.images.list(all=True)} == before
    assert ours(docker_engine) == []


def test_cancelled_script_is_killed_at_once(docker, docker_engine, runner, image):
    async def cancelled() -> None:
        async with asyncio.timeout(1):
            await docker.run_script(image.tag, "sleep 60")

    began = time.monotonic()
    with pytest.raises(TimeoutError):
        runner.run(cancelled())
    assert time.monotonic() - began < 15
    assert ours(docker_engine) == []


def test_oldest_images_that_are_not_in_use_make_room():
    old, used, new = Held("2026-01", "a:1", 5), Held("2026-02", "b:2", 5), Held("2026-03", "c:3", 5)
    assert surplus([new, used, old], 15, ()) == []
    assert surplus([new, used, old], 14, ()) == [old]
    assert surplus([new, used, old], 0, {"b:2"}) == [old, new]


def test_image_that_another_stands_on_goes_after_it():
    tier, alone = Held("2026-01", "tier:1", 50), Held("2026-01", "tier:2", 50)
    old, new = Held("2026-02", "a:1", 5, "tier:1"), Held("2026-03", "b:2", 5, "tier:1")
    assert surplus([new, old, alone, tier], 60, ()) == [alone]
    assert surplus([new, old, alone, tier], 0, {"b:2"}) == [alone, old]
    assert surplus([new, old, alone, tier], 0, ()) == [alone, old, new, tier]


def test_image_says_what_it_adds_to_its_dependencies(docker_engine, image):
    assert 1_000 < image.own_bytes < 100_000
    held = {one.tag: one for one in our_images(docker_engine)}
    assert held[image.tag].bytes == image.own_bytes
    assert 1_000_000 < held[image.base.tag].bytes < 100_000_000
    assert (held[image.tag].base, held[image.tag].kind) == (image.base.tag, "task")


def ours(engine) -> list[str]:
    found = engine.containers.list(all=True, filters={"label": OWN}, ignore_removed=True)
    return [container.name for container in found]


def test_leftovers_of_a_dead_process_go_and_those_of_a_live_one_stay(
    docker_engine, image, tmp_path
):
    dead = subprocess.run(
        [sys.executable, "-c", LABEL], capture_output=True, text=True, check=True
    ).stdout.strip()
    labels = [dead, process_label(), "another-host:1:1", ""]
    made = [
        docker_engine.containers.create(image.tag, "true", labels={PROCESS: label})
        for label in labels
    ]
    try:
        asyncio.run(open_and_close(Settings(root=tmp_path), tmp_path))
        left = {c.id for c in docker_engine.containers.list(all=True, ignore_removed=True)}
        assert [c.id in left for c in made] == [False, True, True, True]
    finally:
        for container in docker_engine.containers.list(all=True, ignore_removed=True):
            if container in made:
                container.remove(force=True)


LABEL = "from forge.processes import process_label; print(process_label())"


async def open_and_close(settings: Settings, folder: Path) -> None:
    async with Docker.open(settings, Artifacts(folder)):
        pass


def test_dead_process_is_told_from_another_of_the_same_number():
    host, pid, started = process_label().split(":")
    assert is_dead(f"{host}:{pid}:{int(started) - 1}")
    assert not is_dead(f"{host}:{pid}:{started}")
    assert not is_dead(f"{host}0:{pid}:{int(started) - 1}")  # another container of the same name


def test_process_is_not_taken_for_dead_while_no_file_can_be_opened():
    label, files = process_label(), resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (0, files[1]))
    try:
        found = is_dead(label)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, files)
    assert not found


def test_engine_that_goes_away_while_a_script_runs_is_an_outage(
    docker_engine, project, image, tmp_path, monkeypatch
):
    forward = Forward(tmp_path / "engine.sock")
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/engine.sock")
    with pytest.raises(EngineError, match="no Docker engine answers"):
        asyncio.run(lose(forward, Settings(root=tmp_path, git_url=project.git_url), image.tag))
    for container in docker_engine.containers.list(filters={"label": OWN}, ignore_removed=True):
        container.remove(force=True)


async def lose(forward: Forward, settings: Settings, image: str) -> None:
    async with Docker.open(settings, Artifacts(settings.root)) as service:
        script = asyncio.create_task(service.run_script(image, "sleep 30"))
        await asyncio.sleep(1)
        forward.close()
        await script


def test_engine_that_does_not_answer_is_named_with_what_to_do(tmp_path, monkeypatch):
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/no.sock")
    with pytest.raises(EngineError) as error:
        asyncio.run(open_and_close(Settings(root=tmp_path), tmp_path))
    assert str(error.value) == (
        f"no Docker engine answers at unix://{tmp_path}/no.sock: No such file or directory\n"
        "start Docker, or let DOCKER_HOST name an engine that you may use; "
        "what was answered before is kept"
    )
    assert error.value.exit_code == 6


def test_toolchain_that_does_not_exist_is_no_environment(docker, project, runner):
    failure = runner.run(docker.image(project.recipe(image=f"{IMAGE}-of-nobody")))
    assert failure.reason in {"image_not_found", "image_unreachable"}
