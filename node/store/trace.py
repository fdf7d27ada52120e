"""The trace store on SQLite: one file in WAL mode, one writer, readers apart.

A look-up runs as a whole in one reader's thread and transaction, a `put` as one transaction of the writer. Only the writer
checkpoints, and it is the last to close. What the events mean, and the walk through containers, are in `node.trace`.
"""

from __future__ import annotations

import asyncio
import hashlib
import importlib.resources
import json
import sqlite3
from collections.abc import AsyncIterator, Callable, Collection, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Final, TypeVar

import msgspec

from federation import limits
from federation.errors import Conflict, InvalidConfiguration, StoreUnavailable
from node.store.lanes import Lane, open_lane, transaction
from node.trace.events import EVENT_KINDS, Event, Remark, Report, kind_of
from node.trace.gather import Gathered, gather
from node.trace.model import REFERENCE_KINDS, Coverage, Reference, ReferenceName, reference_name
from node.trace.ports import check_lookup, check_put

VERSION: Final = 1
APPLICATION_ID: Final = 0x47535054
"""`GSPT` in the header of the file: another program's database is refused, not altered."""

_READERS: Final = 2
"""Look-ups at one time: as many as the smallest server has processors."""
_BUSY_MS: Final = 5_000
"""How long a statement waits for a lock: a backup may hold it for a moment."""

Result = TypeVar("Result")

_EVENT_DECODERS: Final = {word: msgspec.json.Decoder(kind) for word, kind in EVENT_KINDS.items()}
_REFERENCE_DECODERS: Final = {word: msgspec.json.Decoder(kind) for word, kind in REFERENCE_KINDS.items()}
_COVERAGE_DECODER: Final = msgspec.json.Decoder(Coverage)


class TraceDatabase:
    """`node.trace.ports.TraceStore` on one SQLite file."""

    def __init__(self, writer: Lane, readers: Sequence[Lane]) -> None:
        self._writer = writer
        self._free: asyncio.LifoQueue[Lane] = asyncio.LifoQueue()
        for reader in readers:
            self._free.put_nowait(reader)

    @classmethod
    @asynccontextmanager
    async def open(cls, path: Path) -> AsyncIterator[TraceDatabase]:
        """Open the file, or create it; close every thread and connection at the end.

        Raises:
            InvalidConfiguration: the file belongs to another program, or to a newer version of this one.
            StoreUnavailable: it cannot be opened.
        """
        async with AsyncExitStack() as stack:
            writer = await stack.enter_async_context(open_lane(partial(_connect_writer, path), name="trace-writer"))
            lanes = [open_lane(partial(_connect_reader, path), name=f"trace-reader-{index}") for index in range(_READERS)]
            readers = [await stack.enter_async_context(lane) for lane in lanes]
            yield cls(writer, readers)

    async def put(self, reports: Sequence[Report]) -> int:
        """File reports (`TraceStore.put`)."""
        check_put(reports)
        return await self._write(lambda connection: _put(connection, reports))

    async def put_references(self, references: Sequence[Reference]) -> None:
        """File master data (`TraceStore.put_references`)."""
        rows = [(_file_name(reference_name(reference)), _to_json(reference)) for reference in references]
        await self._write(lambda connection: connection.executemany("insert or replace into reference values (?, ?)", rows))

    async def put_coverage(self, coverage: Coverage) -> None:
        """Declare the coverage (`TraceStore.put_coverage`)."""
        await self._write(lambda connection: _put_coverage(connection, coverage.completed(_coverage(connection).complete_as_of)))

    async def mark_complete(self, as_of: int) -> None:
        """Move the time of completeness forward (`TraceStore.mark_complete`)."""
        await self._write(lambda connection: _put_coverage(connection, _coverage(connection).completed(as_of)))

    async def gather(self, keys: Sequence[str]) -> Gathered:
        """Read everything that bears on some codes (`TraceStore.gather`)."""
        check_lookup(keys)
        reader = await self._free.get()
        try:
            return await reader.run(lambda connection: _gather(connection, keys))
        finally:
            self._free.put_nowait(reader)

    async def _write(self, work: Callable[[sqlite3.Connection], Result]) -> Result:
        def whole(connection: sqlite3.Connection) -> Result:
            with transaction(connection):
                return work(connection)

        return await self._writer.run(whole)


