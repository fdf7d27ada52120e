"""What has to happen at a node now and then, whoever asks or not: deadlines, keys, the directory, prekeys and patterns of others."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from federation import limits
from federation.errors import FederationError, Stale
from federation.ports import (
    AskedQuery,
    DirectoryService,
    Peer,
)
from node.use_cases.gossip import after, peers_of, some
from node.use_cases.parts import Participant, Parts
from node.use_cases.registry import Registry

logger = logging.getLogger(__name__)

HOUSEKEEPING_FIRST_S = 0.5
"""The rest after the first look, and after one that found news in the directory: peers that start together are there a moment later.
It grows to the whole period in a few steps."""


Chore = Callable[[], Awaitable[object]]


@dataclass(frozen=True, slots=True)
class Round:
    """Chores that follow each other, and the rest between two rounds of them, in seconds."""

    chores: tuple[Chore, ...]
    pause_s: float


def housekeeping(parts: Parts, participant: Participant) -> tuple[Round, ...]:
    """What has to happen now and then, whoever asks or not. What waits for other nodes delays nothing that does not."""
    pause_s = parts.housekeeping_s
    return (
        Round(
            (
                participant.keyring.rotate,
                lambda: expire_overdue(parts, participant),
                participant.answering.catch_up,
                lambda: parts.book.write(parts.peer_store, parts.world.clock),
                lambda: participant.keyring.write(parts.peer_store),
                participant.sweep.chore,
            ),
            pause_s,
        ),
        Round((lambda: follow_directory(parts, participant),), pause_s),
        Round((lambda: witness_directory(parts, participant),), parts.witness_pause_s),
        Round(
            (
                lambda: learn_bundles(parts, participant),
                lambda: participant.patterns.refresh(parts.transport),
            ),
            pause_s,
        ),
        Round((participant.reconciling.look, participant.retention.sweep), parts.reconcile_pause_s),
    )


async def repeat(turn: Round, registry: Registry) -> None:
    """One thing that fails today does not keep the others from happening. Quickly at first and after news in the directory, so that
    nodes that start together know each other at once; then with the pause.
    """
    rest_s, size = 0.0, 0
    while True:
        for chore in turn.chores:
            try:
                await chore()
            except FederationError as error:
                logger.info("housekeeping", extra={"problem": error.code})
        has_news = registry.roster.size > size
        size = registry.roster.size
        rest_s = min(HOUSEKEEPING_FIRST_S if has_news else 4 * rest_s, turn.pause_s)
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


async def witness_directory(parts: Parts, participant: Participant) -> None:
    """Look for what waits for this node's cosignature, where the directory counts on it."""
    if parts.secretariat is not None and participant.witness.is_counted_on:
        await participant.witness.attend(participant.registry.anchored(parts.secretariat))


async def _followed(registry: Registry, directory: DirectoryService, source: Peer) -> bool:
    try:
        await registry.follow(directory, source)
    except FederationError as error:
        registry.refused = error
        logger.info("no directory that goes on", extra={"peer": source.name.dns, "problem": error.code})
        return False
    registry.refused = None
    return True


async def learn_bundles(parts: Parts, participant: Participant) -> None:
    """Fetch everybody's prekeys from the first peer that answers, and from each peer whose keys are missing or a day old.

    Each node begins with the one that follows it in the directory. So no peer is asked by everybody at once; and where all of a
    hundred want all new keys at the same time, what each has to pass on doubles from call to call: seven calls each, not ninety-nine.
    """
    registry, keyring = participant.registry, participant.keyring
    for peer in after(peers_of(registry, parts.own.party, but=keyring.is_fresh), parts.own.party):
        party = peer.name.party
        if party is None or keyring.is_fresh(party):
            continue  # learned meanwhile, from another
        try:
            keyring.learn(await parts.transport.bundles(peer), registry.roster)
        except FederationError as error:  # whatever this peer says, the others' keys are wanted too
            logger.info("a peer gives no prekeys", extra={"peer": party, "problem": error.code})


async def expire_overdue(parts: Parts, participant: Participant) -> None:
    """Queries whose deadline has passed, here and there."""
    overdue = await parts.outbox_store.overdue(now=parts.world.lapsed(), rows=limits.PAGE_ROWS_MAX)
    for query in overdue:
        if isinstance(query, AskedQuery):
            await participant.asking.expire(query.message_id)
        else:
            await participant.answering.expire(query.message_id)
