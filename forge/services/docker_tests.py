"""A patch and an eval.sh in a task's image, offline and bounded, and what they left."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from forge.effect import Failure
from forge.eval_script import LOG_BYTES, OUT
from forge.inside.report import MOST_BYTES
from forge.services.docker_containers import Ended, Program, ended
from forge.services.docker_engine import Engine, Unanswered
from forge.services.docker_files import File
from forge.services.docker_limits import Bounds

REPORT, APPLY_LOG, LOG = "/forge/report", "/forge/apply.log", f"{OUT}/log"
STATUS, LETTERS, RESULT = f"{OUT}/status.json", f"{OUT}/letters.json", f"{OUT}/result/result"
FREE_BYTES = 20_000_000
NOT_APPLIED, SIGNALLED = 9, 128
NEARLY = 0.9
CAPABILITIES = ("SETUID", "SETGID", "CHOWN", "DAC_OVERRIDE", "FOWNER", "KILL")
UNPRIVILEGED = "setpriv --reuid=1000 --regid=1000 --clear-groups --inh-caps=-all --no-new-privs"

EXACTLY = "unprivileged git -c core.hooksPath=/dev/null apply --whitespace=nowarn /forge/patch"
"""For patches that git made of this very commit."""
GIT_FOLDERS = "/testbed -xdev '(' -iname .git -o -ipath '*/.git/*' ')'"
LENIENTLY = f"""{EXACTLY} || {{
  touch /forge/before && sleep 0.1 &&
    unprivileged patch --batch --forward --fuzz=5 -p1 -i /forge/patch &&
    ! find {GIT_FOLDERS} -cnewer /forge/before -printf 'invalid path %p\\n' | grep .
}}"""
"""For patches of engineers and models, as the harnesses of consumers apply them.

What git refuses as unsafe `patch` refuses too, but for git's own folder, which it knows nothing of.
"""

SCRIPT = f"""
unprivileged() {{ {UNPRIVILEGED} env HOME=/home/forge "$@"; }}
cd /testbed
if [ -s /forge/patch ]; then
  {{ @APPLY@; }} >{APPLY_LOG} 2>&1 || exit {NOT_APPLIED}
fi
exec /bin/bash /forge/eval.sh >{REPORT} 2>&1
"""


@dataclass(frozen=True)
class EvalOutput:
    """What one run of eval.sh left; without `status` and `letters` where it was stopped.

    `limit` is what it passed of its bounds, which leaves nothing to believe in its letters.
    """

    is_applied: bool
    is_timed_out: bool
    limit: Failure | None
    seconds: float
    report: bytes
    log: bytes
    result: bytes | None
    status: Mapping[str, Any]
    letters: Mapping[str, Any]


async def run_tests(  # noqa: PLR0913 - a run is all of these
    engine: Engine, image: str, *, patch: str, apply: str, eval_script: str, bounds: Bounds
) -> EvalOutput:
    """Apply the patch as an unprivileged user, then run eval.sh as root, as every consumer does."""
    files = {
        "/forge/patch": patch,
        "/forge/eval.sh": eval_script,
        "/forge/run.sh": SCRIPT.replace("@APPLY@", apply),
    }
    program = Program(
        image=image,
        command=("/bin/bash", "/forge/run.sh"),
        files={path: File(text.encode()) for path, text in files.items()},
        collect={
            REPORT: MOST_BYTES,
            APPLY_LOG: LOG_BYTES,
            LOG: 3 * LOG_BYTES,
            STATUS: 10_000,
            LETTERS: 2 * MOST_BYTES,
            RESULT: MOST_BYTES,
        },
        folders=(OUT,),
        capabilities=CAPABILITIES,
        bounds=bounds,
    )
    async with engine.slots, ended(engine, program) as (_, end):
        return _tested(end, bounds)


def _tested(end: Ended, bounds: Bounds) -> EvalOutput:
    status = json.loads(end.files.get(STATUS, b"{}"))
    limit = _limit(end, status, bounds)
    if not limit and not status and end.exit_code > SIGNALLED:
        words = f"somebody killed the container: it ended with {end.exit_code}, and eval.sh did not"
        raise Unanswered(Failure("infra", "killed", words))
    is_applied = end.exit_code != NOT_APPLIED or REPORT in end.files
    return EvalOutput(
        is_applied=is_applied,
        is_timed_out=bool(status.get("is_timed_out")),
        limit=limit,
        seconds=status.get("milliseconds", end.seconds * 1000) / 1000,
        report=end.files.get(REPORT, b""),
        log=end.files.get(LOG, b"") if is_applied else end.files.get(APPLY_LOG, b""),
        result=end.files.get(RESULT),
        status=status,
        letters=json.loads(end.files.get(LETTERS, b"{}")),
    )


def _limit(end: Ended, status: Mapping[str, Any], bounds: Bounds) -> Failure | None:
    memory = bounds.passed("memory")
    if status.get("free_bytes", FREE_BYTES) < FREE_BYTES:
        words = f"{status['free_bytes']} bytes were left on the engine's disk"
        raise Unanswered(Failure("infra", "disk_full", words))
    if status.get("killed") or end.limit == memory:
        peak = status.get("memory_bytes") or bounds.memory_bytes
        if peak < NEARLY * bounds.memory_bytes:
            words = f"the kernel killed processes that had {peak:,} bytes: the machine has no more"
            raise Unanswered(Failure("infra", "out_of_memory", words))
        return memory
    return end.limit or (bounds.passed("process") if status.get("refused") else None)
