"""kill -9 at every commit point of one exchange: at the sender and at the receiver, answered by the node and by an officer, right after
each commit took effect and right before.
"""

from __future__ import annotations

import asyncio

import pytest

from federation.errors import FederationError
from federation.ports import Change
from federation.query.codes import Automation
from federation.query.lifecycle import AskedState
from tests.support.federation import Federation
from tests.support.invariants import Watch
from tests.support.simulated import simulated
from tests.support.simulated_node import SimNode
from tests.support.simulated_officers import HOUR, Enquiry, answer_inbox, question

COMMITS = {
    ("asker", Automation.AUTOMATIC): 2,
    ("answerer", Automation.AUTOMATIC): 2,
    ("asker", Automation.MANUAL): 3,
    ("answerer", Automation.MANUAL): 3,
}
"""How many commits each side makes in an exchange that nothing disturbs; a test says so."""


async def exchange(federation: Federation) -> Enquiry:
    """One whole exchange by people who do not give up: asked until it is written, answered until nothing waits."""
    asker, answerer = federation["qm"], federation["qn"]
    enquiry = Enquiry(asker, question(answerer.party, answerer.kit.codes[0]), [], pause_s=60)
    await enquiry.put()
    for _ in range(12):
        await asyncio.sleep(300)
        try:
            await answer_inbox(answerer)
        except FederationError:
            continue
    await asyncio.sleep(2 * HOUR)
    return enquiry


def counted(node: SimNode) -> list[Change]:
    """The changes that the node writes about messages from now on."""
    changes: list[Change] = []

    def note(change: Change) -> None:
        if change.leaves:
            changes.append(change)

    node.on_write = note
    return changes


@pytest.mark.parametrize("automation", [Automation.AUTOMATIC, Automation.MANUAL])
def test_so_many_commits_make_an_exchange(automation: Automation):
    @simulated(parties=2, automation=automation)
    async def run(federation: Federation) -> None:
        asking, answering = counted(federation["qm"]), counted(federation["qn"])
        await exchange(federation)
        assert (len(asking), len(answering)) == (COMMITS["asker", automation], COMMITS["answerer", automation])

    run()


def every_point() -> list[tuple[str, Automation, int, bool]]:
    return [
        (side, automation, number, before)
        for (side, automation), commits in COMMITS.items()
        for number in range(1, commits + 1)
        for before in (False, True)
    ]


@pytest.mark.parametrize(("side", "automation", "number", "before"), every_point())
def test_killed_at_a_commit_point(side: str, automation: Automation, number: int, before: bool):  # noqa: FBT001  # a parameter of pytest
    """The node dies in its n-th commit about a message: the disk has it and nobody was told, or the disk does not have it."""

    @simulated(parties=2, automation=automation)
    async def run(federation: Federation) -> None:
        node = federation["qm" if side == "asker" else "qn"]
        killed = dies_in_commit(federation, node, number, before=before)

        enquiry = await exchange(federation)

        assert killed.is_set(), "the exchange ended before that commit"
        (message_id,) = enquiry.message_ids
        assert federation["qm"].storage._asked[message_id].state is AskedState.ANSWERED
        assert len(federation["qm"].storage._asked) == len(federation["qn"].storage._received) == 1
        watch = Watch(federation)
        watch.look_at_the_end()
        assert (watch.count().lost, watch.count().doubled) == (0, 0)

    run()


def dies_in_commit(federation: Federation, node: SimNode, number: int, *, before: bool) -> asyncio.Event:
    """Cut the power in the n-th commit that writes to the journal, once; the node is back after a minute."""
    killed, seen, apply = asyncio.Event(), 0, node.storage._apply

    def die(change: Change, crossings: list[object]) -> object:
        nonlocal seen
        seen += bool(change.leaves)
        if not change.leaves or seen != number or killed.is_set():
            return apply(change, crossings)  # type: ignore[arg-type]  # as the store gave them
        killed.set()
        positions = () if before else apply(change, crossings)  # type: ignore[arg-type]  # as the store gave them
        node.crash()
        federation.in_background(back_in_a_minute(federation, node))
        return positions

    node.storage._apply = die  # type: ignore[method-assign, assignment]  # the disk of this test alone
    return killed


async def back_in_a_minute(federation: Federation, node: SimNode) -> None:
    await asyncio.sleep(60)
    await federation.restart(node)
