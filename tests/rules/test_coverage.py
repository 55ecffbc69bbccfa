from datetime import datetime, timedelta

import polars as pl

from forge.rules.coverage import is_short, shortages

FIRST = datetime(2025, 10, 6)  # a Monday
LIMITS = {"lines_percent": 10, "pull_request_percent": 2, "least_lines": 1000}


def judged(hours: list[tuple[int | None, int | None]]) -> pl.DataFrame:
    """Hours of lines and pull request events in order, whether they are thin, and what is said."""
    counts = {"lines": pl.Int64, "pull_request_events": pl.Int64}
    found = shortages(**LIMITS)
    return pl.DataFrame(hours, schema=counts, orient="row").select(
        at=FIRST + pl.int_range(pl.len()) * timedelta(hours=1),
        is_thin=is_short(found),
        said=pl.concat_list(found).list.drop_nulls(),
    )


def thin_days(hours: list[tuple[int | None, int | None]]) -> list[tuple[int, int]]:
    """Day of the month and how many of its hours are thin, where any is."""
    thin = judged(hours).filter("is_thin").group_by(pl.col("at").dt.day(), maintain_order=True)
    return thin.len().rows()


def test_six_nearly_empty_days_are_thin_and_the_good_days_around_them_are_not():
    good, empty = [(150_000, 10_500)] * 24, [(588, 41), (1_346, 94)] * 12
    hours = good * 3 + empty * 6 + good * 17
    assert thin_days(hours) == [(day, 24) for day in (9, 10, 11, 12, 13, 14)]
    assert judged(hours)["said"][3 * 24].to_list() == [
        "588 lines, where a busy hour of this month holds 150,000"
    ]


def test_six_nearly_empty_days_are_thin_beside_a_single_good_one():
    hours = [(1_024, 71)] * 144 + [(150_000, 10_500)] * 24
    assert thin_days(hours) == [(day, 24) for day in (6, 7, 8, 9, 10, 11)]


def test_one_empty_hour_of_a_day_is_thin():
    hours = [(150_000, 10_500)] * 20 + [(1, 0)] + [(150_000, 10_500)] * 3
    assert judged(hours)["is_thin"].to_list() == [False] * 20 + [True] + [False] * 3


def test_month_whose_pull_request_events_thinned_out_is_thin_in_every_hour():
    hours = [(165_000, 429)] * 48
    assert thin_days(hours) == [(6, 24), (7, 24)]
    assert judged(hours)["said"][0].to_list() == [
        "429 of 165,000 lines are of pull requests, 0.26 %, where 4 to 9 % is normal"
    ]


def test_hour_can_be_short_of_lines_and_of_pull_requests():
    hours = [(150_000, 10_500)] * 23 + [(1_346, 1)]
    assert judged(hours)["said"][23].to_list() == [
        "1,346 lines, where a busy hour of this month holds 150,000",
        "1 of 1,346 lines are of pull requests, 0.07 %, where 4 to 9 % is normal",
    ]


def test_nights_and_weekends_are_not_thin():
    day = [(5_869, 202)] * 6 + [(11_351, 474)] * 12 + [(7_427, 293)] * 6
    night_is_a_quarter = [(30_000, 2_100)] * 8 + [(120_000, 8_400)] * 16
    weekend = [(lines // 2, events // 2) for lines, events in night_is_a_quarter]
    assert thin_days(day * 7) == []
    assert thin_days(night_is_a_quarter * 5 + weekend * 2) == []


def test_poorest_share_of_a_good_hour_is_not_thin_and_the_best_of_a_thin_one_is():
    assert judged([(5_887, 179)])["is_thin"].to_list() == [False]
    assert judged([(162_301, 1_558)])["is_thin"].to_list() == [True]


def test_handful_of_lines_says_nothing():
    hours = [(2, 1), (1, 0), (999, 0), (200, 16), (0, 0)]
    assert judged(hours)["is_thin"].to_list() == [False] * 5


def test_hour_without_counts_is_neither_thin_nor_whole_and_shifts_no_comparison():
    hours = [(150_000, 10_500), (None, None), (1_024, 71), (None, None)]
    assert judged(hours)["is_thin"].to_list() == [False, None, True, None]
    assert judged([(None, None)])["is_thin"].to_list() == [None]
