"""Journals that agree: what two nodes find out about each other in a day, on virtual time."""

from __future__ import annotations

import asyncio
import copy
from collections.abc import Awaitable, Callable

from federation.boundary.accounts import read_contradiction
from federation.evidence.account import DifferenceKind, Judgement, Way
from federation.evidence.journal import JournalKind, Leaf
from federation.identity import MessageId
from federation.ports import Alarm, ComparedDay, Difference, Direction
from federation.query.codes import Automation
from federation.query.lifecycle import AskedState
from federation.wire.evidence import decode_record
from node.use_cases.restoring import Returned, open_epoch
from node.use_cases.world import World
from tests.support.federation import Federation, federating
from tests.support.memory_stores import MemoryTree
from tests.support.simulated import SETTLING_S, simulated
from tests.support.simulated_node import SimNode, Storage
from tests.support.simulated_officers import DAY, HOUR, answer_inbox, ask, look, question
from tests.support.virtual_clock import SeededEntropy, VirtualLoop, run_virtual

Findings = tuple[tuple[ComparedDay, ...], tuple[Difference, ...], tuple[Alarm, ...]]


def unwatched(test: Callable[[Federation], Awaitable[None]]) -> Callable[[], None]:
    """For what the watch over all nodes would rightly find: somebody's disk is changed, or put back."""

    async def main(loop: VirtualLoop) -> None:
        async with federating(loop, parties=3, automation=lambda _number: Automation.MANUAL) as federation:
            await asyncio.sleep(SETTLING_S)
            await test(federation)

    def run() -> None:
        run_virtual(main, 0)

    run.__name__ = test.__name__
    return run


async def findings(node: SimNode, peer: SimNode) -> Findings:
    return await node.storage.findings(peer.party)


async def exchange(asker: SimNode, answerer: SimNode, *, codes: int) -> list[MessageId]:
    """Some questions that are answered, with their receipts."""
    views = [await ask(asker, question(answerer.party, code)) for code in answerer.kit.codes[:codes]]
    await asyncio.sleep(60)
    return [view.asked.message_id for view in views]


async def days_pass(days: float = 1.3) -> None:
    await asyncio.sleep(days * DAY)


def alarms_in_journal(node: SimNode) -> list[str]:
    decoded = (decode_record(leaf.content) for leaf in node.storage._leaves if leaf is not None)
    return [record.note for record in decoded if record.kind is JournalKind.ALARM]


def forget(node: SimNode, direction: Direction, message_id: MessageId) -> None:
    """A row that is gone from the disk, and whatever says that it was there."""
    storage, way = node.storage, Way(direction)
    crossing = storage._crossings.pop((direction, message_id))
    storage._marks.pop((crossing.peer, message_id), None)
    storage._received.pop(message_id, None)
    for (_, _, tallied), entries in storage._tally.items():
        if tallied is way:
            entries.pop(message_id, None)


@simulated()
async def test_two_nodes_agree_about_every_day_by_themselves_and_prove_each_others_journals(federation: Federation):
    asker, answerer = federation["qm"], federation["qn"]
    asked = await exchange(asker, answerer, codes=3)
    await days_pass(1.2)
    await exchange(answerer, asker, codes=2)
    await days_pass(1.2)

    for node, peer, sent, received in ((asker, answerer, 3, 3), (answerer, asker, 3, 3)):
        days, differences, alarms = await findings(node, peer)
        assert (differences, alarms) == ((), ())
        assert all(day.agreed for day in days)
        assert {(day.sent, day.they_have, day.received, day.they_sent) for day in days} == {
            (sent, sent, received, received),
            (2, 2, 2, 2),
        }
        standing = next(one for one in await node.storage.standings() if one.peer == peer.party)
        assert standing.problem == ""
        assert standing.account is not None
        assert await node.storage.unproved(peer.party, rows=10) == ()
    assert len(asked) == 3
    assert await findings(asker, federation["qo"]) == ((), (), ())


