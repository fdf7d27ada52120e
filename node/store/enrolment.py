"""The Secretariat's invitations and admissions under way in a SQLite file (`enrolment-v1.sql`).

Nothing in it is secret: of an invitation's token only the hash is kept. Which step follows which is left to the use case; here
no step is lost when two people take one at the same time.
"""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

from federation.errors import Conflict, Misuse
from federation.identity import PartyId
from federation.ports import Enrolment, EnrolmentStore
from federation.trust.entries import Signature
from federation.trust.keys import PUBLIC_KEY_BYTES, SIGNATURE_BYTES
from node.store.database import Database, looking
from node.store.schema import Schema

SCHEMA: Final = Schema(name="enrolment", version=1)

_OF_PARTY: Final = "SELECT * FROM enrolment WHERE party = ?"
_PENDING: Final = "SELECT * FROM enrolment WHERE logged_index IS NULL ORDER BY created, party"
_SIGNED_BYTES: Final = PUBLIC_KEY_BYTES + SIGNATURE_BYTES


class SqliteEnrolments(EnrolmentStore):
    """The port over one file."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @classmethod
    @asynccontextmanager
    async def open(cls, path: Path) -> AsyncIterator[SqliteEnrolments]:
        """Open the file for the time of the block; see `Database.open`."""
        async with Database.open(path, schema=SCHEMA) as database:
            yield cls(database)

    async def enrolment(self, party: PartyId) -> Enrolment | None:
        return await self._database.read(lambda reader: _one(reader, _OF_PARTY, party))

    async def by_token(self, token_hash: bytes) -> Enrolment | None:
        return await self._database.read(lambda reader: _one(reader, "SELECT * FROM enrolment WHERE token_hash = ?", token_hash))

    async def pending(self) -> tuple[Enrolment, ...]:
        rows = await self._database.read(lambda reader: reader.execute(_PENDING).fetchall())
        return tuple(_value(row) for row in rows)

    async def swap(self, *, old: Enrolment | None, new: Enrolment) -> None:
        if old is not None and old.party != new.party:
            raise Misuse("an enrolment stays with its Party")

        def put(writer: sqlite3.Connection) -> None:
            there = _one(writer, _OF_PARTY, new.party)
            if there not in {old, new}:
                raise Conflict("somebody else took a step in this Party's enrolment meanwhile")
            writer.execute("DELETE FROM enrolment WHERE party = ?", (new.party,))
            writer.execute("INSERT INTO enrolment VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", _row(new))

        await self._database.write(put)


def read_pending(path: Path) -> tuple[Enrolment, ...]:
    """Parties on their way into the directory, also while the Secretariat's node runs.

    Raises:
        NotFound, InvalidConfiguration, StoreUnavailable: the file cannot be read.
    """
    with looking(path, schema=SCHEMA) as connection:
        return tuple(_value(row) for row in connection.execute(_PENDING))


def _one(connection: sqlite3.Connection, statement: str, key: str | bytes) -> Enrolment | None:
    row = connection.execute(statement, (key,)).fetchone()
    return _value(row) if row is not None else None


def _row(enrolment: Enrolment) -> tuple[Any, ...]:
    return (
        enrolment.party,
        enrolment.token_hash,
        enrolment.created,
        enrolment.expires,
        enrolment.csr_hash,
        enrolment.admit_body,
        _packed([enrolment.acceptance]) if enrolment.acceptance is not None else None,
        _packed(enrolment.founder_signatures),
        enrolment.logged_index,
    )


def _value(row: Sequence[Any]) -> Enrolment:
    party, token_hash, created, expires, csr_hash, admit_body, acceptance, founder_signatures, logged_index = row
    return Enrolment(
        party=PartyId(party),
        token_hash=token_hash,
        created=created,
        expires=expires,
        csr_hash=csr_hash,
        admit_body=admit_body,
        acceptance=_unpacked(acceptance)[0] if acceptance is not None else None,
        founder_signatures=_unpacked(founder_signatures),
        logged_index=logged_index,
    )


def _packed(signatures: Sequence[Signature]) -> bytes:
    return b"".join(signed.public_key + signed.signature for signed in signatures)


def _unpacked(packed: bytes) -> tuple[Signature, ...]:
    pieces = (packed[start : start + _SIGNED_BYTES] for start in range(0, len(packed), _SIGNED_BYTES))
    return tuple(Signature(public_key=piece[:PUBLIC_KEY_BYTES], signature=piece[PUBLIC_KEY_BYTES:]) for piece in pieces)
