"""One thread that owns one SQLite connection, and the way into it from the event loop.

A call is one trip: work goes into the thread, runs there with the connection, and its result comes back. All work that waits at
that moment makes the trip together, so a group commit costs two thread switches and not two for every statement. That is why
these are `sqlite3` and a thread of our own: aiosqlite makes a trip for each statement, and has no public way to make one for many
(measured for an empty trip: 30 us here, 50 us through an executor; a commit that changes seven tables would make nine).

What the work does, and what it means when it fails, is left to `node.store.database`.
"""

from __future__ import annotations

import asyncio
import queue
import sqlite3
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from threading import Thread
from typing import Any, TypeVar

from federation import limits
from federation.errors import StoreUnavailable
from node import limits as node_limits

Result = TypeVar("Result")


@dataclass(slots=True)
class Job:
    """One piece of work, who waits for it, and how it ended: with `result`, or with `error`.

    Attributes:
        over: set when it has ended, for a caller that was cancelled; nobody else has one.
    """

    work: Callable[[sqlite3.Connection], Any]
    future: asyncio.Future[Any]
    result: Any = None
    error: Exception | None = None
    settled: bool = False
    over: asyncio.Event | None = None

    def settle(self) -> None:
        """Tell the caller. Runs in the event loop."""
        self.settled = True
        if self.over is not None:
            self.over.set()
        if self.future.done():  # cancelled
            return
        if self.error is not None:
            self.future.set_exception(self.error)
        else:
            self.future.set_result(self.result)


class Worker:
    """A thread that runs jobs with its connection, up to GROUP_COMMIT_MAX at once, in the order in which they came.

    Args:
        connection: belongs to the thread from now on, which closes it in the end.
        run: fills in the result or the error of every job that it is given, and raises nothing.
        rest: called once when no work has come for `quiet_s` seconds.
        hurry: called between two pieces of work when there was no rest for STORE_LOG_AGE_S.
    """

    def __init__(
        self,
        connection: sqlite3.Connection,
        *,
        name: str,
        run: Callable[[sqlite3.Connection, Sequence[Job]], None],
        rest: Callable[[sqlite3.Connection], None],
        hurry: Callable[[sqlite3.Connection], None],
        quiet_s: float,
        age_s: float = node_limits.STORE_LOG_AGE_S,
    ) -> None:
        self._connection = connection
        self._run = run
        self._rest = rest
        self._hurry = hurry
        self._quiet_s = quiet_s
        self._age_s = age_s
        self._rested = time.monotonic()
        self._loop = asyncio.get_running_loop()
        self._room = asyncio.Semaphore(node_limits.STORE_WAITING_MAX)
        self._jobs: queue.SimpleQueue[Job | None] = queue.SimpleQueue()
        self._open = True
        self._ended: asyncio.Future[None] = self._loop.create_future()
        # A daemon, so that no connection that somebody forgot keeps a dying program alive (docs/threat-model.md, pitfall 15).
        self._thread = Thread(target=self._serve, name=name, daemon=True)

    async def call(self, work: Callable[[sqlite3.Connection], Result]) -> Result:
        """Run the work in the thread; gives or raises what `run` made of it.

        Raises:
            StoreUnavailable: the worker has ended.
            CancelledError: the caller was cancelled; the work is over all the same.
        """
        async with self._room:
            if not self._open:
                raise _closed()
            job = Job(work, self._loop.create_future())
            self._jobs.put(job)
            try:
                result: Result = await job.future
            except asyncio.CancelledError:
                await _settled(job)
                raise
            return result

    async def life(self) -> None:
        """Return when the thread has ended; raises what killed it, if anything did."""
        await self._ended

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def stop(self) -> None:
        """End the thread and close the connection, after the jobs that wait. Blocks for as long as they take."""
        self._open = False
        self._jobs.put(None)
        self._thread.join()

    def _serve(self) -> None:
        failure: BaseException | None = None
        jobs: list[Job] = []
        try:
            while jobs := self._next():
                self._run(self._connection, jobs)
                self._loop.call_soon_threadsafe(_settle, jobs)
        except BaseException as error:  # noqa: BLE001  # it is raised again by `life`, in the node's own task
            failure = error
        finally:
            self._connection.close()
            with suppress(RuntimeError):  # the loop is gone, and everybody who waited with it
                self._loop.call_soon_threadsafe(self._end, jobs, failure)

    def _next(self) -> list[Job]:
        """All jobs that wait; waits for the first. Empty when it is time to stop."""
        if time.monotonic() - self._rested > self._age_s:
            self._hurry(self._connection)
            self._rested = time.monotonic()
        try:
            job = self._jobs.get(timeout=self._quiet_s)
        except queue.Empty:
            self._rest(self._connection)
            job = self._jobs.get()
            self._rested = time.monotonic()
        jobs: list[Job] = []
        while job is not None:
            jobs.append(job)
            if len(jobs) == limits.GROUP_COMMIT_MAX or self._jobs.empty():
                return jobs
            job = self._jobs.get()
        if jobs:
            self._jobs.put(None)  # these first, then stop
        return jobs

    def _end(self, jobs: list[Job], failure: BaseException | None) -> None:
        """In the event loop, when the thread is over: nobody may wait for ever."""
        self._open = False
        while not self._jobs.empty():
            waiting = self._jobs.get()
            if waiting is not None:
                jobs.append(waiting)
        for job in jobs:
            job.error = _closed()
            job.settle()
        if self._ended.done():  # cancelled
            return
        if failure is not None:
            self._ended.set_exception(failure)
        else:
            self._ended.set_result(None)


async def _settled(job: Job) -> None:
    """Work that was handed over is done whether its caller is cancelled or not, so a cancelled caller is let go only then: it would
    give up its turn (`node.use_cases.world`) while its change is under way, and the next step would decide on what stood there before.
    """
    if job.future.done() and not job.future.cancelled():
        job.future.exception()  # it came at the same moment, and nobody else asks for it
    job.over = asyncio.Event()
    while not job.settled:
        with suppress(asyncio.CancelledError):  # the first one is raised when the work is done, whatever comes after it
            await job.over.wait()


def _settle(jobs: Sequence[Job]) -> None:
    for job in jobs:
        job.settle()


def _closed() -> StoreUnavailable:
    return StoreUnavailable("the store is closed", hint="the node is stopping; start it again")


@asynccontextmanager
async def running(worker: Worker) -> AsyncIterator[Worker]:
    """The worker, alive for the time of the block. When its thread dies, the block is cancelled and the reason raised."""
    failure: Exception | None = None
    async with asyncio.TaskGroup() as tasks:
        worker.start()
        tasks.create_task(worker.life())
        try:
            yield worker
        except Exception as error:  # noqa: BLE001  # raised below, as it is: a task group would wrap it
            failure = error
        finally:
            worker.stop()
    if failure is not None:
        raise failure
