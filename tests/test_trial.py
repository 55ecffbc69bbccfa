import sys

import pytest
from toys import NOW, log

import forge.stages
from forge.build import Options, build, stages_to
from forge.errors import InputError
from forge.selection import Selection
from forge.settings import Settings
from forge.store import Store
from forge.trial import Told, tried

TOLD = Told(NOW, lambda *_: None)


@pytest.fixture
def settings(tmp_path, monkeypatch) -> Settings:
    """Settings of a root whose month is built up to its statements."""
    folder = tmp_path / "stages"
    folder.mkdir()
    (folder / "toy_trial_stages.py").write_text("from toy_trial import *\n")
    monkeypatch.setattr(forge.stages, "__path__", [str(folder)])
    monkeypatch.delitem(sys.modules, "forge.stages.toy_trial_stages", raising=False)
    settings = Settings(root=tmp_path / "data", recipes=tmp_path / "recipes")
    run_build(settings, "statements")
    return settings


def run_build(settings: Settings, to: str) -> None:
    chosen, options = Selection("2026-03"), Options()
    list(build(stages_to(to), chosen, settings, options, now=NOW, progress=lambda *_: None))


def rows(trial, table: str) -> list[dict[str, object]]:
    return next(c.rows for c in trial.story.chapters if c.table == table)


def test_trial_makes_one_pull_request_alone_and_one_attempt_on_each_side(settings):
    trial = tried(settings, "a/b#5", None, {}, TOLD)
    assert [(row["number"], row["attempt"]) for row in rows(trial, "attempts")] == [(5, 1)]
    assert (trial.image, trial.test_command) == (None, None)


def test_trial_leaves_the_tables_alone_and_what_it_learned_to_the_next_build(settings):
    before = sorted(settings.root.glob("*/month=*/*"))
    tried(settings, "a/b#5", None, {}, TOLD)
    assert sorted(settings.root.glob("*/month=*/*")) == before
    run_build(settings, "attempts")
    assert log(settings.root) == [4]
    assert Store(settings.root, "2026-03").manifest("attempts").parts["bucket-21"].rows == 6


def test_recipe_written_by_hand_a_moment_ago_is_tried(settings):
    assert rows(tried(settings, "a/b#5", None, {}, TOLD), "recipes")[0]["recipe"] == "searched"
    settings.recipes.mkdir()
    (settings.recipes / "a__b.toml").write_text("by hand")
    assert rows(tried(settings, "a/b#5", None, {}, TOLD), "recipes")[0]["recipe"] == "by hand"


def test_pull_request_that_is_not_there_is_refused(settings):
    with pytest.raises(InputError, match="no pull request a/b#6 in 2026-03"):
        tried(settings, "a/b#6", None, {}, TOLD)