def _connect_writer(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    try:
        connection.execute(f"pragma busy_timeout = {_BUSY_MS}")
        _prepare(connection)
        # A report that was accepted is a promise: it is on the disk before `put` returns.
        connection.execute("pragma journal_mode = wal")
        connection.execute("pragma synchronous = full")
    except BaseException:
        connection.close()
        raise
    return connection


def _connect_reader(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, isolation_level=None, check_same_thread=False)
    connection.execute(f"pragma busy_timeout = {_BUSY_MS}")
    # Only the writer checkpoints: SQLite before 3.51.3 can lose a reset of the WAL when two connections do.
    connection.execute("pragma wal_autocheckpoint = 0")
    return connection


def _prepare(connection: sqlite3.Connection) -> None:
    """Create the tables in a new file; refuse a file that is not ours or that a newer program wrote."""
    (application_id,) = connection.execute("pragma application_id").fetchone()
    (version,) = connection.execute("pragma user_version").fetchone()
    (tables,) = connection.execute("select count(*) from sqlite_schema").fetchone()
    if tables == 0 and application_id == 0:
        schema = importlib.resources.files("node.store").joinpath("trace-v1.sql").read_text(encoding="utf-8")
        connection.executescript(schema)
    elif application_id != APPLICATION_ID:
        raise InvalidConfiguration("the file is no traceability store", hint="give the path of the right file, or of a new one")
    elif version != VERSION:
        raise InvalidConfiguration(
            f"the traceability store has version {version}, and this program knows version {VERSION}",
            hint="install the program that wrote it, or a newer one",
        )


def _put(connection: sqlite3.Connection, reports: Sequence[Report]) -> int:
    filed: list[tuple[str, int]] = []
    new = 0
    for report in reports:
        number = _put_event(connection, report)
        if number is not None:
            new += 1
            filed.extend((key, number) for key in report.keys)
    # In the order of the table: neighbouring rows land on the same page.
    connection.executemany("insert into filed values (?, ?)", sorted(filed))
    return new


def _put_event(connection: sqlite3.Connection, report: Report) -> int | None:
    """File one event; None when it is there already."""
    event = report.event
    content = hashlib.blake2b(_to_json((kind_of(event), event, report.codes)).encode(), digest_size=16).digest()
    cursor = connection.execute(
        "insert into event (event_id, kind, content, body) values (?, ?, ?, ?) on conflict (event_id) do nothing",
        (event.event_id, kind_of(event), content, _to_json(report.filed)),
    )
    if cursor.rowcount == 0:
        (filed,) = connection.execute("select content from event where event_id = ?", (event.event_id,)).fetchone()
        if filed != content:
            raise Conflict(
                f"the event {event.event_id} is filed with another content",
                hint="correct a report with a recall and a new report; an event_id is used once",
            )
        return None
    if isinstance(event, Remark):
        connection.execute("insert into remark values (?, ?)", (event.about, cursor.lastrowid))
    return cursor.lastrowid


def _put_coverage(connection: sqlite3.Connection, coverage: Coverage) -> None:
    connection.execute("insert or replace into coverage values (1, ?)", (_to_json(coverage),))


def _coverage(connection: sqlite3.Connection) -> Coverage:
    row = connection.execute("select body from coverage").fetchone()
    return Coverage() if row is None else _COVERAGE_DECODER.decode(row[0])


def _gather(connection: sqlite3.Connection, keys: Sequence[str]) -> Gathered:
    try:
        with transaction(connection, "deferred"):
            return gather(_Shelf(connection), keys)
    except msgspec.MsgspecError as error:
        raise StoreUnavailable(f"the traceability store holds something unreadable: {error}", hint="restore a backup") from error


class _Shelf:
    """`node.trace.gather.Shelf` on one connection; an event is read once, however many codes name it."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._known: dict[int, Event] = {}

    def events(self, keys: Collection[str]) -> dict[str, list[Event]]:
        rows = self._connection.execute(
            "select key, event from filed where key in (select value from json_each(?)) limit ?",
            (json.dumps(list(keys)), limits.TRACE_EVENTS_PER_LOOKUP_MAX + 1),
        ).fetchall()
        self._load({number for _, number in rows} - self._known.keys())
        found: dict[str, list[Event]] = {}
        for key, number in rows:
            found.setdefault(key, []).append(self._known[number])
        return found

    def _load(self, numbers: Collection[int]) -> None:
        rows = self._connection.execute(
            "select number, kind, body from event where number in (select value from json_each(?))", (json.dumps(list(numbers)),)
        )
        for number, kind, body in rows:
            self._known[number] = _EVENT_DECODERS[kind].decode(body)

    def remarks(self, event_ids: Collection[str]) -> Iterator[Remark]:
        rows = self._connection.execute(
            "select kind, body from remark join event on number = event where about in (select value from json_each(?))",
            (json.dumps(list(event_ids)),),
        )
        for kind, body in rows:
            remark = _EVENT_DECODERS[kind].decode(body)
            assert isinstance(remark, Remark)
            yield remark

    def references(self, names: Collection[ReferenceName]) -> Iterator[Reference]:
        rows = self._connection.execute(
            "select name, body from reference where name in (select value from json_each(?))",
            (json.dumps([_file_name(name) for name in names]),),
        )
        for name, body in rows:
            yield _REFERENCE_DECODERS[name.split(" ", 1)[0]].decode(body)

    def coverage(self) -> Coverage:
        return _coverage(self._connection)


def _file_name(name: ReferenceName) -> str:
    return " ".join(name)


def _to_json(value: object) -> str:
    return msgspec.json.encode(value).decode()
