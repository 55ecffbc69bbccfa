"""A repository, its image and tasks made by hand, whose test ids are as awkward as ids get."""

import base64
import io
import shlex
import subprocess
import tarfile
from datetime import datetime
from pathlib import Path

import docker
import polars as pl

from forge.eval_script import KEPT, render
from forge.fingerprint import source_of
from forge.inside.report import canonical
from forge.languages import languages
from forge.recipes import Recipe
from forge.settings import Settings

IMAGE = "sweforge/handmade:latest"
BROKEN = 'def shout(text):\n    return text.lower() + "!"\n'
MENDED = 'def shout(text):\n    return text.upper() + "!"\n'
# A task per file of tests, and what they are parametrized with.
AWKWARD = {
    "tests/test_spaces.py": ["a b", " a ", "a  b", ""],
    "tests/test_brackets.py": ["[", "]", "log(x", "a[b[", "(a) (0.00s)"],
    "tests/test_dashes.py": ["a - b", "--- PASS: a (0.00s)", "FAILED - c", "a::b - c"],
    "tests/test_prüfung.py": ["größe", "日本 語", "é", "e\u0301"],
    "tests/test_breaks.py": ["a\nb", "a\tb", "a\u2028b", "a\u0085b"],
    "tests/test_markers.py": [">>>>> End Test Output", ">>>>> Tests Timed Out", "[5m"],
    "tests/a dir/test_quotes.py": ['"', "'", "\\", "$HOME `id`", "%s", "{}", "<&>"],
    '"tests"/test_paths.py': ["a/b.py", "..", "tests/test_spaces.py::test_shouts[a b]"],
    "tests/deep/er/test_plain.py": ["ordinary"],
}
TESTS = """import pytest
from shouting import shout

CASES = {cases!a}

@pytest.mark.parametrize("case", CASES, ids=CASES)
def test_shouts(case):
    assert shout("a") == "A!"

@pytest.mark.parametrize("case", CASES, ids=CASES)
def test_keeps_its_mark(case):
    assert shout("a").endswith("!")
"""
RAW_IDS = "disable_test_id_escaping_and_forfeit_all_rights_to_community_support=true"
TEST = (
    f"python -m pytest -q --rootdir=/testbed -o {RAW_IDS} -o junit_family=xunit1 "
    '--continue-on-collection-errors --junitxml="$FORGE_RESULT" "$@"'
)
KEEPER = base64.b64encode(source_of("forge.inside.base").encode()).decode()
RULES = shlex.quote(languages()["python"].rules()).replace("\\", "\\\\")
DOCKERFILE = f"""FROM python:3.11-slim-bookworm
RUN command -v git && command -v patch || \\
    (apt-get update -qq && apt-get install -y -qq --no-install-recommends git patch)
RUN useradd --uid 1000 --create-home forge && git config --system --add safe.directory /testbed \\
    && mkdir -p /forge/bin && ln -s "$(command -v python3)" /forge/bin/python3
RUN python3 -m venv /opt/venv && /opt/venv/bin/pip install -q pytest
ENV PATH=/opt/venv/bin:$PATH PYTHONPATH=/testbed
WORKDIR /testbed
COPY shouting.py .
RUN echo {KEEPER} | base64 -d >/forge/base.py \\
    && python3 -I -S -B /forge/base.py keep {KEPT} {RULES}
RUN git init -q && git add --all && \
    git -c user.name=Grace -c user.email=grace@example.org commit -q -m broken && \
    git checkout -q --detach && chown -R forge: .
STOPSIGNAL SIGKILL
"""


def make(folder: Path, engine: docker.DockerClient) -> pl.LazyFrame:
    """Tasks over one image, which is built from a repository in `folder`."""
    folder.mkdir()
    (folder / "shouting.py").write_text(BROKEN, encoding="utf-8")
    image = _build(folder, engine)
    for arguments in ("init -q", "add --all", "commit -q -m broken"):
        _git(folder, *arguments.split())
    return pl.LazyFrame([_task(folder, path, cases, image) for path, cases in AWKWARD.items()])


def _build(folder: Path, engine: docker.DockerClient) -> str:
    dockerfile = folder.with_suffix(".Dockerfile")
    dockerfile.write_text(DOCKERFILE, encoding="utf-8")
    image, _ = engine.images.build(
        path=str(folder),
        dockerfile=str(dockerfile),
        tag=IMAGE,
        rm=True,
        network_mode=Settings().build_network,
    )
    return str(image.id)


def _task(folder: Path, path: str, cases: list[str], image: str) -> dict[str, object]:
    base = _git(folder, "rev-parse", "HEAD").strip()
    tests = TESTS.format(cases=cases)
    name = Path(path).stem.removeprefix("test_")
    recipe = Recipe(
        language="python",
        repo="grace/shouting",
        base_commit=base,
        image="python:3.11-slim-bookworm",
        probe="true",
        test=TEST,
        results="junit",
    )
    return {
        "repository_id": -1,
        "number": list(AWKWARD).index(path) + 1,
        "instance_id": f"grace__shouting-{list(AWKWARD).index(path) + 1}",
        "repo": "grace/shouting",
        "base_commit": base,
        "gold_patch": _patch(folder, "shouting.py", MENDED),
        "test_patch": _patch(folder, path, tests),
        "problem_statement": f"shout whispers ({name})\n\nIt should be loud.",
        "hints_text": None,
        "created_at": datetime(2026, 3, 2, 12, 30),
        "version": "2026-03",
        "fail_to_pass": [canonical(f"{path}::test_shouts[{case}]") for case in cases],
        "pass_to_pass": [canonical(f"{path}::test_keeps_its_mark[{case}]") for case in cases],
        "image": IMAGE,
        "image_digest": image,
        "eval_script": render(
            recipe,
            test_archive=_archive(path, tests),
            removed_test_paths=[],
            targets=[path],
            seconds=120,
        ),
        "log_parser": "parse_log_gotest",
        "eval_type": "pass_and_fail",
        "language": "python",
        "licence": "MIT",
        "recipe": recipe.text,
        "verified_at": datetime(2026, 3, 3),
        "unknown": [],
    }


def _patch(folder: Path, path: str, content: str) -> str:
    file = folder / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(content, encoding="utf-8")
    _git(folder, "add", "--all")
    patch = _git(folder, "diff", "--cached", "--binary")
    _git(folder, "reset", "-q", "--hard")
    return patch


def _archive(path: str, content: str) -> str:
    member = tarfile.TarInfo(path)
    member.size = len(content.encode())
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w:gz") as tar:
        tar.addfile(member, io.BytesIO(content.encode()))
    return base64.b64encode(archive.getvalue()).decode()


def _git(folder: Path, *arguments: str) -> str:
    done = subprocess.run(["git", *arguments], cwd=folder, check=True, capture_output=True)
    return done.stdout.decode()
