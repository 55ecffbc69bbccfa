"""GitHub Actions: what the jobs that run tests install, on which Pythons, with which variables."""

import posixpath
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from forge.recipes import conda, pixi
from forge.recipes.commands import debian
from forge.recipes.facts import Facts, Need, Place, TestCommand
from forge.recipes.learned import Learned
from forge.recipes.project import Project
from forge.recipes.pythons import RELEASED
from forge.recipes.requirement_lines import included
from forge.recipes.scripts import Reach, learn
from forge.recipes.variables import entered, plain
from forge.recipes.workflows import Job, Step, jobs

READER = "github_actions"
ELSEWHERE = re.compile(r"windows|macos|darwin|osx|\barm\b|aarch64|freebsd", re.IGNORECASE)
PYTHON = re.compile(r"^(?:cpython-?)?(3\.\d{1,2})(\.\d+)?$")
MINOR = re.compile(r"(?<![a-z])(?:cp|py|python)-?3\.?(\d{1,2})(?![\dt])")
NAMES_PYTHON = re.compile(r"py|^version$|^v$|tox|nox|env", re.IGNORECASE)
# Words of a job's name, file or row that tell it from the one that every pull request must pass.
ODD = re.compile(
    r"night|bleeding|devel\b|\bdev\b|pre-?release|upstream|downstream|min(imal|imum)?\b|old(est)?\b"
    r"|lowest|smoke|install|docs?\b|doctest|lint|typ(e|ing)|mypy|pyright|bench|perf|release"
    r"|publish|deploy|wheel|free.?thread|pypy|graal|pyodide|wasm|emscripten|cuda|gpu|slow|integration"
    r"|e2e|end.to.end|fuzz|mutation|compat|coverage|sdist|package|examples?|notebook|random|latest"
    r"|no.?numpy|without|sanitiz|valgrind|big.?endian|32.?bit|musl|alpine|conda|codspeed|vcs|cron"
    r"|scheduled|weekly|postgres|mysql|mariadb|oracle|redis|extern|backend|debug|style|format",
    re.IGNORECASE,
)
FREE_THREADED = re.compile(r"\b3\.\d+t$")
PLAIN = re.compile(r"\b(unit.?)?tests?\b|\bpytest\b|\bci\b|\bcheck\b|\bbuild\b", re.IGNORECASE)
FAR, NEAR = 8, 2
WRITTEN = re.compile(r"""(?m)\becho\s+["']?(\w+)=([^"'\n]*?)["']?\s*>>\s*["']?\$\{?GITHUB_ENV\b""")
VARIABLE = re.compile(r"\$(?:(\w+)|\{(\w+)\})")
GPU = re.compile(r"\bgpus?\b|nvidia|\bcuda", re.IGNORECASE)


def read_github_actions(project: Project) -> Facts:
    """What automation says about tests: it is what was seen to work, and so it ranks first."""
    found = [need for rows in jobs(project) if (need := _of_job(project, rows))]
    ordered = sorted(found, key=_standing)
    return Facts(
        needs=tuple(need for need, _ in ordered),
        pythons=tuple(dict.fromkeys(v for need, _ in ordered for v in _place(need).pythons)),
        test_commands=tuple(command for _, commands in ordered for command in commands),
    )


def _standing(found: tuple[Need, tuple[TestCommand, ...]]) -> tuple[int, int]:
    """Main jobs first, and of equals those that are run with several Pythons."""
    place = _place(found[0])
    return place.standing, -min(len(place.pythons), 3)


def _place(need: Need) -> Place:
    return need.place or Place()


@dataclass(frozen=True)
class _Row:
    """A job in one row of its matrix, with what its steps do."""

    job: Job
    learned: Learned
    environment: Mapping[str, str]
    """Variables of the job, and of its steps as far as they reach the first tests."""
    pythons: tuple[str, ...]

    def oddity(self, root: str) -> int:
        """How far the row is from those that every change of the project in a folder must pass."""
        return _odd(self.job) + _remoteness(self.learned, root)


def _of_job(project: Project, rows: list[Job]) -> tuple[Need, tuple[TestCommand, ...]] | None:
    """What a job installs in the row that is most like any other, where it runs tests."""
    here = [job for job in rows if not ELSEWHERE.search(" ".join([job.runs_on, *job.row.values()]))]
    runs = [row for row in _read(project, here) if row.learned.tests]
    if not runs:
        return None
    least = min(row.oddity(project.root) for row in runs)
    usual = [row for row in runs if row.oddity(project.root) == least]
    pythons = tuple(dict.fromkeys(v for row in usual for v in row.pythons))
    chosen = min(usual, key=lambda row: _newest_first(row.pythons))
    place = _place_of(chosen, pythons, project.root)
    need = Need("test", READER, f"test job {chosen.job.name}", _known(chosen.learned.lines), place)
    return need, chosen.learned.commands(READER)


