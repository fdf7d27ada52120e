"""A node that was put back from a backup: what it has to do before it goes on, and what it may not do for a while.

It has forgotten what it did after the copy was made, and others remember. Two things it could do with that would look like fraud:
sign a second journal of the sizes that its peers hold receipts for, and vouch for a directory that contradicts one that it vouched for
before. So its journal goes on in a new epoch, and it vouches for nothing until more than two thirds of the other Parties' nodes hold
the same directory as it does. What it lacks of the directory it learns from them on the way.

The Secretariat's node, put back, could contradict a directory that it signed: it logs nothing during the same time.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from hmac import compare_digest

from federation.boundary.directory import read_checkpoint
from federation.boundary.receipts import journal_leaf
from federation.errors import FederationError
from federation.evidence.journal import NO_MESSAGE, SALT_BYTES, Epoch, JournalKind, JournalRecord, Restoration
from federation.identity import PartyId
from federation.ports import Change, DirectoryService, ExchangeStore, JournalStore, Peer
from node.use_cases.registry import Registry
from node.use_cases.world import World

logger = logging.getLogger(__name__)

ALL_UP_TO = 3
"""Of so few peers each one has to agree; of more, more than two thirds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Returned:
    """A node came back from a copy. Times are Unix seconds.

    Attributes:
        at: when it was put back.
        taken: when the copy was made.
        agreed: when enough peers agreed with its directory; None before.
    """

    at: int
    taken: int
    agreed: int | None = None


async def open_epoch(
    store: ExchangeStore, journal: JournalStore, *, own: PartyId, world: World, returned: Returned | None
) -> tuple[Epoch, ...]:
    """The epochs of the journal, with one for this return; done before the node says anything, and only once for each return."""
    epochs = await journal.epochs()
    if returned is None or returned.at in {epoch.number for epoch in epochs}:
        return epochs
    frontier = await journal.frontier()
    record = JournalRecord(
        kind=JournalKind.EPOCH,
        at=world.now(),
        message_id=NO_MESSAGE,
        peer=own,
        digest=frontier.root(),
        note="restored",
        restoration=Restoration(number=returned.at, size=frontier.size, taken=returned.taken),
    )
    leaf = journal_leaf(record, salt=world.entropy(SALT_BYTES))
    await store.commit(Change(leaves=(leaf,), epoch=returned.at))
    return await journal.epochs()


class Probation:
    """Whether enough peers hold the same directory as a node that came back.

    Args:
        registry: the directory here.
        own: this Party; None for the Secretariat.
        settled: called once, when it is over.
    """

    def __init__(self, registry: Registry, own: PartyId | None, settled: Callable[[], None]) -> None:
        self._registry = registry
        self._own = own
        self._settled = settled
        self._agreeing: set[PartyId] = set()
        self._about = b""
        self.is_over = False

    @property
    def agreeing(self) -> int:
        """Peers that hold the directory of this moment."""
        return len(self._agreeing)

    @property
    def needed(self) -> int:
        """How many have to: counted in the directory as it is now, so it grows with what is learnt."""
        peers = len(self._peers())
        return peers if peers <= ALL_UP_TO else peers * 2 // 3 + 1

    def _peers(self) -> dict[PartyId, Peer]:
        roster = self._registry.roster
        return {
            party: self._registry.peer(party)
            for party, record in roster.parties.items()
            if party != self._own and record.node is not None
        }

    async def look(self, service: DirectoryService) -> bool:
        """Ask those that have not agreed yet; True when it is over. A peer that does not answer, or shows another directory, counts
        for nothing and keeps nobody else from counting.
        """
        if self.is_over:
            return True
        for party, peer in self._peers().items():
            try:
                await self._ask(service, party, peer)
            except FederationError as error:
                logger.info("a peer does not agree with our directory", extra={"peer": party, "problem": error.code})
        if self.agreeing >= self.needed:
            self._settled()
            self.is_over = True
        return self.is_over

    async def _ask(self, service: DirectoryService, party: PartyId, peer: Peer) -> None:
        self._forget_other_directory()
        if party in self._agreeing:
            return
        await self._registry.follow(service, peer)  # or what we have lost would look like a disagreement
        self._forget_other_directory()
        told, _ = read_checkpoint(self._registry.roster, await service.checkpoint(peer))
        own = self._registry.replica.frontier
        if told.size == own.size and compare_digest(told.root, own.root()):
            self._agreeing.add(party)

    def _forget_other_directory(self) -> None:
        """Agreement is about one head; with another one, everybody is asked again."""
        head = self._registry.replica.frontier.root()
        if head != self._about:
            self._about = head
            self._agreeing.clear()
