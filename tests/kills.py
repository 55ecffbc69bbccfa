"""Builds killed at seeded steps and run again: `python tests/kills.py --seeds 1000-3000`."""

import argparse
import contextlib
import fcntl
import os
import random
import re
import shutil
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import docker
import pytest
from kill_points import APPEND, Death, kind_of
from kill_traces import MONTH, Trace, held_objects, trace, unproved
from kill_world import Chosen, World, serve_some

from forge.cli import exit_code
from forge.services.docker_engine import PROCESS


class Plan(NamedTuple):
    """What is built of which world, and the kinds of steps at which it is killed, in turn."""

    chosen: Chosen
    flags: tuple[str, ...]
    kinds: tuple[str, ...]
    since: str = ""
    """The first step that counts."""
    recipes: tuple[tuple[str, str], ...] = ()

    def command(self, root: Path) -> list[str]:
        """The build, as a user types it."""
        return ["build", "--month", MONTH, "--sample", "100%", *self.flags, "--root", str(root)]


PLAIN = Plan(
    {"lanternworks/tidytext": {12, 13}, "papertrail/glyphs": {3}},
    ("--hours", "27,33,37-38", "--to", "statements"),
    (
        *("hour in pieces", "download", APPEND, "journal removed", "memo part"),
        *("manifest", "commit of a table", "git at work", "mirror fetch"),
    ),
)
CONTAINERS = Plan(
    {"oldmill/almanac": {3}},
    (
        *("--hours", "66", "--limit", "attempts.survivors=1", "--limit", "verdicts.befores=1"),
        *("--limit", "attempts.would_be_tasks=1", "--limit", "verdicts.afters=1"),
        *("--to", "verdicts"),
    ),
    ("container", "image", APPEND, "container", "commit of a table"),
    since="asks ",
    recipes=(
        (
            "oldmill__almanac",
            """\
image = "python:3.11-slim-bookworm"
lock = "iniconfig==2.1.0\\npackaging==25.0\\npluggy==1.6.0\\npygments==2.19.2\\npytest==8.4.2\\n"
[environment]
PYTHONPATH = "/testbed/lib"
ALMANAC_TABLES = "/testbed/tables"
""",
        ),
    ),
)


@dataclass
class Scene:
    """A world, and what an uninterrupted build makes of it."""

    plan: Plan
    world: World
    folder: Path
    expected: Trace
    counts: dict[str, int]
    engine: docker.DockerClient | None
    deaths: list[str] = field(default_factory=list)
    """Steps at which builds were killed so far."""

    def death(self, seed: int, root: Path) -> Death:
        """Where and how the build of a seed dies."""
        dice = random.Random(seed)
        kind = self.plan.kinds[seed % len(self.plan.kinds)]
        nth = dice.randrange(self.counts[kind])
        is_torn, takes_children = dice.random() < 0.4, dice.random() < 0.3
        report = str(root.parent / f"{root.name}.report")
        return Death(str(root), report, kind, nth, is_torn, takes_children, self.plan.since)


@contextmanager
def scene(plan: Plan, folder: Path, engine: docker.DockerClient | None = None) -> Iterator[Scene]:
    """Serve the world of a plan, build it once, and count the steps of that."""
    (folder / "recipes").mkdir()
    for name, text in plan.recipes:  # images of one's own: others may build them meanwhile
        (folder / f"recipes/{name}.toml").write_text(f"{text}OF = {str(folder)!r}\n")
    with ExitStack() as stack:
        world = stack.enter_context(serve_some(folder / "world", plan.chosen))
        surroundings = world.environment | {"FORGE_RECIPES": str(folder / "recipes")}
        patched = stack.enter_context(pytest.MonkeyPatch.context())
        for name, value in surroundings.items():
            patched.setenv(name, value)
        root, report = folder / "untouched", folder / "steps"
        death = Death(str(root), str(report), since=plan.since)
        code = death.run(*plan.command(root)).wait()
        assert code == 0, Path(f"{report}.log").read_text(encoding="utf-8")
        made = Scene(plan, world, folder, trace(root), death.told()[1], engine)
        stack.callback(_remove_images, made)
        yield made


