"""Timelines of messages, what was last seen of peers, and their newest prekeys: three tables of `exchange-v3.sql`.

Lines of a timeline are written inside the change that they describe (`node.store.exchange`); the rest is read and written here.
"""

from __future__ import annotations

import sqlite3
import struct
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Final

from federation.delivery.direction import Direction
from federation.delivery.timeline import Step, TimelineEvent, ids_from, in_order
from federation.identity import MessageId, PartyId
from federation.ports import Change, PeerSeen, PeerStore, TimelineStore
from node.store.database import Database
from node.store.rows import Row

_ERASE: Final = "DELETE FROM timeline WHERE direction = ? AND message_id = ?"
_FOLD: Final = (
    "INSERT INTO timeline VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET last = excluded.last,"
    " count = count + excluded.count, offset_ms = coalesce(excluded.offset_ms, offset_ms)"
)
_MATCHING: Final = (
    "SELECT direction, message_id FROM crossing WHERE direction = 'sent' AND message_id BETWEEN :first AND :last"
    " UNION ALL SELECT direction, message_id FROM crossing WHERE direction = 'received' AND message_id BETWEEN :first AND :last"
    " ORDER BY direction DESC, message_id LIMIT :rows"
)
_PUT_PEER: Final = "INSERT OR REPLACE INTO peer_seen VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"


def put_events(writer: sqlite3.Connection, change: Change) -> None:
    """The lines of a change, inside its savepoint."""
    writer.executemany(_ERASE, change.events_erased)
    writer.executemany(_FOLD, map(_event_row, change.events))


class SqliteTimeline(TimelineStore, PeerStore):
    """Both ports over the file of the exchange."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def events(self, direction: Direction, message_id: MessageId) -> tuple[TimelineEvent, ...]:
        statement = "SELECT * FROM timeline WHERE direction = ? AND message_id = ?"
        rows = await self._rows(statement, (direction, message_id))
        return in_order(map(_event, rows))

    async def matching(self, prefix: str, *, rows: int) -> tuple[tuple[Direction, MessageId], ...]:
        first, last = ids_from(prefix)
        found = await self._rows(_MATCHING, {"first": first, "last": last, "rows": rows})
        return tuple((Direction(direction), MessageId(message_id)) for direction, message_id in found)

    async def peers(self) -> tuple[PeerSeen, ...]:
        return tuple(map(_peer, await self._rows("SELECT * FROM peer_seen ORDER BY party", ())))

    async def put_peers(self, peers: Sequence[PeerSeen]) -> None:
        await self._database.write(partial(_put_peers, tuple(map(_peer_row, peers))))

    async def bundles(self) -> tuple[bytes, ...]:
        return tuple(row[0] for row in await self._rows("SELECT bundle FROM peer_bundle ORDER BY party", ()))

    async def put_bundles(self, bundles: Mapping[PartyId, bytes]) -> None:
        await self._database.write(partial(_put_bundles, dict(bundles)))

    async def _rows(self, statement: str, parameters: Sequence[object] | dict[str, object]) -> list[Row]:
        found: list[Row] = await self._database.read(lambda reader: reader.execute(statement, parameters).fetchall())
        return found


def _put_peers(rows: Sequence[Row], writer: sqlite3.Connection) -> None:
    writer.executemany(_PUT_PEER, rows)


def _put_bundles(bundles: Mapping[PartyId, bytes], writer: sqlite3.Connection) -> None:
    writer.executemany("DELETE FROM peer_bundle WHERE party = ?", [(party,) for party in bundles])
    writer.executemany("INSERT INTO peer_bundle VALUES (?, ?)", [(party, raw) for party, raw in bundles.items() if raw])


def _event_row(event: TimelineEvent) -> Row:
    return (
        event.direction,
        event.message_id,
        event.step,
        event.reason,
        event.first,
        event.last,
        event.count,
        event.offset_ms,
    )


def _event(row: Row) -> TimelineEvent:
    direction, message_id, step, reason, first, last, count, offset_ms = row
    return TimelineEvent(
        direction=Direction(direction),
        message_id=MessageId(message_id),
        step=Step(step),
        reason=reason,
        first=first,
        last=last,
        count=count,
        offset_ms=offset_ms,
    )


def _peer_row(seen: PeerSeen) -> Row:
    return (
        seen.party,
        seen.reached,
        seen.heard,
        seen.failures,
        seen.failing_since,
        seen.problem,
        struct.pack(f">{len(seen.round_trips_ms)}I", *seen.round_trips_ms),
        seen.offset_ms,
        seen.offset_at,
        seen.certificate_ends,
        seen.certificate_seen,
        seen.version,
    )


def _peer(row: Row) -> PeerSeen:
    party, reached, heard, failures, failing_since, problem, trips, offset_ms, offset_at, ends, seen, version = row
    return PeerSeen(
        party=PartyId(party),
        reached=reached,
        heard=heard,
        failures=failures,
        failing_since=failing_since,
        problem=problem,
        round_trips_ms=struct.unpack(f">{len(trips) // 4}I", trips),
        offset_ms=offset_ms,
        offset_at=offset_at,
        certificate_ends=ends,
        certificate_seen=seen,
        version=version,
    )
