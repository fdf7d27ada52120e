"""One Party's node, wired from ports: the same for real nodes and for simulated ones. The order of construction is the order in
which things depend on each other; nothing is wired twice and nothing is complete later than when it is made, but the outbox, which
has to know who goes on after a delivery.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

from federation.delivery.outbox import Outgoing
from federation.envelope.header import MessageKind, Prekey
from federation.errors import Unauthentic
from node.use_cases import making
from node.use_cases.acknowledging import Acknowledger
from node.use_cases.auditing import Auditing
from node.use_cases.budgets import Budgets
from node.use_cases.chronicle import Chronicle
from node.use_cases.core import Counts, core_of
from node.use_cases.gossip import Gossip
from node.use_cases.housekeeping import housekeeping, repeat
from node.use_cases.notices import Notices
from node.use_cases.numbers import Counted, Numbers
from node.use_cases.parts import Participant, Parts
from node.use_cases.personnel import employ
from node.use_cases.recent import Recent
from node.use_cases.steady import Steady
from node.use_cases.witnessing import Witness


@asynccontextmanager
async def participating(parts: Parts) -> AsyncIterator[Participant]:
    """Wire a node and keep its background work going until the block ends. A dead task is a dead node."""
    parts = await _told(parts)
    steady = Steady(parts.world.clock, clocks=lambda: parts.facts().clocks)
    parts = replace(parts, world=replace(parts.world, steady=steady))
    counts = Counts(numbers=await Numbers.load(parts.arrivals, parts.world), budgets=await Budgets.load(parts.arrivals))
    recent = Recent(Counted(parts.exchange_store, counts.numbers, counts.budgets))
    parts = replace(parts, exchange_store=recent)  # nobody writes past it
    participant, acknowledger = await _assemble(parts, counts, recent)
    async with asyncio.TaskGroup() as group:
        tasks = [
            group.create_task(participant.outbox.run()),
            group.create_task(acknowledger.run()),
            group.create_task(participant.attachments.run()),
            group.create_task(_gossip(parts, participant).run()),
            *(group.create_task(repeat(turn, parts.registry)) for turn in housekeeping(parts, participant)),
        ]
        try:
            yield participant
        finally:
            for task in tasks:
                task.cancel()


async def _told(parts: Parts) -> Parts:
    """The same, with every change telling the timelines, and with what an earlier run saw of the peers."""
    parts.book.recall(await parts.peer_store.peers())
    chronicle = Chronicle(parts.exchange_store, now=parts.world.now, offset=parts.book.offset_ms)
    return replace(parts, exchange_store=chronicle)


async def _assemble(parts: Parts, counts: Counts, recent: Recent) -> tuple[Participant, Acknowledger]:
    notices = await Notices.load(parts.registry, parts.notice_store, parts.world.clock)
    core = await core_of(parts, counts, recent)
    personnel = employ(parts.officers, party=parts.own.party, node=parts.own.name, world=parts.world)
    asking, answering = making.asking(parts, core), making.answering(parts, core)
    await answering.recollect()

    async def key_for(outgoing: Outgoing) -> tuple[Prekey, int] | None:
        if outgoing.kind is MessageKind.ANSWER and outgoing.problem != Unauthentic.code:
            return await answering.key_for_answer(outgoing.message_id)
        return core.keyring.prekey_of(outgoing.peer, parts.registry.roster)

    accounting = making.accounting(parts)
    handlers = {MessageKind.QUERY: asking.handed, MessageKind.ANSWER: answering.handed}
    core.outbox.connect(on_handed=handlers, key_for=key_for)
    exchange = making.exchange(parts, core, asking, answering)
    participant = Participant(
        exchange=exchange,
        desk=making.desk(parts, core, asking, answering, notices=notices, entitlement=personnel.entitlement),
        outbox=core.outbox,
        patterns=core.patterns,
        registry=parts.registry,
        keyring=core.keyring,
        asking=asking,
        answering=answering,
        repository=core.repository,
        notices=notices,
        witness=Witness(
            own=parts.own, world=parts.world, registry=parts.registry, store=parts.witness_store, service=parts.directory
        ),
        personnel=personnel,
        parcels=making.parcels(parts, core, exchange, on_receipt=handlers, entitlement=personnel.entitlement),
        accounting=accounting,
        reconciling=making.reconciling(parts, core, accounting),
        auditing=Auditing(
            own=parts.own,
            world=parts.world,
            store=parts.exchange_store,
            journal=parts.journal,
            entitlement=personnel.entitlement,
        ),
        attachments=core.attachments,
        offering=making.offering(parts, core),
        attachment_desk=making.attachment_desk(parts, core, answering, personnel.entitlement),
        sweep=await making.swept(parts, core),
        held=making.held(parts, core, asking, personnel.entitlement),
        retention=making.retention(parts),
    )
    return participant, core.acknowledger


def _gossip(parts: Parts, participant: Participant) -> Gossip:
    return Gossip(
        own=parts.own.party,
        entropy=parts.world.entropy,
        registry=parts.registry,
        notices=participant.notices,
        directory=parts.directory,
        telling=parts.telling,
        secretariat=parts.secretariat,
    )
