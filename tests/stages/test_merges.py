import gzip
import os
import random
import shutil
import subprocess
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from archives import Loopback, full, packed, serve, trimmed

from forge.build import Options, build
from forge.errors import InputError
from forge.rules.identity import derived_id
from forge.selection import Named, Selection
from forge.settings import Settings
from forge.stages.hours import hours
from forge.stages.merges import Merges, merges
from forge.store import Store

NOW = datetime(2026, 4, 1)


@pytest.fixture
def archive() -> Iterator[Loopback]:
    with serve() as archive:
        yield archive


def made(root: Path, archive: Loopback, **flags: Any) -> pl.DataFrame:
    selection = Selection(**({"month": "2026-03", "window": (5, 6)} | flags))
    settings = Settings(root=root, archive_url=archive.url, git_url=flags.get("git_source", ""))
    chosen = [hours, merges]
    list(build(chosen, selection, settings, Options(), now=NOW, progress=lambda *_: None))
    return Store(root, selection.month).scan("merges", Merges).collect()


def from_hours(root: Path, archive: Loopback, *files: bytes) -> pl.DataFrame:
    archive.files = {f"2026-03-01-{n}": file for n, file in enumerate(files, start=5)}
    return made(root, archive)


def test_merge_of_a_full_payload_is_known_with_its_texts(tmp_path: Path, archive: Loopback) -> None:
    rows = from_hours(tmp_path, archive, packed(full(actor="bors"), full(merged=False, number=8)))
    assert rows.to_dicts() == [
        {
            "repository_id": 42,
            "number": 7,
            "repo": "kestrel/ledger",
            "merged_at": datetime(2026, 3, 1, 5, 9, 59),
            "merger": "bors",
            "author": "grace",
            "is_bot": False,
            "title": "Round half to even",
            "body": "Fixes #3.",
            "head_sha": "a" * 40,
            "head_ref": "fix-rounding",
            "base_ref": "main",
            "base_sha": "b" * 40,
            "merge_commit": "c" * 40,
            "pull_request_id": 4_262_949_744,
            "change": None,
            "source": "archive",
        }
    ]


def test_merge_of_a_trimmed_event_leaves_null_what_it_does_not_say(
    tmp_path: Path, archive: Loopback
) -> None:
    rows = from_hours(tmp_path, archive, packed(trimmed(), trimmed("closed", number=8)))
    assert rows.drop("repository_id", "repo", "head_sha", "base_sha", "head_ref").to_dicts() == [
        {
            "number": 7,
            "merged_at": datetime(2026, 3, 1, 5, 10),
            "merger": "ada",
            "author": None,
            "is_bot": None,
            "title": None,
            "body": None,
            "base_ref": "main",
            "merge_commit": None,
            "pull_request_id": 4_262_949_744,
            "change": None,
            "source": "archive",
        }
    ]


def test_who_opened_a_pull_request_is_the_author_of_its_trimmed_merge(
    tmp_path: Path, archive: Loopback
) -> None:
    opened = packed(
        trimmed("opened", actor="grace"), trimmed("opened", number=8, actor="pull[bot]")
    )
    merged = packed(trimmed(actor="ada"), trimmed(number=8, actor="ada"))
    rows = from_hours(tmp_path, archive, opened, merged)
    assert rows.select("number", "author", "merger", "is_bot").rows() == [
        (7, "grace", "ada", False),
        (8, "pull[bot]", "ada", True),
    ]


@pytest.mark.parametrize("shuffled", range(3))
def test_merge_that_several_events_tell_of_is_one_row_the_fullest_and_earliest(
    tmp_path: Path, archive: Loopback, shuffled: int
) -> None:
    told = [
        trimmed(at="2026-03-01T05:00:00Z"),
        full(at="2026-03-01T05:20:00Z", title="later"),
        full(at="2026-03-01T05:10:00Z", title="earlier"),
        full(at="2026-03-01T05:10:00Z", title="earlier"),
        full(repository_id=43, title="elsewhere"),
    ]
    random.Random(shuffled).shuffle(told)
    rows = from_hours(tmp_path, archive, packed(*told[:2]), packed(*told[2:]))
    assert rows.select("repository_id", "title").rows() == [(42, "earlier"), (43, "elsewhere")]


