"""A line to a node that can be pulled out: what passes through it is not looked at."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

CHUNK = 65_536


@dataclass
class Cable:
    """From a port of this machine to a node.

    Attributes:
        endpoint: under which others reach the node, as long as the cable is in.
        target: where the node listens; set when that is known.
        passed: bytes that went through, both ways together.
    """

    endpoint: str = ""
    target: str = ""
    passed: int = 0
    _in: bool = True
    _open: set[asyncio.StreamWriter] = field(default_factory=set)

    def pull(self) -> None:
        """From now on nothing passes, and what is connected is cut."""
        self._in = False
        for writer in self._open:
            writer.transport.abort()

    def plug(self) -> None:
        """As before."""
        self._in = True

    async def carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection."""
        if not self._in or not self.target:
            writer.transport.abort()
            return
        host, _, port = self.target.rpartition(":")
        try:
            there, back = await asyncio.open_connection(host, int(port))
        except OSError:
            writer.transport.abort()
            return
        ends = {writer, back}
        self._open |= ends
        try:
            await asyncio.gather(self._pass(reader, back), self._pass(there, writer))
        finally:
            self._open -= ends
            for end in ends:
                end.transport.abort()

    async def _pass(self, source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while chunk := await source.read(CHUNK):
                self.passed += len(chunk)
                target.write(chunk)
                await target.drain()
        target.transport.abort()


@asynccontextmanager
async def cable() -> AsyncIterator[Cable]:
    """A cable for the length of a block."""
    made = Cable()
    server = await asyncio.start_server(made.carry, "127.0.0.1", 0)
    made.endpoint = f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield made
    finally:
        made.pull()
        server.close()
