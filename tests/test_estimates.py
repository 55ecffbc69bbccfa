"""Calls, points and hours of questions, by arithmetic alone."""

import pytest

import forge.stages
from forge.discover import values
from forge.estimates import PRICES, effects_of, estimate, fitting
from forge.recollection import Questions
from forge.services.github import GitHub
from forge.services.github_prices import Load, Price
from forge.stage import Stage

MONTH = {
    "profile_repository": Questions(by_id=300_000),
    "read_pull_request": Questions(by_id=2_000_000),
}


def test_a_month_that_does_not_fit_says_how_much_would_have_to_go():
    told = estimate(MONTH, 1)
    # 500 repositories a call, 70 with their languages, 60 pull requests for 2 points.
    calls, points = 600 + 4_286 + 33_334, 600 + 4_286 + 66_668
    assert (told.calls, told.points) == (calls, points - 1), "the last call has 20"
    assert told.hours == 14.311
    assert (told.is_at_most, told.is_token_set) == (True, True)
    # Of 5,000 points 600 tell what the repositories are, and the rest is for those that pass.
    assert told.share_to_cut == pytest.approx(1 - 4_400 / (4_286 + 66_668), abs=0.0005)
    assert 124_000 < fitting(MONTH | {"list_languages": Questions(300_000)}, 1) < 124_100


def test_tokens_share_the_hours():
    assert estimate(MONTH, 4).hours == pytest.approx(estimate(MONTH, 1).hours / 4, abs=0.001)
    assert estimate(MONTH, 4).share_to_cut < estimate(MONTH, 1).share_to_cut


def test_without_a_token_one_is_assumed_and_said_to_be_none():
    told = estimate(MONTH, 0)
    assert (told.tokens, told.is_token_set) == (1, False)
    assert told.hours == estimate(MONTH, 1).hours


def test_repositories_that_alone_fill_more_than_an_hour_leave_no_pull_request():
    many = {"profile_repository": Questions(by_id=4_000_000)} | {
        "read_pull_request": Questions(by_id=7)
    }
    assert estimate(many, 1).share_to_cut == 1
    assert fitting(many, 1) == 0


def test_names_take_more_calls_than_ids():
    told = estimate({"profile_repository": Questions(by_id=500, by_name=500)}, 1)
    assert (told.repositories, told.calls, told.points) == (1_000, 6 + 16, 6 + 16)


def test_discussions_of_candidates_count_when_it_is_known_which_they_are():
    told = estimate({"read_hints": Questions(by_id=120)}, 1)
    assert (told.discussions, told.repositories, told.pull_requests) == (120, 0, 0)
    assert (told.calls, told.points, told.share_to_cut) == (3, 3, 0)


def test_time_that_github_gives_a_token_counts_where_points_do_not_bind():
    # 55 seconds of each minute, a second a call.
    assert Load(calls=3_300, points=3_300).hours(1) == pytest.approx(1.0)


@pytest.mark.parametrize(("questions", "calls", "points"), [(0, 0, 0), (1, 1, 1), (51, 2, 3)])
def test_the_last_call_is_priced_by_what_is_left(questions, calls, points):
    assert Price(50, lists=4).load(questions) == Load(calls, points)


def test_every_question_to_github_has_its_price():
    # How much a search for merges takes shows when it is asked.
    before = {"hours", "merges"}
    stages = [stage for stage in values(forge.stages, Stage) if stage.name not in before]
    asked = {e.name for s in stages for e in effects_of(s) if e.service is GitHub}
    assert asked == set(PRICES)
