"""A patch and an eval.sh in a task's image, offline and bounded, and what they left.

What may be the machine's doing, such as tests that another container slowed down, is run once more
with nothing beside it, and then counts.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from forge.effect import Failure
from forge.eval_script import LOG_BYTES, OUT
from forge.inside.report import MOST_BYTES
from forge.services.docker_containers import Ended, Program, ended
from forge.services.docker_engine import Engine, Unanswered
from forge.services.docker_files import File
from forge.services.docker_limits import Bounds

LEFT = "/forge/left"
"""One folder for all that is read, because each question to an engine takes long."""
REPORT, APPLY_LOG, LOG = f"{LEFT}/report", f"{LEFT}/apply.log", f"{LEFT}/out/log"
STATUS, LETTERS = f"{LEFT}/out/status.json", f"{LEFT}/out/letters.json"
RESULT = f"{LEFT}/out/result/result"
STOPPED_LOG = f"{OUT}/log"
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
mkdir {LEFT}
cd /testbed
if [ -s /forge/patch ]; then
  {{ @APPLY@; }} >{APPLY_LOG} 2>&1 || exit {NOT_APPLIED}
fi
/bin/bash /forge/eval.sh >{REPORT} 2>&1
ended=$?
mv {OUT} {LEFT}/out
exit "$ended"
"""
EXHAUSTED = re.compile(
    rb"No space left on device|Cannot allocate memory|Resource temporarily unavailable"
    rb"|Too many open files in system|can't start new thread"
)
"""What programs say where a machine has no more; or where a test wants to see it said."""
OF_THE_MACHINE = ("out_of_memory", "disk_full", "processes_refused", "killed")


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
    script = SCRIPT.replace("@APPLY@", apply)
    program = _program(image, {"patch": patch, "eval.sh": eval_script, "run.sh": script}, bounds)
    question = hash((image, script, patch, eval_script))
    tested, had_company = await _once(engine, program)
    if is_doubtful(tested, had_company=had_company) and question not in engine.believed:
        tested, _ = await _once(engine, replace(program, is_alone=True))
        if not isinstance(tested, Failure) and is_doubtful(tested, had_company=True):
            engine.believed.add(question)  # it is no neighbour's doing, and is not asked again
    if isinstance(tested, Failure):
        raise Unanswered(tested)
    return tested


def _program(image: str, texts: Mapping[str, str], bounds: Bounds) -> Program:
    return Program(
        image=image,
        command=("/bin/bash", "/forge/run.sh"),
        files={f"/forge/{name}": File(text.encode()) for name, text in texts.items()},
        collect={
            REPORT: MOST_BYTES,
            APPLY_LOG: LOG_BYTES,
            LOG: 3 * LOG_BYTES,
            STATUS: 10_000,
            LETTERS: 2 * MOST_BYTES,
            RESULT: MOST_BYTES,
        },
        collect_at_limit={STOPPED_LOG: 3 * LOG_BYTES},
        folders=(LEFT,),
        capabilities=CAPABILITIES,
        bounds=bounds,
    )


async def _once(engine: Engine, program: Program) -> tuple[EvalOutput | Failure, bool]:
    """What a run says, and whether others ran beside it."""
    async with engine.slots, ended(engine, program) as (_, end):
        pass
    try:
        tested = _tested(end, program.bounds)
    except Unanswered as stopped:
        if stopped.failure.reason == "out_of_memory":
            engine.admission.note(program.image, program.bounds.memory_bytes)
        return stopped.failure, end.had_company
    engine.admission.note(program.image, tested.status.get("memory_bytes") or 0)
    return tested, end.had_company


def is_doubtful(tested: EvalOutput | Failure, *, had_company: bool) -> bool:
    """Whether it may be the doing of the machine, or of what ran beside."""
    if isinstance(tested, Failure):
        return tested.reason in OF_THE_MACHINE
    if tested.limit or not tested.letters:
        return False
    letters = {letter for _, letter, _ in tested.letters["tests"]}
    is_green = letters <= {"P", "X", "S"} and not tested.status["exit_code"]
    is_exhausted = not is_green and EXHAUSTED.search(tested.log) is not None
    return is_exhausted or (tested.is_timed_out and had_company)


def _tested(end: Ended, bounds: Bounds) -> EvalOutput:
    status = json.loads(end.files.get(STATUS, b"{}"))
    limit = limit_of(end.limit, status, bounds)
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
        log=end.files.get(LOG, end.files.get(STOPPED_LOG, b""))
        if is_applied
        else end.files.get(APPLY_LOG, b""),
        result=end.files.get(RESULT),
        status=status,
        letters=json.loads(end.files.get(LETTERS, b"{}")),
    )


def limit_of(seen: Failure | None, status: Mapping[str, Any], bounds: Bounds) -> Failure | None:
    """The limit that tests passed, as it was seen or as they left it told.

    Raises Unanswered where not they, but the machine had no more.
    """
    if status.get("free_bytes", FREE_BYTES) < FREE_BYTES:
        words = f"{status['free_bytes']} bytes were left on the engine's disk"
        raise Unanswered(Failure("infra", "disk_full", words))
    memory = bounds.passed("memory")
    if status.get("killed") or seen == memory:
        peak = status.get("memory_bytes") or bounds.memory_bytes
        if peak < NEARLY * bounds.memory_bytes:
            words = f"the kernel killed processes that had {peak:,} bytes: the machine has no more"
            raise Unanswered(Failure("infra", "out_of_memory", words))
        return memory
    return seen or (_refused(status, bounds) if status.get("refused") else None)


def _refused(status: Mapping[str, Any], bounds: Bounds) -> Failure:
    peak = status.get("processes") or bounds.processes
    if peak < NEARLY * bounds.processes:
        words = f"the kernel refused a process where {peak:,} ran: the machine allows no more"
        raise Unanswered(Failure("infra", "processes_refused", words))
    return bounds.passed("process")
