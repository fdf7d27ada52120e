"""Lanes: which message goes first, and what the numbers of those that came tell.

Sending. Urgent messages go before normal ones, normal ones before bulk. Each lane has a few slots of its own, so that neither a
thousand containers keep an urgent question back nor urgent questions a container for ever; the other slots are common.

Receiving. A sender numbers the envelopes of each lane and names the one before. The receiver remembers how far it has seen and what
is missing. **A missing number is a notice, not an accusation**: a number is used up when an envelope is sealed, and the envelope
never leaves when its commit failed, when the message was over before it could be sent, or when it was sealed anew under another
number because the key had ended. A notice blocks nothing; it goes when the late one comes. What remains is for the two Parties to
compare, and `evidence` has the proofs.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from federation import limits
from federation.envelope.header import Lane
from federation.identity import PartyId

RANK: Final[Mapping[Lane, int]] = {Lane.URGENT: 0, Lane.NORMAL: 1, Lane.BULK: 2}
"""The smallest goes first."""

_COMMON: Final = limits.IN_FLIGHT_PER_PARTY_MAX - len(RANK) * limits.IN_FLIGHT_PER_LANE_MIN


def has_room(flying: Mapping[Lane, int], lane: Lane) -> bool:
    """Whether one more message of the lane may be under way to a peer to which so many are."""
    if flying.get(lane, 0) < limits.IN_FLIGHT_PER_LANE_MIN:
        return True
    return sum(max(0, count - limits.IN_FLIGHT_PER_LANE_MIN) for count in flying.values()) < _COMMON


class Oddity(StrEnum):
    """What is odd about numbers of a lane."""

    MISSING = "missing"
    """They were passed over, and have not come."""
    REPEATED = "repeated"
    """Two different envelopes came under one number."""
    UNLINKED = "unlinked"
    """An envelope names another one before it than the one that came."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LaneNotice:
    """Something odd, from the first to the last number.

    Attributes:
        before: digest of the envelope in front of `first`; empty when there is none, or when nothing is missing.
        after: digest that the envelope behind `last` gives to `last`; empty when nothing is missing.
        since: Unix seconds.
    """

    oddity: Oddity
    first: int
    last: int
    before: bytes
    after: bytes
    since: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LaneTrack:
    """What was seen of one lane of one peer.

    Attributes:
        sequence: the largest number that came; BEFORE_TRACKING when the lane was in use before anybody looked.
        digest: of that envelope; empty when none came.
        recent: numbers and digests of the last ones that came, the newest last.
        notices: the oldest first.
    """

    peer: PartyId
    lane: Lane
    sequence: int = 0
    digest: bytes = b""
    recent: tuple[tuple[int, bytes], ...] = ()
    notices: tuple[LaneNotice, ...] = ()


BEFORE_TRACKING: Final = -1
"""In the place of a number: the lane begins with whatever comes first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """An envelope's place in its lane, as its header tells it, and its digest."""

    sequence: int
    previous: bytes
    digest: bytes


def observed(track: LaneTrack, arrival: Arrival, *, now: int) -> LaneTrack:
    """The lane with one more envelope in it. The same one again changes nothing."""
    known = dict(track.recent).get(arrival.sequence)
    if known == arrival.digest:
        return track
    if known is not None:
        return _noted(track, _notice(Oddity.REPEATED, arrival, now))
    recent = (*track.recent, (arrival.sequence, arrival.digest))[-limits.LANE_RECENT_MAX :]
    track = replace(track, recent=recent)
    if arrival.sequence > track.sequence:
        return _went_on(track, arrival, now)
    return _came_late(track, arrival, now)


def _went_on(track: LaneTrack, arrival: Arrival, now: int) -> LaneTrack:
    after = replace(track, sequence=arrival.sequence, digest=arrival.digest)
    if track.sequence == BEFORE_TRACKING:
        return after
    if arrival.sequence > track.sequence + 1:
        missing = LaneNotice(
            oddity=Oddity.MISSING,
            first=track.sequence + 1,
            last=arrival.sequence - 1,
            before=track.digest,
            after=arrival.previous,
            since=now,
        )
        return _noted(after, missing)
    return after if arrival.previous == track.digest else _noted(after, _notice(Oddity.UNLINKED, arrival, now))


def _came_late(track: LaneTrack, arrival: Arrival, now: int) -> LaneTrack:
    """One that was missed is missed no more. What is missed nowhere came before the lane's memory begins: nothing is said of it."""
    number = arrival.sequence
    gap = next((one for one in track.notices if one.oddity is Oddity.MISSING and one.first <= number <= one.last), None)
    if gap is None:
        return track
    remaining = tuple(part for one in track.notices for part in (_around(gap, arrival) if one is gap else (one,)))
    after = replace(track, notices=remaining)
    linked = number > gap.first or arrival.previous == gap.before
    linked = linked and (number < gap.last or arrival.digest == gap.after)
    return after if linked else _noted(after, _notice(Oddity.UNLINKED, arrival, now))


def _around(gap: LaneNotice, arrival: Arrival) -> Iterator[LaneNotice]:
    """What is still missing on both sides of a late one."""
    if arrival.sequence > gap.first:
        yield replace(gap, last=arrival.sequence - 1, after=arrival.previous)
    if arrival.sequence < gap.last:
        yield replace(gap, first=arrival.sequence + 1, before=arrival.digest)


def _notice(oddity: Oddity, arrival: Arrival, now: int) -> LaneNotice:
    return LaneNotice(oddity=oddity, first=arrival.sequence, last=arrival.sequence, before=b"", after=b"", since=now)


def _noted(track: LaneTrack, notice: LaneNotice) -> LaneTrack:
    """One thing is told once; of very many the newest are kept."""
    if any((one.oddity, one.first) == (notice.oddity, notice.first) for one in track.notices):
        return track
    return replace(track, notices=(*track.notices, notice)[-limits.LANE_NOTICES_MAX :])
