"""The directory as this node has accepted it, and how it follows the Secretariat's log.

The order is: verify, persist, act. A node cosigns only what it has persisted, so that it can never be brought to witness two
histories (docs/protocol.md, "The directory log"). With the Secretariat gone, everything here goes on with what was accepted last.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from federation import limits
from federation.boundary.directory import (
    Replica,
    bare_checkpoint,
    claimed_checkpoint,
    cosign_checkpoint,
    cosigners,
    extend,
    is_cosigned,
    open_genesis,
    read_checkpoint,
)
from federation.errors import Malformed, NotFound, Oversized, Unauthentic
from federation.identity import PartyId
from federation.ports import Clock, DirectoryService, DirectoryStore, Peer
from federation.trust.roster import Roster
from node.use_cases.world import Own

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class SplitView:
    """Two signed checkpoints of one size that cannot both be true: ours, and the one that a Party's envelope carried."""

    own: bytes
    told: bytes
    teller: PartyId


class Registry:
    """Holds the accepted replica. Everybody who needs the roster asks here, at the moment of need."""

    def __init__(self, replica: Replica, store: DirectoryStore, clock: Clock) -> None:
        self._replica = replica
        self._store = store
        self._clock = clock
        self._bare = bare_checkpoint(replica)
        self._accepting = asyncio.Lock()
        self._following = asyncio.Lock()
        self._listeners: list[Callable[[Roster], None]] = []
        self.split_view: SplitView | None = None
        self.heard_at = clock.now()
        """Unix seconds at which a checkpoint was last read from the Secretariat or a peer, the same one included."""

    @classmethod
    async def load(cls, store: DirectoryStore, genesis_digest: bytes, clock: Clock) -> Registry:
        """Read, verify and fold what is in the store, which is not trusted.

        Raises:
            NotFound: the store is empty.
            Unauthentic: it holds another log, or one whose checkpoint does not follow from its entries.
        """
        size, checkpoint = await store.size(), await store.checkpoint()
        if size == 0 or checkpoint is None:
            raise NotFound("this node has no directory yet", hint="finish joining: `gsp party join`")
        leaves: list[bytes] = []
        while len(leaves) < size:
            leaves += await store.leaves(len(leaves), min(size, len(leaves) + limits.ENTRIES_PER_REPLY_MAX))
        return cls(extend(open_genesis(leaves[0], genesis_digest), leaves[1:], checkpoint), store, clock)

    @property
    def roster(self) -> Roster:
        """Who is who, now."""
        return self._replica.roster

    @property
    def replica(self) -> Replica:
        """Roster, tree and newest checkpoint."""
        return self._replica

    @property
    def head(self) -> bytes:
        """The newest checkpoint as every envelope carries it."""
        return self._bare

    @property
    def clock(self) -> Clock:
        """The node's."""
        return self._clock

    @property
    def store(self) -> DirectoryStore:
        """For those who serve reads of the log."""
        return self._store

    def on_change(self, listener: Callable[[Roster], None]) -> None:
        """Call the listener with each new roster, after it was persisted."""
        self._listeners.append(listener)

    def peer(self, party: PartyId) -> Peer:
        """The node of a Party, to dial.

        Raises:
            UnknownParty: no Party, or a Party without a node.
        """
        node = self.roster.node(party)
        return Peer(name=node.node, endpoint=node.endpoint, anchors=self.roster.party(party).standing_cas)

    async def accept(self, leaves: Sequence[bytes], checkpoint: bytes) -> None:
        """Take newer entries, or further cosignatures under the checkpoint that stands.

        Raises:
            Unauthentic: they do not continue what was accepted.
        """
        async with self._accepting:
            grown = extend(self._replica, leaves, checkpoint)
            if leaves:
                first = self._replica.frontier.size
                await self._store.append(first=first, leaves=leaves, checkpoint=checkpoint)
            elif checkpoint != self._replica.note:
                await self._store.put_checkpoint(checkpoint, size=self._replica.frontier.size)
            self._replica = grown
            self._bare = bare_checkpoint(grown)
        if leaves:
            for listener in self._listeners:
                listener(self.roster)

    async def follow(self, service: DirectoryService, source: Peer) -> bool:
        """Read what is new at the source; True when entries were accepted.

        Raises:
            Unreachable: the source does not answer.
            Unauthentic: what it shows is not a continuation of what was accepted: perhaps a split view.
        """
        async with self._following:  # or two would fetch the same entries, and the second could not take them
            return await self._follow(service, source)

    async def _follow(self, service: DirectoryService, source: Peer) -> bool:
        checkpoint = await service.checkpoint(source)
        if checkpoint == self._replica.note:
            self.heard_at = self._clock.now()
            return False
        offered, own = claimed_checkpoint(checkpoint), self._replica.frontier
        if offered.size <= own.size:  # beyond that another key may sign, which the entries up to there announce
            read_checkpoint(self._replica.roster, checkpoint)
        if offered.size < own.size:
            return False  # a peer may be behind; only equal sizes can disagree
        if offered.size == own.size and offered.root != own.root():
            raise Unauthentic("two directory checkpoints of one size disagree", hint="keep both and tell the other Parties")
        if offered.size == own.size and self._witnesses(checkpoint) < self._witnesses(self._replica.note):
            self.heard_at = self._clock.now()
            return False  # the same tree with fewer witnesses: what we have is better evidence
        leaves = await read_entries(service, source, start=own.size, end=offered.size)
        await self.accept(leaves, checkpoint)
        self.heard_at = self._clock.now()
        return bool(leaves)

    def hear(self, checkpoint: bytes, teller: PartyId) -> None:
        """Compare the checkpoint in a peer's envelope with our own: ordinary traffic is how a split view shows.

        Two checkpoints of one size with different roots are two signed statements by the Secretariat that cannot both be true. They
        are kept and told to the operator; the message itself is the peer's and is taken all the same.

        Raises:
            Unauthentic, Malformed: not a checkpoint of this directory.
        """
        if checkpoint == self._bare:
            return
        told, _ = read_checkpoint(self._replica.roster, checkpoint)
        own = self._replica.frontier
        if told.size == own.size and told.root != own.root() and self.split_view is None:
            self.split_view = SplitView(own=self._bare, told=checkpoint, teller=teller)
            logger.error("two directory checkpoints of one size disagree", extra={"peer": teller, "size": own.size})

    async def witness(self, service: DirectoryService, secretariat: Peer, own: Own) -> None:
        """Give the Secretariat our cosignature under what we have persisted, unless it is there already."""
        record = self.roster.parties.get(own.party)
        if record is None or record.node is None or record.node.signing_key != own.signer.public_key:
            return
        if is_cosigned(self._replica.note, record.node):
            return
        cosigned = cosign_checkpoint(self._replica, own.signer, name=own.name.dns, now=self._clock.now())
        await service.cosign(secretariat, cosigned)

    def _witnesses(self, checkpoint: bytes) -> int:
        """Cosignatures that are some: anybody on the way can add lines."""
        return len(cosigners(self.roster, checkpoint))


def listed_secretariat(roster: Roster, secretariat: Peer) -> Peer:
    """The Secretariat's node with the anchors that the directory lists now: its CA changes like everybody's."""
    return replace(secretariat, anchors=roster.governance.secretariat_cas)


async def read_entries(service: DirectoryService, source: Peer, *, start: int, end: int) -> list[bytes]:
    """All leaves from start to end, page by page. They are not verified.

    Raises:
        Malformed: the source leaves some out.
        Oversized: more than any directory has.
    """
    leaves: list[bytes] = []
    room = limits.DIRECTORY_BYTES_MAX
    while start + len(leaves) < end:
        page = await service.entries(source, start + len(leaves), end)
        if not page:
            raise Malformed("a directory shows a checkpoint without its entries")
        leaves += page
        room -= sum(map(len, page))
        if room < 0:
            raise Oversized("a directory has more entries than any may have", hint="tell the other Parties and the Secretariat")
    return leaves