@pytest.mark.parametrize(
    ("event", "is_bot"),
    [
        (full(author="dependabot[bot]", author_type="Bot"), True),
        (full(author="Copilot", author_type="Bot"), True),
        (full(author="snyk-bot"), True),
        (full(author="k8s-ci-robot"), True),
        (full(author="robot-dreams"), False),
        (full(author="botandrose"), False),
        (full(author="grace", actor="k8s-ci-robot"), False),
        (full(author="grace", actor="bors[bot]"), False),
        (full(author="grace", actor="github-merge-queue[bot]"), False),
        (full(author="grace", head_ref="renovate/configuration"), False),
        (trimmed(actor="k8s-ci-robot"), None),
        (trimmed(actor="dependabot[bot]", head_ref="fix-rounding"), None),
        (trimmed(head_ref="dependabot/pip/requests-2.32.0"), True),
        (trimmed(head_ref="renovate/lodash-4.x"), True),
        (trimmed(head_ref="pre-commit-ci-update-config"), True),
        (trimmed(head_ref="snyk-upgrade-4e77843e8b9ac0ff"), True),
        (trimmed(head_ref="renovate-the-kitchen"), None),
    ],
)
def test_bot_is_told_by_author_or_else_by_branch_and_never_by_merger(
    tmp_path: Path, archive: Loopback, event: dict[str, Any], *, is_bot: bool | None
) -> None:
    assert from_hours(tmp_path, archive, packed(event))["is_bot"].to_list() == [is_bot]


def test_same_hours_make_the_same_file(tmp_path: Path, archive: Loopback) -> None:
    many = [full(number=n, repository_id=n % 7 + 1, title=f"t{n}") for n in range(1, 3000)]
    archive.files = {"2026-03-01-5": packed(*many[::2]), "2026-03-01-6": packed(*many[1::2])}
    for name in ("one", "two"):
        made(tmp_path / name, archive)
    digests = {str(Store(tmp_path / n, "2026-03").digests("merges")) for n in ("one", "two")}
    assert len(digests) == 1


def test_hours_whose_events_are_gone_are_told_with_what_fetches_them_again(
    tmp_path: Path, archive: Loopback
) -> None:
    from_hours(tmp_path, archive, packed(full()))
    shutil.rmtree(tmp_path / "memo/artifacts")
    shutil.rmtree(tmp_path / "merges")
    with pytest.raises(
        InputError, match=r"(?s)the events of 1 hours are gone, such as .*--force hours"
    ):
        made(tmp_path, archive)


def test_month_without_hours_has_no_merges(tmp_path: Path, archive: Loopback) -> None:
    assert made(tmp_path, archive).is_empty()


def test_real_hour_gives_each_merged_pull_request_once(
    shared: Path, tmp_path: Path, archive: Loopback
) -> None:
    folder = shared / "data" / "gharchive"
    whole = (folder / "2015/2015-01-01-15.json.gz").read_bytes()
    less = (folder / "derived/derived_trimmed_from_2015-01-01-15.json.gz").read_bytes()
    rows = from_hours(tmp_path, archive, less, whole)
    assert (rows.height, rows["title"].null_count(), rows["author"].null_count()) == (175, 0, 0)
    again = from_hours(tmp_path / "again", archive, less)
    assert again.select("repository_id", "number").equals(rows.select("repository_id", "number"))
    authors = again.join(rows, on=["repository_id", "number"]).filter(
        pl.col("author").is_not_null()
    )
    assert authors.height > 50
    assert authors["author"].equals(authors["author_right"])


