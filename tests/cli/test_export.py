import sys

import polars as pl
import pytest

import forge.exporters

EXPORTER = '''"""Ids, a line each."""
import polars as pl
from forge.outputs import check_output
def check(path):
    check_output(path, {".txt"}, "ids")
def export(tasks, path):
    ids = tasks.select("instance_id").collect()["instance_id"]
    path.write_text("\\n".join(ids))
    return len(ids)
'''
IMAGES = (
    "their images exist on this machine only: say --push or --save, or build them again from each "
    "row's recipe\n"
)


@pytest.fixture(autouse=True)
def _lines_exporter(tmp_path_factory, monkeypatch):
    folder = tmp_path_factory.mktemp("exporters")
    (folder / "lines.py").write_text(EXPORTER)
    monkeypatch.setattr(forge.exporters, "__path__", [str(folder)])
    monkeypatch.delitem(sys.modules, "forge.exporters.lines", raising=False)


def test_tasks_of_a_month_are_written_and_counted(month, forge_says):
    ended = forge_says("export", "lines", "--month", "2026-03", "-o", "ids.txt")
    assert ended == (0, "2 tasks written to ids.txt\n", IMAGES)
    assert (month / "ids.txt").read_text() == "lantern__tidy-1\nkestrel__Ledger-7"


def test_split_keeps_its_own_tasks(month, forge_says):
    forge_says("export", "lines", "--month", "2026-03", "--split", "eval", "-o", "ids.txt")
    assert (month / "ids.txt").read_text() == "kestrel__Ledger-7"


@pytest.mark.usefixtures("month")
def test_unknown_format_is_refused_with_those_that_exist(forge_says):
    ended = forge_says("export", "excel", "--month", "2026-03", "-o", "x")
    assert ended == (2, "", "forge: no such format: excel\nthe formats are lines\n")


def test_month_without_tasks_is_refused_with_what_to_look_at(month, forge_says):
    path = next((month / "data/splits/month=2026-03").glob("*.parquet"))
    splits = pl.read_parquet(path).filter(pl.col("split") == "train")
    stat = path.stat()
    splits.write_parquet(path)
    assert stat.st_size != path.stat().st_size
    ended = forge_says("export", "lines", "--month", "2026-03", "--split", "eval", "-o", "x.txt")
    assert ended == (
        3,
        "",
        (
            "forge: no eval task of 2026-03 is verified in data\n"
            "`forge funnel --month 2026-03` says what stopped them\n"
        ),
    )


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (
            ("--push", "localhost:5000", "--save", "images"),
            "say one of --push or --save: a row has one name of its image",
        ),
        (
            ("--push", "https://ada:pw@registry.example.org"),
            (
                "a registry is a host, and may have a prefix in lower case\n"
                "such as registry.example.org/team; who may push is told by `docker login`"
            ),
        ),
        (
            ("--push", ""),
            (
                "a registry is a host, and may have a prefix in lower case\n"
                "such as registry.example.org/team; who may push is told by `docker login`"
            ),
        ),
        (
            ("--push", "", "--save", "images"),
            "say one of --push or --save: a row has one name of its image",
        ),
    ],
)
@pytest.mark.usefixtures("month")
def test_places_for_images_that_cannot_be_are_refused(forge_says, flags, message):
    ended = forge_says("export", "lines", "--month", "2026-03", "-o", "ids.txt", *flags)
    assert ended == (2, "", f"forge: {message}\n")


@pytest.mark.parametrize("flag", ["-o", "--save", "--root"])
@pytest.mark.usefixtures("month")
def test_place_that_an_unset_variable_leaves_empty_is_refused(forge_says, flag):
    ended = forge_says("export", "lines", "--month", "2026-03", "-o", "ids.txt", flag, "")
    assert (ended.code, ended.out) == (2, "")
    assert "is empty" in ended.err.splitlines()[-1]


@pytest.mark.parametrize("place", [("--push", "localhost:9"), ("--save", "images")])
@pytest.mark.parametrize(
    ("output", "words"),
    [
        ("ids.csv", "ids.csv: ids are written as .txt"),
        ("nowhere/ids.txt", "nowhere/ids.txt: there is no folder nowhere"),
        (".", ". is a folder"),
    ],
)
def test_file_that_cannot_be_written_is_refused_before_an_image_is_sent(
    month, forge_says, output, words, place
):
    ended = forge_says("export", "lines", "--month", "2026-03", "-o", output, *place)
    assert (ended.code, ended.err.splitlines()[0]) == (3, f"forge: {words}")
    assert not (month / "images").exists()
