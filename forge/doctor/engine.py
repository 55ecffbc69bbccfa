"""The Docker engine: whether it answers, holds its limits, and can build images."""

import json
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import docker
from docker.errors import APIError, DockerException, ImageNotFound
from docker.utils.config import find_config_file

from forge.doctor.findings import Finding, missing, ok, warning
from forge.errors import EngineError, InputError, ServiceError
from forge.leftovers import engine as connected
from forge.processes import process_label
from forge.recipes.pythons import RELEASED, image_of
from forge.services.docker_engine import PROCESS, remove
from forge.services.proxies import proxies
from forge.settings import Settings

SECONDS = 8
MEMORY, PROCESSES = 64 * 2**20, 50
READ_LIMITS = """cd /sys/fs/cgroup
cat memory.max pids.max 2>/dev/null || cat memory/memory.limit_in_bytes pids/pids.max"""
WITHOUT = "without one, tables up to `statements` are built, and nothing is verified"


def engine(settings: Settings) -> Iterator[Finding]:  # noqa: ARG001 - the engine is named elsewhere
    """Whether it answers, what it is, and whether the kernel holds its limits."""
    try:
        with connected(seconds=SECONDS) as client:
            yield _described(client.info())
            yield from _limits(client)
    except EngineError as error:
        said, _, remedy = str(error).partition("\n")
        yield missing("engine", said, f"{remedy.partition(';')[0]}; {WITHOUT}", EngineError)


def _described(told: dict[str, Any]) -> Finding:
    words = [
        f"Docker {told['ServerVersion']}",
        f"{told['OSType']}/{told['Architecture']}",
        f"{told['Driver']}, cgroup {told.get('CgroupVersion', 1)}",
        f"{told['NCPU']} cores, {told['MemTotal'] / 1e9:.1f} GB",
    ]
    if told["OSType"] != "linux":
        return missing("engine", ", ".join(words), "use an engine for Linux", EngineError)
    return ok("engine", ", ".join(words))


def _limits(client: docker.DockerClient) -> Iterator[Finding]:
    # No other image is tried: not every one has a shell.
    base = next(iter(_held_bases(client)), None)
    if base is None:
        yield warning(
            "limits", "not tried: the engine holds no base image", "build, then look again"
        )
        return
    held = _held_limits(client, base)
    if held == [str(MEMORY), str(PROCESSES)]:
        yield ok("limits", "memory and processes of a container are bounded by the kernel")
    else:
        found = f"asked for {MEMORY} bytes and {PROCESSES} processes, the kernel holds {held}"
        remedy = "enable the cgroup controllers `memory` and `pids`; a rootless engine needs "
        yield missing("limits", found, f"{remedy}their delegation", EngineError)


def _held_limits(client: docker.DockerClient, base: str) -> list[str]:
    container = client.containers.create(
        base,
        ["-c", READ_LIMITS],
        entrypoint="/bin/sh",
        labels={PROCESS: process_label()},
        network_mode="none",
        mem_limit=MEMORY,
        pids_limit=PROCESSES,
        use_config_proxy=False,
    )
    try:
        container.start()
        container.wait(timeout=SECONDS)
        return container.logs().decode(errors="replace").split()
    finally:
        remove(container)


def images(settings: Settings) -> Iterator[Finding]:  # noqa: ARG001 - as above
    """Whether base images are there, or can be pulled."""
    with suppress(EngineError), connected(seconds=SECONDS) as client:
        held = _held_bases(client)
        if len(held) == len(_bases()):
            yield ok("images", f"all {len(held)} base images are there")
        else:
            yield _pullable(client, next(b for b in _bases() if b not in held), held)


def _pullable(client: docker.DockerClient, base: str, held: list[str]) -> Finding:
    there = f"there: {', '.join(held) or 'none'}"
    try:
        client.api.inspect_distribution(base)  # type: ignore[no-untyped-call]
    except (APIError, ImageNotFound, DockerException, OSError) as error:
        said = str(getattr(error, "explanation", None) or error)[:200]
        remedy = "check the engine's own proxy and login, or load the images: docker load"
        if held:
            return warning("images", f"{base} cannot be pulled: {said}; {there}", remedy)
        return missing("images", f"{base} cannot be pulled: {said}", remedy, ServiceError)
    return ok("images", f"can be pulled; {there}")


def _bases() -> list[str]:
    return [image_of(version) for version in RELEASED]


def _held_bases(client: docker.DockerClient) -> list[str]:
    tags = {tag for image in client.api.images() for tag in image["RepoTags"] or []}
    return [base for base in _bases() if base in tags]


def builds(settings: Settings) -> Iterator[Finding]:
    """Whether what is installed into images can come from the network."""
    bundle = settings.build_ca_bundle
    trusted = f"trusting {bundle}" if bundle else "no certificates of one's own"
    if bundle and not bundle.is_file():
        yield missing(
            "builds",
            f"no file {bundle}",
            "let FORGE_BUILD_CA_BUNDLE name a PEM file",
            InputError,
        )
    with suppress(EngineError), connected(seconds=SECONDS) as client:
        known = {network.name for network in client.networks.list()} | {"default"}
        if settings.build_network not in known:
            remedy = f"let FORGE_BUILD_NETWORK be one of {', '.join(sorted(map(str, known)))}"
            found = f"the engine has no network {settings.build_network}"
            yield missing("builds", found, remedy, InputError)
        else:
            yield ok("builds", f"network {settings.build_network}, {trusted}, {_told_proxies()}")
        yield from _of_docker()


def _told_proxies() -> str:
    found = proxies()
    if any(address.secret for address in found.values()):
        return "proxies by a relay that knows their login"
    return f"{len(set(map(str, found.values())))} proxies"


def _of_docker() -> Iterator[Finding]:
    path = Path(str(find_config_file() or "/nowhere"))
    with suppress(OSError, json.JSONDecodeError):
        if json.loads(path.read_text()).get("proxies") and not proxies():
            found = "the proxies in Docker's own configuration are not used"
            yield warning("builds", found, "set http_proxy and https_proxy where forge runs")
