import dataframely as dy
import polars as pl
import pytest
from toys import NOW

from forge.build import Options, build
from forge.columns import RepositoryKey
from forge.selection import Selection
from forge.settings import Settings
from forge.slices import bucket_of, in_sample
from forge.stage import stage
from forge.store import Store


@stage
def repositories(*, sample: float | None) -> dy.LazyFrame[RepositoryKey]:
    ids = range(1, int(200 if sample is None else sample) + 1)
    return pl.LazyFrame({"repository_id": ids}).pipe(RepositoryKey.cast)


@stage(by="bucket")
def verdicts(
    repositories: dy.LazyFrame[RepositoryKey], *, per_repository: int | None
) -> dy.LazyFrame[RepositoryKey]:
    return repositories.filter(pl.col("repository_id") <= (per_repository or 200)).pipe(
        RepositoryKey.cast
    )


@stage
def tasks(verdicts: dy.LazyFrame[RepositoryKey]) -> dy.LazyFrame[RepositoryKey]:
    return verdicts.pipe(RepositoryKey.cast)


def run_build(root, **flags):
    settings, chosen = Settings(root=root), [repositories, verdicts, tasks]
    selection = Selection("2026-03", **flags)
    return list(build(chosen, selection, settings, Options(), now=NOW, progress=lambda *_: None))


def ids(root, table="tasks"):
    return Store(root, "2026-03").scan(table, RepositoryKey).collect()["repository_id"].to_list()


def test_buckets_together_hold_every_row_once(tmp_path):
    run_build(tmp_path)
    assert sorted(ids(tmp_path)) == list(range(1, 201))


def test_enough_tasks_defer_the_buckets_not_reached(tmp_path):
    run_build(tmp_path, tasks=20)
    verified = len(ids(tmp_path))
    assert 20 <= verified < 40
    assert Store(tmp_path, "2026-03").manifest("verdicts").deferred == {"tasks": 200 - verified}


def test_more_tasks_later_keep_what_stands(tmp_path):
    run_build(tmp_path, tasks=20)
    first = set(ids(tmp_path))
    outcomes = run_build(tmp_path, tasks=40)
    assert first < set(ids(tmp_path))
    assert any(o.is_fresh for o in outcomes if o.table == "verdicts")


def test_what_was_verified_under_other_flags_does_not_count_and_does_not_stay(tmp_path):
    run_build(tmp_path)
    run_build(tmp_path, tasks=20, per_repository=100)
    verified = ids(tmp_path)
    assert 20 <= len(verified) < 60
    assert max(verified) <= 100


def test_bound_set_later_defers_nothing_that_stands(tmp_path):
    run_build(tmp_path)
    run_build(tmp_path, tasks=20)
    assert len(ids(tmp_path)) == 200
    assert Store(tmp_path, "2026-03").manifest("verdicts").deferred == {}


def test_bucket_that_holds_nothing_any_more_is_dropped(tmp_path):
    run_build(tmp_path)
    run_build(tmp_path, sample=3)
    assert sorted(ids(tmp_path)) == [1, 2, 3]
    assert len(list((tmp_path / "verdicts/month=2026-03").glob("*.parquet"))) <= 3


def test_month_without_a_row_still_has_its_tables(tmp_path):
    run_build(tmp_path, sample=0.5)
    assert ids(tmp_path) == []


def splitmix64(number: int) -> int:
    mask = 2**64 - 1
    bits = number & mask
    bits = ((bits ^ (bits >> 30)) * 0xBF58476D1CE4E5B9) & mask
    bits = ((bits ^ (bits >> 27)) * 0x94D049BB133111EB) & mask
    return bits ^ (bits >> 31)


@pytest.mark.parametrize("number", [0, 1, -1, 2**31, -(2**62), 2**63 - 1])
def test_bucket_is_the_upper_six_bits_of_splitmix64(number):
    bucket = pl.select(bucket_of(pl.lit(number, pl.Int64))).item()
    assert bucket == splitmix64(number) >> 58


def test_samples_nest_and_have_their_share():
    ids = pl.Series("id", range(100_000))
    drawn = {s: pl.select(in_sample(pl.lit(ids), s)).to_series() for s in (0.01, 0.1, 1.0)}
    shares = {share: set(ids.filter(is_drawn)) for share, is_drawn in drawn.items()}
    assert shares[0.01] < shares[0.1] < shares[1.0]
    assert 900 < len(shares[0.01]) < 1100
    assert len(shares[1.0]) == 100_000
