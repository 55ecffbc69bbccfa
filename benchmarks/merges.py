"""Measure the merges and patches that forge finds in real repositories against a proved truth.

Run `python -m benchmarks.merges FOLDER…` on folders of bare clones that hold `refs/pull/*/head`.
"""

import asyncio
import json
import tempfile
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic
from typing import Any

import click

from benchmarks import halves
from benchmarks.clones import Clone, find, serve
from benchmarks.naming import TOLD, Named, Naming
from benchmarks.past import Past
from benchmarks.truth import Proven, Truth
from forge.services.git import Git

WRONG = {"wrong commit", "wrong base", "wrong method", "no such pull request"}


@dataclass
class Measured:
    """What was measured of one repository."""

    repo: str
    language: str
    proven: list[Proven]
    unproven: Counter[str]
    named: list[Named] = field(default_factory=list)
    doubtful: list[Named] = field(default_factory=list)
    walked: list[Named] = field(default_factory=list)
    cuts: list[halves.Cut] = field(default_factory=list)
    seconds: float = 0.0


@dataclass
class Bounds:
    """What one run may cost."""

    year: int
    merges: int | None
    patches: int
    seconds: float


@click.command()
@click.argument("folders", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
@click.option("--year", default=2026, show_default=True, help="Year of the merges.")
@click.option("--merges", type=int, help="Most merges per repository; all by default.")
@click.option("--patches", default=20, show_default=True, help="Most patches per repository.")
@click.option(
    "--seconds", default=1800.0, show_default=True, help="Most time to ask of each repository."
)
@click.option("--json", "as_json", is_flag=True, help="Everything, one line per repository.")
def main(folders: Sequence[Path], *, as_json: bool, **bounds: Any) -> None:
    """Compare what forge names in the bare clones below FOLDERS with what they prove."""
    done: list[Measured] = []
    for clone in find(folders):
        with tempfile.TemporaryDirectory() as scratch:
            measured = asyncio.run(_measure(clone, Path(scratch), Bounds(**bounds)))
        done.append(measured)
        click.echo(
            json.dumps(_everything(measured)) if as_json else _line(measured), err=not as_json
        )
    if not as_json:
        click.echo("\n\n".join(_tables(done)))
    raise SystemExit(1 if any(_wrong(measured) for measured in done) else 0)


async def _measure(clone: Clone, scratch: Path, bounds: Bounds) -> Measured:
    started = monotonic()
    served = serve(clone, scratch / "served")
    truth = Truth(Past(served.folder, bounds.year))
    proven = truth.of_year()[: bounds.merges]
    reasons = Counter(unproven.reason for unproven in truth.unproven.values())
    measured = Measured(clone.name, halves.language(served), proven, reasons)
    service = Git(f"file://{scratch / 'served'}/{{owner}}/{{repo}}", scratch / "mirrors")
    naming = Naming(service, clone.name, truth, monotonic() + bounds.seconds)
    await naming.prepare()
    measured.walked = await naming.walked()
    measured.named = await naming.proven(proven)
    measured.doubtful = await naming.doubtful()
    asked = halves.chosen(proven, bounds.patches)
    measured.cuts = await halves.cut(service, served, asked, halves.pattern(measured.language))
    measured.seconds = monotonic() - started
    return measured


def _wrong(measured: Measured) -> list[Named]:
    return [named for named in [*measured.named, *measured.walked] if named.outcome in WRONG]


def _everything(measured: Measured) -> dict[str, Any]:
    plain = {name: value for name, value in vars(measured).items() if not isinstance(value, list)}
    lists = {name: value for name, value in vars(measured).items() if isinstance(value, list)}
    return plain | {
        name: [
            {k: str(v) if k == "merged_at" else v for k, v in row._asdict().items()} for row in rows
        ]
        for name, rows in lists.items()
    }


def _line(measured: Measured) -> str:
    return (
        f"{measured.repo}: {len(measured.proven)} proven, {len(_wrong(measured))} wrong, "
        f"{len(measured.cuts)} cut, {measured.seconds:.0f} s"
    )


def _tables(done: Sequence[Measured]) -> list[str]:
    everything = [
        ("truth by method and proof", Counter(_proof(t) for m in done for t in m.proven)),
        ("unproven", sum((m.unproven for m in done), Counter())),
        *((f"named, told {told}", _outcomes(done, told)) for told in TOLD),
        ("walked (--source git)", Counter(n.outcome for m in done for n in m.walked)),
        (
            "asked without a proof",
            Counter(f"{n.told} → {n.outcome}" for m in done for n in m.doubtful),
        ),
        ("patches", Counter(f"{cut.method}: {cut.outcome}" for m in done for cut in m.cuts)),
    ]
    wrong = [
        f"{m.repo}#{n.number}: told {n.told}, {n.outcome}: {n.detail}"
        for m in done
        for n in _wrong(m)
    ]
    return [_by_repository(done), *(_counts(*each) for each in everything), "\n".join(wrong)]


def _proof(truth: Proven) -> str:
    return f"{' or '.join(truth.methods)}: {truth.proof}"


def _outcomes(done: Iterable[Measured], told: str) -> Counter[str]:
    return Counter(n.outcome for m in done for n in m.named if n.told == told)


def _by_repository(done: Sequence[Measured]) -> str:
    columns = [
        "repository",
        "language",
        "proven",
        "unproven",
        "asked",
        *TOLD,
        "wrong",
        "exact patches",
        "no patch",
    ]
    rows = [_row(measured) for measured in done]
    sums = ["all", "", *(sum(int(row[n]) for row in rows) for n in range(2, len(columns)))]
    return _markdown(columns, [*rows, sums])


def _row(measured: Measured) -> list[Any]:
    exact = sum(cut.outcome == "exact" for cut in measured.cuts)
    return [
        measured.repo,
        measured.language,
        len(measured.proven),
        measured.unproven.total(),
        len({named.number for named in measured.named}),
        *(_outcomes([measured], told)["equal"] for told in TOLD),
        len(_wrong(measured)),
        exact,
        len(measured.cuts) - exact,
    ]


def _counts(title: str, counts: Mapping[str, int]) -> str:
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return _markdown([title, "pull requests"], [[*row] for row in ordered])


def _markdown(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    marks = ["---" if place == 0 else "---:" for place in range(len(columns))]
    return "\n".join("| " + " | ".join(map(str, row)) + " |" for row in [columns, marks, *rows])


if __name__ == "__main__":
    main()
