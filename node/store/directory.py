"""The directory log in a SQLite file of its own (`directory-v2.sql`): a node's replica, or the Secretariat's original, and what the
node itself has said and heard about it: cosigned, published, noticed.

Kept apart from the exchange, because neither ever has to change together with the other. Nothing is verified here: who reads it
folds it again.
"""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from federation import limits
from federation.errors import Conflict, NotFound
from federation.ports import (
    Cosigned,
    DirectoryStore,
    Notice,
    NoticeKind,
    NoticeStore,
    PublicationStore,
    WitnessStore,
)
from federation.trust.log_copy import LogCopy
from federation.trust.merkle import leaf_hash
from node.store import tree
from node.store.database import Database, looking
from node.store.schema import Schema

SCHEMA: Final = Schema(name="directory", version=2)

_LEAVES: Final = "SELECT entry FROM leaf WHERE position >= ? AND position < ? ORDER BY position"


class SqliteDirectory(DirectoryStore, WitnessStore, NoticeStore, PublicationStore):
    """The ports over one file."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._log = tree.GrowingTree()

    @classmethod
    @asynccontextmanager
    async def open(cls, path: Path) -> AsyncIterator[SqliteDirectory]:
        """Open the file for the time of the block; see `Database.open`."""
        async with Database.open(path, schema=SCHEMA) as database:
            yield cls(database)

    @classmethod
    @asynccontextmanager
    async def beside(cls, path: Path) -> AsyncIterator[SqliteDirectory]:
        """The file itself, or a copy of it for the time of the block while the node runs that has it open.

        Raises:
            StoreUnavailable: there is no such file, or it cannot be read.
        """
        async with AsyncExitStack() as stack:
            try:
                store = await stack.enter_async_context(cls.open(path))
            except Conflict:
                folder = stack.enter_context(TemporaryDirectory(prefix="gsp-"))
                store = await stack.enter_async_context(cls.open(Path(folder) / path.name))
                await store.append(first=0, **_read_all(path))
            yield store

    async def append(self, *, first: int, leaves: Sequence[bytes], checkpoint: bytes) -> None:
        await self._database.write(partial(self._append, first, tuple(leaves), checkpoint))

    async def put_checkpoint(self, checkpoint: bytes, *, size: int) -> None:
        def put(writer: sqlite3.Connection) -> None:
            if tree.size_of(writer) != size:
                raise Conflict("the directory has grown since this checkpoint")
            writer.execute(_PUT_CHECKPOINT, (checkpoint,))

        await self._database.write(put)

    async def checkpoint(self) -> bytes | None:
        row = await self._database.read(lambda reader: reader.execute("SELECT note FROM checkpoint").fetchone())
        return row[0] if row is not None else None

    async def leaves(self, start: int, end: int) -> tuple[bytes, ...]:
        section = (min(start, limits.TREE_SIZE_MAX), min(end, limits.TREE_SIZE_MAX))
        rows = await self._database.read(lambda reader: reader.execute(_LEAVES, section).fetchall())
        return tuple(entry for (entry,) in rows)

    async def size(self) -> int:
        return await self._database.read(tree.size_of)

    async def inclusion(self, index: int, size: int) -> tuple[bytes, ...]:
        return await self._database.read(partial(tree.inclusion, index=index, size=size))

    async def consistency(self, old_size: int, new_size: int) -> tuple[bytes, ...]:
        return await self._database.read(partial(tree.consistency, old_size=old_size, new_size=new_size))

    async def cosigned(self) -> Cosigned | None:
        return await self._database.read(_cosigned)

    async def put_cosigned(self, cosigned: Cosigned) -> None:
        def put(writer: sqlite3.Connection) -> None:
            before = _cosigned(writer)
            if before is not None and (before.size > cosigned.size or _contradicts(before, cosigned)):
                raise Conflict("this node has cosigned another history of the directory")
            writer.execute(_PUT_COSIGNED, (cosigned.size, cosigned.root, cosigned.checkpoint))

        await self._database.write(put)

    async def restored(self) -> bool:
        return await self._database.read(lambda reader: reader.execute("SELECT id FROM restored").fetchone() is not None)

    async def mark_restored(self, *, restored: bool) -> None:
        statement = "INSERT OR IGNORE INTO restored VALUES (1)" if restored else "DELETE FROM restored"
        await self._database.write(lambda writer: writer.execute(statement))

    async def notices(self) -> tuple[Notice, ...]:
        rows = await self._database.read(lambda reader: reader.execute("SELECT kind, raw FROM notice ORDER BY digest").fetchall())
        return tuple(Notice(kind=NoticeKind(kind), raw=raw) for kind, raw in rows)

    async def put_notice(self, notice: Notice) -> None:
        row = (notice.digest, notice.kind.value, notice.raw)
        await self._database.write(lambda writer: writer.execute("INSERT OR IGNORE INTO notice VALUES (?, ?, ?)", row))

    async def drop_notice(self, notice: Notice) -> None:
        key = (notice.digest,)
        await self._database.write(lambda writer: writer.execute("DELETE FROM notice WHERE digest = ?", key))

    async def published(self) -> bytes | None:
        row = await self._database.read(lambda reader: reader.execute("SELECT note FROM published").fetchone())
        return row[0] if row is not None else None

    async def publish(self, checkpoint: bytes, *, size: int) -> None:
        def put(writer: sqlite3.Connection) -> None:
            before = writer.execute("SELECT size FROM published").fetchone()
            if before is not None and before[0] > size:
                raise Conflict("a larger checkpoint of the directory is published")
            writer.execute(_PUT_PUBLISHED, (size, checkpoint))

        await self._database.write(put)

    def _append(self, first: int, leaves: tuple[bytes, ...], checkpoint: bytes, writer: sqlite3.Connection) -> None:
        """In the writer's thread."""
        if first != tree.size_of(writer):
            there = tuple(entry for (entry,) in writer.execute(_LEAVES, (first, first + len(leaves))))
            if not leaves or there != leaves:
                raise Conflict("other entries stand at this place of the directory")
            return
        for leaf in leaves:
            position, nodes = self._log.append(writer, leaf_hash(leaf))
            writer.execute("INSERT INTO leaf VALUES (?, ?, ?)", (position.index, leaf, nodes))
        writer.execute(_PUT_CHECKPOINT, (checkpoint,))


