"""What other nodes' clocks say, for the operator's eyes."""

from __future__ import annotations

import pytest

from federation import limits
from federation.identity import NodeName, PartyId
from node import limits as node_limits
from node.use_cases.desk_values import Health
from node.use_cases.peer_clocks import Heard, PeerClocks

NOW = 1_800_000_000


def name(number: int = 1) -> NodeName:
    return NodeName(party=PartyId("qm"), node_id=f"n{number}", domain="gsp.example")


@pytest.mark.parametrize(
    ("told", "offset"),
    [(NOW - 31, -31), (NOW, 0), (NOW + 5, 0), (NOW + 10, 0), (NOW + 41, 31)],
    ids=["behind", "a", "b", "c", "ahead"],
)
def test_the_way_of_a_call_is_no_offset(told, offset):
    assert Heard(told=told, asked=NOW, heard=NOW + 10).offset_s == offset


def test_only_the_newest_time_of_a_node_counts():
    clocks = PeerClocks()
    clocks.hear(name(), Heard(told=NOW + 600, asked=NOW, heard=NOW))
    assert clocks.check().health is Health.WARNING
    assert "2027-01-15 08:10:00 UTC when it was 2027-01-15 08:00:00 UTC here" in clocks.check().words
    clocks.hear(name(), Heard(told=NOW, asked=NOW, heard=NOW))

    assert clocks.check().health is Health.GOOD


def test_thirty_seconds_are_nothing_to_speak_of():
    clocks = PeerClocks()
    clocks.hear(name(), Heard(told=NOW + limits.CLOCK_OFFSET_WARN_S, asked=NOW, heard=NOW))

    assert clocks.check().health is Health.GOOD


def test_as_many_are_remembered_as_there_are_channels():
    clocks = PeerClocks()
    for number in range(node_limits.CHANNELS_MAX + 5):
        clocks.hear(name(number), Heard(told=NOW, asked=NOW, heard=NOW))

    assert clocks.check().words.startswith(f"{node_limits.CHANNELS_MAX} of them")


def test_a_time_that_no_calendar_shows_breaks_nothing():
    clocks = PeerClocks()
    clocks.hear(name(), Heard(told=limits.TIME_S_MAX, asked=NOW, heard=NOW))

    assert clocks.check().health is Health.WARNING
