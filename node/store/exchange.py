"""Queries, crossings, outbox, replay table, keys and journal of one node in one SQLite file (`exchange-v3.sql`).

A change is one transaction, or a part of one that it shares with others (`node.store.database`). What is secret is sealed before
it is written (`node.store.vault`). Which changes make sense is left to the use cases.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import AsyncIterator, Collection, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Final

from federation import limits
from federation.delivery.lanes import LaneTrack
from federation.delivery.outbox import LaneHead, Outgoing
from federation.delivery.receipt import SignedReceipt
from federation.delivery.replay import ReplayMark
from federation.errors import InvalidConfiguration, Misuse, Replayed, StoreUnavailable
from federation.evidence.journal import Epoch, Leaf, Position
from federation.identity import MessageId, PartyId
from federation.ports import (
    AlreadySeen,
    ArrivalStore,
    AskedQuery,
    Change,
    Crossing,
    DecryptionKey,
    Direction,
    ExchangeStore,
    JournalStore,
    OutboxStore,
    Poison,
    ReceivedQuery,
)
from federation.trust.merkle import Frontier
from node.store import arrivals, attachments, epochs, reconcile, retention, tree
from node.store import rows as records
from node.store.attachments import SqliteAttachments
from node.store.database import Database, looking_into
from node.store.schema import Schema
from node.store.timeline import SqliteTimeline, put_events
from node.store.vault import Vault

SCHEMA: Final = Schema(name="exchange", version=3, left_out=epochs.LEFT_OUT)
_EPOCHS_SINCE: Final = 2


class SqliteExchange(
    SqliteAttachments,
    reconcile.SqliteReconcile,
    retention.SqliteRetention,
    ExchangeStore,
    OutboxStore,
    ArrivalStore,
    JournalStore,
):
    """The eight ports over one file, because every commit touches all of them."""

    def __init__(self, database: Database, vault: Vault) -> None:
        self._database = database
        self._vault = vault
        self._journal = tree.GrowingTree()
        self.timeline = SqliteTimeline(database)

    @classmethod
    @asynccontextmanager
    async def open(cls, path: Path, *, vault: Vault) -> AsyncIterator[SqliteExchange]:
        """Open the file for the time of the block; see `Database.open`.

        Raises:
            InvalidConfiguration: the file was made with another storage key, too.
        """
        schema = replace(SCHEMA, carries={2: partial(_carry_from_v1, vault)})
        async with Database.open(path, schema=schema) as database:
            await database.write(partial(_check_vault, vault))
            yield cls(database, vault)

    async def commit(self, change: Change) -> tuple[Position, ...]:
        return await self._database.write(partial(self._apply, change))

    async def asked(self, message_id: MessageId) -> AskedQuery | None:
        row = await self._row("SELECT * FROM asked WHERE message_id = ?", message_id)
        return records.asked_query(row, self._vault) if row is not None else None

    async def received(self, message_id: MessageId) -> ReceivedQuery | None:
        row = await self._row("SELECT * FROM received WHERE message_id = ?", message_id)
        return records.received_query(row) if row is not None else None

    async def crossing(self, direction: Direction, message_id: MessageId) -> Crossing | None:
        row = await self._row(
            "SELECT crossing.*, ciphertext, statement, receipt.signature FROM crossing"
            " LEFT JOIN ciphertext ON ciphertext.crossing = crossing.id LEFT JOIN receipt ON receipt.crossing = crossing.id"
            " WHERE direction = ? AND message_id = ?",
            direction,
            message_id,
        )
        return records.crossing_value(row, self._vault) if row is not None else None

    async def asked_page(self, *, before: int, rows: int, before_id: bytes = b"") -> tuple[AskedQuery, ...]:
        page = await self._rows(
            "SELECT * FROM asked WHERE (created, message_id) < (?, ?) ORDER BY created DESC, message_id DESC LIMIT ?",
            before,
            before_id,
            rows,
        )
        return tuple(records.asked_query(row, self._vault) for row in page)

    async def received_page(self, *, before: int, rows: int, before_id: bytes = b"") -> tuple[ReceivedQuery, ...]:
        page = await self._rows(
            "SELECT * FROM received WHERE (received, message_id) < (?, ?) ORDER BY received DESC, message_id DESC LIMIT ?",
            before,
            before_id,
            rows,
        )
        return tuple(records.received_query(row) for row in page)

    async def keys(self) -> tuple[DecryptionKey, ...]:
        return await self._database.read(partial(epochs.read, vault=self._vault))

    async def due(self, *, now: float, rows: int, without: Collection[PartyId] = ()) -> tuple[Outgoing, ...]:
        return tuple(map(records.outgoing_value, await self._rows(_DUE, now, rows, json.dumps(sorted(without)))))

    async def waiting(self, peer: PartyId) -> tuple[Outgoing, ...]:
        waiting = await self._rows(
            "SELECT * FROM outgoing WHERE peer = ? ORDER BY number LIMIT ?", peer, limits.OUTBOX_PER_PARTY_MAX
        )
        return tuple(map(records.outgoing_value, waiting))

    async def foremost(self, peer: PartyId) -> Outgoing | None:
        row = await self._row(_FOREMOST, peer)
        return records.outgoing_value(row) if row is not None else None

    async def held(self, *, rows: int) -> tuple[Outgoing, ...]:
        waiting = await self._rows("SELECT * FROM outgoing WHERE held_since > 0 ORDER BY held_since, number LIMIT ?", rows)
        return tuple(map(records.outgoing_value, waiting))

    async def next_due(self, *, without: Collection[PartyId] = ()) -> float | None:
        row = await self._row(_NEXT_DUE, json.dumps(sorted(without)))
        return row[0] if row is not None else None

    async def tracks(self) -> tuple[LaneTrack, ...]:
        return await self._database.read(arrivals.read_tracks)

    async def poison(self, peer: PartyId, message_id: MessageId) -> Poison | None:
        row = await self._row("SELECT * FROM poison WHERE peer = ? AND message_id = ?", peer, message_id)
        return arrivals.poison_value(row) if row is not None else None

    async def poisons(self, *, rows: int) -> tuple[Poison, ...]:
        found = await self._rows("SELECT * FROM poison ORDER BY since, peer, message_id LIMIT ?", rows)
        return tuple(map(arrivals.poison_value, found))

    async def overdue(self, *, now: float, rows: int) -> tuple[AskedQuery | ReceivedQuery, ...]:
        asked = await self._rows(_ASKED_OVERDUE, now, rows)
        received = await self._rows(_RECEIVED_OVERDUE, now, rows)
        queries: list[AskedQuery | ReceivedQuery] = [records.asked_query(row, self._vault) for row in asked]
        queries.extend(map(records.received_query, received))
        return tuple(sorted(queries, key=lambda query: (query.deadline, query.message_id))[:rows])

    async def heads(self) -> tuple[LaneHead, ...]:
        return tuple(map(records.lane_head_value, await self._rows("SELECT * FROM lane_head ORDER BY peer, lane")))

    async def kept_bytes(self) -> Mapping[PartyId, int]:
        kept = await self._rows("SELECT peer, sum(length(sealed)) FROM crossing WHERE direction = 'received' GROUP BY peer")
        return {PartyId(peer): size for peer, size in kept}

    async def queued(self, peer: PartyId) -> int:
        row = await self._row("SELECT count(*) FROM outgoing WHERE peer = ?", peer)
        return row[0] if row is not None else 0

    async def frontier(self) -> Frontier:
        return await self._database.read(tree.frontier)

    async def epochs(self) -> tuple[Epoch, ...]:
        rows = await self._rows("SELECT number, first FROM journal_epoch ORDER BY first, number")
        return tuple(Epoch(number=number, first=first) for number, first in rows)

    async def leaf(self, index: int) -> Leaf | None:
        if index >= limits.TREE_SIZE_MAX:
            return None
        row = await self._row("SELECT salt, content FROM leaf WHERE position = ? AND content IS NOT NULL", index)
        return Leaf(salt=row[0], content=row[1]) if row is not None else None

    async def inclusion(self, index: int, size: int) -> tuple[bytes, ...]:
        return await self._database.read(partial(tree.inclusion, index=index, size=size))

    async def consistency(self, old_size: int, new_size: int) -> tuple[bytes, ...]:
        return await self._database.read(partial(tree.consistency, old_size=old_size, new_size=new_size))

    async def _row(self, statement: str, *parameters: object) -> records.Row | None:
        found: records.Row | None = await self._database.read(lambda reader: reader.execute(statement, parameters).fetchone())
        return found

    async def _rows(self, statement: str, *parameters: object) -> list[records.Row]:
        found: list[records.Row] = await self._database.read(lambda reader: reader.execute(statement, parameters).fetchall())
        return found

    def _apply(self, change: Change, writer: sqlite3.Connection) -> tuple[Position, ...]:
        """In the writer's thread, inside the change's savepoint."""
        for mark in change.marks:
            _put_mark(writer, mark)
        positions = tuple(self._append(writer, leaf) for leaf in change.leaves)
        if change.epoch is not None:
            if not positions:
                raise Misuse("an epoch of the journal begins with a leaf")
            writer.execute("INSERT INTO journal_epoch VALUES (?, ?)", (change.epoch, positions[0].index))
        self._put_crossings(writer, change, positions)
        for message_id, receipt in change.receipts:
            _put_receipt(writer, message_id, receipt)
        writer.executemany(_PUT_ASKED, [records.asked_row(query, self._vault) for query in change.asked])
        writer.executemany(_PUT_RECEIVED, map(records.received_row, change.received))
        writer.executemany(_PUT_OUTGOING, map(records.outgoing_row, change.outgoing))
        writer.executemany(_DROP_OUTGOING, ((message_id,) for message_id in change.outgoing_done))
        writer.executemany(_DROP_CIPHERTEXT, ((message_id,) for message_id in change.outgoing_done))
        writer.executemany(_PUT_HEAD, map(records.lane_head_row, change.heads))
        attachments.put(writer, change.attachments, positions)
        arrivals.put(writer, change)
        epochs.change(writer, change, self._vault)
        put_events(writer, change)
        for one in change.reconciled:
            reconcile.put(writer, one)
        if change.erased is not None:
            retention.erase(writer, change.erased)
        return positions

    def _append(self, writer: sqlite3.Connection, leaf: Leaf) -> Position:
        position, nodes = self._journal.append(writer, leaf.hash())
        writer.execute("INSERT INTO leaf VALUES (?, ?, ?, ?)", (position.index, leaf.salt, leaf.content, nodes))
        return position

    def _put_crossings(self, writer: sqlite3.Connection, change: Change, positions: tuple[Position, ...]) -> None:
        free = iter(positions)
        for crossing in change.crossings:
            position = next(free, None) if crossing.leaf < 0 else None
            leaf = position.index if position is not None else crossing.leaf
            row = records.crossing_row(crossing, leaf, self._vault)
            put = writer.execute(_PUT_CROSSING, row)
            if put.rowcount == 0:  # it is there: away with it and with what hangs on it
                _check_same_message(writer, crossing)
                writer.execute("DELETE FROM crossing WHERE direction = ? AND message_id = ?", row[:2])
                put = writer.execute(_PUT_CROSSING, row)
            if crossing.ciphertext:
                writer.execute("INSERT INTO ciphertext VALUES (?, ?)", (put.lastrowid, crossing.ciphertext))
            if crossing.receipt is not None:
                receipt = crossing.receipt
                writer.execute("INSERT INTO receipt VALUES (?, ?, ?)", (put.lastrowid, receipt.statement, receipt.signature))


_PUT_ASKED: Final = "INSERT OR REPLACE INTO asked VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
_PUT_RECEIVED: Final = "INSERT OR REPLACE INTO received VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
_PUT_CROSSING: Final = "INSERT INTO crossing VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING"
_PUT_OUTGOING: Final = (
    "INSERT INTO outgoing VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (message_id) DO UPDATE SET"
    " peer = excluded.peer, kind = excluded.kind, lane = excluded.lane, created = excluded.created, deadline = excluded.deadline,"
    " sealed_until = excluded.sealed_until, attempts = excluded.attempts, next_attempt = excluded.next_attempt,"
    " problem = excluded.problem, conversation = excluded.conversation, held_since = excluded.held_since, reason = excluded.reason"
)
_DROP_OUTGOING: Final = "DELETE FROM outgoing WHERE message_id = ?"
_DROP_CIPHERTEXT: Final = (
    "DELETE FROM ciphertext WHERE crossing = (SELECT id FROM crossing WHERE direction = 'sent' AND message_id = ?)"
)
_DUE: Final = (
    "SELECT outgoing.* FROM outgoing_peer CROSS JOIN outgoing_lane AS lane JOIN outgoing ON number IN (SELECT number FROM outgoing_free"
    " AS own WHERE own.peer = outgoing_peer.peer AND own.lane = lane.name AND own.next_attempt <= ?"
    " ORDER BY own.next_attempt, number LIMIT ?)"
    " WHERE outgoing_peer.peer NOT IN (SELECT value FROM json_each(?)) ORDER BY lane.rank, next_attempt, number"
)
_NEXT_DUE: Final = (
    "SELECT min((SELECT min(next_attempt) FROM outgoing AS own WHERE own.peer = outgoing_peer.peer AND own.held_since = 0"
    " AND own.lane = lane.name)) FROM outgoing_peer CROSS JOIN outgoing_lane AS lane"
    " WHERE outgoing_peer.peer NOT IN (SELECT value FROM json_each(?))"
)
_FOREMOST: Final = (
    "SELECT own.* FROM outgoing_lane AS lane CROSS JOIN outgoing_free AS own ON own.peer = ? AND own.lane = lane.name"
    " ORDER BY lane.rank, own.number LIMIT 1"
)
_ASKED_OVERDUE: Final = (
    "SELECT * FROM asked WHERE state IN ('queued', 'delivered') AND deadline < ? ORDER BY deadline, message_id LIMIT ?"
)
_RECEIVED_OVERDUE: Final = "SELECT * FROM received WHERE state = 'waiting' AND deadline < ? ORDER BY deadline, message_id LIMIT ?"
_PUT_HEAD: Final = "INSERT OR REPLACE INTO lane_head VALUES (?, ?, ?, ?)"


def _put_mark(writer: sqlite3.Connection, mark: ReplayMark) -> None:
    """Raises AlreadySeen, which undoes the change that the mark is part of."""
    row = (mark.sender, mark.message_id, mark.statement_hash)
    if writer.execute("INSERT INTO mark VALUES (?, ?, ?) ON CONFLICT DO NOTHING", row).rowcount == 0:
        known = writer.execute("SELECT statement_hash FROM mark WHERE sender = ? AND message_id = ?", row[:2]).fetchone()
        raise AlreadySeen(ReplayMark(sender=mark.sender, message_id=mark.message_id, statement_hash=known[0]))


def _check_same_message(writer: sqlite3.Connection, crossing: Crossing) -> None:
    known = writer.execute(
        "SELECT peer, kind FROM crossing WHERE direction = ? AND message_id = ?", (crossing.direction, crossing.message_id)
    ).fetchone()
    if known != (crossing.peer, crossing.kind):
        raise Replayed("a message id is taken by another message")


def _put_receipt(writer: sqlite3.Connection, message_id: MessageId, receipt: SignedReceipt) -> None:
    put = writer.execute(
        "INSERT OR REPLACE INTO receipt SELECT id, ?, ? FROM crossing WHERE direction = 'sent' AND message_id = ?",
        (receipt.statement, receipt.signature, message_id),
    )
    if put.rowcount == 0:
        raise Misuse("a receipt is for no message that this node sent")


def _check_vault(vault: Vault, writer: sqlite3.Connection) -> None:
    """Seal a word in a new file; open it in an old one."""
    row = writer.execute("SELECT sealed FROM vault").fetchone()
    if row is None:
        writer.execute("INSERT INTO vault VALUES (1, ?)", (vault.seal(b"", column="vault.sealed", row=b""),))
        return
    try:
        vault.open(row[0], column="vault.sealed", row=b"")
    except StoreUnavailable:
        raise InvalidConfiguration(
            "the storage key is not the one that the store was made with", hint="give the node its own keystore, or its own store"
        ) from None


def survey_keys(path: Path, *, now: float) -> epochs.Survey | None:
    """What can be seen of the sealing keys without the storage key, also while the node runs; None in a file of the first version,
    which has no epochs.

    Raises:
        InvalidConfiguration, StoreUnavailable: see `node.store.database.looking_into`.
    """
    with looking_into(path, SCHEMA) as connection:
        version: int = connection.execute("PRAGMA user_version").fetchone()[0]
        return epochs.survey(connection, now=now) if version >= _EPOCHS_SINCE else None


def _carry_from_v1(vault: Vault, upgrader: sqlite3.Connection) -> None:
    _check_vault(vault, upgrader)  # a wrong key is told as one
    epochs.carry_from_v1(upgrader, vault)