@simulated(automation=Automation.MANUAL)
async def test_what_a_peer_receipted_and_lost_is_named_and_sent_again(federation: Federation):
    asker, answerer = federation["qm"], federation["qn"]
    lost, *_ = await exchange(asker, answerer, codes=3)
    forget(answerer, Direction.RECEIVED, lost)

    await days_pass()

    days, (difference,), alarms = await findings(asker, answerer)
    assert (difference.kind, difference.message_id, alarms) == (DifferenceKind.LOST_THERE, lost, ())
    assert 0 < difference.found <= difference.healed
    assert alarms_in_journal(asker) == ["1 lost-there"]
    assert [(day.sent, day.they_have, day.agreed) for day in days] == [(3, 3, True)]
    again = answerer.storage._crossings[Direction.RECEIVED, lost]
    sent = asker.storage._crossings[Direction.SENT, lost]
    assert (again.statement, again.body, again.digest) == (sent.statement, sent.body, sent.digest)

    await answer_inbox(answerer)
    await asyncio.sleep(HOUR)
    assert (await look(asker, lost)).asked.state is AskedState.ANSWERED


@simulated(automation=Automation.MANUAL)
async def test_what_is_under_way_and_what_never_arrived_is_no_difference(federation: Federation):
    asker, answerer = federation["qm"], federation["qn"]
    await exchange(asker, answerer, codes=1)
    federation.network.cut([answerer.kit.name], [asker.kit.name])  # it arrives, and its receipt does not
    view = await ask(asker, question(answerer.party, answerer.kit.codes[5]))
    federation.network.heal()
    answerer.crash()
    never = await ask(asker, question(answerer.party, answerer.kit.codes[6], deadline_s=2 * HOUR))
    await asyncio.sleep(3 * HOUR)
    await federation.restart(answerer)
    await days_pass(1.3)

    assert never.asked.message_id != view.asked.message_id
    for node, peer in ((asker, answerer), (answerer, asker)):
        days, differences, alarms = await findings(node, peer)
        assert (differences, alarms) == ((), ())
        assert all(day.agreed for day in days)


@simulated(automation=Automation.MANUAL)
async def test_a_peer_that_lies_about_what_it_has_signs_its_lie(federation: Federation):
    asker, answerer = federation["qm"], federation["qn"]
    lost, *_ = await exchange(asker, answerer, codes=2)
    assert answerer.participant is not None
    accounting = answerer.participant.accounting
    true = accounting._store

    class Lying:
        def __getattr__(self, name: str):
            return getattr(true, name)

        async def tallied(self, peer, day, way, *, after, rows):
            entries = await true.tallied(peer, day, way, after=after, rows=rows)
            return tuple(one for one in entries if one.message_id != lost)

    accounting._store = Lying()
    await days_pass(1.3)

    days, (difference,), _ = await findings(asker, answerer)
    assert (difference.kind, difference.message_id, difference.healed) == (DifferenceKind.LOST_THERE, lost, 0)
    assert lost not in difference.evidence.statement
    assert [(day.sent, day.they_have, day.agreed) for day in days] == [(2, 1, False)]
    assert alarms_in_journal(asker) == ["1 lost-there"]


@unwatched
async def test_a_journal_that_was_rewritten_is_found_and_proved_by_two_signed_statements(federation: Federation):
    asker, answerer = federation["qm"], federation["qn"]
    await exchange(asker, answerer, codes=3)
    storage = answerer.storage
    index = next(place for place, leaf in enumerate(storage._leaves) if decode_record(leaf.content).kind is JournalKind.RECEIVED)
    leaves = list(storage._leaves)
    leaves[index] = Leaf(salt=leaves[index].salt, content=leaves[index + 1].content)
    storage._leaves, storage._tree = leaves, MemoryTree()  # the whole tree is made again, as whoever has the disk can do
    for leaf in leaves:
        storage._tree.append(leaf.hash())

    await days_pass()

    days, differences, alarms = await findings(asker, answerer)
    assert differences == ()
    assert {alarm.judgement for alarm in alarms} == {Judgement.REWRITTEN}
    assert {alarm.size for alarm in alarms} >= {index + 1}
    assert all(day.agreed for day in days)
    roster = federation.treaty.replica.roster
    assert {read_contradiction(alarm.proof, roster=roster) for alarm in alarms} == {(answerer.kit.name, Judgement.REWRITTEN)}
    assert alarms_in_journal(asker) == [f"{len(alarms)} rewritten"]

    await days_pass(1.3)
    assert (await findings(asker, answerer))[2] == alarms  # it stays, and one history is told once


