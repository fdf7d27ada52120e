"""Exporting a proof: what is needed of directory, journal and records, and nothing else."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Iterable, Sequence
from dataclasses import replace

from federation import limits
from federation.boundary.directory import bare_checkpoint, sign_checkpoint
from federation.boundary.proof_directory import PartFinder, holds_with_paths, whole
from federation.boundary.proof_silence import sign_silence
from federation.delivery.receipt import SignedReceipt
from federation.errors import Conflict, NotFound
from federation.evidence.bundle import CrossingProof, Depth, Disclosure, LoggedEntry, Proof
from federation.evidence.journal import origin
from federation.evidence.silence import SignedSilence, Silence
from federation.identity import MessageId, NodeName, PartyId
from federation.ports import AskedQuery, AttachmentStore, Crossing, Direction, ExchangeStore, JournalStore
from federation.query.lifecycle import AskedState
from federation.trust.merkle import Frontier
from federation.trust.roster import Roster
from federation.trust.witness import counting_witnesses
from federation.wire.envelope import decode_header, decode_statement
from federation.wire.evidence import encode_proof
from federation.wire.query import decode_body
from node.use_cases.registry import Registry
from node.use_cases.world import Own, World


class Proving:
    """Makes proof files."""

    def __init__(
        self,
        *,
        own: Own,
        world: World,
        store: ExchangeStore,
        journal: JournalStore,
        registry: Registry,
        attachments: AttachmentStore,
    ) -> None:
        self._own = own
        self._world = world
        self._store = store
        self._journal = journal
        self._registry = registry
        self._attachments = attachments

    async def export(self, message_id: MessageId, *, disclose: Disclosure) -> bytes:
        """The proof of a query, asked or received here, with its answers; and with this node's word that no other came, when the
        query was receipted and its deadline has passed without the last one.

        Args:
            message_id: the query's.
            disclose: how much of what was sealed.

        Raises:
            NotFound: no such query here.
            Conflict: it was never sealed, so nothing crossed; or the directory that shows the keys has no room in a file.
        """
        asked, crossings, frontier = await self._moment(message_id)
        replica = self._registry.replica  # one moment for all of it: the directory may grow meanwhile
        names = _names(self._own.name, crossings)
        entries = await self._entries({name.party for name in names if name.party is not None}, replica.roster)
        if len(entries) == replica.roster.size:
            names |= {node.node for node in counting_witnesses(replica.roster).values()}
        proof = Proof(
            directory_checkpoint=bare_checkpoint(replica, cosigned_by=names),
            entries=entries,
            crossings=tuple([await self._crossing(one, frontier, disclose=disclose) for one in crossings]),
            exporter=self._own.name,
            journal_checkpoint=sign_checkpoint(self._journal_name(), frontier, self._own.signer),
            silence=self._silence(asked, crossings, frontier) if asked is not None else None,
        )
        return encode_proof(proof)

    async def _moment(self, message_id: MessageId) -> tuple[AskedQuery | None, Sequence[Crossing], Frontier]:
        """The query, what crossed, and a journal that holds all of it and no answer besides."""
        asked = await self._store.asked(message_id)
        while True:
            crossings = await self._crossings(message_id, asked)
            frontier = await self._journal.frontier()
            again = await self._store.asked(message_id)
            if again == asked:
                return asked, crossings, frontier
            asked = again

    def _silence(self, asked: AskedQuery, crossings: Sequence[Crossing], frontier: Frontier) -> SignedSilence | None:
        """The word that a receipted query has had no other answer. None before its deadline, and when the last answer is there; and
        when this node was put back from a backup since: it may have receipted an answer that it has forgotten.
        """
        query, *answers = crossings
        now = self._world.now()
        if self._own.epochs[-1].number >= asked.created:
            return None
        if asked.state is not AskedState.EXPIRED or query.receipt is None or now <= asked.deadline:
            return None
        silence = Silence(
            exporter=self._own.name,
            message_id=query.message_id,
            envelope_digest=query.digest,
            answers=tuple(one.message_id for one in answers),
            at=now,
            journal_size=frontier.size,
            journal_root=frontier.root(),
        )
        return sign_silence(silence, self._own.signer)

    def _journal_name(self) -> str:
        """The newest: the journal of now holds all that stood in it before."""
        return origin(self._own.name.dns, self._own.epochs[-1].number)

    async def _crossings(self, message_id: MessageId, asked: AskedQuery | None) -> list[Crossing]:
        """The query and its answers, as far as they were sealed."""
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
        if query is None or not query.digest:
            raise Conflict("this message has not been sealed yet, so there is nothing to prove")
        return [query, *(one for one in answers if one is not None and one.digest)]

    async def _crossing(self, crossing: Crossing, frontier: Frontier, *, disclose: Disclosure) -> CrossingProof:
        leaf = await self._journal.leaf(crossing.leaf)
        if leaf is None:
            raise NotFound("the journal record of this message was erased at the end of retention")
        bare = CrossingProof(
            header=crossing.header,
            wrap=crossing.wrap,
            ciphertext_hash=crossing.ciphertext_hash,
            signature=crossing.signature,
            receipt=crossing.receipt,
            leaf_index=crossing.leaf,
            leaf_salt=leaf.salt,
            leaf_content=leaf.content,
            inclusion=await self._journal.inclusion(crossing.leaf, frontier.size),
            salt=b"",
            statement=b"",
            statement_signature=b"",
            body=b"",
            attached=await self._receipts_for_files(crossing),
        )
        return _disclosed(bare, crossing, disclose.depth(crossing.kind))

    async def _receipts_for_files(self, crossing: Crossing) -> tuple[SignedReceipt, ...]:
        """Of the files of a message of ours, in the order in which its header names them."""
        if crossing.direction is not Direction.SENT:
            return ()
        named = [one.attachment_id for one in decode_header(crossing.header).attachments]
        known = await self._attachments.attachments(Direction.SENT, crossing.message_id) if named else ()
        receipts = {one.named.attachment_id: one.receipt for one in known}
        return tuple(receipt for one in named if (receipt := receipts.get(one)) is not None)

    async def _entries(self, parties: Collection[PartyId], roster: Roster) -> tuple[LoggedEntry, ...]:
        """The directory, or the part of it that shows the keys of these Parties."""
        (genesis,) = await self._registry.store.leaves(0, 1)
        finder = PartFinder(genesis)
        async for leaf in self._leaves(1, roster.size):
            finder.offer(leaf)
        part = finder.part(roster, parties) if finder.total_bytes > limits.PROOF_WHOLE_BYTES else None
        if part is not None:
            return tuple([await self._entry(index, roster.size) for index in part])
        if finder.total_bytes > limits.PROOF_DIRECTORY_BYTES_MAX:
            raise Conflict(
                "the keys of a Party that was recovered are shown by the whole directory, and that is too large for one file",
                hint="export the proof at the other Party's node, or hand over this node's records with its directory",
            )
        leaves = [genesis, *[leaf async for leaf in self._leaves(1, roster.size)]]
        if roster.size <= limits.PROOF_PATHS_MAX and holds_with_paths(leaves):
            return tuple([await self._entry(index, roster.size) for index in range(roster.size)])
        return whole(leaves)

    async def _leaves(self, start: int, end: int) -> AsyncIterator[bytes]:
        while start < end:
            page = await self._registry.store.leaves(start, min(end, start + limits.ENTRIES_PER_REPLY_MAX))
            for leaf in page:
                yield leaf
            start += len(page)

    async def _entry(self, index: int, size: int) -> LoggedEntry:
        store = self._registry.store
        (leaf,) = await store.leaves(index, index + 1)
        return LoggedEntry(index=index, leaf=leaf, inclusion=await store.inclusion(index, size))


def _disclosed(bare: CrossingProof, crossing: Crossing, depth: Depth) -> CrossingProof:
    """A policy signs nothing, so its statement shows nothing without the body, and is not shown."""
    said = replace(bare, statement=crossing.statement, statement_signature=crossing.statement_signature)
    if depth is Depth.WHOLE:
        return replace(said, salt=crossing.salt, body=crossing.body)
    if depth is Depth.NOTHING or decode_statement(crossing.statement).officer_id is None:
        return bare
    return replace(said, certificate=decode_body(crossing.body)[1])


def _names(own: NodeName, crossings: Iterable[Crossing]) -> set[NodeName]:
    """The nodes of which the proof speaks."""
    headers = [decode_header(crossing.header) for crossing in crossings]
    return {own} | {header.sender for header in headers} | {header.recipient for header in headers}
