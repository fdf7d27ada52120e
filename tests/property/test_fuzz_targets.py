"""Each fuzz target over its seeds, changes of them, and any bytes: what the fuzzer does for long, for a moment with every test run."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fuzz.targets import TARGETS


@pytest.mark.parametrize("name", TARGETS)
def test_the_seeds_of_a_target_are_no_defect(name):
    for seed in TARGETS[name].seeds:
        TARGETS[name].run(seed)


@pytest.mark.parametrize("name", TARGETS)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_a_changed_seed_is_a_value_or_one_of_our_errors(name, data):
    seed = data.draw(st.sampled_from(TARGETS[name].seeds))
    place = data.draw(st.integers(0, len(seed)))
    cut = data.draw(st.integers(0, 8))
    TARGETS[name].run(seed[:place] + data.draw(st.binary(max_size=12)) + seed[place + cut :])


@pytest.mark.parametrize("name", TARGETS)
@settings(max_examples=20, deadline=None)
@given(raw=st.binary(max_size=300))
def test_any_bytes_are_a_value_or_one_of_our_errors(name, raw):
    TARGETS[name].run(raw)
