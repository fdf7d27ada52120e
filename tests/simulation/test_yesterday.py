"""A peer that is put back from yesterday's backup: it has forgotten what others remember, and its sealing keys."""

from __future__ import annotations

import asyncio

import pytest

from federation.query.codes import Automation
from federation.query.lifecycle import AskedState
from tests.support.federation import Federation
from tests.support.invariants import Watch
from tests.support.simulated import simulated
from tests.support.simulated_node import SimNode, Storage
from tests.support.simulated_officers import DAY, HOUR, answer_inbox, ask, look, question


async def put_back(federation: Federation, node: SimNode, copy: Storage) -> None:
    node.crash()
    node.put_back(copy, age_s=DAY)
    await federation.restart(node)


@pytest.mark.parametrize("automation", [Automation.AUTOMATIC, Automation.MANUAL])
@pytest.mark.parametrize("side", ["asker", "answerer"])
def test_a_peer_restored_from_yesterdays_backup(side: str, automation: Automation):
    """What was asked and answered before the copy stands, what both sides did since stands at the other, and what comes after works."""

    @simulated(parties=3, automation=automation)
    async def run(federation: Federation) -> None:
        asker, answerer = federation["qm"], federation["qn"]
        watch = Watch(federation)
        watch.look_at_each_step()
        before = await ask(asker, question(answerer.party, answerer.kit.codes[0]))
        await answer_inbox(answerer)
        await asyncio.sleep(HOUR)
        restored = asker if side == "asker" else answerer
        copy = restored.storage.copy()
        await asyncio.sleep(DAY)
        since = await ask(asker, question(answerer.party, answerer.kit.codes[1]))
        await answer_inbox(answerer)
        await asyncio.sleep(HOUR)

        await put_back(federation, restored, copy)
        await asyncio.sleep(HOUR)
        after = await ask(asker, question(answerer.party, answerer.kit.codes[2]))
        await asyncio.sleep(600)  # the first envelope may be sealed to a key that was lost
        await answer_inbox(answerer)
        await asyncio.sleep(HOUR)

        assert (await look(asker, before.asked.message_id)).asked.state is AskedState.ANSWERED
        assert (await look(asker, after.asked.message_id)).asked.state is AskedState.ANSWERED
        assert (since.asked.message_id in asker.storage._asked) == (side == "answerer")
        assert (since.asked.message_id in answerer.storage._received) == (side == "asker")
        watch.look_at_the_end()
        assert (watch.count().lost, watch.count().doubled) == (0, 0)

    run()
