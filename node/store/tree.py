"""The complete nodes of a Merkle log, kept in the rows of the leaves that complete them.

The node at (level, index) is complete with the leaf at position ((index + 1) << level) - 1. So the row of a leaf holds, one after
another from level 0 upwards, the hashes of the nodes that it completes, and appending a leaf is one insert. The tables that use
this are called `leaf` and have the columns `position`, from 0 without a gap, and `nodes`; their other columns are their own.
"""

from __future__ import annotations

import sqlite3

from federation.errors import NotFound, StoreUnavailable
from federation.evidence.journal import Position
from federation.trust import merkle


class GrowingTree:
    """The end of the log as its writer remembers it, used inside that writer's transactions only.

    Memory never decides: each append compares it with the size of the table, so a transaction that was undone leaves no trace.
    """

    def __init__(self) -> None:
        self._frontier = merkle.Frontier()

    def append(self, connection: sqlite3.Connection, leaf_hash: bytes) -> tuple[Position, bytes]:
        """Where the leaf stands, and the `nodes` of its row. The caller inserts the row before it appends another."""
        before = self._frontier
        if before.size != (size := size_of(connection)):
            before = merkle.frontier_at(size, _nodes(connection))
        self._frontier, completed = before.append(leaf_hash)
        position = Position(
            index=before.size,
            root=self._frontier.root(),
            # The last leaf is joined with the right edge of the tree before it, from the smallest subtree to the largest.
            inclusion=before.hashes[::-1],
        )
        return position, b"".join(value for _, _, value in completed)


def size_of(connection: sqlite3.Connection) -> int:
    """Leaves in the log."""
    size: int = connection.execute("SELECT coalesce(max(position) + 1, 0) FROM leaf").fetchone()[0]
    return size


def frontier(connection: sqlite3.Connection) -> merkle.Frontier:
    """The right edge of the whole log."""
    return merkle.frontier_at(size_of(connection), _nodes(connection))


def inclusion(connection: sqlite3.Connection, index: int, size: int) -> tuple[bytes, ...]:
    """See `federation.ports.JournalStore`."""
    _check_reached(connection, size)
    return merkle.inclusion_proof(index, size, _nodes(connection))


def consistency(connection: sqlite3.Connection, old_size: int, new_size: int) -> tuple[bytes, ...]:
    """See `federation.ports.JournalStore`."""
    _check_reached(connection, new_size)
    return merkle.consistency_proof(old_size, new_size, _nodes(connection))


def _check_reached(connection: sqlite3.Connection, size: int) -> None:
    if size > size_of(connection):
        raise NotFound("the log is not that long", hint="it may have been put back from an old copy")


def _nodes(connection: sqlite3.Connection) -> merkle.ReadNode:
    def read(level: int, index: int) -> bytes:
        row = connection.execute(
            "SELECT substr(nodes, ?, ?) FROM leaf WHERE position = ?",
            (level * merkle.HASH_BYTES + 1, merkle.HASH_BYTES, ((index + 1) << level) - 1),
        ).fetchone()
        if row is None:
            raise StoreUnavailable("a row of a log is missing", hint="somebody changed the file: put back the newest copy of it")
        node: bytes = row[0]
        return node

    return read
