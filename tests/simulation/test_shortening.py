"""A history that fails is cut down to the events that matter: shown with bugs that are planted on purpose."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from tests.soak.year import failure_of, shortest
from tests.support.schedule import Plan, Schedule, What
from tests.support.shrinking import shortened

PLAN = Plan(parties=2, days=0.1, enquiries=10, codes=1, crashes=3, partings=1, steps=2, deadlines_s=(3_600,), absence_s=600.0)
"""Two hours of two Parties: a run takes a tenth of a second, and a bug in it costs some thirty runs."""


def test_what_needs_three_things_at_once_is_cut_down_to_the_three():
    asked: list[int] = []

    def fails(part: Sequence[int]) -> bool:
        asked.append(len(part))
        return {3, 41, 77} <= set(part)

    assert shortened(range(100), fails) == [3, 41, 77]
    assert len(asked) < 150


def test_the_runs_are_bounded_and_what_is_left_still_fails():
    def fails(part: Sequence[int]) -> bool:
        return {3, 41, 77} <= set(part)

    part = shortened(range(100), fails, runs_max=12)

    assert fails(part)
    assert len(part) < 100


def test_a_schedule_is_written_down_and_read_back():
    schedule = Plan(parties=5, days=3, restores=2, outages=1, steps=3, stormy=2, faulty=2).draw(9)

    assert Schedule.parse(schedule.text()) == schedule
    assert Plan(parties=5).draw(9) != Plan(parties=5).draw(10)


@pytest.mark.parametrize(
    ("bug", "words"),
    [
        ("forgetful-replay-table", "failed over"),
        ("drops-what-is-retried", "has no receipt for"),
    ],
)
def test_a_planted_bug_is_found_and_its_history_ends_with_a_handful_of_events(bug: str, words: str):
    schedule = PLAN.draw(4, bug=bug)
    failure = failure_of(schedule)
    assert failure is not None

    part = shortest(schedule, failure, runs_max=60)

    again = failure_of(Schedule.parse(part.text()))
    assert again is not None
    assert words in str(again)
    assert len(schedule.events) > 20
    assert len(part.events) <= 3
    assert What.ASK in {event.what for event in part.events}


def test_without_a_bug_the_same_schedule_holds():
    assert failure_of(PLAN.draw(4)) is None
