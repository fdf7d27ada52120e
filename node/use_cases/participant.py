"""One Party's node, wired from ports: the same for real nodes and for simulated ones. The order of construction is the order in
which things depend on each other; nothing is wired twice and nothing is complete later than when it is made, but the outbox, which
has to know who goes on after a delivery.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from federation import limits
from federation.delivery.outbox import Outgoing
from federation.envelope.header import MessageKind, Prekey
from federation.errors import FederationError, Stale
from federation.ports import (
    AskedQuery,
    DirectoryService,
    ExchangeStore,
    JournalStore,
    NoticeService,
    NoticeStore,
    OutboxStore,
    PatternStore,
    Peer,
    Transport,
    WitnessStore,
)
from federation.query.policy import Policy
from federation.uim.pattern import PatternSet
from node.trace.ports import TraceStore
from node.use_cases.acknowledging import Acknowledger
from node.use_cases.answering import Answering
from node.use_cases.asking import Asking
from node.use_cases.desk import OwnDesk
from node.use_cases.diagnosis import Diagnosis, Facts
from node.use_cases.exchange import Exchange
from node.use_cases.gossip import Gossip, peers_of, some
from node.use_cases.keyring import Keyring
from node.use_cases.library import Patterns
from node.use_cases.notices import Notices
from node.use_cases.outbox import Outbox
from node.use_cases.proving import Proving
from node.use_cases.recent import Recent
from node.use_cases.registry import Registry
from node.use_cases.repository import Repository
from node.use_cases.sealing import Sealer
from node.use_cases.witnessing import Witness
from node.use_cases.world import Announcer, Own, Turns, World

logger = logging.getLogger(__name__)

HOUSEKEEPING_FIRST_S = 0.5
"""The rest after the first look, and after one that found news in the directory: peers that start together are there a moment later.
It grows to the whole period in a few steps."""
HOUSEKEEPING_S = 5.0
"""Deadlines, prekeys and patterns are looked at this often: an officer notices seconds, not more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """Everything a node is made of.

    Attributes:
        telling: how proofs and revocations go from node to node.
        witness_store, notice_store: what this node said and heard about the log.
        secretariat: where the log is followed; None when there is nobody to follow.
        sets: pattern sets that this node answers with.
        reference: published sets of markings whose issuers publish none.
        housekeeping_s: how long a node rests between two looks at deadlines, prekeys, patterns and the log.
    """

    own: Own
    world: World
    version: str
    exchange_store: ExchangeStore
    outbox_store: OutboxStore
    journal: JournalStore
    pattern_store: PatternStore
    trace: TraceStore
    registry: Registry
    transport: Transport
    directory: DirectoryService
    telling: NoticeService
    witness_store: WitnessStore
    notice_store: NoticeStore
    secretariat: Peer | None
    sets: Sequence[PatternSet]
    reference: Sequence[PatternSet]
    policy: Policy
    facts: Callable[[], Facts]
    housekeeping_s: float = HOUSEKEEPING_S


@dataclass(frozen=True, slots=True, kw_only=True)
class Participant:
    """A running node's use cases."""

    exchange: Exchange
    desk: OwnDesk
    outbox: Outbox
    patterns: Patterns
    registry: Registry
    keyring: Keyring
    asking: Asking
    answering: Answering
    notices: Notices
    witness: Witness


@asynccontextmanager
async def participating(parts: Parts) -> AsyncIterator[Participant]:
    """Wire a node and keep its background work going until the block ends. A dead task is a dead node."""
    participant, acknowledger = await _assemble(parts)
    async with asyncio.TaskGroup() as group:
        tasks = [
            group.create_task(participant.outbox.run()),
            group.create_task(acknowledger.run()),
            group.create_task(_gossip(parts, participant).run()),
            *(
                group.create_task(_repeat(chores, parts.registry, parts.housekeeping_s))
                for chores in _housekeeping(parts, participant)
            ),
        ]
        try:
            yield participant
        finally:
            for task in tasks:
                task.cancel()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Core:
    """What both sides of a node stand on."""

    keyring: Keyring
    sealer: Sealer
    announcer: Announcer
    acknowledger: Acknowledger
    patterns: Patterns
    outbox: Outbox
    turns: Turns
    recent: Recent


async def _assemble(parts: Parts) -> tuple[Participant, Acknowledger]:
    notices = await Notices.load(parts.registry, parts.notice_store, parts.world.clock)
    core = await _core(parts)
    asking, answering = _asking(parts, core), _answering(parts, core)
    await answering.recollect()

    async def key_for(outgoing: Outgoing) -> tuple[Prekey, int] | None:
        if outgoing.kind is MessageKind.ANSWER:
            return await answering.key_for_answer(outgoing.message_id)
        return core.keyring.prekey_of(outgoing.peer, parts.registry.roster)

    handlers = {MessageKind.QUERY: asking.handed, MessageKind.ANSWER: answering.handed}
    core.outbox.connect(on_handed=handlers, key_for=key_for)
    participant = Participant(
        exchange=_exchange(parts, core, asking, answering),
        desk=_desk(parts, core, asking, answering, notices),
        outbox=core.outbox,
        patterns=core.patterns,
        registry=parts.registry,
        keyring=core.keyring,
        asking=asking,
        answering=answering,
        notices=notices,
        witness=Witness(
            own=parts.own, world=parts.world, registry=parts.registry, store=parts.witness_store, service=parts.directory
        ),
    )
    return participant, core.acknowledger


