"""A SQLite file with one writer and one reader: what a commit is, and what it means when the disk says no.

One connection writes and alone moves the write-ahead log into the file (SQLite before 3.51.3 can lose commits when two do);
another only reads. Changes that wait at the same moment are committed together; when something is wrong with one of them, all are
made again, each inside its own savepoint, so that it does not touch the others. Nobody hears of a change, nor of what it saw, before
COMMIT has returned, and COMMIT returns after fsync: a receipt is a promise.

Tables are in the commented scripts of `node.store.schema`, threads in `node.store.worker`.
"""

from __future__ import annotations

import fcntl
import sqlite3
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, closing, contextmanager
from pathlib import Path
from typing import Final, TypeVar

from federation.errors import Conflict, FederationError, InvalidConfiguration, Misuse, NotFound, StoreUnavailable
from node import limits
from node.store.schema import Schema, check, copy, prepare
from node.store.worker import Job, Worker, running

Result = TypeVar("Result")
Work = Callable[[sqlite3.Connection], Result]

_DAMAGED: Final = ("a file of this node is damaged", "stop the node and put back the newest copy of the file")
_OUT_OF_REACH: Final = ("a file of this node cannot be opened or written", "look at the path, its owner and its permissions")
_HELD: Final = ("another program holds a file of this node", "end the copy or the shell that has the file open")

_FAILURES: Final[dict[int, tuple[str, str]]] = {
    sqlite3.SQLITE_FULL: ("the disk of this node is full", "make room on it; the node goes on by itself"),
    sqlite3.SQLITE_IOERR: ("the disk of this node fails", "look at the system's log, make room, or replace the disk"),
    sqlite3.SQLITE_NOMEM: ("this node has no memory left", "give the node more memory"),
    sqlite3.SQLITE_BUSY: _HELD,
    sqlite3.SQLITE_LOCKED: _HELD,
    sqlite3.SQLITE_CORRUPT: _DAMAGED,
    sqlite3.SQLITE_NOTADB: _DAMAGED,
    sqlite3.SQLITE_CANTOPEN: _OUT_OF_REACH,
    sqlite3.SQLITE_READONLY: _OUT_OF_REACH,
    sqlite3.SQLITE_PERM: _OUT_OF_REACH,
}
"""What SQLite's primary result codes mean to the operator. Every other one is a defect of ours."""


class Database:
    """An open file. It exists only inside `async with Database.open(...)`."""

    def __init__(self, *, writer: Worker, reader: Worker) -> None:
        self._writer = writer
        self._reader = reader

    @classmethod
    @asynccontextmanager
    async def open(
        cls, path: Path, *, schema: Schema, quiet_s: float = limits.STORE_QUIET_S, age_s: float = limits.STORE_LOG_AGE_S
    ) -> AsyncIterator[Database]:
        """Open the file for the time of the block; it is made when it is not there. When a thread of it dies, the block ends.

        Args:
            path: of the file; others with longer names appear beside it.
            schema: the kind of file it has to be.
            quiet_s: pause after which the write-ahead log is emptied.
            age_s: time after which it is emptied without a pause, too.

        Raises:
            InvalidConfiguration: the file is of another kind or of an unknown version.
            Conflict: another node has opened it.
            StoreUnavailable: it cannot be read or written.
        """
        with _only_user(path):
            # Opening blocks the loop, even for the time of an upgrade: until its files are open, a node has nothing else to do.
            writing = _open_writer(path, schema)
            writer = Worker(
                writing,
                name=f"{path.name} writer",
                run=_commit_together,
                rest=_empty_log,
                hurry=_empty_log_at_once,
                quiet_s=quiet_s,
                age_s=age_s,
            )
            async with running(writer):
                reading = _open_reader(path)
                reader = Worker(
                    reading, name=f"{path.name} reader", run=_read_each, rest=_no_rest, hurry=_no_rest, quiet_s=quiet_s
                )
                async with running(reader):
                    yield cls(writer=writer, reader=reader)

    async def write(self, work: Work[Result]) -> Result:
        """Run the work inside a transaction; what it gives is given when that is durable. What it raises undoes it and is raised.

        The work runs in the writer's thread, touches nothing but its connection, and may run twice: the first time for nothing.

        Raises:
            StoreUnavailable: nothing was changed, or, when the disk failed in the middle of COMMIT, everything.
        """
        return await self._writer.call(work)

    async def read(self, work: Work[Result]) -> Result:
        """Run the work with a connection that only reads. It sees every write that returned before.

        Raises:
            StoreUnavailable: the file cannot be read.
        """
        return await self._reader.call(work)


