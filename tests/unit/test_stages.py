"""What the benchmark of stages times is still where it looks for it."""

from __future__ import annotations

import pytest

from benchmarks.stages import STAGES, timing


@pytest.mark.parametrize(("place", "name"), [(place, name) for place, name, _ in STAGES])
def test_every_stage_is_called_where_the_benchmark_looks(place, name):
    assert callable(getattr(place, name))


def test_what_is_timed_is_put_back():
    before = [getattr(place, name) for place, name, _ in STAGES]
    with timing():
        assert [getattr(place, name) for place, name, _ in STAGES] != before
    assert [getattr(place, name) for place, name, _ in STAGES] == before
