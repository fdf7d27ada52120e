"""The end of retention in the file of the exchange: what is old enough, and erasing it. `secure_delete` overwrites what goes."""

from __future__ import annotations

import sqlite3
from functools import partial
from typing import Final

from federation.evidence.account import Way, day_of
from federation.identity import MessageId, PartyId
from federation.ports import Expired, RetentionStore
from federation.wire.evidence import decode_record
from node.store.database import Database

DAYS_PER_STEP: Final = 8
"""Days of tallies erased in one step: one alone may have some thousand messages."""
DAYS_LATER: Final = 60
"""A day's tally goes so much later than its messages: one that was sent again may have come late."""


class SqliteRetention(RetentionStore):
    """The part of the exchange's file that is about its end."""

    _database: Database

    async def expired(self, *, before: int, rows: int) -> Expired:
        return await self._database.read(partial(_expired, before=before, rows=rows))


_CROSSINGS: Final = (
    "SELECT direction, message_id FROM crossing WHERE at < ?"
    " AND NOT (direction = 'sent' AND message_id IN (SELECT message_id FROM outgoing)) ORDER BY at, id LIMIT ?"
)
_ASKED: Final = "SELECT message_id FROM asked WHERE created < ? ORDER BY created, message_id LIMIT ?"
_RECEIVED: Final = "SELECT message_id FROM received WHERE received < ? ORDER BY received, message_id LIMIT ?"
_DAYS: Final = "SELECT peer, day FROM compared_day WHERE day < ? ORDER BY day, peer LIMIT ?"
_LEAVES: Final = "SELECT position, content FROM leaf WHERE position >= (SELECT leaves FROM erased) ORDER BY position LIMIT ?"


def _expired(reader: sqlite3.Connection, *, before: int, rows: int) -> Expired:
    leaves: int = reader.execute("SELECT leaves FROM erased").fetchone()[0]
    records = 0
    for position, content in reader.execute(_LEAVES, (rows,)):
        if content is not None and decode_record(content).at >= before:
            break
        leaves, records = position + 1, records + 1
    return Expired(
        crossings=tuple((Way(way), MessageId(one)) for way, one in reader.execute(_CROSSINGS, (before, rows))),
        asked=tuple(MessageId(one) for (one,) in reader.execute(_ASKED, (before, rows))),
        received=tuple(MessageId(one) for (one,) in reader.execute(_RECEIVED, (before, rows))),
        days=tuple((PartyId(peer), day) for peer, day in reader.execute(_DAYS, (day_of(before) - DAYS_LATER, DAYS_PER_STEP))),
        leaves=leaves,
        records=records,
    )


def erase(writer: sqlite3.Connection, expired: Expired) -> None:
    """Erase; in the writer's thread, inside the change's savepoint."""
    for way, message_id in expired.crossings:
        gone = writer.execute(
            "DELETE FROM crossing WHERE direction = ? AND message_id = ? RETURNING peer", (way, message_id)
        ).fetchone()
        if gone is not None and way is Way.RECEIVED:
            writer.execute("DELETE FROM mark WHERE sender = ? AND message_id = ?", (gone[0], message_id))
    # Their files on the disk belong to nobody then, and the spool's sweep removes them.
    writer.executemany("DELETE FROM attachment WHERE direction = ? AND message_id = ?", expired.crossings)
    writer.executemany("DELETE FROM asked WHERE message_id = ?", [(one,) for one in expired.asked])
    writer.executemany("DELETE FROM received WHERE message_id = ?", [(one,) for one in expired.received])
    for table in ("tally", "difference", "compared_day"):
        writer.executemany(f"DELETE FROM {table} WHERE peer = ? AND day = ?", expired.days)  # noqa: S608  # names from this line
    writer.execute(_ERASE_LEAVES, (expired.leaves,))
    writer.execute("UPDATE erased SET leaves = max(leaves, ?)", (expired.leaves,))


_ERASE_LEAVES: Final = (
    "UPDATE leaf SET salt = NULL, content = NULL WHERE position >= (SELECT leaves FROM erased) AND position < ?"
    " AND position NOT IN (SELECT first FROM journal_epoch WHERE number > 1)"
)
