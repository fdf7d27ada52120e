"""A link between nodes that can be cut: whoever listens behind it is reached through it alone."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

CHUNK_BYTES = 65_536


class Link:
    """Passes bytes on in both directions, as long as it is not cut."""

    def __init__(self, target: str) -> None:
        self._host, _, self._port = target.rpartition(":")
        self._open = asyncio.Event()
        self._open.set()
        self._is_cut = False
        self._writers: set[asyncio.StreamWriter] = set()
        self._passing: set[asyncio.Task[None]] = set()

    def cut(self) -> None:
        """Every connection breaks, and nobody gets another one."""
        self._is_cut = True
        for writer in self._writers:
            writer.transport.abort()

    def stall(self) -> None:
        """Connections stay, and nothing gets through: neither side can tell this from a slow peer."""
        self._open.clear()

    def mend(self) -> None:
        """Everything gets through."""
        self._is_cut = False
        self._open.set()

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while chunk := await reader.read(CHUNK_BYTES):
            await self._open.wait()
            writer.write(chunk)
            await writer.drain()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, to its end."""
        task = asyncio.current_task()
        assert task is not None
        self._passing.add(task)
        try:
            await self._join(reader, writer)
        except (OSError, asyncio.CancelledError):
            pass
        finally:
            self._passing.discard(task)
            writer.transport.abort()

    async def _join(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._is_cut:
            return
        there_reader, there_writer = await asyncio.open_connection(self._host, int(self._port))
        both = {writer, there_writer}
        self._writers |= both
        ways = [
            asyncio.ensure_future(self._pass_on(reader, there_writer)),
            asyncio.ensure_future(self._pass_on(there_reader, writer)),
        ]
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._writers -= both
            there_writer.transport.abort()
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)

    async def end(self) -> None:
        """Break everything, for good."""
        self.cut()
        passing = list(self._passing)
        for task in passing:
            task.cancel()
        with suppress(asyncio.CancelledError):
            await asyncio.gather(*passing, return_exceptions=True)


@asynccontextmanager
async def link(front: str, target: str) -> AsyncIterator[Link]:
    """A link for the length of a block.

    Args:
        front: host:port at which others connect.
        target: host:port of whoever listens behind it.
    """
    made = Link(target)
    host, _, port = front.rpartition(":")
    server = await asyncio.start_server(made.serve, host, int(port))
    try:
        yield made
    finally:
        server.close()
        await made.end()
        await server.wait_closed()