def _read_all(path: Path) -> dict[str, Any]:
    """Everything that the file holds, as `append` takes it."""
    with looking(path, schema=SCHEMA) as reader:
        row = reader.execute("SELECT note FROM checkpoint").fetchone()
        leaves = [entry for (entry,) in reader.execute(_LEAVES, (0, limits.TREE_SIZE_MAX))]
    return {"leaves": leaves, "checkpoint": row[0] if row is not None else b""}


_PUT_CHECKPOINT: Final = "INSERT OR REPLACE INTO checkpoint VALUES (1, ?)"
_PUT_COSIGNED: Final = (
    "INSERT INTO cosigned VALUES (1, ?, ?, ?)"
    " ON CONFLICT (id) DO UPDATE SET size = excluded.size, root = excluded.root, note = excluded.note"
)
_PUT_PUBLISHED: Final = (
    "INSERT INTO published VALUES (1, ?, ?) ON CONFLICT (id) DO UPDATE SET size = excluded.size, note = excluded.note"
)


def _cosigned(connection: sqlite3.Connection) -> Cosigned | None:
    row = connection.execute("SELECT size, root, note FROM cosigned").fetchone()
    return Cosigned(size=row[0], root=row[1], checkpoint=row[2]) if row is not None else None


def _contradicts(before: Cosigned, after: Cosigned) -> bool:
    return before.size == after.size and before.root != after.root


def read_copy(path: Path) -> LogCopy:
    """The whole log in a file, also while its node runs. Nothing of it is verified.

    Raises:
        NotFound: there is no file, or no log in it.
        InvalidConfiguration, StoreUnavailable: it cannot be read.
    """
    with looking(path, schema=SCHEMA) as connection:
        row = connection.execute("SELECT note FROM checkpoint").fetchone()
        leaves = tuple(entry for (entry,) in connection.execute("SELECT entry FROM leaf ORDER BY position"))
    if row is None or not leaves:
        raise NotFound(f"{path} holds no directory yet", hint="finish joining: `gsp party join`")
    return LogCopy(checkpoint=row[0], leaves=leaves)
