from datetime import datetime
from pathlib import Path

import polars as pl
import toys

from forge.artifacts import Artifacts
from forge.build import Options, build
from forge.columns import dtypes
from forge.criteria import decide
from forge.queries import answered
from forge.selection import Selection
from forge.settings import Settings
from forge.stage import Decided, stage
from forge.stages.hours import Hours, hours


def build_hours(settings: Settings, month: str, events: pl.DataFrame) -> None:
    """A month of one hour that holds these events."""
    events.write_parquet(settings.root / "events")
    name = Artifacts(settings.memo_folder / "artifacts").put(
        (settings.root / "events").read_bytes()
    )
    hour = {"hour": datetime.fromisoformat(f"{month}-01"), "status": "ok", "events": name}

    def made() -> Decided[Hours]:
        return decide(pl.LazyFrame([hour], schema=dtypes(Hours)), {})

    made.__name__ = "hours"
    chosen = Selection(month)
    list(build([stage(made)], chosen, settings, Options(), now=toys.NOW, progress=lambda *_: None))


def test_events_of_months_with_other_columns_are_seen_together(tmp_path: Path) -> None:
    settings = Settings(root=tmp_path)
    build_hours(settings, "2026-02", pl.DataFrame({"number": [1]}))
    build_hours(settings, "2026-03", pl.DataFrame({"type": ["IssuesEvent"], "number": [2]}))

    with answered("select number, type from events order by 1", settings, [hours]) as answer:
        assert list(answer.rows()) == [(1, None), (2, "IssuesEvent")]
