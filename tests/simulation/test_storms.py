"""Days of everything that can go wrong, all of it at once, from a seed; `--soak` runs many more, `--seed` one of them again."""

from __future__ import annotations

import pytest

from tests.soak.year import measured, year
from tests.support.history import History, telling
from tests.support.storm import Plan, run_storm

TREATY = Plan(parties=20, witnesses=4, days=2, enquiries=30, crashes=12, partings=3)
"""A federation of a size that makes everybody a stranger to most."""
RAIDS = Plan(parties=6, days=1, enquiries=45, crashes=30, partings=4)
"""Few Parties that ask each other much at the same moments, and die while they answer."""
SKIRMISH = Plan(parties=3, days=1, enquiries=8, codes=1, crashes=6, partings=1, steps=2, deadlines_s=(3_600, 86_400))
"""As little as shows anything, so that many seeds cost nothing."""
RELAPSE = Plan(parties=3, days=2, enquiries=12, codes=1, crashes=2, partings=1, steps=2, restores=2, deadlines_s=(3_600, 86_400))
"""Nodes that are put back from yesterday's backup while others go on."""


@pytest.mark.parametrize("plan", [SKIRMISH, RELAPSE], ids=["skirmish", "relapse"])
def test_a_skirmish_loses_nothing_doubles_nothing_and_forges_nothing(skirmish_seed: int, plan: Plan):
    outcome = run_storm(skirmish_seed, plan)

    assert outcome.asked + outcome.forgotten >= plan.enquiries
    assert (outcome.lost, outcome.doubled) == (0, 0)


def test_a_raid_loses_nothing_doubles_nothing_and_forges_nothing(storm_seed: int):
    outcome = run_storm(storm_seed, RAIDS)

    assert outcome.asked >= RAIDS.enquiries
    assert outcome.answered > 0.5 * outcome.asked, "most deadlines are long enough for this weather"


def test_a_treaty_in_a_storm_loses_nothing_doubles_nothing_and_forges_nothing(treaty_seed: int):
    outcome = run_storm(treaty_seed, TREATY)

    assert outcome.asked >= TREATY.enquiries
    assert outcome.answered > 0.5 * outcome.asked


def test_a_season_of_a_small_treaty_outlives_every_officers_certificate_and_loses_nothing(treaty_seed: int):
    season = year(parties=3, days=100, messages=300)
    outcome = measured(season.draw(treaty_seed)).outcome

    assert outcome.asked + outcome.forgotten >= season.enquiries
    assert (outcome.lost, outcome.doubled) == (0, 0)


def test_a_failure_names_its_seed_and_shows_what_happened_before():
    history = History()
    history.add(1.5, "qm", "crashes")

    with pytest.raises(ZeroDivisionError) as failure, telling(history, 42):
        1 / 0  # noqa: B018  # anything that fails

    (note,) = failure.value.__notes__
    assert "seed 42" in note
    assert "1.500 qm" in note
