"""Threads that own SQLite connections.

A lane is one thread with one connection, and `Lane.run` takes a function to it: however many statements the function makes, it
costs one hop between threads. (aiosqlite takes a hop for each statement, and a look-up makes a dozen.) Lanes exist only inside
`open_lane`, so that no thread outlives its block.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager
from typing import Final, TypeVar

from federation.errors import StoreUnavailable

Result = TypeVar("Result")

_OUR_DEFECTS: Final = (sqlite3.IntegrityError, sqlite3.ProgrammingError)
_HINTS: Final = {
    "SQLITE_BUSY": "another program holds the file: see whether a second node or a backup is running",
    "SQLITE_LOCKED": "another program holds the file: see whether a second node or a backup is running",
    "SQLITE_CORRUPT": "the file is damaged: stop the node and restore the file from a backup",
    "SQLITE_NOTADB": "this is no SQLite file, or it is damaged: see whether the path is right, or restore a backup",
    "SQLITE_CANTOPEN": "see whether the folder exists and the node may write there",
    "SQLITE_READONLY": "see whether the node may write to the file and its folder",
}


class Lane:
    """One thread that owns one connection; functions run in it one after the other."""

    def __init__(self, executor: ThreadPoolExecutor, connection: sqlite3.Connection) -> None:
        self._executor = executor
        self._connection = connection

    async def run(self, work: Callable[[sqlite3.Connection], Result]) -> Result:
        """Run a function in the lane. It runs to its end even when the caller is cancelled.

        Raises:
            StoreUnavailable: SQLite refused for a reason that lies in the disk or the file.
        """
        with named_errors():
            return await asyncio.get_running_loop().run_in_executor(self._executor, work, self._connection)


@asynccontextmanager
async def open_lane(connect: Callable[[], sqlite3.Connection], *, name: str) -> AsyncIterator[Lane]:
    """Start a thread, open a connection in it, and close both at the end.

    Args:
        connect: runs in the thread.
        name: of the thread, for people who look at a stuck process.

    Raises:
        StoreUnavailable: the connection cannot be opened.
    """
    # Leaving the executor waits for the thread, and so for the close, also when this task is cancelled meanwhile.
    with ThreadPoolExecutor(max_workers=1, thread_name_prefix=name) as executor:
        opening = executor.submit(connect)
        try:
            with named_errors():
                connection = await asyncio.wrap_future(opening)
            yield Lane(executor, connection)
        finally:
            await asyncio.get_running_loop().run_in_executor(executor, _close, opening)


def _close(opening: Future[sqlite3.Connection]) -> None:
    if not opening.cancelled() and opening.exception() is None:
        opening.result().close()


@contextmanager
def named_errors() -> Iterator[None]:
    """Turn what SQLite says of a disk or a file into our error; what it says of our own statements stays as it is."""
    try:
        yield
    except sqlite3.DatabaseError as error:
        if isinstance(error, _OUR_DEFECTS):
            raise
        # Extended names (SQLITE_IOERR_WRITE, SQLITE_BUSY_SNAPSHOT) begin with the plain one.
        reason = "_".join(str(getattr(error, "sqlite_errorname", "")).split("_")[:2])
        raise StoreUnavailable(f"the store failed: {error}", hint=_HINTS.get(reason)) from error


@contextmanager
def transaction(connection: sqlite3.Connection, mode: str = "immediate") -> Iterator[None]:
    """All or nothing, for a connection that was opened with `isolation_level=None`."""
    connection.execute(f"begin {mode}")
    try:
        yield
    except BaseException:
        # SQLite may have rolled back by itself, as it does when the disk is full.
        if connection.in_transaction:
            connection.execute("rollback")
        raise
    connection.execute("commit")
