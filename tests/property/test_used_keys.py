"""The set of keys that a directory has seen, against the set that Python has."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from federation.trust.used_keys import UsedKeys

HASHES = st.integers(0, 60).map(lambda number: number.to_bytes(32))


@given(st.lists(st.lists(HASHES, max_size=6), max_size=40))
def test_it_is_a_set_whose_earlier_versions_stay_as_they_were(steps):
    used, plain = UsedKeys(), frozenset()
    versions = [(used, plain)]
    for added in steps:
        used, plain = used.including(*added), plain | frozenset(added)
        versions.append((used, plain))

    for version, expected in versions:
        assert frozenset().union(*version.parts) == expected
        assert sum(map(len, version.parts)) == len(expected)
        assert all(one in version for one in expected)
        assert (b"\xff" * 32) not in version
        assert all(len(larger) >= 2 * len(smaller) for larger, smaller in pairwise(version.parts))
