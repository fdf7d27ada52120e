"""One Party's node, wired from ports: the same for real nodes and for simulated ones. The order of construction is the order in
which things depend on each other; nothing is wired twice and nothing is complete later than when it is made, but the outbox, which
has to know who goes on after a delivery.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

from federation.delivery.outbox import Outgoing
from federation.envelope.header import MessageKind, Prekey
from federation.errors import Unauthentic
from node.use_cases.accounting import Accounting
from node.use_cases.acknowledging import Acknowledger
from node.use_cases.answering import Answering
from node.use_cases.asking import Asking
from node.use_cases.attachment_desk import OwnAttachmentDesk
from node.use_cases.attachments import Attachments
from node.use_cases.auditing import Auditing
from node.use_cases.budgets import Budgets
from node.use_cases.carrying import Carrying
from node.use_cases.chronicle import Chronicle
from node.use_cases.desk import OwnDesk
from node.use_cases.diagnosis import Diagnosis
from node.use_cases.entitlement import Entitlement
from node.use_cases.exchange import Exchange
from node.use_cases.explaining import Explaining
from node.use_cases.gossip import Gossip
from node.use_cases.held import Held, arrival_checks
from node.use_cases.housekeeping import housekeeping, repeat
from node.use_cases.key_report import KeyReport, TlsFacts
from node.use_cases.keyring import Keyring
from node.use_cases.library import Patterns
from node.use_cases.notices import Notices
from node.use_cases.numbers import Counted, Numbers
from node.use_cases.offering import Offering
from node.use_cases.outbox import OnHanded, Outbox
from node.use_cases.parcels import Parcels
from node.use_cases.parts import Participant, Parts
from node.use_cases.personnel import employ
from node.use_cases.poison import Poisons
from node.use_cases.proving import Proving
from node.use_cases.recent import Recent
from node.use_cases.reconciling import Reconciling
from node.use_cases.repository import Repository
from node.use_cases.resending import Resending
from node.use_cases.retention import Retention
from node.use_cases.sealing import Sealer
from node.use_cases.spool_sweep import SpoolSweep
from node.use_cases.steady import Steady
from node.use_cases.uploads import Uploads
from node.use_cases.weather import WeatherStation
from node.use_cases.witnessing import Witness
from node.use_cases.world import Announcer, Turns


@asynccontextmanager
async def participating(parts: Parts) -> AsyncIterator[Participant]:
    """Wire a node and keep its background work going until the block ends. A dead task is a dead node."""
    parts = await _told(parts)
    steady = Steady(parts.world.clock, clocks=lambda: parts.facts().clocks)
    parts = replace(parts, world=replace(parts.world, steady=steady))
    counts = _Counts(numbers=await Numbers.load(parts.arrivals, parts.world), budgets=await Budgets.load(parts.arrivals))
    parts = replace(parts, exchange_store=Counted(parts.exchange_store, counts.numbers, counts.budgets))
    participant, acknowledger = await _assemble(parts, counts)
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


@dataclass(frozen=True, slots=True, kw_only=True)
class _Counts:
    """What is counted of every Party."""

    numbers: Numbers
    budgets: Budgets


@dataclass(frozen=True, slots=True, kw_only=True)
class _Core:
    """What both sides of a node stand on."""

    keyring: Keyring
    sealer: Sealer
    announcer: Announcer
    acknowledger: Acknowledger
    patterns: Patterns
    repository: Repository
    outbox: Outbox
    turns: Turns
    recent: Recent
    uploads: Uploads
    attachments: Attachments
    counts: _Counts


async def _assemble(parts: Parts, counts: _Counts) -> tuple[Participant, Acknowledger]:
    notices = await Notices.load(parts.registry, parts.notice_store, parts.world.clock)
    core = await _core(parts, counts)
    personnel = employ(parts.officers, party=parts.own.party, node=parts.own.name, world=parts.world)
    asking, answering = _asking(parts, core), _answering(parts, core)
    await answering.recollect()

    async def key_for(outgoing: Outgoing) -> tuple[Prekey, int] | None:
        if outgoing.kind is MessageKind.ANSWER and outgoing.problem != Unauthentic.code:
            return await answering.key_for_answer(outgoing.message_id)
        return core.keyring.prekey_of(outgoing.peer, parts.registry.roster)

    accounting = _accounting(parts)
    handlers = {MessageKind.QUERY: asking.handed, MessageKind.ANSWER: answering.handed}
    core.outbox.connect(on_handed=handlers, key_for=key_for)
    exchange = _exchange(parts, core, asking, answering)
    participant = Participant(
        exchange=exchange,
        desk=_desk(parts, core, asking, answering, notices=notices, entitlement=personnel.entitlement),
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
        parcels=_parcels(parts, core, exchange, on_receipt=handlers, entitlement=personnel.entitlement),
        accounting=accounting,
        reconciling=_reconciling(parts, core, accounting),
        auditing=Auditing(
            own=parts.own,
            world=parts.world,
            store=parts.exchange_store,
            journal=parts.journal,
            entitlement=personnel.entitlement,
        ),
        attachments=core.attachments,
        offering=_offering(parts, core),
        attachment_desk=_attachment_desk(parts, core, answering, personnel.entitlement),
        sweep=await _swept(parts, core),
        held=_held(parts, core, asking, personnel.entitlement),
        retention=_retention(parts),
    )
    return participant, core.acknowledger


async def _core(parts: Parts, counts: _Counts) -> _Core:
    keyring = Keyring(parts.own, parts.world, parts.exchange_store)
    await keyring.load()
    patterns = Patterns(
        own=parts.own.party,
        world=parts.world,
        registry=parts.registry,
        store=parts.pattern_store,
        reference=parts.reference,
    )
    await patterns.publish(parts.sets)
    await patterns.refresh(None)
    sealer = Sealer(parts.own, parts.world, parts.registry, await parts.outbox_store.heads())
    turns = Turns()
    outbox = Outbox(
        own=parts.own,
        world=parts.world,
        store=parts.exchange_store,
        waiting=parts.outbox_store,
        transport=parts.transport,
        registry=parts.registry,
        keyring=keyring,
        sealer=sealer,
        turns=turns,
        budgets=counts.budgets,
    )
    return _Core(
        keyring=keyring,
        sealer=sealer,
        announcer=Announcer(),
        acknowledger=Acknowledger(parts.transport),
        patterns=patterns,
        repository=Repository(parts.trace, parts.sets),
        outbox=outbox,
        turns=turns,
        recent=Recent(parts.exchange_store),
        uploads=Uploads(parts.world, parts.attachments.spool),
        attachments=Attachments(
            own=parts.own,
            world=parts.world,
            store=parts.exchange_store,
            journal=parts.journal,
            registry=parts.registry,
            ports=parts.attachments,
        ),
        counts=counts,
    )


def _asking(parts: Parts, core: _Core) -> Asking:
    return Asking(
        own=parts.own,
        world=parts.world,
        store=parts.exchange_store,
        registry=parts.registry,
        keyring=core.keyring,
        sealer=core.sealer,
        outbox=core.outbox,
        acknowledger=core.acknowledger,
        announcer=core.announcer,
        turns=core.turns,
        recent=core.recent,
        uploads=core.uploads,
    )


def _answering(parts: Parts, core: _Core) -> Answering:
    return Answering(
        own=parts.own,
        world=parts.world,
        store=parts.exchange_store,
        waiting=parts.outbox_store,
        registry=parts.registry,
        keyring=core.keyring,
        sealer=core.sealer,
        outbox=core.outbox,
        repository=core.repository,
        policy=parts.policy,
        announcer=core.announcer,
        turns=core.turns,
        uploads=core.uploads,
    )


def _accounting(parts: Parts) -> Accounting:
    return Accounting(
        own=parts.own, world=parts.world, store=parts.reconcile_store, journal=parts.journal, registry=parts.registry
    )


def _reconciling(parts: Parts, core: _Core, accounting: Accounting) -> Reconciling:
    resending = Resending(
        store=parts.exchange_store,
        transport=parts.transport,
        registry=parts.registry,
        keyring=core.keyring,
        sealer=core.sealer,
        outbox=core.outbox,
        turns=core.turns,
    )
    return Reconciling(
        own=parts.own,
        world=parts.world,
        store=parts.reconcile_store,
        exchange_store=parts.exchange_store,
        service=parts.reconciliation,
        registry=parts.registry,
        accounting=accounting,
        resending=resending,
    )


def _held(parts: Parts, core: _Core, asking: Asking, entitlement: Entitlement) -> Held:
    return Held(
        world=parts.world,
        store=parts.exchange_store,
        waiting=parts.outbox_store,
        arrivals=parts.arrivals,
        registry=parts.registry,
        outbox=core.outbox,
        asking=asking,
        numbers=core.counts.numbers,
        turns=core.turns,
        entitlement=entitlement,
    )


def _retention(parts: Parts) -> Retention:
    return Retention(
        own=parts.own,
        world=parts.world,
        store=parts.retention_store,
        exchange_store=parts.exchange_store,
        registry=parts.registry,
        retention_s=parts.retention_s,
    )


def _exchange(parts: Parts, core: _Core, asking: Asking, answering: Answering) -> Exchange:
    return Exchange(
        own=parts.own,
        world=parts.world,
        store=parts.exchange_store,
        journal=parts.journal,
        patterns=parts.pattern_store,
        registry=parts.registry,
        keyring=core.keyring,
        outbox=core.outbox,
        asking=asking,
        answering=answering,
        turns=core.turns,
        attachments=core.attachments,
        budgets=core.counts.budgets,
        poisons=Poisons(store=parts.exchange_store, arrivals=parts.arrivals, world=parts.world, version=parts.version),
    )


def _attachment_desk(parts: Parts, core: _Core, answering: Answering, entitlement: Entitlement) -> OwnAttachmentDesk:
    return OwnAttachmentDesk(
        own=parts.own.party,
        store=parts.exchange_store,
        ports=parts.attachments,
        uploads=core.uploads,
        answering=answering,
        entitlement=entitlement,
    )


def _offering(parts: Parts, core: _Core) -> Offering:
    return Offering(
        world=parts.world, store=parts.exchange_store, registry=parts.registry, ports=parts.attachments, turns=core.turns
    )


async def _swept(parts: Parts, core: _Core) -> SpoolSweep:
    """Rows and files agree before anything is done with them."""
    sweep = SpoolSweep(
        world=parts.world,
        store=parts.exchange_store,
        ports=parts.attachments,
        uploads=core.uploads,
        attachments=core.attachments,
    )
    await sweep.chore()
    return sweep


def _desk(
    parts: Parts, core: _Core, asking: Asking, answering: Answering, *, notices: Notices, entitlement: Entitlement
) -> OwnDesk:
    return OwnDesk(
        own=parts.own,
        store=parts.exchange_store,
        waiting=parts.outbox_store,
        registry=parts.registry,
        patterns=core.patterns,
        asking=asking,
        answering=answering,
        proving=Proving(
            own=parts.own,
            world=parts.world,
            store=parts.exchange_store,
            journal=parts.journal,
            registry=parts.registry,
        ),
        diagnosis=_diagnosis(parts, core, notices),
        announcer=core.announcer,
        recent=core.recent,
        entitlement=entitlement,
        explaining=Explaining(
            store=parts.exchange_store,
            waiting=parts.outbox_store,
            timeline=parts.timeline,
            arrivals=parts.arrivals,
            recent=core.recent,
            registry=parts.registry,
            book=parts.book,
            policy=parts.policy,
        ),
        weather=WeatherStation(own=parts.own, registry=parts.registry, waiting=parts.outbox_store, book=parts.book),
    )


def _parcels(
    parts: Parts, core: _Core, exchange: Exchange, *, on_receipt: Mapping[MessageKind, OnHanded], entitlement: Entitlement
) -> Parcels:
    carrying = Carrying(
        own=parts.own,
        world=parts.world,
        store=parts.exchange_store,
        waiting=parts.outbox_store,
        registry=parts.registry,
        keyring=core.keyring,
        outbox=core.outbox,
        exchange=exchange,
        on_receipt=on_receipt,
    )
    return Parcels(own=parts.own, world=parts.world, registry=parts.registry, carrying=carrying, entitlement=entitlement)


def _diagnosis(parts: Parts, core: _Core, notices: Notices) -> Diagnosis:
    def tls() -> TlsFacts:
        facts = parts.facts()
        return TlsFacts(window=facts.certificate, problem=facts.certificate_problem)

    report = KeyReport(
        party=parts.own.party,
        roster=lambda: parts.registry.roster,
        own_keys=parts.own_keys,
        decryption_keys=parts.exchange_store.keys,
        officers=parts.officers.store.officers,
        tls=tls,
        now=parts.world.clock.now,
    )
    return Diagnosis(
        own=parts.own,
        world=parts.world,
        version=parts.version,
        registry=parts.registry,
        notices=notices,
        restored=parts.witness_store.restored,
        waiting=parts.outbox_store,
        journal=parts.journal,
        facts=parts.facts,
        book=parts.book,
        says=parts.says,
        key_report=report,
        keyring=core.keyring,
        accounts=parts.reconcile_store,
        arrivals=lambda: arrival_checks(core.counts.numbers, core.counts.budgets, parts.arrivals, parts.outbox_store),
    )


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
