"""The duty of a witness: to cosign what the Secretariat is about to publish, and never two histories.

Theory of operation. A node cosigns a checkpoint only when the log signed it, when its entries lead up to it from what this node has
accepted, and when it continues the largest checkpoint that this node ever cosigned. Size and root are on the disk before the
cosignature leaves, so a node that loses its power cosigns the same again or a continuation, and nothing else. A checkpoint that still
stands is cosigned again each hour: that is how everybody sees that nothing newer is held back.

A node that was put back from a backup does not know what it cosigned since. It cosigns nothing until enough other nodes show the same
directory; then whatever it once cosigned that is no part of theirs was nobody's directory but its own.

Those cosign whose Party is on duty. While nobody is, everybody does: it counts for nothing, and is good evidence all the same.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice

from federation import limits
from federation.boundary.directory import (
    Replica,
    bare_checkpoint,
    claimed_checkpoint,
    cosign_checkpoint,
    extend,
    read_checkpoint,
)
from federation.errors import Conflict, FederationError, Unauthentic
from federation.identity import PartyId
from federation.ports import Cosigned, DirectoryService, Peer, WitnessStore
from federation.trust import merkle, note
from federation.trust.note import KeyKind, NoteKey
from federation.trust.roster import Roster
from federation.trust.witness import counting_witnesses, counts, quorum_of, verified_lines, witness_key
from node.use_cases.registry import Registry, read_entries
from node.use_cases.world import Own, World

logger = logging.getLogger(__name__)


class Witness:
    """One node's duty."""

    def __init__(self, *, own: Own, world: World, registry: Registry, store: WitnessStore, service: DirectoryService) -> None:
        self._own = own
        self._world = world
        self._registry = registry
        self._store = store
        self._service = service
        self._attending = asyncio.Lock()

    async def attend(self, secretariat: Peer) -> bool:
        """Look at what waits, and cosign it if that is to be done; True when a cosignature was given.

        Raises:
            Unreachable: the Secretariat does not answer.
            Unauthentic, Conflict: what it shows is not a continuation of what was cosigned or accepted; nothing is cosigned.
        """
        async with self._attending:
            if not self._is_on_duty() or not await self._remembers():
                return False
            checkpoint = await self._service.pending(secretariat)
            if self._is_recent(checkpoint):
                return False
            cosigned = await self._cosign(checkpoint, secretariat)
            if cosigned is None:
                return False
            await self._service.cosign(secretariat, cosigned)
            return True

    @property
    def is_counted_on(self) -> bool:
        """Whether the directory has put this node on duty."""
        return self._own.party in self._registry.replica.roster.duties

    def _is_on_duty(self) -> bool:
        roster = self._registry.replica.roster
        record = roster.parties.get(self._own.party)
        return record is not None and record.exchanges and (self._own.party in roster.duties or not counting_witnesses(roster))

    def _is_listed(self, roster: Roster) -> bool:
        """Whether the directory lists this node with the key that it has."""
        record = roster.parties.get(self._own.party)
        node = record.node if record is not None else None
        return node is not None and (node.node, node.signing_key) == (self._own.name, self._own.signer.public_key)

    def _may_sign(self, offered: Roster) -> bool:
        """Whether this node's key counts under a checkpoint: as the accepted directory lists it, or as what is offered does."""
        if self._is_listed(offered):
            return True
        return (
            self._is_listed(self._registry.roster) and self._own.signer.public_key not in offered.parties[self._own.party].revoked
        )

    def _is_recent(self, checkpoint: bytes) -> bool:
        """Whether a cosignature of ours of the last hour stands there."""
        key = NoteKey(name=self._own.name.dns, public_key=self._own.signer.public_key, kind=KeyKind.COSIGNATURE)
        lines = list(verified_lines(note.parse_note(checkpoint), [key]))
        now = self._world.clock.now()
        return any(one.time is not None and now - one.time < limits.COSIGN_AGAIN_S for _, one in lines)

    async def _cosign(self, checkpoint: bytes, secretariat: Peer) -> bytes | None:
        """Judge, write down, and only then sign. None when this node's key counts neither before nor after what waits: a witness
        that has revoked its key cosigns the entry that says so with the next one.
        """
        offered, base = claimed_checkpoint(checkpoint), self._registry.replica
        if offered.size < base.frontier.size:
            read_checkpoint(base.roster, checkpoint)
            self._registry.hear(checkpoint, secretariat.name.party)
            raise Unauthentic("the Secretariat shows a shorter directory than it published", hint="tell the other Parties")
        leaves = await read_entries(self._service, secretariat, start=base.frontier.size, end=offered.size)
        try:
            grown = extend(base, leaves, checkpoint)
        except Unauthentic:
            self._registry.hear(checkpoint, secretariat.name.party)
            raise
        if not self._may_sign(grown.roster):
            return None
        self._registry.refuse_equivocating(grown.roster, checkpoint)
        if grown.roster.witnessed_at - self._world.clock.now() > limits.CLOCK_TOLERANCE_S:
            raise Unauthentic("the directory's clock is ahead of this node's", hint="compare this node's clock with another one")
        await self._check_continues(base, leaves, offered.size)
        await self._store.put_cosigned(Cosigned(size=offered.size, root=offered.root, checkpoint=bare_checkpoint(grown)))
        return cosign_checkpoint(grown, self._own.signer, name=self._own.name.dns, now=self._world.clock.now())

    async def _check_continues(self, base: Replica, leaves: Sequence[bytes], size: int) -> None:
        """The largest checkpoint that was cosigned is a beginning of what is offered.

        Raises:
            Conflict: it is not; both statements carry the log's signature, and the gossip turns them into a proof.
        """
        before = await self._store.cosigned()
        if before is None:
            return
        if before.size > size:
            raise Conflict("this node has cosigned a longer directory than is offered", hint="tell the other Parties")
        if before.root != await self._root_at(base, leaves, before.size):
            self._registry.hear(before.checkpoint, self._own.party)
            raise Conflict("this node has cosigned another directory than is offered", hint="tell the other Parties")

    async def _root_at(self, base: Replica, leaves: Sequence[bytes], size: int) -> bytes:
        if size < base.frontier.size:
            return await self._registry.root_at(size)
        frontier = base.frontier
        for leaf in islice(leaves, size - base.frontier.size):
            frontier, _ = frontier.append(merkle.leaf_hash(leaf))
        return frontier.root()

    # --- after a backup was put back --------------------------------------------------------------------------------------------

    async def _remembers(self) -> bool:
        """Whether this node knows what it cosigned, or enough others agree with it so that it does not matter."""
        if not await self._store.restored():
            return True
        peers = self._elders()
        answers = await asyncio.gather(*(self._agrees(peer) for peer in peers))
        if sum(answers) < quorum_of(len(peers)) or not peers:
            logger.warning(
                "put back from a backup: cosigning nothing before enough nodes agree",
                extra={"agree": sum(answers), "of": len(peers)},
            )
            return False
        await self._store.mark_restored(restored=False)
        return True

    def _elders(self) -> list[Peer]:
        """Who is asked: the other witnesses that count; all other Parties' nodes where there are none."""
        roster = self._registry.roster
        witnesses = [party for party in counting_witnesses(roster) if party != self._own.party]
        others = [party for party, one in roster.parties.items() if one.exchanges and one.node and party != self._own.party]
        return [self._registry.peer(party) for party in witnesses or others]

    async def _agrees(self, peer: Peer) -> bool:
        """Whether a peer has accepted our checkpoint, or one that continues it."""
        own = self._registry.replica.frontier
        try:
            checkpoint, _ = read_checkpoint(self._registry.replica.roster, await self._service.checkpoint(peer))
            if checkpoint.size < own.size:
                return False
            proof = await self._service.consistency(peer, own.size, checkpoint.size)
            merkle.verify_consistency(
                old_size=own.size, old_root=own.root(), new_size=checkpoint.size, new_root=checkpoint.root, proof=proof
            )
        except FederationError:
            return False
        return True


