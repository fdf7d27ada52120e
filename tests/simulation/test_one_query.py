"""One query from the desk of one Party to the answer of another, in memory, with everything real but the wires and the disk."""

from __future__ import annotations

from federation.query.codes import Outcome
from federation.query.lifecycle import AskedState
from tests.support.federation import federating
from tests.support.simulated_officers import ask, question
from tests.support.virtual_clock import VirtualLoop, run_virtual


def test_an_automatic_query_is_answered_in_one_round_trip():
    async def main(loop: VirtualLoop) -> None:
        async with federating(loop, parties=3) as federation:
            asker, answerer = federation["qm"], federation["qn"]

            view = await ask(asker, question(answerer.party, answerer.kit.codes[0], answerer.kit.unknown_code))

            assert view.asked.state is AskedState.ANSWERED
            (answer,) = view.answers
            assert [result.outcome for result in answer.answer.results] == [Outcome.FOUND, Outcome.NEVER_ISSUED]
            print("\n".join(federation.history.lines))

    run_virtual(main)
