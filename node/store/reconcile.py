"""What crossed, by day, and what was found when it was compared with peers (`federation.ports.reconcile`), in the file of the exchange.

New crossings and receipts are noted by triggers and sorted later, in batches, so that a message on its way pays a few bytes for it.
"""

from __future__ import annotations

import sqlite3
from functools import partial
from typing import Final

from federation import limits
from federation.delivery.receipt import SignedReceipt
from federation.errors import PeerMisbehaviour, StoreUnavailable
from federation.evidence.account import Crossed, DifferenceKind, Judgement, SignedTelling, Way, day_of
from federation.evidence.journal import leaf_hash
from federation.identity import MessageId, PartyId
from federation.ports import Alarm, ComparedDay, Difference, Reconciled, ReconcileStore, Standing
from federation.trust import merkle
from federation.wire.envelope import decode_header, decode_statement
from node.store import rows as records
from node.store import tree
from node.store.database import Database
from node.store.vault import Vault


class SqliteReconcile(ReconcileStore):
    """The part of the exchange's file that is about other nodes' accounts."""

    _database: Database
    _vault: Vault

    async def sort_crossings(self, *, rows: int) -> int:
        return await self._database.write(partial(_sort, self._vault, rows))

    async def tallied(self, peer: PartyId, day: int, way: Way, *, after: bytes, rows: int) -> tuple[Crossed, ...]:
        return await self._database.read(
            lambda reader: tuple(
                Crossed(message_id=MessageId(message_id), commitment=commitment, receipted=bool(receipted))
                for message_id, commitment, receipted in reader.execute(_TALLIED, (peer, day, way, after, rows))
            )
        )

    async def open_days(self, peer: PartyId, *, since: int, before: int, rows: int) -> tuple[int, ...]:
        return await self._database.read(
            lambda reader: tuple(day for (day,) in reader.execute(_OPEN_DAYS, (peer, since, before, rows)))
        )

    async def unproved(self, peer: PartyId, *, rows: int) -> tuple[tuple[MessageId, SignedReceipt], ...]:
        return await self._database.read(
            lambda reader: tuple(
                (MessageId(message_id), SignedReceipt(statement=statement, signature=signature))
                for message_id, statement, signature in reader.execute(_UNPROVED, (peer, rows))
            )
        )

    async def head(self, size: int) -> bytes:
        return await self._database.read(partial(_head, size=size))

    async def standings(self) -> tuple[Standing, ...]:
        return await self._database.read(standings)

    async def findings(self, peer: PartyId) -> tuple[tuple[ComparedDay, ...], tuple[Difference, ...], tuple[Alarm, ...]]:
        return await self._database.read(partial(findings, peer=peer))


_TALLIED: Final = (
    "SELECT message_id, commitment, receipted FROM tally WHERE peer = ? AND day = ? AND direction = ? AND message_id > ?"
    " ORDER BY message_id LIMIT ?"
)
_OPEN_DAYS: Final = (
    "SELECT day FROM compared_day WHERE peer = ? AND open = 1 AND day >= ? AND day < ? ORDER BY compared, day LIMIT ?"
)
_UNPROVED: Final = (
    "SELECT message_id, statement, receipt.signature FROM unproved JOIN crossing ON crossing.id = unproved.crossing"
    " JOIN receipt ON receipt.crossing = unproved.crossing WHERE peer = ? ORDER BY message_id LIMIT ?"
)
_STANDINGS: Final = (
    "WITH RECURSIVE known (peer) AS (SELECT min(peer) FROM compared_day UNION ALL"
    " SELECT (SELECT min(peer) FROM compared_day WHERE compared_day.peer > known.peer) FROM known WHERE known.peer IS NOT NULL)"
    " SELECT known.peer, visited, account, account_signature, problem, failing_since,"
    " (SELECT min(day) FROM compared_day WHERE compared_day.peer = known.peer AND open = 1)"
    " FROM known LEFT JOIN standing ON standing.peer = known.peer WHERE known.peer IS NOT NULL UNION ALL"
    " SELECT standing.*, NULL FROM standing"
    " WHERE NOT EXISTS (SELECT 1 FROM compared_day WHERE compared_day.peer = standing.peer) ORDER BY 1"
)
_UNSORTED: Final = (
    "SELECT crossing.id, crossing.peer, direction, message_id, header, sealed, receipt.crossing IS NOT NULL FROM unsorted"
    " JOIN crossing ON crossing.id = unsorted.crossing LEFT JOIN receipt ON receipt.crossing = unsorted.crossing LIMIT ?"
)
_PUT_TALLY: Final = (
    "INSERT INTO tally VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET commitment = excluded.commitment,"
    " receipted = excluded.receipted WHERE (commitment, receipted) != (excluded.commitment, excluded.receipted)"
)
_OPEN_DAY: Final = "INSERT INTO compared_day VALUES (?, ?, 1, 0, 0, 0, 0, 0) ON CONFLICT DO UPDATE SET open = 1"


