"""Rows of `attachment`: the files of messages, written with the messages and read beside them.

The files themselves are `node.store.spool`'s. Which rows make sense is left to the use cases.
"""

from __future__ import annotations

import sqlite3
from typing import Final

from federation.delivery.attachment import AttachmentState, Place, Spooled
from federation.delivery.direction import Direction
from federation.delivery.receipt import SignedReceipt
from federation.envelope.attachment import AttachmentId, Named
from federation.evidence.journal import Position
from federation.identity import MessageId, PartyId
from federation.ports import AttachmentStore, Usage
from node.store.database import Database
from node.store.rows import Row

_PUT: Final = (
    "INSERT INTO attachment VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
    " ON CONFLICT (direction, message_id, attachment_id) DO UPDATE SET state = excluded.state, changed = excluded.changed,"
    " attempts = excluded.attempts, next_attempt = excluded.next_attempt, problem = excluded.problem, leaf = excluded.leaf,"
    " receipt = excluded.receipt, receipt_signature = excluded.receipt_signature"
)
_DUE: Final = (
    "SELECT attachment.* FROM attachment_peer JOIN attachment ON number IN (SELECT number FROM attachment AS own"
    " WHERE own.peer = attachment_peer.peer AND own.state IN ('waiting', 'arrived') AND own.next_attempt <= ?"
    " ORDER BY own.next_attempt, number LIMIT ?) ORDER BY next_attempt, number"
)
_NEXT_DUE: Final = (
    "SELECT min((SELECT min(next_attempt) FROM attachment WHERE attachment.peer = attachment_peer.peer"
    " AND state IN ('waiting', 'arrived'))) FROM attachment_peer"
)
_KEPT: Final = (
    "SELECT * FROM attachment WHERE state != 'gone' AND (direction, message_id, attachment_id) > (?, ?, ?)"
    " ORDER BY direction, message_id, attachment_id LIMIT ?"
)
_SPOOLED: Final = "SELECT coalesce(sum(size), 0) FROM attachment WHERE state NOT IN ('gone', 'waiting')"
_DAY: Final = (
    "SELECT coalesce(sum(size), 0), count(*) FROM attachment WHERE direction = 'received' AND peer = ?"
    " AND state IN ('arrived', 'receipted') AND changed >= ?"
)


def put(writer: sqlite3.Connection, attachments: tuple[Spooled, ...], positions: tuple[Position, ...]) -> None:
    """Put rows; those that have arrived and have no leaf get the last one."""
    for one in attachments:
        leaf = one.leaf
        if one.state is AttachmentState.ARRIVED and leaf < 0 and positions:
            leaf = positions[-1].index
        writer.execute(_PUT, _row(one, leaf))


class SqliteAttachments(AttachmentStore):
    """The reading side, over the file of the exchange."""

    _database: Database

    async def attachment(self, place: Place) -> Spooled | None:
        found = await self._attachment_rows(
            "SELECT * FROM attachment WHERE direction = ? AND message_id = ? AND attachment_id = ?",
            place.direction,
            place.message_id,
            place.attachment_id,
        )
        return found[0] if found else None

    async def attachments(self, direction: Direction, message_id: MessageId) -> tuple[Spooled, ...]:
        return await self._attachment_rows(
            "SELECT * FROM attachment WHERE direction = ? AND message_id = ? ORDER BY number", direction, message_id
        )

    async def attachments_due(self, *, now: float, rows: int) -> tuple[Spooled, ...]:
        return await self._attachment_rows(_DUE, now, rows)

    async def attachments_next_due(self) -> float | None:
        found: float | None = await self._database.read(lambda reader: reader.execute(_NEXT_DUE).fetchone()[0])
        return found

    async def attachments_kept(self, *, after: Place | None, rows: int) -> tuple[Spooled, ...]:
        behind = (after.direction, after.message_id, after.attachment_id) if after is not None else ("", b"", b"")
        return await self._attachment_rows(_KEPT, *behind, rows)

    async def attachments_usage(self, peer: PartyId, *, since: int) -> Usage:
        def read(reader: sqlite3.Connection) -> Usage:
            spooled = reader.execute(_SPOOLED).fetchone()[0]
            day_bytes, day_files = reader.execute(_DAY, (peer, since)).fetchone()
            return Usage(spooled=spooled, day_bytes=day_bytes, day_files=day_files)

        return await self._database.read(read)

    async def _attachment_rows(self, statement: str, *parameters: object) -> tuple[Spooled, ...]:
        found: list[Row] = await self._database.read(lambda reader: reader.execute(statement, parameters).fetchall())
        return tuple(_value(row) for row in found)


def _row(one: Spooled, leaf: int) -> Row:
    receipt = one.receipt
    return (
        one.direction,
        one.message_id,
        one.named.attachment_id,
        one.named.size,
        one.named.sha512,
        one.peer,
        one.state,
        one.since,
        one.changed,
        one.attempts,
        one.next_attempt,
        one.problem,
        leaf,
        receipt.statement if receipt is not None else None,
        receipt.signature if receipt is not None else None,
    )


def _value(row: Row) -> Spooled:
    direction, message_id, attachment_id, size, sha512, peer, state = row[1:8]
    since, changed, attempts, next_attempt, problem, leaf, receipt, signature = row[8:16]
    return Spooled(
        direction=Direction(direction),
        message_id=MessageId(message_id),
        named=Named(attachment_id=AttachmentId(attachment_id), size=size, sha512=sha512),
        peer=PartyId(peer),
        state=AttachmentState(state),
        since=since,
        changed=changed,
        attempts=attempts,
        next_attempt=next_attempt,
        problem=problem,
        leaf=leaf,
        receipt=SignedReceipt(statement=receipt, signature=signature) if receipt is not None else None,
    )
