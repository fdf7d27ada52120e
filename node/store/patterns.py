"""Pattern sets of all Parties in a SQLite file of their own (`patterns-v1.sql`). It may be thrown away: all is fetched again."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from hashlib import sha256
from pathlib import Path
from typing import Final

from federation.errors import Misuse
from federation.ports import PatternStore
from node.store.database import Database
from node.store.schema import Schema

SCHEMA: Final = Schema(name="patterns", version=1)


class SqlitePatterns(PatternStore):
    """The port over one file."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @classmethod
    @asynccontextmanager
    async def open(cls, path: Path) -> AsyncIterator[SqlitePatterns]:
        """Open the file for the time of the block; see `Database.open`."""
        async with Database.open(path, schema=SCHEMA) as database:
            yield cls(database)

    async def put(self, digest: bytes, encoded: bytes) -> None:
        if sha256(encoded).digest() != digest:
            raise Misuse("a pattern set is kept under its own digest only")
        await self._database.write(
            lambda writer: writer.execute("INSERT OR REPLACE INTO pattern_set VALUES (?, ?)", (digest, encoded))
        )

    async def get(self, digest: bytes) -> bytes | None:
        row = await self._database.read(
            lambda reader: reader.execute("SELECT encoded FROM pattern_set WHERE digest = ?", (digest,)).fetchone()
        )
        return row[0] if row is not None and sha256(row[0]).digest() == digest else None