def _sort(vault: Vault, rows: int, writer: sqlite3.Connection) -> int:
    page = writer.execute(_UNSORTED, (rows,)).fetchall()
    for crossing, peer, direction, message_id, header, sealed, receipted in page:
        writer.execute("DELETE FROM unsorted WHERE crossing = ?", (crossing,))
        if not header:
            continue  # it was never sealed, so it has not left; its sealing brings it here again
        try:
            content = records.crossing_content(sealed, direction, message_id, vault)
            day = day_of(decode_statement(content.statement).created)
            commitment = decode_header(header).commitment
        except (PeerMisbehaviour, StoreUnavailable):
            continue  # somebody changed the row on the disk: it counts as lost, and the other side says so
        held = 1 if direction == Way.RECEIVED else receipted
        put = writer.execute(_PUT_TALLY, (peer, day, direction, message_id, commitment, held))
        if put.rowcount:
            writer.execute(_OPEN_DAY, (peer, day))
    return len(page)


def _head(reader: sqlite3.Connection, *, size: int) -> bytes:
    if not 0 < size <= tree.size_of(reader):
        return b""
    row = reader.execute("SELECT salt, content, substr(nodes, 1, 32) FROM leaf WHERE position = ?", (size - 1,)).fetchone()
    if row is None:
        return b""
    salt, content, stored = row
    root: bytes = leaf_hash(salt=salt, content=content) if content is not None else stored
    try:
        path = tree.inclusion(reader, index=size - 1, size=size)
    except StoreUnavailable:
        return b""
    for sibling in path:  # the last leaf of a tree: everything on its path lies to its left
        root = merkle.node_hash(sibling, root)
    return root


def standings(reader: sqlite3.Connection) -> tuple[Standing, ...]:
    """See `federation.ports.ReconcileStore`."""
    return tuple(map(_standing, reader.execute(_STANDINGS)))


def _standing(row: records.Row) -> Standing:
    peer, visited, account, signature, problem, failing_since, open_day = row
    return Standing(
        peer=PartyId(peer),
        visited=visited or 0,
        account=SignedTelling(statement=account, signature=signature) if account is not None else None,
        problem=problem or "",
        failing_since=failing_since or 0,
        open_day=open_day,
    )


def findings(reader: sqlite3.Connection, peer: str) -> tuple[tuple[ComparedDay, ...], tuple[Difference, ...], tuple[Alarm, ...]]:
    """See `federation.ports.ReconcileStore`."""
    rows = limits.FINDINGS_ROWS_MAX
    days = reader.execute(
        "SELECT day, compared, open, sent, they_have, received, they_sent FROM compared_day WHERE peer = ? AND compared > 0"
        " ORDER BY day DESC LIMIT ?",
        (peer, rows),
    )
    differing = reader.execute(
        "SELECT kind, message_id, day, found, listing, signature, healed FROM difference WHERE peer = ?"
        " ORDER BY healed > 0, found DESC, message_id, kind LIMIT ?",
        (peer, rows),
    )
    alarms = reader.execute(
        "SELECT judgement, epoch, size, found, proof FROM journal_alarm WHERE peer = ? ORDER BY found DESC, epoch, size LIMIT ?",
        (peer, rows),
    )
    return (
        tuple(
            ComparedDay(
                day=day, compared=compared, agreed=not is_open, sent=sent, they_have=have, received=received, they_sent=they_sent
            )
            for day, compared, is_open, sent, have, received, they_sent in days
        ),
        tuple(
            Difference(
                kind=DifferenceKind(kind),
                message_id=MessageId(message_id),
                day=day,
                found=found,
                evidence=SignedTelling(statement=listing, signature=signature),
                healed=healed,
            )
            for kind, message_id, day, found, listing, signature, healed in differing
        ),
        tuple(
            Alarm(judgement=Judgement(judgement), epoch=epoch, size=size, found=found, proof=proof)
            for judgement, epoch, size, found, proof in alarms
        ),
    )


def put(writer: sqlite3.Connection, one: Reconciled) -> None:
    """Write down what a visit found; in the writer's thread, inside the change's savepoint."""
    standing = one.standing
    peer, account = standing.peer, standing.account
    writer.execute(
        "INSERT OR REPLACE INTO standing VALUES (?, ?, ?, ?, ?, ?)",
        (
            peer,
            standing.visited,
            account.statement if account is not None else None,
            account.signature if account is not None else None,
            standing.problem,
            standing.failing_since,
        ),
    )
    if one.reopen_all:
        writer.execute("UPDATE compared_day SET open = 1 WHERE peer = ?", (peer,))
    writer.executemany(
        "INSERT OR REPLACE INTO compared_day VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        [(peer, day.day, not day.agreed, day.compared, day.sent, day.they_have, day.received, day.they_sent) for day in one.days],
    )
    writer.executemany(
        "DELETE FROM unproved WHERE crossing = (SELECT id FROM crossing WHERE direction = 'sent' AND message_id = ?)",
        [(message_id,) for message_id in one.proved],
    )
    writer.executemany(
        _PUT_DIFFERENCE,
        [
            (
                peer,
                each.kind,
                each.message_id,
                each.day,
                each.found,
                each.healed,
                each.evidence.statement,
                each.evidence.signature,
            )
            for each in one.differences
        ],
    )
    writer.executemany(
        "INSERT OR IGNORE INTO journal_alarm VALUES (?, ?, ?, ?, ?, ?)",
        [(peer, each.judgement, each.epoch, each.size, each.found, each.proof) for each in one.alarms],
    )


_PUT_DIFFERENCE: Final = (
    "INSERT INTO difference VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET healed = excluded.healed"
)