def test_named_pull_requests_are_merges_under_ids_of_our_own(
    tmp_path: Path, archive: Loopback
) -> None:
    named = (
        Named(repo="Kestrel/Ledger", number=7),
        Named(repo="kestrel/ledger", number=7),
        Named(repo="psf/requests", number=1, base_commit="d" * 40, body="It fails."),
    )
    rows = made(tmp_path, archive, month="pool-mine", source="pool", window=None, named=named)
    assert rows.select("repo", "number", "merged_at", "base_sha", "body", "source").rows() == [
        ("psf/requests", 1, None, "d" * 40, "It fails.", "rows"),
        ("Kestrel/Ledger", 7, None, None, None, "pool"),
    ]
    assert rows["repository_id"].to_list() == [
        derived_id("psf/requests"),
        derived_id("kestrel/ledger"),
    ]
    assert archive.asked == []


def test_corrupt_hours_give_the_merges_before_the_break(tmp_path: Path, archive: Loopback) -> None:
    cut = packed(trimmed())[:-3]
    assert from_hours(tmp_path, archive, cut, gzip.compress(b""))["number"].to_list() == [7]


def git(folder: Path, *command: str, day: int = 1) -> str:
    at = f"2026-03-{day:02}T12:00:00Z"
    dates = {"GIT_AUTHOR_DATE": at, "GIT_COMMITTER_DATE": at}
    done = subprocess.run(
        ["git", "-C", folder, *command],
        env=os.environ | dates,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


def test_history_of_an_own_repository_gives_merges_without_any_archive(
    tmp_path: Path, archive: Loopback
) -> None:
    own = tmp_path / "ledger"
    own.mkdir()
    git(own, "init", "-q", "-b", "main")
    git(own, "commit", "-q", "--allow-empty", "-m", "Begin")
    git(own, "commit", "-q", "--allow-empty", "-m", "Round half to even (#7)", day=9)
    rows = made(tmp_path, archive, source="git", git_source=str(own), window=None)
    assert rows.select(
        "repository_id", "number", "repo", "merged_at", "title", "source"
    ).rows() == [
        (
            derived_id("local/ledger"),
            7,
            "local/ledger",
            datetime(2026, 3, 9, 12),
            "Round half to even",
            "git",
        )
    ]
    assert rows["merge_commit"].to_list() == [git(own, "rev-parse", "HEAD")]


def test_merges_of_a_machine_are_named_by_its_subjects(tmp_path: Path, archive: Loopback) -> None:
    own = tmp_path / "ledger"
    own.mkdir()
    git(own, "init", "-q", "-b", "main")
    git(own, "commit", "-q", "--allow-empty", "-m", "Begin")
    for subject in ("Merge #7", "Auto merge of #8 - ann:fix, r=bob"):
        git(own, "switch", "-q", "--detach")
        git(own, "commit", "-q", "--allow-empty", "-m", "Half a change")
        git(own, "switch", "-q", "main")
        git(own, "merge", "-q", "--no-ff", "-m", f"{subject}\n\nRound half to even", "@{-1}", day=9)
    rows = made(tmp_path, archive, source="git", git_source=str(own), window=None)
    assert rows.select("number", "title").rows() == [
        (7, "Round half to even"),
        (8, "Round half to even"),
    ]


def test_repository_that_cannot_be_walked_is_rejected_with_its_reason(
    tmp_path: Path, archive: Loopback
) -> None:
    (tmp_path / "empty").mkdir()
    rows = made(tmp_path, archive, source="git", git_source=str(tmp_path / "empty"), window=None)
    assert rows.is_empty()
    fates = pl.read_parquet(Store(tmp_path, "2026-03").rejected_folder("merges") / "part.parquet")
    assert fates.select("fate", "number").rows() == [("rejected", None)]
    assert fates["reasons"].list.len().to_list() == [1]
