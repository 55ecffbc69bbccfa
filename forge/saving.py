"""Images of tasks saved in a folder, for machines without a registry.

One tar holds the images that stand on the same dependencies, so that these are in it once, and
whoever wants one project copies one file. The toolchain is in each.
"""

import asyncio
import hashlib
import json
import re
import shlex
from pathlib import Path

import polars as pl
from docker.models.images import Image as DockerImage

from forge.ask import Progress
from forge.drafts import clear_drafts, draft_in
from forge.errors import InputError, ServiceError
from forge.exported import Task
from forge.outputs import written_to
from forge.services.docker import Docker
from forge.services.docker_engine import Unanswered
from forge.services.docker_registry import save
from forge.services.docker_room import OURS
from forge.settings import Settings
from forge.shipping import Shipped, image_here, opened, shipped_as, wanted_of

IMAGES_PER_TAR = 50
Group = list[tuple[Task, DockerImage]]
DRAFT = ".draft-"
SCRIPT = "load.sh"
LOAD_SH = r"""#!/bin/bash
# Loads the images of the tasks that were exported with it, and sees that they are the very ones.
set -euo pipefail
cd "$(dirname "$0")"
inspect() { docker image inspect --format "$@" 2>/dev/null; }

is_whole() {  # is_whole NAME DIGEST LAYERS...: by digest; engines of a newer kind have another one
  while [ $# -gt 0 ]; do
    [ "$(inspect '{{.Id}}' "$1")" = "$2" ] ||
      [ "$(inspect '{{json .RootFS.Layers}}' "$1" | sha256sum)" = "$3  -" ] ||
      { missing=$1; return 1; }
    shift 3
  done
}

load() {  # load TAR SHA256 NAME DIGEST LAYERS...
  local tar=$1 sha=$2; shift 2
  if ! is_whole "$@"; then
    echo "$sha  $tar" | sha256sum --check --quiet || { echo "$tar: copy it again" >&2; exit 1; }
    docker load --quiet --input "$tar"
    is_whole "$@" || { echo "$missing is not what was exported, after $tar" >&2; exit 1; }
  fi
}

@CALLS@
"""
FIRST_LINES = LOAD_SH.partition("set ")[0]
CALL = re.compile(r"^load (\S+) [0-9a-f]{64} \\\n  .+$", re.MULTILINE)


def saved(tasks: pl.LazyFrame, folder: Path, settings: Settings, tell: Progress) -> list[Shipped]:
    """Save the tasks' images, with a script that loads them and sees that they are these."""
    with written_to(folder):
        folder.mkdir(parents=True, exist_ok=True)
        clear_drafts(folder, DRAFT)
        return asyncio.run(_saved(wanted_of(tasks), folder, settings, tell))


async def _saved(
    wanted: list[Task], folder: Path, settings: Settings, tell: Progress
) -> list[Shipped]:
    calls, shipped = _calls_in(folder / SCRIPT), []
    async with opened(settings) as docker:
        groups = _groups([(task, await _named(docker, task)) for task in wanted])
        for group in groups:
            tar = folder / _tar_name(group)
            if not tar.exists():
                await _save(docker, [task.image for task, _ in group], tar)
            calls.pop(tar.name, None)  # of tars that hold one name, the last export's goes last
            calls[tar.name] = _load_call(tar, group)
            shipped += [shipped_as(task, task.image, str(image.id)) for task, image in group]
            tell("save", len(shipped), len(wanted))
    _write_script(folder, [call for tar, call in calls.items() if (folder / tar).exists()])
    return shipped


def _calls_in(script: Path) -> dict[str, str]:
    """The calls of earlier exports into that folder, by their tars."""
    if not script.exists():
        return {}
    text = script.read_text(encoding="utf-8", errors="replace")
    if not text.startswith(FIRST_LINES):
        raise InputError(f"{script} is somebody's own, and stays as it is\nname another folder")
    return {found[1]: found[0] for found in CALL.finditer(text)}


def _write_script(folder: Path, calls: list[str]) -> None:
    draft = draft_in(folder, DRAFT)
    draft.write_text(LOAD_SH.replace("@CALLS@", "\n".join(calls)), encoding="utf-8")
    draft.chmod(0o755)
    draft.replace(folder / SCRIPT)


async def _named(docker: Docker, task: Task) -> DockerImage:
    """The image of a task, under its name: a tar keeps the names alone."""
    image = await image_here(docker, task)
    named = await docker.engine.find_image(task.image)
    if named is None or named.id != image.id:
        repository, _, tag = task.image.rpartition(":")
        await docker.engine.call(image.tag, repository, tag)
    return image


def _groups(images: Group) -> list[Group]:
    """Images by what they stand on, which is all layers but their last."""
    found: dict[tuple[str, ...], Group] = {}
    for task, image in images:
        found.setdefault((*image.attrs["RootFS"]["Layers"][:-1],), []).append((task, image))
    return [
        group[start : start + IMAGES_PER_TAR]
        for group in found.values()
        for start in range(0, len(group), IMAGES_PER_TAR)
    ]


def _tar_name(group: Group) -> str:
    project = group[0][0].image.removeprefix(OURS).partition(":")[0].replace("/", "_")
    told = "".join(f"{task.image} {image.id}\n" for task, image in group)
    return f"{project}-{hashlib.sha256(told.encode()).hexdigest()[:12]}.tar"


async def _save(docker: Docker, names: list[str], tar: Path) -> None:
    draft = draft_in(tar.parent, DRAFT)
    try:
        await save(docker.engine, names, draft)
        draft.replace(tar)
    except Unanswered as stopped:
        raise ServiceError(
            f"{', '.join(names)} could not be saved: {stopped.failure.detail}\n"
            "mend the engine, and export again: what is saved is not saved again"
        ) from None
    finally:
        draft.unlink(missing_ok=True)


def _load_call(tar: Path, group: Group) -> str:
    with tar.open("rb") as file:
        sha = hashlib.file_digest(file, "sha256").hexdigest()
    words = [word for task, image in group for word in (task.image, str(image.id), _layers(image))]
    return f"load {shlex.quote(tar.name)} {sha} \\\n  {shlex.join(words)}"


def _layers(image: DockerImage) -> str:
    """Sha256 of the list of layers as `docker image inspect` prints it."""
    listed = json.dumps(image.attrs["RootFS"]["Layers"], separators=(",", ":"))
    return hashlib.sha256(f"{listed}\n".encode()).hexdigest()