def _read(project: Project, rows: list[Job]) -> Iterator[_Row]:
    """The rows, each script of a step read once for all of them."""
    memo: dict[str, Learned] = {}
    for job in rows:
        learned, own, kept = Learned(), dict(job.environment), dict(job.environment)
        for bare in job.steps:
            step = replace(bare, environment={**kept, **bare.environment})
            key = repr((step.script, step.uses, step.folder, step.inputs, step.environment))
            memo[key] = memo.get(key) or _of_step(project, step)
            kept |= dict(WRITTEN.findall(step.script))
            if not learned.tests:
                own |= {**kept, **_variables(bare, memo[key])}
            learned = learned | memo[key]
        yield _Row(job, learned, own, tuple(_pythons(job, learned)))


def _variables(step: Step, learned: Learned) -> dict[str, str]:
    """What a step sets for what it installs or tests; what else it does is nobody's concern."""
    found = {**step.environment, **dict(learned.environment)}
    return found if learned.tests or learned.lines else {}


def _known(lines: Sequence[str]) -> tuple[str, ...]:
    return tuple(line for line in lines if "$" not in line and "{" not in line)


def _newest_first(pythons: Sequence[str]) -> list[int]:
    # One that is not out yet is known to pass on some days.
    return [-int(v.partition(".")[2]) if v in RELEASED else 0 for v in pythons[:1]]


def _remoteness(learned: Learned, root: str) -> int:
    """How far from the project's folder tests are run: in it, above it, or among others' only."""
    folders = {test.folder for test in learned.tests}
    if any(_is_within(folder, root) for folder in folders):
        return 0
    return 1 if any(_is_within(root, folder) for folder in folders) else FAR


def _is_within(folder: str, above: str) -> bool:
    return not above or f"{folder}/".startswith(f"{above}/")


def _place_of(row: _Row, pythons: tuple[str, ...], root: str) -> Place:
    job, learned = row.job, row.learned
    services = [f"services: {image or name}" for name, image in job.services.items()]
    shown = f"{job.runs_on} {job.container}"
    return Place(
        standing=_strangeness(job, learned) + _remoteness(learned, root),
        pythons=pythons,
        environment=plain(row.environment.items()),
        system_packages=tuple(dict.fromkeys(learned.system_packages)),
        has_display=learned.has_display,
        surroundings=tuple(
            dict.fromkeys(
                [
                    *services,
                    *learned.surroundings,
                    *([f"gpu: {shown.strip()}"] if GPU.search(shown) else []),
                    *_checked_out(job),
                ]
            )
        ),
    )


def _checked_out(job: Job) -> Iterator[str]:
    for step in job.steps:
        if step.uses.startswith("actions/checkout"):
            if step.inputs.get("lfs") == "true":
                yield "lfs: actions/checkout"
            if step.inputs.get("submodules") in {"true", "recursive"}:
                yield "submodules: actions/checkout"


def _strangeness(job: Job, learned: Learned) -> int:
    named = f"{posixpath.basename(job.file)} {job.name}".replace("_", " ")
    odd = len(set(map(str.lower, (found[0] for found in ODD.finditer(named)))))
    is_plain = bool(PLAIN.search(named))
    is_bare = not learned.lines
    return 2 * odd + (0 if job.is_automatic else FAR) + (0 if is_plain else NEAR) + NEAR * is_bare


def _odd(job: Job) -> int:
    # "latest" in a row is a machine, or what everybody installs; in a job's name it is neither.
    values = [value.lower().replace("latest", "") for value in job.row.values()]
    return sum(bool(ODD.search(value) or FREE_THREADED.search(value)) for value in values)


def _of_step(project: Project, step: Step) -> Learned:
    script = step.script or (step.inputs.get("run", "") if "xvfb" in step.uses else "")
    known = {name: value for name, value in step.environment.items() if value}
    script = VARIABLE.sub(lambda found: known.get(found[1] or found[2], found[0]), script)
    tests = step.environment.get("TOXENV") or step.environment.get("NOXSESSION")
    if tests:
        script = re.sub(r"(?m)^(\s*(?:python3? -m )?(?:tox|nox))\b", rf"\1 -e {tests}", script)
    there = replace(project, root=entered("", step.folder))
    learned = learn(there, script, Reach(project.root))
    packages = step.inputs.get("packages", "") if "apt" in step.uses.lower() else ""
    lines = [f"-r {step.inputs['requirements']}"] if "requirements" in step.inputs else []
    if "conda" in step.uses or "mamba" in step.uses:
        path = posixpath.normpath(step.inputs.get("environment-file", ""))
        lines += conda.lines_of_file(project, path)
    if "setup-pixi" in step.uses:
        names = step.inputs.get("environments", "").split()
        lines += [line for name in names[:1] for line in pixi.lines(project, name)]
    return learned | Learned(
        lines=included(lines, project.files, there.root),
        system_packages=tuple(debian(packages.split())),
        has_display=bool(re.search(r"xvfb|headless-display|setup-qt", step.uses)),
    )


def _pythons(job: Job, learned: Learned) -> Iterator[str]:
    """The version of a job's row, by the row itself or by the steps that set one up."""
    values = [value for name, value in job.row.items() if NAMES_PYTHON.search(name)]
    values += [step.inputs.get("python-version", "") for step in job.steps]
    words = [word for value in values for word in value.split()]
    found = [match[1] for word in words if (match := PYTHON.match(word))]
    found += [f"3.{match[1]}" for word in words if (match := MINOR.search(word))]
    yield from dict.fromkeys([*found, *learned.pythons])
