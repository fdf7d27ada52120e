"""The directory log at its origin: what the Secretariat's node does with entries and cosignatures.

Theory of operation. The log has three lengths. *Logged* is everything that was taken: it is on the disk under the log's signature, and
its submitter knows its place. *Offered* is the part whose checkpoint waits for witnesses; it stays the same for a while, so that
all of them can cosign one checkpoint, and entries that come meanwhile gather behind it. *Published* is what enough witnesses have
cosigned, by the rules that held before it: this is what everybody follows. With no witness on duty all three are one.

When something in the log waits for time to pass, the log itself writes a `witnessed` entry right behind a published checkpoint: it
holds that checkpoint, whose cosignatures are the only clock of the rules. It does the same when other witnesses count than before:
these entries are the steps by which a node that was away for long, and knows the witnesses of then, comes to those of today. So that
each step has its place, nothing is logged behind a change of witnesses before it is published.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from federation import limits
from federation.boundary.directory import (
    Replica,
    add_cosignature,
    claimed_checkpoint,
    compose_entry,
    extend,
    fold,
    genesis_digest,
    log_keys,
    open_genesis,
    require_quorum,
    sign_checkpoint,
)
from federation.errors import Conflict, Forbidden, Malformed, Misuse, Overloaded, Oversized, Unauthentic
from federation.identity import NodeName, PartyId
from federation.ports import PublicationStore
from federation.trust import note
from federation.trust.entries import Ca, NodeEntry, Revoke, Rotate, Witnessed
from federation.trust.keys import Signer
from federation.trust.merkle import Frontier, leaf_hash
from federation.trust.note import Note
from federation.trust.roster import Roster
from federation.trust.witness import Quorum, counting_witnesses, founder_key, verified_lines, waits_for_time, weigh
from federation.wire.directory import decode_entry_body, decode_signed_entry
from node.use_cases.directory_reads import DirectoryReads
from node.use_cases.registry import Registry, stored_leaves

logger = logging.getLogger(__name__)

DAY_S: Final = 86_400
HANDED_IN: Final = (Ca, Rotate, Revoke, NodeEntry)
"""What a Party needs to come back when its certificates have ended or its keys were stolen; every other kind waits until it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """What stands between an entry and its publication.

    Attributes:
        cosigned: witnesses that count and have cosigned the offered checkpoint.
        needed: how many have to.
    """

    cosigned: int
    needed: int


