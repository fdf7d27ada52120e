"""Lanes: who goes first, and what the numbers of those that came tell."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from hashlib import sha256
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from federation import limits
from federation.delivery.lanes import BEFORE_TRACKING, Arrival, LaneTrack, Oddity, has_room, observed
from federation.envelope.header import Lane
from federation.identity import PartyId

EMPTY = LaneTrack(peer=PartyId("qp"), lane=Lane.NORMAL)


def digest(number: int) -> bytes:
    return sha256(str(number).encode()).digest()


def envelope(number: int, *, previous: int | None = None, content: int | None = None) -> Arrival:
    before = number - 1 if previous is None else previous
    return Arrival(
        sequence=number,
        previous=digest(before) if before else b"",
        digest=digest(number if content is None else content),
    )


def seen(*arrivals: Arrival | int, track: LaneTrack = EMPTY) -> LaneTrack:
    for now, arrival in enumerate(arrivals):
        track = observed(track, envelope(arrival) if isinstance(arrival, int) else arrival, now=now)
    return track


def told(track: LaneTrack) -> list[tuple[Oddity, int, int]]:
    return [(one.oddity, one.first, one.last) for one in track.notices]


def test_numbers_in_their_order_say_nothing():
    track = seen(1, 2, 3, 4)
    assert (track.sequence, track.digest, track.notices) == (4, digest(4), ())


def test_a_number_that_is_passed_over_is_missing_until_it_comes():
    track = seen(1, 2, 5)
    assert told(track) == [(Oddity.MISSING, 3, 4)]
    assert told(seen(4, track=track)) == [(Oddity.MISSING, 3, 3)]
    assert told(seen(3, track=track)) == [(Oddity.MISSING, 4, 4)]
    assert told(seen(4, 3, track=track)) == []


def test_the_first_ones_of_a_lane_may_be_missing_too():
    assert told(seen(3)) == [(Oddity.MISSING, 1, 2)]
    assert told(seen(3, 1, 2)) == []


def test_of_a_lane_that_was_in_use_before_anybody_looked_only_what_follows_counts():
    track = replace(EMPTY, sequence=BEFORE_TRACKING)
    assert told(seen(41, track=track)) == []
    assert told(seen(41, 43, track=track)) == [(Oddity.MISSING, 42, 42)]
    assert told(seen(41, 40, track=track)) == []


def test_the_same_envelope_again_says_nothing():
    track = seen(1, 2, 3)
    assert seen(2, 3, 1, track=track) == track


def test_two_envelopes_under_one_number_are_told_once():
    track = seen(1, 2, 3, envelope(2, content=99), envelope(2, content=98))
    assert told(track) == [(Oddity.REPEATED, 2, 2)]
    assert track.sequence == 3


def test_an_old_number_that_nobody_remembers_says_nothing():
    track = seen(*range(1, limits.LANE_RECENT_MAX + 5))
    assert told(seen(envelope(2, content=99), track=track)) == []


@pytest.mark.parametrize("order", [(1, 2, 3), (1, 3, 2)])
def test_an_envelope_that_names_another_one_before_it_is_told(order):
    wrong = envelope(3, previous=77)
    track = seen(*(wrong if number == 3 else number for number in order))
    assert [one for one in told(track) if one[0] is Oddity.UNLINKED] == [(Oddity.UNLINKED, order[-1], order[-1])]


def test_a_late_one_that_does_not_follow_what_came_before_it_is_told():
    assert told(seen(1, 3, envelope(2, previous=77))) == [(Oddity.UNLINKED, 2, 2)]


def test_of_a_peer_that_begins_anew_every_number_is_a_repetition_and_the_notices_are_bounded():
    track = seen(*range(1, 65))
    for number in range(1, 65):
        track = observed(track, envelope(number, content=1000 + number), now=0)
    assert {oddity for oddity, _, _ in told(track)} == {Oddity.REPEATED}
    for number in range(100, 100_000, 100):
        track = observed(track, envelope(number), now=0)
    assert len(track.notices) == limits.LANE_NOTICES_MAX


@given(st.permutations(range(1, 13)), st.data())
def test_whatever_the_order_what_has_not_come_is_what_is_missing(order, data):
    left_out = data.draw(st.sets(st.sampled_from(order[:-1]), max_size=6))
    came = [number for number in order if number not in left_out]
    track = seen(*came)
    missing = {number for _, first, last in told(track) for number in range(first, last + 1)}
    assert missing == set(range(1, max(came))) - set(came)
    assert {oddity for oddity, _, _ in told(track)} <= {Oddity.MISSING}
    for one, next_one in pairwise(sorted((one.first, one.last) for one in track.notices)):
        assert one[1] < next_one[0]


def test_a_backlog_of_one_lane_leaves_room_for_the_others():
    for busy in Lane:
        flying: Counter[Lane] = Counter()
        while has_room(flying, busy):
            flying[busy] += 1
        assert flying[busy] == limits.IN_FLIGHT_PER_PARTY_MAX - 2 * limits.IN_FLIGHT_PER_LANE_MIN
        for other in set(Lane) - {busy}:
            for _ in range(limits.IN_FLIGHT_PER_LANE_MIN):
                assert has_room(flying, other)
                flying[other] += 1
            assert not has_room(flying, other)
        assert flying.total() == limits.IN_FLIGHT_PER_PARTY_MAX
