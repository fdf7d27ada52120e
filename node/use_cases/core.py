"""What both sides of a node stand on, made before either."""

from __future__ import annotations

from dataclasses import dataclass

from node.use_cases.acknowledging import Acknowledger
from node.use_cases.attachments import Attachments
from node.use_cases.budgets import Budgets
from node.use_cases.keyring import Keyring
from node.use_cases.library import Patterns
from node.use_cases.numbers import Numbers
from node.use_cases.outbox import Outbox
from node.use_cases.parts import Parts
from node.use_cases.recent import Recent
from node.use_cases.repository import Repository
from node.use_cases.sealing import Sealer
from node.use_cases.uploads import Uploads
from node.use_cases.world import Announcer, Turns


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """What is counted of every Party."""

    numbers: Numbers
    budgets: Budgets


@dataclass(frozen=True, slots=True, kw_only=True)
class Core:
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
    counts: Counts


async def core_of(parts: Parts, counts: Counts, recent: Recent) -> Core:
    """Keys, patterns, outbox: in the order in which they depend on each other."""
    keyring = Keyring(parts.own, parts.world, parts.exchange_store)
    await keyring.load()
    keyring.recall(await parts.peer_store.bundles(), parts.registry.roster)
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
    return Core(
        keyring=keyring,
        sealer=sealer,
        announcer=Announcer(),
        acknowledger=Acknowledger(parts.transport),
        patterns=patterns,
        repository=Repository(parts.trace, parts.sets),
        outbox=outbox,
        turns=turns,
        recent=recent,
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