class Log(DirectoryReads):
    """Reads like everywhere, and the writes. `registry` holds what is published."""

    def __init__(
        self,
        *,
        registry: Registry,
        publications: PublicationStore,
        signers: Sequence[Signer],
        logged: Replica,
        stepped: frozenset[PartyId],
        known: dict[bytes, int],
    ) -> None:
        super().__init__(registry)
        self._publications = publications
        self._signers = {signer.public_key: signer for signer in signers}
        self._logged = logged
        self._offered = logged
        self._offered_at = registry.clock.now()
        self._stepped = stepped
        self._turning = logged.frontier.size if _others_count(registry.replica.roster, logged.roster) else 0
        self._known = known
        self._writing = asyncio.Lock()
        self._today = (0, Counter[PartyId | None]())

    @classmethod
    async def load(
        cls, *, registry: Registry, publications: PublicationStore, signer: Signer, further: Sequence[Signer] = ()
    ) -> Log:
        """Take up the log where it was left. Entries that are in it are known by their hash, so that a repetition is harmless.

        Args:
            registry: with what is published.
            publications: where that is written down.
            signer: the log key.
            further: log keys that the founders have changed to, or are about to.
        """
        store, published = registry.store, registry.replica
        size, checkpoint = await store.size(), await store.checkpoint()
        if checkpoint is None:
            raise Misuse("a log without a checkpoint was opened")
        leaves = await stored_leaves(store, 0, size)
        gathered = leaves[published.frontier.size :]
        logged = extend(published, gathered, checkpoint) if gathered else published
        known = {leaf_hash(leaf): index for index, leaf in enumerate(leaves)}
        log = cls(
            registry=registry,
            publications=publications,
            signers=(signer, *further),
            logged=logged,
            stepped=_last_step(leaves, published.roster.witnessed_size),
            known=known,
        )
        if await publications.published() is None:
            await publications.publish(published.note, size=published.frontier.size)
        async with log._writing:  # its own maker
            await log._publish()  # as above: the power may have gone between the last cosignature and this
        return log

    def hold(self, signers: Iterable[Signer]) -> None:
        """Have further log keys at hand: the founders change to one of them while this runs."""
        self._signers |= {signer.public_key: signer for signer in signers}

    @property
    def roster(self) -> Roster:
        """Who is who after everything that was logged, published or not: what the next entry has to fit."""
        return self._logged.roster

    # --- reads ------------------------------------------------------------------------------------------------------------------

    async def pending(self) -> bytes:
        """The offered checkpoint; the published one when nothing waits. Offered anew when entries have gathered for long."""
        async with self._writing:
            if self._registry.clock.now() - self._offered_at >= limits.OFFER_S:
                self._offer()
        return self._offered.note if self._waits() else self._registry.replica.note

    def _size(self) -> int:
        return self._logged.frontier.size

    def _waits(self) -> bool:
        return self._offered.frontier.size > self._registry.replica.frontier.size

    def waiting_for(self, index: int) -> Waiting | None:
        """What an entry waits for; None once it is published."""
        if index < self._registry.replica.frontier.size:
            return None
        quorum = weigh(self._registry.replica.roster, note.parse_note(self._offered.note), later=self._offered.roster)
        return Waiting(cosigned=len(quorum.witnesses), needed=quorum.needed)

    # --- entries ----------------------------------------------------------------------------------------------------------------

    async def submit(self, sender: NodeName, leaf: bytes) -> int:
        """Log an entry that a Party made. Who signed it is what counts, not who handed it over.

        Raises:
            Forbidden: it breaks its author rule; it is not logged.
            Overloaded: that Party has had enough entries logged today.
        """
        return await self._submit(sender.party, leaf)

    async def hand_in(self, leaf: bytes) -> int:
        """Log an entry that somebody brought who showed no certificate. It is the author's only when it keeps its rule, and before that
        nobody's budget is touched.

        Raises:
            Malformed: no entry.
            Forbidden: of a kind that is not taken here, or it breaks its author rule; it is not logged.
            Overloaded: that Party has had enough entries logged today.
        """
        if len(leaf) > limits.ENTRY_BYTES_MAX:
            raise Oversized("a directory entry is too long")
        entry = decode_signed_entry(leaf)
        body = decode_entry_body(entry.kind, entry.body)
        if not isinstance(body, HANDED_IN):
            raise Forbidden(
                f"an entry of kind `{entry.kind}` is not handed in here", hint="submit it with the node's certificate"
            )
        if leaf_hash(leaf) not in self._known:  # what stands in the log already may be told again
            _require_rule(self._logged, fold(self._logged, leaf))
        return await self._submit(body.party, leaf)

    async def _submit(self, party: PartyId | None, leaf: bytes) -> int:
        known = self._known.get(leaf_hash(leaf))
        if known is not None:
            return known
        logged = self._logged_today()
        if logged[party] >= limits.ENTRIES_PER_PARTY_PER_DAY_MAX:
            raise Overloaded("this Party has had many entries logged today", hint="submit it again tomorrow")
        logged[party] += 1  # before it is logged: what comes at the same time has to see it
        try:
            return await self.append(leaf)
        except Overloaded:
            logged[party] -= 1  # it comes again, and that is no new one
            raise

    def _logged_today(self) -> Counter[PartyId | None]:
        """Entries of each Party since midnight UTC."""
        today = int(self._registry.clock.now() // DAY_S)
        if self._today[0] != today:
            self._today = (today, Counter())
        return self._today[1]

    async def append(self, leaf: bytes) -> int:
        """Log an entry that keeps its rule; gives its place at once. It counts when it is published (`waiting_for`).

        Raises:
            Forbidden: it breaks its author rule; it is not logged.
            Overloaded: other witnesses are about to count, and that has to be published first.
        """
        async with self._writing:
            known = self._known.get(leaf_hash(leaf))
            if known is not None:
                return known
            if self._turning > self._registry.replica.frontier.size:
                self._require_turning_back(leaf)
            index = await self._write(leaf)
            await self._publish()
            return index

    def _require_turning_back(self, leaf: bytes) -> None:
        """Behind a change of witnesses goes only what undoes it: as when a witness that has revoked its key lists another one. Without
        it the change might never be published.
        """
        if _others_count(self._registry.replica.roster, fold(self._logged, leaf).roster):
            raise Overloaded("the directory waits until its change of witnesses is published", hint="submit it again later")
        self._turning = 0

    async def _write(self, leaf: bytes) -> int:
        if len(leaf) > limits.ENTRY_BYTES_MAX:
            raise Malformed("a directory entry is too long")
        before, after = self._logged, fold(self._logged, leaf)
        _require_rule(before, after)
        index = before.frontier.size
        checkpoint = self._signed(after.roster, after.frontier)
        await self._registry.store.append(first=index, leaves=[leaf], checkpoint=checkpoint)
        self._logged = replace(after, note=checkpoint)
        if _others_count(self._registry.replica.roster, after.roster):
            self._turning = index + 1
        self._known[leaf_hash(leaf)] = index
        if not self._waits():
            self._offer()
        return index

    def _signed(self, roster: Roster, frontier: Frontier) -> bytes:
        """A checkpoint under the keys that may sign one of this size: two, where the founders change the key."""
        keys = [key.public_key for key in log_keys(roster, frontier.size)]
        notes = [sign_checkpoint(roster.genesis.origin, frontier, self._signers[key]) for key in keys if key in self._signers]
        if not notes:
            raise Misuse(
                "the log key that the founders changed to is not here", hint="give the Secretariat's node its new log key"
            )
        parsed = [note.parse_note(one) for one in notes]
        lines = tuple(line for one in parsed for line in one.signatures)
        return note.format_note(Note(text=parsed[0].text, signatures=lines))

    def _offer(self) -> None:
        """Everything that is logged by now waits for witnesses."""
        self._offered_at = self._registry.clock.now()
        if self._offered.frontier.size < self._logged.frontier.size:
            self._offered = self._logged

    # --- cosignatures -----------------------------------------------------------------------------------------------------------

    async def cosign(self, sender: NodeName, checkpoint: bytes) -> None:
        """Put a Party node's cosignature under the checkpoint that waits, or a newer one under the one that is published.

        Raises:
            Forbidden: the sender is no Party's node.
            Unauthentic: it is not that node's cosignature of one of the two.
        """
        if sender.party is None:
            raise Forbidden("the Secretariat does not witness itself")
        async with self._writing:
            nodes = self._nodes(sender.party, sender)
            published = self._registry.replica
            if claimed_checkpoint(checkpoint).size == published.frontier.size:
                await self._renew(_cosigned(published, nodes, checkpoint))
            else:
                self._offered = replace(self._offered, note=_cosigned(self._offered, nodes, checkpoint))
                await self._publish()

    def _nodes(self, party: PartyId, sender: NodeName) -> list[NodeEntry]:
        """The sender as the log lists it: as published, and with the newer key that it may have logged."""
        rosters = (self._logged.roster, self._registry.replica.roster)
        records = (roster.parties.get(party) for roster in rosters)
        nodes = [record.node for record in records if record is not None and record.node is not None]
        if not any(node.node == sender for node in nodes):
            raise Forbidden("only the node that the directory lists cosigns")
        return [node for node in nodes if node.node == sender]

    async def stand_in(self, checkpoint: bytes) -> Quorum:
        """Founders' cosignatures, made by hand, when witnesses are lost for good: they stand in for the quorum.

        Raises:
            Conflict: nothing waits.
            Unauthentic: not about the checkpoint that waits, or no founder signed.
        """
        async with self._writing:
            if not self._waits():
                raise Conflict("nothing waits for witnesses, so nobody has to stand in for them")
            offered, given = note.parse_note(self._offered.note), note.parse_note(checkpoint)
            roster = self._registry.replica.roster
            keys = [founder_key(roster.genesis, key) for key in roster.governance.founders]
            added = [line for line, _ in verified_lines(given, keys)]
            if given.text != offered.text or not added:
                raise Unauthentic("no founder cosigned the checkpoint that waits", hint="take the newest one and cosign that")
            kept = [line for line in offered.signatures if line not in added]
            self._offered = replace(self._offered, note=note.format_note(Note(text=offered.text, signatures=(*kept, *added))))
            quorum = weigh(roster, note.parse_note(self._offered.note), later=self._offered.roster)
            await self._publish()
            return quorum

    async def _publish(self) -> None:
        """Publish what has its quorum, offer what has gathered behind it, and so on until something waits or nothing is left."""
        while self._waits():
            roster, offered = self._registry.replica.roster, self._offered
            try:
                quorum = require_quorum(roster, offered.note, later=offered.roster)
            except Unauthentic:
                return
            await self._publications.publish(offered.note, size=offered.frontier.size)
            self._registry.adopt(offered, quorum, shown_at=self._registry.clock.now())
            self._offer()
            await self._tell_time()

    async def _renew(self, checkpoint: bytes) -> None:
        """The published checkpoint with a newer cosignature."""
        published = replace(self._registry.replica, note=checkpoint)
        await self._publications.publish(checkpoint, size=published.frontier.size)
        quorum = weigh(published.roster, note.parse_note(checkpoint))
        self._registry.adopt(published, quorum, shown_at=self._registry.clock.now())
        if await self._tell_time():
            await self._publish()

    async def _tell_time(self) -> bool:
        """Write the time into the log when something in it waits for that; only right behind a published checkpoint."""
        published = self._registry.replica
        if self._logged.frontier.size != published.frontier.size:
            return False
        quorum = weigh(published.roster, note.parse_note(published.note))
        counting = frozenset(counting_witnesses(published.roster))
        if not quorum.tells_time or quorum.time is None or quorum.time < published.roster.witnessed_at:
            return False
        if counting == self._stepped and not waits_for_time(published.roster, quorum.time):
            return False
        signer = self._signers.get(published.roster.governance.log_key)
        if signer is None:
            return False
        self._stepped = counting
        body = Witnessed(created=int(self._registry.clock.now()), checkpoint=published.note)
        await self._write(compose_entry(body, [signer]))
        return True


def _require_rule(before: Replica, after: Replica) -> None:
    """See that one more entry kept its author rule."""
    if after.roster.alarms != before.roster.alarms:
        raise Forbidden(after.roster.alarms[-1].words, hint="the entry was not logged")


def _others_count(before: Roster, after: Roster) -> bool:
    return counting_witnesses(before).keys() != counting_witnesses(after).keys()


def _last_step(leaves: Sequence[bytes], size: int) -> frozenset[PartyId]:
    """Who counted before the newest `witnessed` entry, which stands right behind so many entries; nobody without one."""
    if size == 0:
        return frozenset()
    replica = open_genesis(leaves[0], genesis_digest(leaves[0]))
    for leaf in leaves[1:size]:
        replica = fold(replica, leaf)
    return frozenset(counting_witnesses(replica.roster))


def _cosigned(replica: Replica, nodes: Iterable[NodeEntry], checkpoint: bytes) -> bytes:
    """The note with one more cosignature, under whichever of the node's keys it stands."""
    refused = Unauthentic("the node did not cosign this checkpoint")
    for node in nodes:
        try:
            return add_cosignature(replica, node, checkpoint)
        except Unauthentic as error:
            refused = error
    raise refused
