"""Officers of this Party in a SQLite file (`officers-v1.sql`). Persons' names are sealed. Which steps make sense is the use cases'."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from federation.errors import Conflict
from node.store import officer_rows as records
from node.store.database import Database
from node.store.schema import Schema
from node.store.vault import Vault
from node.use_cases.officers import Officer, OfficerChange, OfficerStore, Proposal, Use

SCHEMA: Final = Schema(name="officers", version=1)

_CERTIFICATES: Final = "SELECT der, not_after, withdrawn FROM certificate WHERE officer_id = ? ORDER BY place"
_HELD: Final = 'SELECT "right", authority_kind, authority_name, purposes FROM held WHERE officer_id = ? ORDER BY 1, 2, 3'


class SqliteOfficers(OfficerStore):
    """The port over one file."""

    def __init__(self, database: Database, vault: Vault) -> None:
        self._database = database
        self._vault = vault

    @classmethod
    @asynccontextmanager
    async def open(cls, path: Path, *, vault: Vault) -> AsyncIterator[SqliteOfficers]:
        """Open the file for the time of the block; see `Database.open`."""
        async with Database.open(path, schema=SCHEMA) as database:
            yield cls(database, vault)

    async def officer(self, officer_id: str) -> Officer | None:
        return await self._database.read(lambda reader: self._officer(reader, officer_id))

    async def by_token(self, token_hash: bytes) -> Officer | None:
        def find(reader: sqlite3.Connection) -> Officer | None:
            row = reader.execute("SELECT officer_id FROM officer WHERE token_hash = ?", (token_hash,)).fetchone()
            return self._officer(reader, row[0]) if row is not None else None

        return await self._database.read(find)

    async def officers(self) -> tuple[Officer, ...]:
        def find(reader: sqlite3.Connection) -> tuple[Officer, ...]:
            ids = reader.execute("SELECT officer_id FROM officer ORDER BY created, officer_id").fetchall()
            found = (self._officer(reader, officer_id) for (officer_id,) in ids)
            return tuple(one for one in found if one is not None)

        return await self._database.read(find)

    async def proposals(self) -> tuple[Proposal, ...]:
        statement = "SELECT * FROM proposal WHERE state = 'open' ORDER BY created, proposal_id"
        rows = await self._database.read(lambda reader: reader.execute(statement).fetchall())
        return tuple(records.proposal(row, self._vault) for row in rows)

    async def commit(self, change: OfficerChange) -> None:
        def put(writer: sqlite3.Connection) -> None:
            for old_officer, officer in change.officers:
                self._swap_officer(writer, old_officer, officer)
            for old_proposal, proposal in change.proposals:
                self._swap_proposal(writer, old_proposal, proposal)
            for use in change.uses:
                writer.execute("INSERT INTO used VALUES (NULL, ?, ?, ?, ?, ?, ?, ?)", records.use_row(use))

        await self._database.write(put)

    async def uses(self, *, before: int, rows: int, officer_id: str | None = None) -> tuple[Use, ...]:
        statement = (
            'SELECT at, officer_id, act, "right", message_id, subject, words FROM used '
            "WHERE at < ?2 AND (?1 IS NULL OR officer_id = ?1 OR subject = ?1) ORDER BY line DESC LIMIT ?3"
        )
        found = await self._database.read(lambda reader: reader.execute(statement, (officer_id, before, rows)).fetchall())
        return tuple(records.use(row) for row in found)

    def _officer(self, connection: sqlite3.Connection, officer_id: str) -> Officer | None:
        row = connection.execute("SELECT * FROM officer WHERE officer_id = ?", (officer_id,)).fetchone()
        if row is None:
            return None
        return records.officer(
            row,
            certificates=connection.execute(_CERTIFICATES, (officer_id,)).fetchall(),
            held=connection.execute(_HELD, (officer_id,)).fetchall(),
            vault=self._vault,
        )

    def _swap_officer(self, writer: sqlite3.Connection, old: Officer | None, new: Officer) -> None:
        if self._officer(writer, new.officer_id) not in {old, new}:
            raise Conflict("somebody else changed this officer meanwhile", hint="look at the officer, and try again")
        row = records.officer_row(new, self._vault)
        changed = ", ".join(f"{column} = excluded.{column}" for column in records.OFFICER_COLUMNS)
        writer.execute(
            f"INSERT INTO officer VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET {changed}",  # noqa: S608  # columns of ours
            row,
        )
        for table in ("certificate", "held"):
            writer.execute(f"DELETE FROM {table} WHERE officer_id = ?", (new.officer_id,))  # noqa: S608  # one of our tables
        writer.executemany("INSERT INTO certificate VALUES (?, ?, ?, ?, ?, ?)", records.certificate_rows(new))
        writer.executemany("INSERT INTO held VALUES (?, ?, ?, ?, ?)", records.held_rows(new))

    def _swap_proposal(self, writer: sqlite3.Connection, old: Proposal | None, new: Proposal) -> None:
        row = writer.execute("SELECT * FROM proposal WHERE proposal_id = ?", (new.proposal_id,)).fetchone()
        there = records.proposal(row, self._vault) if row is not None else None
        if there not in {old, new}:
            raise Conflict("somebody else decided this meanwhile", hint="`gsp officers pending` lists what waits")
        writer.execute("INSERT OR REPLACE INTO proposal VALUES (?, ?, ?, ?, ?, ?, ?)", records.proposal_row(new, self._vault))
