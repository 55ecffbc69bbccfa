"""Images on their way: pulled from a registry, pushed to one, saved in a file.

Who may pull and push is told by Docker's own config file, which `docker login` writes.
"""

import re
from collections.abc import Iterable, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

from docker import DockerClient
from docker.errors import APIError, NotFound
from docker.models.images import Image as DockerImage

from forge.effect import Failure
from forge.services.docker_engine import NO_SPACE, Engine, Unanswered

GONE = re.compile(
    r"not found|does not exist|manifest unknown|pull access denied|repository name not known",
    re.IGNORECASE,
)
REFUSED = re.compile(
    r"denied|unauthorized|authentication required|no basic auth|\b40[13]\b", re.IGNORECASE
)
NO_TLS = "server gave HTTP response to HTTPS client"
PIECE = 1 << 20
SAVE_SECONDS = 3600
"""An engine may gather a whole file before it sends the first byte."""


async def pull(engine: Engine, reference: str) -> DockerImage:
    """The image of that name, fetched from where the name says."""
    try:
        found = await engine.call(engine.client.images.pull, reference)
    except APIError as error:
        words = f"{reference}: {error.explanation or error}"
        if GONE.search(words):
            raise Unanswered(Failure("environment", "image_not_found", words)) from None
        raise Unanswered(Failure("infra", "image_unreachable", words)) from None
    return found[0] if isinstance(found, list) else found


async def digest_there(engine: Engine, reference: str) -> str | None:
    """The digest that a registry has under a name; None where it has none, or does not say."""
    try:
        held = await engine.call(engine.client.images.get_registry_data, reference)
    except APIError:  # a push then says what is wrong, and in better words
        return None
    return str(held.id)


async def push(engine: Engine, image: str, reference: str) -> str:
    """The digest under which a registry now has an image; `Unanswered` says why it has not."""
    return await engine.call(_push, engine.client, image, reference)


def _push(client: DockerClient, image: str, reference: str) -> str:
    repository, _, tag = reference.rpartition(":")
    client.api.tag(image, repository, tag, force=True)
    try:
        return _digest_in(client.api.push(repository, tag, stream=True, decode=True))
    finally:
        with suppress(NotFound):  # somebody pushed it too
            client.images.remove(reference)  # the name: what is ours is told by its names


def _digest_in(events: Iterable[dict[str, Any]]) -> str:
    digest = None
    for event in events:
        if "error" in event:
            raise Unanswered(_refusal(str(event["error"])))
        digest = event.get("aux", {}).get("Digest", digest)
    if digest is None:
        raise Unanswered(Failure("infra", "push_failed", "the registry told no digest"))
    return str(digest)


def _refusal(words: str) -> Failure:
    if REFUSED.search(words):
        return Failure("infra", "login_refused", words)
    if NO_TLS in words:
        return Failure("infra", "registry_without_tls", words)
    return Failure("infra", "disk_full" if NO_SPACE in words.lower() else "push_failed", words)


async def save(engine: Engine, names: Sequence[str], path: Path) -> None:
    """Write images with their names into one tar, layers that they share once."""
    await engine.call(partial(_save, engine.client, names, path))


def _save(client: DockerClient, names: Sequence[str], path: Path) -> None:
    # Not by `Image.save`: it takes one image, and would write what images share for each.
    api = client.api
    url = f"{api.base_url}/v{api.api_version}/images/get"
    with api.get(url, params={"names": list(names)}, stream=True, timeout=SAVE_SECONDS) as answer:
        answer.raise_for_status()
        with path.open("wb") as file:
            for piece in answer.iter_content(PIECE):
                file.write(piece)