def complaints(scene: Scene, seed: int) -> list[str]:
    """What is wrong after the build of a seed was killed and run again; empty where nothing is."""
    root = scene.folder / f"seed-{seed}"
    death = scene.death(seed, root)
    pid = _killed(scene, death)
    has_waited = seed % 2 == 0  # else git processes of the killed build may still be at work
    if has_waited:
        _wait_for_git(root)
    before = trace(root)
    hours = scene.expected.answers("read_hour") - before.answers("read_hour")
    held = held_objects(root) if has_waited else set()
    scene.world.forget()
    found = [f"the rerun ended with {code}"] if (code := _rerun(scene, root)) else []
    _wait_for_git(root)
    found += _lost(death, before)
    found += scene.expected.differences(trace(root))
    found += _asked_twice(scene.world, hours)
    found += [f"{again} was fetched again" for again in held & set(scene.world.fetched)]
    found += [f"{table} is not proved" for table in unproved(root)]
    found += [f"{name} is left" for name in _containers(scene, pid)]
    if not found:
        shutil.rmtree(root)
    return [f"seed {seed}, killed as it {scene.deaths[-1]} ({death}):", *found] if found else []


def _killed(scene: Scene, death: Death) -> int:
    """Run a build to its death; the steps of two builds may differ by a few."""
    for nth in range(death.nth, -1, -1):
        _remove_images(scene)
        process = replace(death, nth=nth).run(*scene.plan.command(Path(death.root)))
        if process.wait() < 0:
            scene.deaths.append(death.told()[0])
            return process.pid
        shutil.rmtree(death.root)
    raise AssertionError(f"never killed: {death}")


def _rerun(scene: Scene, root: Path) -> int:
    with pytest.MonkeyPatch.context() as patched, contextlib.redirect_stdout(None):
        patched.setattr(sys, "argv", ["forge", *scene.plan.command(root)])
        return int(exit_code() or 0)


def _wait_for_git(root: Path) -> None:
    for path in root.glob("mirrors/.locks/*"):
        with path.open() as file:
            fcntl.flock(file, fcntl.LOCK_EX)


def _lost(death: Death, before: Trace) -> Iterator[str]:
    last, counts = death.told()
    remembered = counts.get(APPEND, 0) - (kind_of(last) == APPEND)
    answered = sum(before.answers(effect) for effect in before.answered)
    if answered < remembered:
        yield f"{remembered} answers were remembered, and {answered} are"


def _asked_twice(world: World, hours: int) -> Iterator[str]:
    asked = world.archive.asked
    if len(asked) != hours or len(set(asked)) != hours:
        yield f"{hours} hours were open, and {asked} were asked"


def _containers(scene: Scene, pid: int) -> list[str]:
    if scene.engine is None:
        return []
    found = scene.engine.containers.list(all=True, filters={"label": PROCESS}, ignore_removed=True)
    ours = re.compile(rf":({pid}|{os.getpid()}):")
    return [container.name for container in found if ours.search(container.labels[PROCESS])]


def _remove_images(scene: Scene) -> None:
    for tag in scene.expected.images:
        with contextlib.suppress(docker.errors.ImageNotFound):
            assert scene.engine
            scene.engine.images.remove(tag)


def main() -> None:
    """Run seeds, and print what is wrong after those that fail."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", default="0-89", help="such as 1000-3000")
    parser.add_argument("--docker", action="store_true", help="kill container stages")
    given = parser.parse_args()
    first, _, last = given.seeds.partition("-")
    plan, engine = (CONTAINERS, docker.from_env()) if given.docker else (PLAIN, None)
    failing = []
    with TemporaryDirectory(prefix="kills-") as folder, scene(plan, Path(folder), engine) as played:
        for seed in range(int(first), int(last or first) + 1):
            if found := complaints(played, seed):
                failing.append(seed)
                print(*found, sep="\n  ", flush=True)  # noqa: T201 - a command prints
        killed = Counter(map(kind_of, played.deaths))
        print(f"steps: {played.counts}\nkilled: {dict(killed)}")  # noqa: T201 - the same
    print(f"failing seeds: {failing}")  # noqa: T201 - the same
    sys.exit(bool(failing))


if __name__ == "__main__":
    main()
