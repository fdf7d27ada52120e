"""Each use case of a node, made of its parts: one function for each, and nothing but wiring in it."""

from __future__ import annotations

from collections.abc import Mapping

from federation.envelope.header import MessageKind
from node.use_cases.accounting import Accounting
from node.use_cases.answering import Answering
from node.use_cases.asking import Asking
from node.use_cases.attachment_desk import OwnAttachmentDesk
from node.use_cases.carrying import Carrying
from node.use_cases.composing import Composing
from node.use_cases.core import Core
from node.use_cases.desk import OwnDesk
from node.use_cases.diagnosis import Diagnosis
from node.use_cases.entitlement import Entitlement
from node.use_cases.exchange import Exchange
from node.use_cases.explaining import Explaining
from node.use_cases.held import Held, arrival_checks
from node.use_cases.key_report import KeyReport, TlsFacts
from node.use_cases.notices import Notices
from node.use_cases.offering import Offering
from node.use_cases.outbox import OnHanded
from node.use_cases.parcels import Parcels
from node.use_cases.parts import Parts
from node.use_cases.poison import Poisons
from node.use_cases.proving import Proving
from node.use_cases.reconciling import Reconciling
from node.use_cases.resending import Resending
from node.use_cases.retention import Retention
from node.use_cases.spool_sweep import SpoolSweep
from node.use_cases.weather import WeatherStation


def asking(parts: Parts, core: Core) -> Asking:
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


def answering(parts: Parts, core: Core) -> Answering:
    return Answering(
        own=parts.own,
        world=parts.world,
        store=parts.exchange_store,
        waiting=parts.outbox_store,
        registry=parts.registry,
        outbox=core.outbox,
        repository=core.repository,
        policy=parts.policy,
        composing=Composing(
            own=parts.own,
            world=parts.world,
            registry=parts.registry,
            keyring=core.keyring,
            sealer=core.sealer,
            outbox=core.outbox,
            repository=core.repository,
            policy=parts.policy,
            uploads=core.uploads,
        ),
        announcer=core.announcer,
        turns=core.turns,
        uploads=core.uploads,
    )


def accounting(parts: Parts) -> Accounting:
    return Accounting(
        own=parts.own, world=parts.world, store=parts.reconcile_store, journal=parts.journal, registry=parts.registry
    )


def reconciling(parts: Parts, core: Core, accounting: Accounting) -> Reconciling:
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


def held(parts: Parts, core: Core, asking: Asking, entitlement: Entitlement) -> Held:
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


def retention(parts: Parts) -> Retention:
    return Retention(
        own=parts.own,
        world=parts.world,
        store=parts.retention_store,
        exchange_store=parts.exchange_store,
        registry=parts.registry,
        retention_s=parts.retention_s,
    )


def exchange(parts: Parts, core: Core, asking: Asking, answering: Answering) -> Exchange:
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


def attachment_desk(parts: Parts, core: Core, answering: Answering, entitlement: Entitlement) -> OwnAttachmentDesk:
    return OwnAttachmentDesk(
        own=parts.own.party,
        store=parts.exchange_store,
        ports=parts.attachments,
        uploads=core.uploads,
        answering=answering,
        entitlement=entitlement,
    )


def offering(parts: Parts, core: Core) -> Offering:
    return Offering(
        world=parts.world, store=parts.exchange_store, registry=parts.registry, ports=parts.attachments, turns=core.turns
    )


async def swept(parts: Parts, core: Core) -> SpoolSweep:
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


def desk(
    parts: Parts, core: Core, asking: Asking, answering: Answering, *, notices: Notices, entitlement: Entitlement
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
            attachments=parts.attachments.rows,
        ),
        diagnosis=diagnosis(parts, core, notices),
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


def parcels(
    parts: Parts, core: Core, exchange: Exchange, *, on_receipt: Mapping[MessageKind, OnHanded], entitlement: Entitlement
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


def diagnosis(parts: Parts, core: Core, notices: Notices) -> Diagnosis:
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