@unwatched
async def test_a_journal_that_was_rewritten_where_nothing_crosses_is_found_within_the_week(federation: Federation):
    asker, answerer = federation["qm"], federation["qn"]
    await exchange(asker, answerer, codes=3)
    await days_pass(2)
    assert (await findings(asker, answerer))[2] == ()
    storage = answerer.storage
    leaves = [Leaf(salt=bytes(len(leaf.salt)), content=leaf.content) for leaf in storage._leaves]
    storage._leaves, storage._tree = leaves, MemoryTree()
    for leaf in leaves:
        storage._tree.append(leaf.hash())

    await days_pass(7.3)

    assert {alarm.judgement for alarm in (await findings(asker, answerer))[2]} == {Judgement.REWRITTEN}


@unwatched
async def test_a_peer_that_was_put_back_from_yesterdays_backup_gets_back_what_waits(federation: Federation) -> None:
    asker, answerer = federation["qm"], federation["qn"]
    await exchange(asker, answerer, codes=2)
    await days_pass()
    assert len((await findings(asker, answerer))[0]) == 1
    taken, backup = federation.now, copied(answerer)
    after = (await exchange(asker, answerer, codes=3))[2]
    await days_pass()
    assert (await findings(asker, answerer))[1:] == ((), ())

    answerer.crash()
    await put_back(federation, answerer, backup, taken=taken)
    await federation.restart(answerer)
    await days_pass(1.3)

    days, differences, alarms = await findings(asker, answerer)
    assert alarms == ()
    assert {one.kind for one in differences} == {DifferenceKind.LOST_THERE}
    assert len(differences) == 3
    assert all(one.healed for one in differences)
    assert all(day.agreed for day in days)
    assert (Direction.RECEIVED, after) in answerer.storage._crossings
    await answer_inbox(answerer)
    await asyncio.sleep(HOUR)
    assert (await look(asker, after)).asked.state is AskedState.ANSWERED


@unwatched
async def test_an_asker_that_was_put_back_gets_the_answer_that_it_lost(federation: Federation):
    asker, answerer = federation["qm"], federation["qn"]
    asked, *_ = await exchange(asker, answerer, codes=1)
    taken, backup = federation.now, copied(asker)
    await answer_inbox(answerer)
    await asyncio.sleep(HOUR)
    assert (await look(asker, asked)).asked.state is AskedState.ANSWERED

    asker.crash()
    await put_back(federation, asker, backup, taken=taken)
    await federation.restart(asker)
    assert (await look(asker, asked)).answers == ()
    await days_pass(1.2)

    _, (difference,), alarms = await findings(answerer, asker)
    assert (difference.kind, alarms) == (DifferenceKind.LOST_THERE, ())
    assert difference.healed
    view = await look(asker, asked)
    assert view.asked.state is AskedState.ANSWERED
    assert len(view.answers) == 1


@unwatched
async def test_a_query_that_has_its_answer_is_not_sent_again_to_whoever_lost_it(federation: Federation):
    asker, answerer = federation["qm"], federation["qn"]
    asked, *_ = await exchange(asker, answerer, codes=1)
    await answer_inbox(answerer)
    await asyncio.sleep(HOUR)
    before = len(federation.envelopes)
    forget(answerer, Direction.RECEIVED, asked)
    await days_pass(1.2)

    _, (difference,), _ = await findings(asker, answerer)
    assert (difference.kind, difference.message_id, difference.healed) == (DifferenceKind.LOST_THERE, asked, 0)
    assert len(federation.envelopes) == before
    assert len((await look(asker, asked)).answers) == 1


def copied(node: SimNode) -> dict[str, object]:
    """What a backup holds of the exchange: everything but the sealing keys."""
    kept = {name: value for name, value in vars(node.storage).items() if name not in {"faults", "on_write"}}
    return copy.deepcopy(kept) | {"_keys": {}}


async def put_back(federation: Federation, node: SimNode, backup: dict[str, object], *, taken: float) -> None:
    storage = Storage(node.faults)
    on_write = node.storage.on_write
    vars(storage).update(backup)
    storage.on_write = on_write
    node.storage = storage
    world = World(clock=node.clock, entropy=SeededEntropy("restored"))
    returned = Returned(at=int(federation.now), taken=int(taken))
    await open_epoch(storage, storage, own=node.party, world=world, returned=returned)
