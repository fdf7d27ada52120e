"""The directory as this node has accepted it, and how it follows the Secretariat's log.

Theory of operation. The order is: verify, persist, act. A newer checkpoint is accepted when the log signed it, its entries lead up to
it from what was accepted before, and more than two thirds of the witnesses that counted before stand under it. Its age is the time
that these witnesses say; where nobody is on duty, it is as old as the moment at which the Secretariat itself last showed it. What is
older than a day brings no new Party and no new key: whoever holds back news cannot pass off yesterday as today. With the Secretariat
gone, everything here goes on with what was accepted last (docs/protocol.md, "The directory log").

Over the roster of the log lie the revocations that were seen before the log held them. Nobody needs to know the difference: `roster`
is what counts now. Who cosigns is in `witnessing`, what is done with other checkpoints than ours in `gossip`.
"""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from federation import limits
from federation.boundary.directory import (
    Replica,
    accept,
    bare_checkpoint,
    claimed_checkpoint,
    cosigners,
    extend,
    log_keys,
    open_genesis,
    read_checkpoint,
    require_quorum,
)
from federation.boundary.revocation import is_settled, read_revocation, with_revocations
from federation.errors import FederationError, Malformed, NotFound, Oversized, Stale, Unauthentic
from federation.identity import PartyId
from federation.ports import Clock, DirectoryService, DirectoryStore, Peer
from federation.trust import note
from federation.trust.entries import Revoke
from federation.trust.merkle import Frontier, leaf_hash
from federation.trust.roster import Roster
from federation.trust.witness import Quorum, counting_witnesses, weigh
from node.use_cases.hearsay import Hearsay

logger = logging.getLogger(__name__)


