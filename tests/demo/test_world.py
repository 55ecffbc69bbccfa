from pathlib import Path

import pytest

from forge.demo import make_world
from forge.demo.history import Shas
from forge.demo.world import Change, Repository, changed

HEADS = {
    "lanternworks/tidytext": {12: "d40ec72e8083"},
    "kestrel-labs/ledgerline": {41: "5a749bbca9a8"},
    "orrery-io/timetable": {8: "d0cf755df62f"},
    "papertrail/glyphs": {5: "321e49a62832"},
}


def files(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def test_a_world_made_twice_is_equal_byte_for_byte(made: Path, tmp_path: Path) -> None:
    assert files(make_world(tmp_path)) == files(made)


def test_a_world_that_stands_is_not_made_again(made: Path) -> None:
    before = made.stat().st_mtime_ns
    assert make_world(made.parent) == made
    assert made.stat().st_mtime_ns == before


def test_commits_have_the_same_shas_on_every_machine(shas: dict[str, dict[int, Shas]]) -> None:
    assert {
        repo: {number: shas[repo][number].head[:12] for number in heads}
        for repo, heads in HEADS.items()
    } == HEADS


def test_a_vanished_repository_is_not_there(made: Path) -> None:
    assert not (made / "git" / "ghosted" / "lostandfound.git").exists()


def test_what_a_user_wrote_by_hand_is_a_recipe_file(made: Path) -> None:
    assert [p.name for p in (made / "recipes").iterdir()] == ["oldmill__almanac.toml"]


def test_every_story_is_told_once(repositories: dict[str, Repository]) -> None:
    stories = [p.story for r in repositories.values() for p in r.pull_requests]
    assert len(set(stories)) == len(stories)


def test_an_edit_that_fits_nowhere_is_an_error() -> None:
    with pytest.raises(ValueError, match=r"a\.txt does not hold this exactly once:\nb"):
        changed({"a.txt": b"a"}, [Change("a.txt", old="b", new="c")])


def test_an_edit_that_fits_twice_is_an_error() -> None:
    with pytest.raises(ValueError, match="exactly once"):
        changed({"a.txt": b"aa"}, [Change("a.txt", old="a", new="c")])


def test_a_move_takes_the_content_along() -> None:
    assert changed({"a": b"1"}, [Change("b", moved_from="a")]) == {"b": b"1"}
