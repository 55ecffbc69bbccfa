"""The service Docker, open for as long as a module's tests run."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from forge.artifacts import Artifacts
from forge.services.docker import Docker
from forge.settings import Settings


@contextmanager
def opened_docker(settings: Settings, runner: asyncio.Runner) -> Iterator[Docker]:
    """A Docker whose artifacts lie in the settings' root, and whose coroutines a runner runs."""
    service = Docker.open(settings, Artifacts(settings.root / "artifacts"))
    runner.run(service.__aenter__())
    yield service
    runner.run(service.__aexit__())