class Registry:
    """Holds the accepted replica. Everybody who needs the roster asks here, at the moment of need.

    Attributes:
        fresh_at: Unix seconds at which what stands here was seen by witnesses, or shown by the Secretariat where there are none.
        hearsay: what others showed and nobody has looked into.
        equivocating: log keys that are proven to have signed two histories; they bring nothing new.
        refused: why following failed when it was tried last; None when it did not.
    """

    def __init__(self, replica: Replica, store: DirectoryStore, clock: Clock) -> None:
        self._replica = replica
        self._store = store
        self._clock = clock
        self._bare = bare_checkpoint(replica)
        self._accepting = asyncio.Lock()
        self._following = asyncio.Lock()
        self._listeners: list[Callable[[Roster], None]] = []
        self._revocations: tuple[Revoke, ...] = ()
        self._roster = replica.roster
        self._agreed: OrderedDict[tuple[int, bytes], None] = OrderedDict()
        self.hearsay = Hearsay()
        self.equivocating: frozenset[bytes] = frozenset()
        self.refused: FederationError | None = None
        self.fresh_at = _time_of(replica, clock.now())

    @classmethod
    async def load(
        cls, store: DirectoryStore, genesis_digest: bytes, clock: Clock, *, published: bytes | None = None
    ) -> Registry:
        """Read, verify and fold what is in the store, which is not trusted.

        Args:
            store: with the log.
            genesis_digest: by which the log is known.
            clock: this node's.
            published: at the Secretariat, the checkpoint up to which the log counts; everything counts without it.

        Raises:
            NotFound: the store is empty.
            Unauthentic: it holds another log, or one whose checkpoint does not follow from its entries.
        """
        checkpoint = published if published is not None else await store.checkpoint()
        if await store.size() == 0 or checkpoint is None:
            raise NotFound("this node has no directory yet", hint="finish joining: `gsp party join`")
        size = claimed_checkpoint(checkpoint).size
        leaves = await stored_leaves(store, 0, size)
        if len(leaves) < size:
            raise Unauthentic("entries of the directory are missing on the disk", hint="put back a backup, or join again")
        return cls(extend(open_genesis(leaves[0], genesis_digest), leaves[1:], checkpoint), store, clock)

    @classmethod
    async def begin(
        cls, store: DirectoryStore, genesis: Replica, service: DirectoryService, source: Peer, clock: Clock, *, first_leaf: bytes
    ) -> Registry:
        """Take over a whole log, of which nothing is known but its genesis. The witnesses of today have to stand under it.

        Raises:
            Unauthentic: it does not lead from the genesis to its checkpoint, or the witnesses are missing.
            Stale: nobody has seen it for a day.
        """
        checkpoint = await service.checkpoint(source)
        leaves = await read_entries(service, source, start=1, end=claimed_checkpoint(checkpoint).size)
        now = clock.now()
        grown, _ = accept(genesis, leaves, checkpoint, now=now)
        quorum = require_quorum(grown.roster, checkpoint)
        _require_fresh(_seen_at(quorum, shown_at=now), now)
        await store.append(first=0, leaves=[first_leaf, *leaves], checkpoint=checkpoint)
        return cls(grown, store, clock)

    @property
    def roster(self) -> Roster:
        """Who is who, now."""
        return self._roster

    @property
    def replica(self) -> Replica:
        """Tree, newest checkpoint, and the roster as the log has it."""
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

    @property
    def age_s(self) -> float:
        """Seconds since what stands here was seen or shown."""
        return max(0.0, self._clock.now() - self.fresh_at)

    @property
    def is_stale(self) -> bool:
        """Whether it is so old that everybody who relies on it has to be told."""
        return self.age_s > limits.DIRECTORY_STALE_MARK_S

    def on_change(self, listener: Callable[[Roster], None]) -> None:
        """Call the listener with each new roster, after it was persisted."""
        self._listeners.append(listener)

    def peer(self, party: PartyId) -> Peer:
        """The node of a Party, to dial.

        Raises:
            UnknownParty: no Party, or a Party without a node.
            Forbidden: it is suspended.
        """
        node = self.roster.node(party)
        return Peer(name=node.node, endpoint=node.endpoint, anchors=self.roster.party(party).standing_cas)

    def anchored(self, secretariat: Peer) -> Peer:
        """The Secretariat's node under the CAs that the founders have set for it by now."""
        return replace(secretariat, anchors=self.roster.governance.secretariat_cas)

    # --- what changes it --------------------------------------------------------------------------------------------------------

    async def accept(self, leaves: Sequence[bytes], checkpoint: bytes, *, live: bool = False) -> None:
        """Take newer entries, or a newer word of the witnesses about the checkpoint that stands.

        Args:
            leaves: what follows.
            checkpoint: over everything.
            live: the Secretariat itself shows it at this moment.

        Raises:
            Unauthentic: they do not continue what was accepted, too few witnesses stand under them, or the log key is proven to have
                signed two histories.
            Stale: the witnesses saw it too long ago.
        """
        async with self._accepting:
            now = self._clock.now()
            shown_at = now if live else self.fresh_at
            if leaves:
                grown, quorum = self._judged(leaves, checkpoint, shown_at=shown_at, now=now)
                await self._store.append(first=self._replica.frontier.size, leaves=leaves, checkpoint=checkpoint)
            else:
                grown = extend(self._replica, (), checkpoint)
                quorum = weigh(grown.roster, note.parse_note(checkpoint))
                if checkpoint != self._replica.note:
                    await self._store.put_checkpoint(checkpoint, size=grown.frontier.size)
            self.adopt(grown, quorum, shown_at=shown_at)

    def _judged(self, leaves: Sequence[bytes], checkpoint: bytes, *, shown_at: float, now: float) -> tuple[Replica, Quorum]:
        try:
            grown, quorum = accept(self._replica, leaves, checkpoint, now=now)
            self.refuse_equivocating(grown.roster, checkpoint)
            _require_fresh(_seen_at(quorum, shown_at=shown_at), now)
        except FederationError:
            for leaf in leaves:  # a revocation needs no quorum, and nobody's leave
                self._notice_revocation(leaf)
            raise
        return grown, quorum

    def _notice_revocation(self, leaf: bytes) -> None:
        try:
            read_revocation(leaf, self._replica.roster)
        except FederationError:
            return
        self.hearsay.revocation(leaf)

    def adopt(self, replica: Replica, quorum: Quorum, *, shown_at: float) -> None:
        """Make a replica that was judged and persisted the one that counts: for `accept`, and for the log at its origin."""
        before, self._replica = self._replica, replica
        self._bare = bare_checkpoint(replica)
        self.fresh_at = max(self.fresh_at, min(_seen_at(quorum, shown_at=shown_at), self._clock.now()))
        if replica.frontier.size == before.frontier.size:
            return
        for alarm in replica.roster.alarms:
            if alarm.index >= before.frontier.size:
                logger.error("an entry of the directory breaks a rule: %s", alarm.words, extra={"index": alarm.index})
        self.agree(before.frontier.size, before.frontier.root())
        self._overlay()

    def refuse_equivocating(self, roster: Roster, checkpoint: bytes) -> None:
        """Only a log key that was not caught brings anything new.

        Raises:
            Unauthentic: the only key that signed the checkpoint is proven to have signed two histories.
        """
        _, verified = read_checkpoint(roster, checkpoint)
        keys = {key.public_key for key in log_keys(roster, claimed_checkpoint(checkpoint).size)}
        signed = {one.public_key for one in verified} & keys
        if signed <= self.equivocating:
            raise Unauthentic(
                "the log key is proven to have signed two directories; it brings nothing new",
                hint="the founders have to change the log key; tell the other Parties, and keep the proof",
            )

    def honour(self, revocations: Iterable[Revoke]) -> None:
        """Let these lie over the roster, and no others."""
        self._revocations = tuple(revocations)
        self._overlay()

    def _overlay(self) -> None:
        self._revocations = tuple(one for one in self._revocations if not is_settled(one, self._replica.roster))
        self._roster = with_revocations(self._replica.roster, self._revocations)
        for listener in self._listeners:
            listener(self._roster)

    # --- following --------------------------------------------------------------------------------------------------------------

    async def follow(self, service: DirectoryService, source: Peer) -> bool:
        """Read what is new at the source; True when entries were accepted.

        Raises:
            Unreachable: the source does not answer.
            Unauthentic: what it shows is not a continuation of what was accepted: perhaps a split view.
            Stale: what it shows is too old to bring anything new.
        """
        async with self._following:  # or two would fetch the same entries, and the second could not take them
            return await self._follow(service, source)

    async def _follow(self, service: DirectoryService, source: Peer) -> bool:
        checkpoint = await service.checkpoint(source)
        live = source.name.party is None
        offered, own = claimed_checkpoint(checkpoint), self._replica.frontier
        if offered.size <= own.size:
            read_checkpoint(self._replica.roster, checkpoint)
        if offered.size < own.size:
            self.hear(checkpoint, source.name.party)
            return False  # a peer may be behind; whether it is behind on our own history is looked into
        if offered.size == own.size:
            await self._renew(checkpoint, source.name.party, live=live)
            return False
        leaves = await read_entries(service, source, start=own.size, end=offered.size)
        try:
            await self.accept(leaves, checkpoint, live=live)
        except Unauthentic:
            self.hear(checkpoint, source.name.party)
            raise
        return True

    async def _renew(self, checkpoint: bytes, teller: PartyId | None, *, live: bool) -> None:
        """The same checkpoint, perhaps with a newer word of the witnesses."""
        if claimed_checkpoint(checkpoint).root != self._replica.frontier.root():
            self.hear(checkpoint, teller)
            raise Unauthentic("two directory checkpoints of one size disagree", hint="keep both and tell the other Parties")
        if checkpoint != self._replica.note and self._weight(checkpoint) >= self._weight(self._replica.note):
            await self.accept((), checkpoint, live=live)
        elif live and not counting_witnesses(self._replica.roster):
            self.fresh_at = self._clock.now()

    def _weight(self, checkpoint: bytes) -> tuple[int, int, int]:
        """How good a word of the witnesses is: enough of those that count, the newest, and as many others as there are.

        Cosignatures that are none count for nothing: anybody on the way can add lines.
        """
        quorum = weigh(self.roster, note.parse_note(checkpoint))
        enough = quorum.tells_time and quorum.time is not None
        return int(enough), quorum.time or 0 if enough else 0, len(cosigners(self.roster, checkpoint))

    # --- what others show -------------------------------------------------------------------------------------------------------

    def hear(self, checkpoint: bytes, teller: PartyId | None) -> None:
        """Take note of the checkpoint in a peer's envelope: ordinary traffic is how a split view shows.

        The message itself is the peer's and is taken all the same; a log key that is not known here may be tomorrow's.

        Raises:
            Unauthentic: about another log, or with a false signature under a key that is known here.
            Malformed: no checkpoint.
        """
        if checkpoint == self._bare:
            return
        claimed = claimed_checkpoint(checkpoint)
        genesis = self._replica.genesis
        if claimed.origin != genesis.origin:
            raise Unauthentic("the checkpoint is about another log")
        if (claimed.size, claimed.root) in self._agreed:
            return
        known = {(key.name, key.key_id) for key in log_keys(self._replica.roster, claimed.size)}
        if any((line.name, line.key_id) in known for line in note.parse_note(checkpoint).signatures):
            read_checkpoint(self._replica.roster, checkpoint)
        self.hearsay.checkpoint(checkpoint, teller)

    async def root_at(self, size: int) -> bytes:
        """The root that the accepted log had at an earlier size, from its entries."""
        frontier = Frontier()
        for leaf in await stored_leaves(self._store, 0, size):
            frontier, _ = frontier.append(leaf_hash(leaf))
        return frontier.root()

    def agree(self, size: int, root: bytes) -> None:
        """A checkpoint of somebody else turned out to be of our own history."""
        self._agreed[size, root] = None
        if len(self._agreed) > limits.CHECKPOINTS_AGREED_MAX:
            self._agreed.popitem(last=False)


