"""What a node's files say after it has ended: every message, receipt and journal record, each held against the files of the others."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from federation.boundary.receipts import read_receipt
from federation.errors import FederationError
from federation.evidence.journal import JournalKind, JournalRecord
from federation.identity import MessageId, NodeName, PartyId
from federation.ports import AskedQuery, Crossing, Direction
from federation.query.lifecycle import AskedState
from federation.trust.keys import SoftwareSigner
from federation.wire.evidence import decode_record
from node.config import read_node_settings
from node.keystore import Keystore
from node.line import node_name
from node.store.exchange import SqliteExchange
from tests.support.homes import vault_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Books:
    """One node's files, read when nobody writes them.

    Attributes:
        records: of the journal, in their order, with the leaf's salt and content.
        waiting: messages that are still on their way.
    """

    name: NodeName
    signing_key: bytes
    asked: Mapping[MessageId, AskedQuery]
    sent: Mapping[MessageId, Crossing]
    received: Mapping[MessageId, Crossing]
    records: tuple[JournalRecord, ...]
    leaves: tuple[tuple[bytes, bytes], ...]
    waiting: int

    def faults(self, all_books: Mapping[PartyId, Books]) -> Iterator[str]:
        """Everything in these files that should not be so, given those of all others."""
        own = self.name.party
        if self.waiting:
            yield f"{own} still sends {self.waiting} messages"
        for query in self.asked.values():
            if query.state is not AskedState.ANSWERED or len(query.answer_ids) != 1:
                yield f"{own} has no one answer to {query.message_id.hex()}: {query.state}, {len(query.answer_ids)} answers"
        for crossing in self.sent.values():
            yield from self._faults_of_sent(crossing, all_books[crossing.peer])
        for crossing in self.received.values():
            yield from self._faults_of_received(crossing, all_books[crossing.peer])
        yield from self._doubled()

    def _faults_of_sent(self, crossing: Crossing, peer: Books) -> Iterator[str]:
        """A message arrived, and its receipt is honoured."""
        name = crossing.message_id.hex()
        if crossing.message_id not in peer.received:
            yield f"{peer.name.party} does not have {name} of {self.name.party}"
        if crossing.receipt is None:
            yield f"{self.name.party} has no receipt for {name}"
            return
        try:
            receipt = read_receipt(
                crossing.receipt,
                signing_key=peer.signing_key,
                receiver=peer.name,
                message_id=crossing.message_id,
                digest=crossing.digest,
            )
        except FederationError as error:
            yield f"{self.name.party} has a receipt for {name} that does not verify: {error.message}"
            return
        if peer.leaves[receipt.leaf_index : receipt.leaf_index + 1] != ((receipt.leaf_salt, receipt.leaf_content),):
            yield f"{peer.name.party} breaks its promise about {name}"

    def _faults_of_received(self, crossing: Crossing, peer: Books) -> Iterator[str]:
        """The other side says the same of it."""
        name, sent = crossing.message_id.hex(), peer.sent.get(crossing.message_id)
        if sent is None:
            yield f"{peer.name.party} does not know of {name}, which {self.name.party} has"
        elif (sent.statement, sent.body) != (crossing.statement, crossing.body):
            yield f"{peer.name.party} and {self.name.party} say different things of {name}"
        digests = {(one.message_id, one.digest) for one in peer.records if one.kind is JournalKind.SENT}
        own = [one for one in self.records if one.kind is JournalKind.RECEIVED and one.message_id == crossing.message_id]
        if not own or any((one.message_id, one.digest) not in digests for one in own):
            yield f"the journals of {peer.name.party} and {self.name.party} do not agree on {name}"

    def _doubled(self) -> Iterator[str]:
        seen = Counter((one.kind, one.message_id, one.digest) for one in self.records if one.kind is JournalKind.RECEIVED)
        decided = Counter(one.message_id for one in self.records if one.kind is JournalKind.DECIDED)
        for (_, message_id, _), times in seen.items():
            if times > 1:
                yield f"{self.name.party} took {message_id.hex()} {times} times"
        for message_id, times in decided.items():
            if times > 1:
                yield f"{self.name.party} decided {times} times about {message_id.hex()}"


def unsettled(home: Path) -> int:
    """Queries without an end and messages on their way, read beside the node that writes them."""
    with closing(sqlite3.connect(f"file:{home / 'exchange.sqlite'}?mode=ro", uri=True, timeout=30)) as database:
        (waiting,) = database.execute("SELECT count(*) FROM outgoing").fetchone()
        (still_open,) = database.execute("SELECT count(*) FROM asked WHERE state != ?", (AskedState.ANSWERED.value,)).fetchone()
    return int(waiting) + int(still_open)


async def read_books(home: Path, passphrase: bytes) -> Books:
    """All of it, with the key that the node has for it."""
    keystore = Keystore.open(home / "keystore", passphrase)
    name = node_name(read_node_settings(home / "node.toml"))
    ids = _ids(home)
    async with SqliteExchange.open(home / "exchange.sqlite", vault=vault_of(keystore)) as store:
        size = (await store.frontier()).size
        leaves = [await store.leaf(index) for index in range(size)]
        asked = [await store.asked(message_id) for message_id in ids["asked"]]
        sent = [await store.crossing(Direction.SENT, message_id) for message_id in ids["sent"]]
        received = [await store.crossing(Direction.RECEIVED, message_id) for message_id in ids["received"]]
    return Books(
        name=name,
        signing_key=SoftwareSigner(keystore.get("signing")).public_key,
        asked={one.message_id: one for one in asked if one is not None},
        sent={one.message_id: one for one in sent if one is not None},
        received={one.message_id: one for one in received if one is not None},
        records=tuple(decode_record(leaf.content) for leaf in leaves if leaf is not None),
        leaves=tuple((leaf.salt, leaf.content) for leaf in leaves if leaf is not None),
        waiting=len(ids["outgoing"]),
    )


def _ids(home: Path) -> dict[str, list[MessageId]]:
    selects = {
        "asked": "SELECT message_id FROM asked",
        "sent": "SELECT message_id FROM crossing WHERE direction = 'sent'",
        "received": "SELECT message_id FROM crossing WHERE direction = 'received'",
        "outgoing": "SELECT message_id FROM outgoing",
    }
    with closing(sqlite3.connect(home / "exchange.sqlite")) as database:
        return {name: [MessageId(row[0]) for row in database.execute(select)] for name, select in selects.items()}
