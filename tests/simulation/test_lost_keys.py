"""A node that was put back from a backup has none of its sealing keys: backups leave them out."""

from __future__ import annotations

import asyncio

from federation.query.codes import Automation
from federation.query.lifecycle import AskedState
from tests.support.federation import Federation
from tests.support.simulated import simulated
from tests.support.simulated_officers import answer, ask, look, question


@simulated()
async def test_a_query_sealed_to_a_key_that_was_lost_is_sealed_again(federation: Federation) -> None:
    asker, answerer = federation["qm"], federation["qn"]
    answerer.crash()
    view = await ask(asker, question(answerer.party, answerer.kit.codes[0]))
    assert view.asked.state is AskedState.QUEUED
    for key in await answerer.storage.keys():
        del answerer.storage._keys[key.key_id]

    await federation.restart(answerer)
    await asyncio.sleep(30 * 60)

    assert (await look(asker, view.asked.message_id)).asked.state is AskedState.ANSWERED


@simulated()
async def test_a_query_that_comes_after_the_keys_were_lost_is_answered_too(federation: Federation) -> None:
    asker, answerer = federation["qm"], federation["qn"]
    answerer.crash()
    for key in await answerer.storage.keys():
        del answerer.storage._keys[key.key_id]
    await federation.restart(answerer)

    view = await ask(asker, question(answerer.party, answerer.kit.codes[0]))
    await asyncio.sleep(30 * 60)

    assert (await look(asker, view.asked.message_id)).asked.state is AskedState.ANSWERED


@simulated(automation=Automation.MANUAL)
async def test_an_answer_to_a_reply_key_that_was_lost_is_sealed_to_a_prekey(federation: Federation) -> None:
    """The asking node was put back from a backup, which holds the query and not its reply key."""
    asker, answerer = federation["qm"], federation["qn"]
    view = await ask(asker, question(answerer.party, answerer.kit.codes[0]))
    assert view.asked.state is AskedState.DELIVERED
    asker.crash()
    for key in await asker.storage.keys():
        del asker.storage._keys[key.key_id]
    await federation.restart(asker)
    await answer(answerer, view.asked.message_id)
    await asyncio.sleep(30 * 60)

    found = await look(asker, view.asked.message_id)
    assert found.asked.state is AskedState.ANSWERED
    assert len(found.answers) == 1
