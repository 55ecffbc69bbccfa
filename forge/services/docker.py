"""The service Docker: images of recipes, scripts in containers, and attempts at a task's tests."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

from forge.artifacts import Artifacts
from forge.effect import Failure
from forge.eval_script import programs
from forge.recipes import Recipe
from forge.services.docker_containers import NO_NETWORK, Program, ended, stop_on_limit
from forge.services.docker_engine import Engine, Unanswered
from forge.services.docker_files import File
from forge.services.docker_images import Image, Images, bounds_of
from forge.services.docker_leaks import find_leaks
from forge.services.docker_limits import Bounds
from forge.services.docker_proxies import Relays
from forge.services.docker_scripts import (
    NETWORK,
    TELL_LIMITS,
    environment_script,
    exports,
    network_files,
)
from forge.services.docker_tests import EXACTLY, LENIENTLY, EvalOutput, run_tests
from forge.services.docker_tiers import platform_name
from forge.services.git import Git
from forge.settings import Settings

__all__ = ["EXACTLY", "LENIENTLY", "Bounds", "Docker", "EvalOutput", "Image", "Ran"]

FORGE = "1000:1000"
WORK, SCRIPT, SCRIPT_LOG = "/home/forge", "/forge/script", "/home/forge/.log"
WRAPPER = f"""
exec >{SCRIPT_LOG} 2>&1 </dev/null
{TELL_LIMITS}
export HOME={WORK}
. {SCRIPT}/env.sh
cd {WORK}
/bin/bash {SCRIPT}/script.sh
exit
"""
COLLECTED_BYTES = 50_000_000
LISTING_SECONDS = 660
"""Twice what a probe gives its runner, and some more."""


@dataclass(frozen=True)
class Ran:
    """How a script ended, its output, and the files that were asked for and are there."""

    exit_code: int
    log: bytes
    files: dict[str, bytes]
    seconds: float


class Docker:
    """The engine that DOCKER_HOST or the local socket names."""

    def __init__(self, settings: Settings, artifacts: Artifacts) -> None:
        self.settings, self.artifacts = settings, artifacts
        self.git = Git.open(settings, artifacts)

    @property
    def identity(self) -> str:
        """The platform: what runs on one processor says nothing of another."""
        return f"docker {self.platform}"

    @property
    def platform(self) -> str:
        """Operating system and processor, as Docker names them."""
        return platform_name()

    @property
    def bounds(self) -> Bounds:
        """What one container may use that builds, probes or grades."""
        return bounds_of(self.settings)

    @classmethod
    def open(cls, settings: Settings, artifacts: Artifacts) -> Self:
        """The service; it connects when it is entered."""
        return cls(settings, artifacts)

    async def __aenter__(self) -> Self:
        """Connect, or say that no engine answers."""
        self.engine = Engine(self.settings.workers)
        await self.engine.connect()
        await self.git.__aenter__()
        self.relays = Relays(self.engine, self.settings.build_network)
        self.images = Images(self.engine, self.settings, self.artifacts, self.git, self.relays)
        return self

    async def __aexit__(self, *exc: object) -> None:
        """Disconnect."""
        await self.relays.close()
        await self.git.__aexit__(*exc)
        await self.engine.close()

    async def toolchain(self, base: str) -> str | Failure:
        """The tag of a toolchain image with git, a user without rights, and uv."""
        try:
            return await self.images.toolchain(base)
        except Unanswered as stopped:
            return stopped.failure

    async def image(self, recipe: Recipe) -> Image | Failure:
        """The image of a recipe, found or built."""
        try:
            return await self.images.task(recipe)
        except Unanswered as stopped:
            return stopped.failure

    async def run_script(  # noqa: PLR0913 - all but two are optional
        self,
        image: str,
        script: str,
        *,
        files: Mapping[str, bytes] | None = None,
        collect: Sequence[str] = (),
        seconds: float | None = None,
        network: bool = False,
        environment: Mapping[str, str] | None = None,
    ) -> Ran | Failure:
        """Run a bash script as the user forge in its home, with `files`; `collect` comes back."""
        put = {f"{WORK}/{name}": content for name, content in (files or {}).items()}
        surroundings = exports(environment or {}) + (f". {NETWORK}\n" if network else "")
        put |= {f"{SCRIPT}/script.sh": script.encode(), f"{SCRIPT}/env.sh": surroundings.encode()}
        put |= await self._network_files() if network else {}
        wanted = {f"{WORK}/{name}": COLLECTED_BYTES for name in collect}
        program = Program(
            image=image,
            command=("/bin/bash", "-c", WRAPPER),
            files={path: File(content, owner=1000) for path, content in put.items()},
            collect=wanted | {SCRIPT_LOG: COLLECTED_BYTES},
            network=self.settings.build_network if network else NO_NETWORK,
            user=FORGE,
            bounds=self.bounds if seconds is None else replace(self.bounds, seconds=seconds),
        )
        return await self._ran(program)

    async def _network_files(self) -> dict[str, bytes]:
        proxies = await self.relays.environment()
        return network_files(proxies, self.settings.build_ca_bundle)

    async def probe(self, recipe: Recipe, image: str) -> Ran | Failure:
        """Let the runner list the tests at the base commit, offline, in the file `listed`."""
        script = f"{environment_script(recipe)}cd /testbed\n(\n{recipe.probe}\n) >{WORK}/listed"
        files = {f".runner/{name}": text.encode() for name, text in programs(recipe).items()}
        runner = {"FORGE_RUNNER": f"{WORK}/.runner/record.py"}
        return await self.run_script(
            image,
            script,
            files=files,
            collect=("listed",),
            environment=runner,
            seconds=min(LISTING_SECONDS, self.settings.build_seconds),
        )

    async def _ran(self, program: Program) -> Ran | Failure:
        try:
            async with self.engine.slots, ended(self.engine, program) as (_, end):
                log = end.files.pop(SCRIPT_LOG, b"")
                stop_on_limit(end, log, program.bounds)
        except Unanswered as stopped:
            return stopped.failure
        files = {path.removeprefix(f"{WORK}/"): content for path, content in end.files.items()}
        return Ran(end.exit_code, log, files, end.seconds)

    async def run_tests(
        self, image: str, *, patch: str, apply: str, eval_script: str, bounds: Bounds
    ) -> EvalOutput | Failure:
        """Apply a patch to the repository in a task's image, and run its eval.sh, offline."""
        try:
            return await run_tests(
                self.engine,
                image,
                patch=patch,
                apply=apply,
                eval_script=eval_script,
                bounds=bounds,
            )
        except Unanswered as stopped:
            return stopped.failure

    async def find_leaks(self, image: str, wanted: dict[str, Any]) -> dict[str, Any] | Failure:
        """Look through an image for what of a task's patches must not lie in it."""
        try:
            return await find_leaks(self.engine, image, wanted, self.bounds)
        except Unanswered as stopped:
            return stopped.failure
