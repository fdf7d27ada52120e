"""The first try to deliver is made while the officer waits, beside the outbox's own loop; the loop has to go on from there."""

from __future__ import annotations

import asyncio

from federation.query.lifecycle import AskedState
from tests.support.federation import federating
from tests.support.simulated_officers import ask, look, question
from tests.support.virtual_clock import VirtualLoop, run_virtual


def test_a_query_whose_first_try_failed_goes_out_soon_after_the_peer_is_back_without_hearing_from_it():
    async def main(loop: VirtualLoop) -> None:
        async with federating(loop, parties=3) as federation:
            # A node that starts asks the first Party of the directory for prekeys, so the third one does not hear from it.
            asker, answerer = federation["qo"], federation["qn"]
            await asyncio.sleep(60)
            answerer.crash()

            view = await ask(asker, question(answerer.party, answerer.kit.codes[0]))
            assert (view.asked.state, view.asked.problem) == (AskedState.QUEUED, "unreachable")
            await federation.restart(answerer)

            answered = await look(asker, view.asked.message_id, wait_s=30)
            assert answered.asked.state is AskedState.ANSWERED

    run_virtual(main)
