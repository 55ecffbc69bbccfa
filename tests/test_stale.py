"""What a newly fetched hour and an edited recipe make stale, and what not."""

from datetime import datetime
from pathlib import Path

import pytest
from archives import packed, serve, trimmed

from forge.build import Options, build, limits_of, stages, stages_to
from forge.fingerprint import fingerprint
from forge.selection import Selection
from forge.settings import Settings

EDITED = {"ann__fix": 'test = "pytest"\n'}


@pytest.fixture
def made(tmp_path: Path):
    """Tables that a build of some hours makes again."""
    files = {
        "2026-03-01-0": packed(trimmed(number=1)),
        "2026-03-01-1": packed(trimmed(number=2)),
        "2026-03-01-2": packed(trimmed(number=1)),
    }
    with serve(files) as archive:
        settings = Settings(root=tmp_path, archive_url=archive.url)

        def run(*hours: int) -> list[str]:
            parts = build(
                stages_to("merges"),
                Selection("2026-03", window=hours),
                settings,
                Options(),
                now=datetime(2026, 11, 1),
                progress=lambda *_: None,
            )
            return [part.table for part in parts if not part.is_fresh]

        yield run


def test_a_new_hour_makes_hours_and_merges_again(made):
    made(0)
    assert made(0, 1) == ["hours", "merges"]


def test_the_same_hours_make_nothing_again(made):
    made(0, 1)
    assert made(0, 1) == []


def test_an_hour_that_is_held_is_held_though_the_window_leaves_it(made):
    made(0, 1)
    assert made(1) == ["hours"]


def test_an_edited_recipe_makes_recipes_stale_and_no_other_stage():
    selections = Selection("2026-03"), Selection("2026-03", hand_recipes=EDITED)
    stale = []
    for stage in stages():
        flags = [{name: chosen.flag(name) for name in stage.flags} for chosen in selections]
        before, after = (fingerprint(stage, limits_of(stage, {}), given) for given in flags)
        stale += [stage.name] if before != after else []
    assert stale == ["recipes"]