def copy_store(path: Path, target: Path, schema: Schema) -> None:
    """A consistent copy of a file, also while a node writes to it: everything that was committed when the copying began. What the
    schema leaves out is empty in it. Blocks for as long as it takes.

    Raises:
        InvalidConfiguration: the file is of another kind or of an unknown version.
        StoreUnavailable: it cannot be read, or the copy cannot be written.
    """
    with looking_into(path, schema) as connection:
        copy(connection, target, schema)


@contextmanager
def looking_into(path: Path, schema: Schema) -> Iterator[sqlite3.Connection]:
    """Read a file beside the node that may be using it, for the time of the block, of whatever version it is.

    Raises:
        InvalidConfiguration, StoreUnavailable: as `copy_store`.
    """
    try:
        with closing(_connect(path, "ro")) as connection:  # a reader never moves the log: only the node's writer may
            check(connection, path, schema)
            yield connection
    except OSError as error:
        raise _out_of_reach() from error
    except sqlite3.Error as error:
        raise translated(error) from error


@contextmanager
def looking(path: Path, *, schema: Schema) -> Iterator[sqlite3.Connection]:
    """Look into a file as it stands at one moment, also while its node runs. Nothing is written or upgraded.

    Raises:
        NotFound: there is no such file.
        InvalidConfiguration: the file is of another kind or version.
        StoreUnavailable: it cannot be read.
    """
    if not path.exists():
        raise NotFound(f"there is no {path}", hint="name the folder of a node")
    try:
        with closing(_open_reader(path)) as connection:
            check(connection, path, schema, only_this_version=True)
            connection.execute("BEGIN")
            yield connection
    except sqlite3.Error as error:
        raise translated(error) from error


@contextmanager
def _only_user(path: Path) -> Iterator[None]:
    """Two writers on one file would both empty its log. The lock goes with the process, however that ends."""
    lock_path = path.with_name(f"{path.name}-lock")
    try:
        for own in (path, lock_path):
            own.touch(mode=0o600)  # SQLite gives the files beside the first one the same permissions
        lock = lock_path.open("ab")
    except OSError as error:
        raise _out_of_reach() from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise Conflict(f"{path.name} is in use", hint="this node is running already; stop it first") from None
        yield


def _open_writer(path: Path, schema: Schema) -> sqlite3.Connection:
    connection = _connect(path, "rw")
    try:
        check(connection, path, schema)
        _set_up_writer(connection)
        prepare(connection, path, schema)
    except BaseException as error:
        connection.close()
        if isinstance(error, OSError):
            raise _out_of_reach() from error
        if isinstance(error, sqlite3.Error):
            raise translated(error) from error
        raise
    return connection


def _out_of_reach() -> StoreUnavailable:
    message, hint = _OUT_OF_REACH
    return StoreUnavailable(message, hint=hint)


def _set_up_writer(connection: sqlite3.Connection) -> None:
    if connection.execute("PRAGMA journal_mode = WAL").fetchone()[0] != "wal":
        raise InvalidConfiguration("a store cannot keep a log here", hint="put the node's files on a local disk")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute(f"PRAGMA wal_autocheckpoint = {limits.STORE_WAL_PAGES}")
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("PRAGMA secure_delete = ON")


