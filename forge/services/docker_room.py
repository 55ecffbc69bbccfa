"""Our images on the engine's disk, and which of them may go: the oldest that nothing needs."""

from collections.abc import Collection, Iterable
from typing import Any, NamedTuple

from docker import DockerClient

from forge.services.docker_engine import BASE, CREATED, KIND, OWN_BYTES

OURS = "sweforge/"


class Held(NamedTuple):
    """An image on this machine, what it adds to the layers that it shares, and on what it stands.

    Without its base's name an image still works, but whoever needs that base makes it once more.
    """

    created: str
    tag: str
    bytes: int
    base: str = ""
    kind: str = "task"
    id: str = ""


def our_images(client: DockerClient) -> list[Held]:
    """Every image that forge made."""
    # Not `client.images.list`: it looks each image up again, and fails when one is gone by then.
    # By name too: what somebody builds from our images has our label.
    labelled = client.api.images(filters={"label": KIND})
    return [_held(one) for one in labelled if all(map(_is_ours, _names(one)))]


def surplus(images: Iterable[Held], disk: int, used: Collection[str]) -> list[Held]:
    """The oldest images that nobody uses or stands on, until the rest fits what we may fill."""
    left, found = sorted(images), []
    excess = sum(image.bytes for image in left) - disk
    while excess > 0:
        free = (one for one in leaves(left) if one.tag and one.tag not in used)
        image = next(free, None)
        if image is None:
            break
        left.remove(image)
        found.append(image)
        excess -= image.bytes
    return found


def leaves(images: Collection[Held]) -> list[Held]:
    """The images on which no other of them stands."""
    # Of one that another stands on the engine takes the name alone, and frees nothing.
    bases = {one.base for one in images}
    return [one for one in images if one.tag not in bases or not one.tag]


def _names(image: dict[str, Any]) -> list[str]:
    # What was pulled has a digest's name alone, and labels that anybody may have written.
    digests = [name for name in image["RepoDigests"] or () if name != "<none>@<none>"]
    return [*(image["RepoTags"] or ()), *digests]


def _is_ours(name: str) -> bool:
    return name.startswith(OURS)


def _held(image: dict[str, Any]) -> Held:
    told = image["Labels"]
    return Held(
        created=told.get(CREATED, ""),
        tag=next(iter(image["RepoTags"] or ()), ""),
        bytes=int(told.get(OWN_BYTES) or 0),
        base=told.get(BASE, ""),
        kind=told[KIND],
        id=image["Id"],
    )