async def _core(parts: Parts) -> _Core:
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
    )
    return _Core(
        keyring=keyring,
        sealer=sealer,
        announcer=Announcer(),
        acknowledger=Acknowledger(parts.transport),
        patterns=patterns,
        outbox=outbox,
        turns=turns,
        recent=Recent(parts.exchange_store),
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
        repository=Repository(parts.trace, parts.sets),
        policy=parts.policy,
        announcer=core.announcer,
        turns=core.turns,
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
    )


def _desk(parts: Parts, core: _Core, asking: Asking, answering: Answering, notices: Notices) -> OwnDesk:
    return OwnDesk(
        own=parts.own,
        store=parts.exchange_store,
        waiting=parts.outbox_store,
        registry=parts.registry,
        patterns=core.patterns,
        asking=asking,
        answering=answering,
        proving=Proving(own=parts.own, store=parts.exchange_store, journal=parts.journal, registry=parts.registry),
        diagnosis=Diagnosis(
            own=parts.own,
            world=parts.world,
            version=parts.version,
            registry=parts.registry,
            notices=notices,
            restored=parts.witness_store.restored,
            waiting=parts.outbox_store,
            journal=parts.journal,
            facts=parts.facts,
        ),
        announcer=core.announcer,
        recent=core.recent,
    )


Chore = Callable[[], Awaitable[object]]


def _housekeeping(parts: Parts, participant: Participant) -> tuple[tuple[Chore, ...], ...]:
    """What has to happen now and then, whoever asks or not. What waits for other nodes delays nothing that does not."""
    return (
        (
            participant.keyring.rotate,
            lambda: expire_overdue(parts, participant),
            participant.answering.catch_up,
        ),
        (lambda: follow_directory(parts, participant),),
        (
            lambda: learn_bundles(parts, participant),
            lambda: participant.patterns.refresh(parts.transport),
        ),
    )


async def _repeat(chores: tuple[Chore, ...], registry: Registry, pause_s: float) -> None:
    """One thing that fails today does not keep the others from happening. Quickly at first and after news in the directory, so that
    nodes that start together know each other at once; then with the pause.
    """
    rest_s, size = 0.0, 0
    while True:
        for chore in chores:
            try:
                await chore()
            except FederationError as error:
                logger.info("housekeeping", extra={"problem": error.code})
        has_news = registry.roster.size > size
        size = registry.roster.size
        rest_s = min(HOUSEKEEPING_FIRST_S if has_news else 4 * rest_s, pause_s)
        await asyncio.sleep(rest_s)


async def follow_directory(parts: Parts, participant: Participant) -> None:
    """Read the log at the Secretariat and do a witness's duty there; when it does not go on, read it at some peers until one has
    news.
    """
    registry = participant.registry
    secretariat = registry.anchored(parts.secretariat) if parts.secretariat is not None else None
    if secretariat is not None:
        followed = await _followed(registry, parts.directory, secretariat)
        if followed or isinstance(registry.refused, Stale):  # what nobody has seen for a day is fresh again once witnesses see it
            await participant.witness.attend(secretariat)
        if followed:
            return
    for peer in some(peers_of(registry, parts.own.party), parts.world.entropy):
        size = registry.replica.frontier.size
        await _followed(registry, parts.directory, peer)  # one peer that lies or is behind must not stand before all the others
        if registry.replica.frontier.size > size:
            return


async def _followed(registry: Registry, directory: DirectoryService, source: Peer) -> bool:
    try:
        await registry.follow(directory, source)
    except FederationError as error:
        registry.refused = error
        logger.info("no directory that goes on", extra={"peer": source.name.dns, "problem": error.code})
        return False
    registry.refused = None
    return True


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


async def learn_bundles(parts: Parts, participant: Participant) -> None:
    """Fetch everybody's prekeys from the first peer that answers, and from each peer whose keys are missing or a day old."""
    registry, keyring = participant.registry, participant.keyring
    for peer in peers_of(registry, parts.own.party):
        party = peer.name.party
        if party is None or keyring.is_fresh(party):
            continue
        try:
            keyring.learn(await parts.transport.bundles(peer), registry.roster)
        except FederationError as error:  # whatever this peer says, the others' keys are wanted too
            logger.info("a peer gives no prekeys", extra={"peer": party, "problem": error.code})


async def expire_overdue(parts: Parts, participant: Participant) -> None:
    """Queries whose deadline has passed, here and there."""
    overdue = await parts.outbox_store.overdue(now=parts.world.clock.now(), rows=limits.PAGE_ROWS_MAX)
    for query in overdue:
        if isinstance(query, AskedQuery):
            await participant.asking.expire(query.message_id)
        else:
            await participant.answering.expire(query.message_id)
