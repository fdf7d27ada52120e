"""The end of retention: contents go, the leaves stay, and nobody takes it for a loss."""

from __future__ import annotations

import asyncio

import pytest

from federation.errors import NotFound
from federation.evidence.journal import JournalKind
from federation.ports import Direction
from federation.wire.evidence import decode_record
from tests.simulation.test_reconciling import days_pass, exchange, findings, unwatched
from tests.support.federation import Federation
from tests.support.simulated_node import SimNode
from tests.support.simulated_officers import DAY, HOUR


async def keep_for(federation: Federation, node: SimNode, seconds: int) -> None:
    """Start the node again with another setting."""
    node.crash()
    node.retention_s = seconds
    await federation.restart(node)


def erased_notes(node: SimNode) -> list[str]:
    records = (decode_record(leaf.content) for leaf in node.storage._leaves)
    return [record.note for record in records if record.kind is JournalKind.ERASED]


@unwatched
async def test_what_was_kept_long_enough_is_erased_at_one_side_and_the_other_misses_nothing(federation: Federation):
    asker, answerer = federation["qm"], federation["qn"]
    (asked, *_) = await exchange(asker, answerer, codes=3)
    await days_pass(1.2)
    await keep_for(federation, asker, 2 * DAY)
    size = asker.storage._tree.frontier.size
    assert erased_notes(asker) == []
    await days_pass(1.0)

    assert not any(direction is Direction.SENT for direction, _ in asker.storage._crossings)
    assert (asker.storage._asked, asker.storage._marks) == ({}, {})
    assert len(answerer.storage._crossings) == 3
    assert await asker.storage.leaf(0) is None
    assert asker.storage._tree.frontier.size > size
    assert erased_notes(asker) == ["3 messages, 6 records"]
    with pytest.raises(NotFound):
        await asker.at_desk(lambda desk: desk.proof(asker.kit.officers[0].name, asked, disclose=False))
    await days_pass(1.2)
    for node, peer in ((asker, answerer), (answerer, asker)):
        days, differences, alarms = await findings(node, peer)
        assert (differences, alarms) == ((), ())
        assert all(day.agreed for day in days)


@unwatched
async def test_nothing_is_erased_by_a_clock_that_nobody_confirms(federation: Federation):
    asker, answerer = federation["qm"], federation["qn"]
    await exchange(asker, answerer, codes=1)
    federation.secretariat.go_away()
    federation.network.part([asker.kit.name], [node.kit.name for node in federation.nodes.values() if node is not asker])
    asker.clock.skew_s = 3_000 * DAY
    await asyncio.sleep(3 * HOUR)

    assert erased_notes(asker) == []
    assert len(asker.storage._crossings) == 1
