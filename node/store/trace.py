"""A Party's own traceability data in a SQLite file of its own (`trace-v1.sql`).

A look-up makes one trip to the reader's thread and sees one state of the file; a `put` is one change of the writer. What the
events mean, and the walk through containers, are in `node.trace`.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import AsyncIterator, Collection, Iterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import msgspec

from federation.errors import Conflict, StoreUnavailable
from node import limits
from node.store.database import Database
from node.store.schema import Schema
from node.trace.events import EVENT_KINDS, Event, Remark, Report, kind_of
from node.trace.gather import Gathered, gather
from node.trace.model import REFERENCE_KINDS, Coverage, Reference, ReferenceName, reference_name
from node.trace.ports import TraceStore, check_lookup, check_put

SCHEMA: Final = Schema(name="trace", version=1)

_EVENT_DECODERS: Final = {word: msgspec.json.Decoder(kind) for word, kind in EVENT_KINDS.items()}
_REFERENCE_DECODERS: Final = {word: msgspec.json.Decoder(kind) for word, kind in REFERENCE_KINDS.items()}
_COVERAGE_DECODER: Final = msgspec.json.Decoder(Coverage)


class SqliteTrace(TraceStore):
    """The port over one file."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @classmethod
    @asynccontextmanager
    async def open(cls, path: Path) -> AsyncIterator[SqliteTrace]:
        """Open the file for the time of the block; see `Database.open`."""
        async with Database.open(path, schema=SCHEMA) as database:
            yield cls(database)

    async def put(self, reports: Sequence[Report]) -> int:
        check_put(reports)
        return await self._database.write(lambda writer: _put(writer, reports))

    async def put_references(self, references: Sequence[Reference]) -> None:
        rows = [(_file_name(reference_name(reference)), _to_json(reference)) for reference in references]
        await self._database.write(lambda writer: writer.executemany("INSERT OR REPLACE INTO reference VALUES (?, ?)", rows))

    async def put_coverage(self, coverage: Coverage) -> None:
        await self._database.write(lambda writer: _declare(writer, coverage.completed(_coverage(writer).complete_as_of)))

    async def mark_complete(self, as_of: int) -> None:
        await self._database.write(lambda writer: _declare(writer, _coverage(writer).completed(as_of)))

    async def gather(self, keys: Sequence[str]) -> Gathered:
        check_lookup(keys)
        return await self._database.read(lambda reader: _gather(reader, keys))


def _put(writer: sqlite3.Connection, reports: Sequence[Report]) -> int:
    filed: list[tuple[str, int]] = []
    new = 0
    for report in reports:
        number = _put_event(writer, report)
        if number is not None:
            new += 1
            filed.extend((key, number) for key in report.keys)
    # In the order of the table: neighbouring rows land on the same page.
    writer.executemany("INSERT INTO filed VALUES (?, ?)", sorted(filed))
    return new


def _put_event(writer: sqlite3.Connection, report: Report) -> int | None:
    """File one event; None when it is there already."""
    event = report.event
    content = hashlib.blake2b(_to_json((kind_of(event), event, report.codes)).encode(), digest_size=16).digest()
    cursor = writer.execute(
        "INSERT INTO event (event_id, kind, content, body) VALUES (?, ?, ?, ?) ON CONFLICT (event_id) DO NOTHING",
        (event.event_id, kind_of(event), content, _to_json(report.filed)),
    )
    if cursor.rowcount == 0:
        (filed,) = writer.execute("SELECT content FROM event WHERE event_id = ?", (event.event_id,)).fetchone()
        if filed != content:
            raise Conflict(
                f"the event {event.event_id} is filed with another content",
                hint="correct a report with a recall and a new report; an event_id is used once",
            )
        return None
    if isinstance(event, Remark):
        writer.execute("INSERT INTO remark VALUES (?, ?)", (event.about, cursor.lastrowid))
    return cursor.lastrowid


def _declare(writer: sqlite3.Connection, coverage: Coverage) -> None:
    writer.execute("INSERT OR REPLACE INTO coverage VALUES (1, ?)", (_to_json(coverage),))


def _coverage(connection: sqlite3.Connection) -> Coverage:
    row = connection.execute("SELECT body FROM coverage").fetchone()
    return Coverage() if row is None else _COVERAGE_DECODER.decode(row[0])


def _gather(reader: sqlite3.Connection, keys: Sequence[str]) -> Gathered:
    reader.execute("BEGIN")
    try:
        return gather(_Shelf(reader), keys)
    except msgspec.MsgspecError as error:
        raise StoreUnavailable("the traceability data cannot be read", hint="put back the newest copy of the file") from error
    finally:
        if reader.in_transaction:  # an error of the disk has ended it already
            reader.execute("ROLLBACK")


class _Shelf:
    """`node.trace.gather.Shelf` on one connection; an event is read once, however many codes name it."""

    def __init__(self, reader: sqlite3.Connection) -> None:
        self._reader = reader
        self._known: dict[int, Event] = {}

    def events(self, keys: Collection[str]) -> dict[str, list[Event]]:
        rows = self._reader.execute(
            "SELECT key, event FROM filed WHERE key IN (SELECT value FROM json_each(?)) LIMIT ?",
            (json.dumps(list(keys)), limits.TRACE_EVENTS_PER_LOOKUP_MAX + 1),
        ).fetchall()
        self._load({number for _, number in rows} - self._known.keys())
        found: dict[str, list[Event]] = {}
        for key, number in rows:
            found.setdefault(key, []).append(self._known[number])
        return found

    def _load(self, numbers: Collection[int]) -> None:
        rows = self._reader.execute(
            "SELECT number, kind, body FROM event WHERE number IN (SELECT value FROM json_each(?))", (json.dumps(list(numbers)),)
        )
        for number, kind, body in rows:
            self._known[number] = _EVENT_DECODERS[kind].decode(body)

    def remarks(self, event_ids: Collection[str]) -> Iterator[Remark]:
        rows = self._reader.execute(
            "SELECT kind, body FROM remark JOIN event ON number = event WHERE about IN (SELECT value FROM json_each(?))",
            (json.dumps(list(event_ids)),),
        )
        for kind, body in rows:
            remark = _EVENT_DECODERS[kind].decode(body)
            assert isinstance(remark, Remark)
            yield remark

    def references(self, names: Collection[ReferenceName]) -> Iterator[Reference]:
        rows = self._reader.execute(
            "SELECT name, body FROM reference WHERE name IN (SELECT value FROM json_each(?))",
            (json.dumps([_file_name(name) for name in names]),),
        )
        for name, body in rows:
            yield _REFERENCE_DECODERS[name.split(" ", 1)[0]].decode(body)

    def coverage(self) -> Coverage:
        return _coverage(self._reader)


def _file_name(name: ReferenceName) -> str:
    return " ".join(name)


def _to_json(value: object) -> str:
    return msgspec.json.encode(value).decode()