def _open_reader(path: Path) -> sqlite3.Connection:
    connection = _connect(path, "ro")
    connection.execute("PRAGMA wal_autocheckpoint = 0")
    connection.execute("PRAGMA query_only = ON")
    return connection


def _connect(path: Path, mode: str) -> sqlite3.Connection:
    """Made in one thread and used in another, but never in two at once."""
    try:
        connection = sqlite3.connect(
            f"{path.absolute().as_uri()}?mode={mode}",
            uri=True,
            timeout=limits.STORE_BUSY_S,
            isolation_level=None,
            check_same_thread=False,
            cached_statements=limits.STORE_STATEMENTS_MAX,
        )
    except sqlite3.Error as error:
        raise translated(error) from error
    connection.execute("PRAGMA trusted_schema = OFF")
    connection.execute("PRAGMA temp_store = MEMORY")  # nothing of ours in anybody's /tmp
    return connection


def _commit_together(connection: sqlite3.Connection, jobs: Sequence[Job]) -> None:
    """One transaction for all. When the disk is full, one for each: a small change may fit where a large one does not."""
    try:
        connection.execute("BEGIN IMMEDIATE")
        if not _run_all(connection, jobs):
            connection.execute("ROLLBACK")
            connection.execute("BEGIN IMMEDIATE")
            for job in jobs:
                _run_isolated(connection, job)
        connection.execute("COMMIT")
    except sqlite3.Error as error:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        if _code(error) == sqlite3.SQLITE_FULL and len(jobs) > 1:
            for job in jobs:
                _commit_together(connection, [job])
            return
        for job in jobs:
            job.error = translated(error)


def _run_all(connection: sqlite3.Connection, jobs: Sequence[Job]) -> bool:
    """Whether nothing is wrong with any of them. Savepoints cost a tenth of a commit, and are nearly always for nothing."""
    for job in jobs:
        job.result, job.error = None, None
        try:
            job.result = job.work(connection)
        except Exception as error:
            if _code(error) in _FAILURES:
                raise
            return False
    return True


def _run_isolated(connection: sqlite3.Connection, job: Job) -> None:
    job.result, job.error = None, None
    connection.execute("SAVEPOINT change")
    try:
        job.result = job.work(connection)
    except Exception as error:
        if _code(error) in _FAILURES:
            raise
        connection.execute("ROLLBACK TO change")
        job.error = translated(error)
    connection.execute("RELEASE change")


def _read_each(connection: sqlite3.Connection, jobs: Sequence[Job]) -> None:
    for job in jobs:
        try:
            job.result = job.work(connection)
        except Exception as error:  # noqa: BLE001  # told to whoever asked
            job.error = translated(error)


def _empty_log(connection: sqlite3.Connection) -> None:
    """What was deleted is overwritten in the file, and its old pages in the log are given back."""
    try:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    except sqlite3.Error:
        return  # the next commit says what is wrong with the disk, and to somebody who waits for it


def _empty_log_at_once(connection: sqlite3.Connection) -> None:
    """The same under load, unless somebody reads just now: no commit waits for a copy that takes minutes."""
    connection.execute("PRAGMA busy_timeout = 0")
    _empty_log(connection)
    connection.execute(f"PRAGMA busy_timeout = {int(limits.STORE_BUSY_S * 1_000)}")


def _no_rest(connection: sqlite3.Connection) -> None:
    del connection


def _code(error: BaseException) -> int | None:
    """SQLite's primary result code."""
    code = getattr(error, "sqlite_errorcode", None)
    return None if code is None else code & 0xFF


def translated(error: Exception) -> Exception:
    """An error of SQLite as one of ours, a new one each time; every other one as it is."""
    if not isinstance(error, sqlite3.Error):
        return error
    code = _code(error)
    translation: FederationError
    if code in _FAILURES:
        message, hint = _FAILURES[code]
        translation = StoreUnavailable(message, hint=hint)
    else:
        translation = Misuse(f"a statement to the store was refused ({getattr(error, 'sqlite_errorname', type(error).__name__)})")
    translation.__cause__ = error
    return translation