@dataclass(frozen=True, slots=True, kw_only=True)
class WitnessView:
    """One Party on duty, as the newest checkpoint shows it.

    Attributes:
        counts: whether its cosignature counts now: it has waited long enough, and has a node.
        cosigned_at: Unix seconds that its cosignature says; None when it stands not there.
    """

    party: PartyId
    counts: bool
    cosigned_at: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Witnessing:
    """Who is on duty, and who has cosigned.

    Attributes:
        size: of the newest accepted checkpoint.
        needed: cosignatures that the next one needs, by those on duty now.
        seen_at: Unix seconds at which this node's directory was seen, as `Registry.fresh_at`.
        witnesses: those on duty, in the order of their letters.
        others: Parties that cosigned without being on duty.
    """

    size: int
    needed: int
    seen_at: int
    witnesses: tuple[WitnessView, ...]
    others: tuple[PartyId, ...]


def witnessing(registry: Registry) -> Witnessing:
    """Who watches over the directory that this node has accepted."""
    roster, replica = registry.roster, registry.replica
    times = _cosigned_at(roster, replica.note)
    views = tuple(
        WitnessView(party=party, counts=counts(roster, party), cosigned_at=times.get(party)) for party in sorted(roster.duties)
    )
    return Witnessing(
        size=replica.frontier.size,
        needed=quorum_of(len(counting_witnesses(roster))),
        seen_at=int(registry.fresh_at),
        witnesses=views,
        others=tuple(sorted(times.keys() - roster.duties.keys())),
    )


def _cosigned_at(roster: Roster, checkpoint: bytes) -> dict[PartyId, int]:
    nodes = {witness_key(one.node): party for party, one in roster.parties.items() if one.node is not None}
    names = {(key.name, key.public_key): party for key, party in nodes.items()}
    lines = verified_lines(note.parse_note(checkpoint), nodes)
    return {names[one.name, one.public_key]: one.time for _, one in lines if one.time is not None}
