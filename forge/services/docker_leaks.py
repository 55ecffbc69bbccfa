"""The leak scan of a task's image: our scanner in a fresh container, offline and bounded."""

import json
from typing import Any

from forge.effect import Failure
from forge.fingerprint import source_of
from forge.services.docker_containers import Program, ended, stop_on_limit
from forge.services.docker_engine import Engine, Unanswered
from forge.services.docker_files import File
from forge.services.docker_limits import Bounds

FOLDER = "/forge/scan"
WANTED, ANSWER, LOG = f"{FOLDER}/wanted.json", f"{FOLDER}/answer.json", f"{FOLDER}/log"
SCANNER = (*("leaks", "leaks_git", "leaks_installed", "leaks_lines", "leaks_text", "unpacking"),)
PACKAGES = ("forge", "forge/inside")
START = f"""
import sys
sys.path.insert(0, {FOLDER!r})
from forge.inside.leaks import main
main("/", {WANTED!r}, {ANSWER!r})
"""
COMMAND = (
    f"exec >{LOG} 2>&1 </dev/null; LC_ALL=C.UTF-8 /forge/bin/python3 -I -S -B {FOLDER}/start.py"
)
BYTES = 10_000_000


async def find_leaks(
    engine: Engine, image: str, wanted: dict[str, Any], bounds: Bounds
) -> dict[str, Any]:
    """What the scanner found in an image."""
    modules = {f"forge/inside/{name}.py": source_of(f"forge.inside.{name}") for name in SCANNER}
    packages = {f"{name}/__init__.py": "" for name in PACKAGES}
    asked = {"wanted.json": json.dumps(wanted), "start.py": START, **packages, **modules}
    program = Program(
        image=image,
        command=("/bin/bash", "-c", COMMAND),
        files={f"{FOLDER}/{name}": File(text.encode()) for name, text in asked.items()},
        collect={ANSWER: BYTES, LOG: BYTES},
        folders=(FOLDER,),
        capabilities=("DAC_OVERRIDE",),
        bounds=bounds,
    )
    async with engine.slots, ended(engine, program) as (_, end):
        log = end.files.get(LOG, b"")
        stop_on_limit(end, log, bounds)
        if end.exit_code or ANSWER not in end.files:
            words = log.decode(errors="replace")[-2000:]
            raise Unanswered(Failure("infra", "leak_scan_failed", words))
        found: dict[str, Any] = json.loads(end.files[ANSWER])
        return found
