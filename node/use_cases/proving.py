"""Exporting a proof: what is needed of directory, journal and records, and nothing else."""

from __future__ import annotations

from collections.abc import Iterable

from federation.boundary.directory import bare_checkpoint, sign_checkpoint
from federation.errors import Conflict, NotFound
from federation.evidence.bundle import CrossingProof, LoggedEntry, Proof
from federation.evidence.journal import origin
from federation.identity import MessageId, NodeName, PartyId
from federation.ports import Crossing, Direction, ExchangeStore, JournalStore
from federation.trust.merkle import Frontier
from federation.trust.roster import Roster
from federation.wire.envelope import decode_header
from federation.wire.evidence import encode_proof
from node.use_cases.registry import Registry
from node.use_cases.world import Own


class Proving:
    """Makes proof files."""

    def __init__(self, *, own: Own, store: ExchangeStore, journal: JournalStore, registry: Registry) -> None:
        self._own = own
        self._store = store
        self._journal = journal
        self._registry = registry

    async def export(self, message_id: MessageId, *, disclose: bool) -> bytes:
        """The proof of a query, asked or received here, with its answers.

        Args:
            message_id: the query's.
            disclose: with what was sealed, or only that something was sent, arrived, and when.

        Raises:
            NotFound: no such query here.
            Conflict: it was never sealed, so nothing crossed.
        """
        crossings = await self._crossings(message_id)
        frontier = await self._journal.frontier()
        replica = self._registry.replica  # one moment for all of it: the directory may grow meanwhile
        names = _names(self._own.name, crossings)
        proof = Proof(
            directory_checkpoint=bare_checkpoint(replica, cosigned_by=names),
            entries=await self._entries(names, replica.roster),
            crossings=tuple([await self._crossing(one, frontier, disclose=disclose) for one in crossings]),
            exporter=self._own.name,
            journal_checkpoint=sign_checkpoint(self._journal_name(), frontier, self._own.signer),
        )
        return encode_proof(proof)

    def _journal_name(self) -> str:
        """The newest: the journal of now holds all that stood in it before."""
        return origin(self._own.name.dns, self._own.epochs[-1].number)

    async def _crossings(self, message_id: MessageId) -> list[Crossing]:
        asked = await self._store.asked(message_id)
        received = await self._store.received(message_id) if asked is None else None
        if asked is not None:
            query = await self._store.crossing(Direction.SENT, message_id)
            answers = [await self._store.crossing(Direction.RECEIVED, one) for one in asked.answer_ids]
        elif received is not None:
            query = await self._store.crossing(Direction.RECEIVED, message_id)
            identifiers = [received.answer_id] if received.answer_id is not None else []
            answers = [await self._store.crossing(Direction.SENT, one) for one in identifiers]
        else:
            raise NotFound("no query with this id was asked or received here", hint="`gsp queries` lists them")
        found = [one for one in (query, *answers) if one is not None]
        if not found or not all(one.digest for one in found):
            raise Conflict("this message has not been sealed yet, so there is nothing to prove")
        return found

    async def _crossing(self, crossing: Crossing, frontier: Frontier, *, disclose: bool) -> CrossingProof:
        leaf = await self._journal.leaf(crossing.leaf)
        if leaf is None:
            raise NotFound("the journal record of this message was erased at the end of retention")
        return CrossingProof(
            header=crossing.header,
            wrap=crossing.wrap,
            ciphertext_hash=crossing.ciphertext_hash,
            signature=crossing.signature,
            receipt=crossing.receipt,
            leaf_index=crossing.leaf,
            leaf_salt=leaf.salt,
            leaf_content=leaf.content,
            inclusion=await self._journal.inclusion(crossing.leaf, frontier.size),
            salt=crossing.salt if disclose else b"",
            statement=crossing.statement if disclose else b"",
            statement_signature=crossing.statement_signature if disclose else b"",
            body=crossing.body if disclose else b"",
        )

    async def _entries(self, names: Iterable[NodeName], roster: Roster) -> tuple[LoggedEntry, ...]:
        """Genesis, and of each Party in the proof its admission and the entries of its node, one for each key that signed."""
        indexes = sorted({0} | {index for name in names for index in _indexes(roster, name)})
        return tuple([await self._entry(index, roster.size) for index in indexes])

    async def _entry(self, index: int, size: int) -> LoggedEntry:
        store = self._registry.store
        (leaf,) = await store.leaves(index, index + 1)
        return LoggedEntry(index=index, leaf=leaf, inclusion=await store.inclusion(index, size))


def _names(own: NodeName, crossings: Iterable[Crossing]) -> set[NodeName]:
    """The nodes of which the proof speaks."""
    headers = [decode_header(crossing.header) for crossing in crossings]
    return {own} | {header.sender for header in headers} | {header.recipient for header in headers}


def _indexes(roster: Roster, name: NodeName) -> set[int]:
    party: PartyId | None = name.party
    if party is None:
        return set()
    record = roster.party(party)
    nodes = [one for one in record.nodes if one.entry.node == name]
    newest_of_key = {one.entry.signing_key: one.index for one in nodes}
    return {record.admit_index, *newest_of_key.values()}
