"""Officers of this Party in a SQLite file (`officers-v1.sql`). Which steps make sense is left to the use cases.

An officer and a proposal are sealed whole under the storage key, bound to their ids: so nobody reads a person's name on the disk, and
nobody who writes to the disk makes an officer or grants a right. The columns beside serve to find rows; what counts is what was sealed.
"""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final, TypeVar

import msgspec

from federation.errors import Conflict, StoreUnavailable
from node import limits
from node.store.database import Database
from node.store.schema import Schema
from node.store.vault import Vault
from node.use_cases.officers import Officer, OfficerChange, OfficerStore, Proposal, Use

SCHEMA: Final = Schema(name="officers", version=1)

_PUT_OFFICER: Final = (
    "INSERT INTO officer VALUES (?, ?, ?, ?) ON CONFLICT (officer_id) DO UPDATE SET "
    "created = excluded.created, token_hash = excluded.token_hash, sealed = excluded.sealed"
)
"""A token that is another officer's already is an error, and never that officer's end."""

Sealed = TypeVar("Sealed", Officer, Proposal)


class SqliteOfficers(OfficerStore):
    """The port over one file."""

    def __init__(self, database: Database, vault: Vault) -> None:
        self._database = database
        self._vault = vault
        self._known: dict[str, Officer] = {}
        self._changes = 0

    @classmethod
    @asynccontextmanager
    async def open(cls, path: Path, *, vault: Vault) -> AsyncIterator[SqliteOfficers]:
        """Open the file for the time of the block; see `Database.open`."""
        async with Database.open(path, schema=SCHEMA) as database:
            yield cls(database, vault)

    async def officer(self, officer_id: str) -> Officer | None:
        """Asked at every call of the desk, so it is remembered until anything about officers is written."""
        known = self._known.get(officer_id)
        if known is None:
            changes = self._changes
            known = await self._database.read(lambda reader: self._officer(reader, officer_id))
            if known is not None and changes == self._changes:
                if len(self._known) >= limits.OFFICERS_AT_HAND_MAX:
                    self._known.clear()
                self._known[officer_id] = known
        return known

    def _forget(self) -> None:
        self._known.clear()
        self._changes += 1  # what was read before this is not remembered after it

    async def by_token(self, token_hash: bytes) -> Officer | None:
        statement = "SELECT officer_id, sealed FROM officer WHERE token_hash = ?"
        row = await self._database.read(lambda reader: reader.execute(statement, (token_hash,)).fetchone())
        return self._open("officer.sealed", row[0], row[1], Officer) if row is not None else None

    async def officers(self) -> tuple[Officer, ...]:
        statement = "SELECT officer_id, sealed FROM officer ORDER BY created, officer_id"
        rows = await self._database.read(lambda reader: reader.execute(statement).fetchall())
        return tuple(self._open("officer.sealed", row[0], row[1], Officer) for row in rows)

    async def proposals(self) -> tuple[Proposal, ...]:
        statement = "SELECT proposal_id, sealed FROM proposal WHERE state = 'open' ORDER BY created, proposal_id"
        rows = await self._database.read(lambda reader: reader.execute(statement).fetchall())
        return tuple(self._open("proposal.sealed", row[0], row[1], Proposal) for row in rows)

    async def commit(self, change: OfficerChange) -> None:
        def put(writer: sqlite3.Connection) -> None:
            for old_officer, officer in change.officers:
                self._swap_officer(writer, old_officer, officer)
            for old_proposal, proposal in change.proposals:
                self._swap_proposal(writer, old_proposal, proposal)
            writer.executemany("INSERT INTO used VALUES (NULL, ?, ?, ?, ?, ?, ?, ?)", map(_use_row, change.uses))

        if not change.officers:
            await self._database.write(put)
            return
        self._forget()
        try:
            await self._database.write(put)
        finally:
            self._forget()

    async def uses(self, *, before: int, rows: int, officer_id: str | None = None) -> tuple[Use, ...]:
        statement = (
            'SELECT at, officer_id, act, "right", message_id, subject, words FROM used '
            "WHERE at < ?2 AND (?1 IS NULL OR officer_id = ?1 OR subject = ?1) ORDER BY line DESC LIMIT ?3"
        )
        found = await self._database.read(lambda reader: reader.execute(statement, (officer_id, before, rows)).fetchall())
        return tuple(_use(row) for row in found)

    def _officer(self, connection: sqlite3.Connection, officer_id: str) -> Officer | None:
        row = connection.execute("SELECT sealed FROM officer WHERE officer_id = ?", (officer_id,)).fetchone()
        return self._open("officer.sealed", officer_id, row[0], Officer) if row is not None else None

    def _swap_officer(self, writer: sqlite3.Connection, old: Officer | None, new: Officer) -> None:
        if self._officer(writer, new.officer_id) not in {old, new}:
            raise Conflict("somebody else changed this officer meanwhile", hint="look at the officer, and try again")
        token_hash = new.invitation.token_hash if new.invitation is not None else None
        row = (new.officer_id, new.created, token_hash, self._seal("officer.sealed", new.officer_id, new))
        writer.execute(_PUT_OFFICER, row)

    def _swap_proposal(self, writer: sqlite3.Connection, old: Proposal | None, new: Proposal) -> None:
        found = writer.execute("SELECT sealed FROM proposal WHERE proposal_id = ?", (new.proposal_id,)).fetchone()
        there = self._open("proposal.sealed", new.proposal_id, found[0], Proposal) if found is not None else None
        if there not in {old, new}:
            raise Conflict("somebody else decided this meanwhile", hint="`gsp officers pending` lists what waits")
        row = (new.proposal_id, new.state, new.created, self._seal("proposal.sealed", new.proposal_id, new))
        writer.execute("INSERT OR REPLACE INTO proposal VALUES (?, ?, ?, ?)", row)

    def _seal(self, column: str, row: str, value: Officer | Proposal) -> bytes:
        return self._vault.seal(msgspec.json.encode(value), column=column, row=row.encode())

    def _open(self, column: str, row: str, sealed: bytes, kind: type[Sealed]) -> Sealed:
        content = self._vault.open(sealed, column=column, row=row.encode())
        try:
            return msgspec.json.decode(content, type=kind)
        except msgspec.MsgspecError as error:  # only who has the storage key can have sealed it
            raise StoreUnavailable(
                "a record of an officer cannot be read", hint="a newer gsp-node wrote it; run that one"
            ) from error


def _use_row(use: Use) -> tuple[Any, ...]:
    return (use.at, use.officer_id, use.act, use.right, use.message_id, use.subject, use.words)


def _use(row: Sequence[Any]) -> Use:
    at, officer_id, act, right, message_id, subject, words = row
    return Use(at=at, officer_id=officer_id, act=act, right=right, message_id=message_id, subject=subject, words=words)
