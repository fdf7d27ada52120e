"""Connections that are half there, with real gRPC over mTLS: one that went silent, one that was never answered, one that is slow."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace

import pytest

from federation import limits
from federation.envelope import suite
from federation.envelope.seal import Envelope
from federation.errors import Unreachable
from node.rpc.channels import Channels
from node.rpc.exchange import GrpcTransport
from tests.support.rpc import QM, QN, WALL_CLOCK, Treaty, listening, node_name

ENVELOPE = Envelope(header=b"header", wrap=bytes(suite.WRAP_BYTES), ciphertext=bytes(1_000_000), signature=bytes(64))
PIECE = 65_536


@dataclass
class Link:
    """What lies between two nodes: it carries bytes, or holds them back.

    Attributes:
        open: cleared while nothing gets through, and nobody is told.
        pause_s: after each piece.
    """

    target: int
    open: asyncio.Event = field(default_factory=asyncio.Event)
    pause_s: float = 0.0
    port: int = 0

    async def carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection("127.0.0.1", self.target)
        await asyncio.gather(self._pump(reader, back), self._pump(there, writer), return_exceptions=True)

    async def _pump(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        try:
            while piece := await source.read(PIECE):
                await self.open.wait()
                sink.write(piece)
                await sink.drain()
                await asyncio.sleep(self.pause_s)
        finally:
            sink.close()


@asynccontextmanager
async def link(target: int) -> AsyncIterator[Link]:
    made = Link(target=target)
    made.open.set()
    server = await asyncio.start_server(made.carry, "127.0.0.1", 0)
    made.port = server.sockets[0].getsockname()[1]
    yield made
    made.open.set()
    server.close()


@pytest.fixture(scope="module")
def treaty() -> Treaty:
    return Treaty()


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """A call that is not answered ends soon, or these tests would take minutes."""
    monkeypatch.setattr(limits, "RPC_TIMEOUT_S", 1.0)


def calling(treaty: Treaty) -> Channels:
    return Channels(own=treaty.credential(node_name(QM)), clock=WALL_CLOCK)


@pytest.mark.usefixtures("hurried")
async def test_a_connection_that_goes_silent_is_unreachable_and_is_whole_again_when_it_is(treaty: Treaty) -> None:
    async with listening(treaty, node_name(QN)) as served, link(served.port) as between, calling(treaty) as channels:
        transport, peer = GrpcTransport(channels), replace(served.peer, endpoint=f"127.0.0.1:{between.port}")
        assert await transport.bundles(peer)

        between.open.clear()
        with pytest.raises(Unreachable):
            await transport.deliver(peer, ENVELOPE)
        between.open.set()

        assert (await transport.deliver(peer, ENVELOPE)).receipt == b"receipt"


@pytest.mark.usefixtures("hurried")
async def test_a_port_that_accepts_and_says_nothing_is_unreachable_and_delays_nobody(treaty: Treaty) -> None:
    async with listening(treaty, node_name(QN)) as served, link(served.port) as between, calling(treaty) as channels:
        between.open.clear()
        silent = replace(served.peer, name=node_name(QN, "silent"), endpoint=f"127.0.0.1:{between.port}")
        waiting = asyncio.ensure_future(GrpcTransport(channels).deliver(silent, ENVELOPE))

        assert (await GrpcTransport(channels).deliver(served.peer, ENVELOPE)).receipt == b"receipt"
        assert not waiting.done()
        with pytest.raises(Unreachable):
            await waiting


async def test_a_reader_that_is_slow_gets_everything_and_delays_nobody(treaty: Treaty) -> None:
    async with listening(treaty, node_name(QN)) as served, link(served.port) as between, calling(treaty) as channels:
        between.pause_s = 0.02
        slow = replace(served.peer, endpoint=f"127.0.0.1:{between.port}")
        other = calling(treaty)
        waiting = asyncio.ensure_future(GrpcTransport(channels).deliver(slow, ENVELOPE))
        async with other:
            assert (await GrpcTransport(other).deliver(served.peer, ENVELOPE)).receipt == b"receipt"
            assert not waiting.done()
        assert (await waiting).receipt == b"receipt"
        assert len(served.exchange.deliveries) == 2