def _time_of(replica: Replica, now: float) -> float:
    """When a replica was seen that is read back from the disk. Where no witness says so, the day begins when the node does."""
    quorum = weigh(replica.roster, note.parse_note(replica.note))
    return min(now, float(quorum.time)) if quorum.of and quorum.time is not None else now


def _seen_at(quorum: Quorum, *, shown_at: float) -> float:
    """When a checkpoint was seen: as its witnesses say, or when it was shown where nobody is on duty or the founders stand in."""
    if quorum.tells_time and quorum.of and quorum.time is not None:
        return quorum.time
    return shown_at if not quorum.of or quorum.by_founders else 0.0


def _require_fresh(seen_at: float, now: float) -> None:
    if now - seen_at > limits.DIRECTORY_FRESH_S:
        raise Stale(f"the directory that is shown was seen {int((now - seen_at) // 3600)} hours ago; it brings nothing new")


async def stored_leaves(store: DirectoryStore, start: int, end: int) -> list[bytes]:
    """Leaves from the disk, page by page; fewer when they are not there."""
    leaves: list[bytes] = []
    while start + len(leaves) < end:
        page = await store.leaves(start + len(leaves), min(end, start + len(leaves) + limits.ENTRIES_PER_REPLY_MAX))
        if not page:
            break
        leaves += page
    return leaves


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
