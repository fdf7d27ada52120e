"""Certificates, anchors, connections and channels change while calls flow (docs/threat-model.md, pitfalls 3, 5 and 15)."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from federation import limits
from federation.errors import FederationError, Unreachable
from federation.ports import Delivery, Peer
from federation.v1 import exchange_pb2
from node.rpc.channels import Channels
from node.rpc.exchange import DELIVER, GrpcTransport
from node.rpc.tls import TlsSnapshot
from tests.support.rpc import DOMAIN, QM, QN, WALL_CLOCK, Served, SetClock, Treaty, listening, node_name, snapshot_of

REQUEST = exchange_pb2.DeliverRequest(envelope=b"envelope")


@pytest.fixture
def treaty() -> Treaty:
    return Treaty()


class Flow:
    """Calls that do not stop; each one that fails is kept."""

    def __init__(self, channels: Channels, peer: Peer) -> None:
        self.done = 0
        self.failures: list[FederationError] = []
        self._channels = channels
        self._peer = peer
        self._ended = False

    async def run(self) -> None:
        while not self._ended:
            try:
                await self._channels.call(self._peer, DELIVER, REQUEST)
            except FederationError as failure:
                self.failures.append(failure)
            self.done += 1

    def end(self) -> None:
        self._ended = True

    async def advance(self, calls: int) -> None:
        """Let so many calls go by."""
        goal = self.done + calls
        while self.done < goal:
            await asyncio.sleep(0.001)


@asynccontextmanager
async def flowing(channels: Channels, peer: Peer) -> AsyncIterator[Flow]:
    flow = Flow(channels, peer)
    async with asyncio.TaskGroup() as tasks:
        for _ in range(8):
            tasks.create_task(flow.run())
        yield flow
        flow.end()


class Waiting:
    """Holds every delivery until it is told to go on."""

    def __init__(self) -> None:
        self.arrived = asyncio.Event()
        self.go_on = asyncio.Event()

    async def deliver(self, sender: object, envelope: bytes) -> Delivery:
        self.arrived.set()
        await self.go_on.wait()
        return Delivery(receipt=b"late", answer=b"")


def calls_held_by(served: Served) -> Waiting:
    waiting = Waiting()
    served.exchange.deliver = waiting.deliver
    return waiting


async def test_certificates_of_both_ends_change_under_load_and_no_call_fails(treaty):
    async with (
        listening(treaty, node_name(QM), connection_age_ms=20) as served,
        Channels(own=treaty.credential(node_name(QN)), clock=WALL_CLOCK) as channels,
        flowing(channels, served.peer) as flow,
    ):
        for _ in range(4):
            served.tls.update(snapshot_of(treaty, treaty.credential(node_name(QM)), (QM, QN)))
            await flow.advance(150)
            await channels.renew(treaty.credential(node_name(QN)))
            await flow.advance(150)

    assert flow.failures == []


async def test_the_ca_of_a_caller_changes_under_load_and_no_call_fails(treaty):
    own = treaty.credential(node_name(QM))
    old, new = treaty.ca(QN), treaty.new_ca(QN)
    async with (
        listening(treaty, node_name(QM), credential=own, connection_age_ms=20) as served,
        Channels(own=treaty.credential(node_name(QN), ca=old), clock=WALL_CLOCK) as channels,
        flowing(channels, served.peer) as flow,
    ):
        for anchors in ((old, new), (new,)):
            pinned = {QN: tuple(ca.certificate for ca in anchors)}
            served.tls.update(TlsSnapshot(credential=own, anchors=pinned, domain=DOMAIN))
            await channels.renew(treaty.credential(node_name(QN), ca=new))
            await flow.advance(300)

    assert flow.failures == []


async def test_a_renewed_certificate_is_shown_from_the_next_call_on(treaty):
    clock = SetClock(treaty.now)
    async with (
        listening(treaty, node_name(QM), clock=clock) as served,
        Channels(own=treaty.credential(node_name(QN), age_s=limits.NODE_CERTIFICATE_LIFE_S - 60), clock=clock) as channels,
    ):
        transport = GrpcTransport(channels)
        await transport.bundles(served.peer)
        clock.at += 120
        await channels.renew(treaty.credential(node_name(QN)))

        assert await transport.bundles(served.peer) == served.exchange.known


async def test_a_call_under_way_ends_on_the_channel_that_was_replaced(treaty):
    async with (
        listening(treaty, node_name(QM)) as served,
        Channels(own=treaty.credential(node_name(QN)), clock=WALL_CLOCK) as channels,
        asyncio.TaskGroup() as tasks,
    ):
        held = calls_held_by(served)
        call = tasks.create_task(channels.call(served.peer, DELIVER, REQUEST))
        await held.arrived.wait()
        await channels.renew(treaty.credential(node_name(QN)))
        held.go_on.set()

        assert (await call).receipt == b"late"


async def test_another_anchor_for_a_peer_replaces_its_channel(treaty):
    async with (
        listening(treaty, node_name(QM)) as served,
        Channels(own=treaty.credential(node_name(QN)), clock=WALL_CLOCK) as channels,
    ):
        transport = GrpcTransport(channels)
        await transport.bundles(served.peer)
        with pytest.raises(Unreachable, match="CA that the directory pins"):
            await transport.bundles(replace(served.peer, anchors=(treaty.new_ca(QM).certificate,)))

        assert await transport.bundles(served.peer) == served.exchange.known


async def test_a_peer_that_moves_is_found_at_its_new_address(treaty):
    credential = treaty.credential(node_name(QM))
    async with Channels(own=treaty.credential(node_name(QN)), clock=WALL_CLOCK) as channels:
        for _ in range(2):
            async with listening(treaty, node_name(QM), credential=credential) as served:
                assert await GrpcTransport(channels).bundles(served.peer) == served.exchange.known


async def test_channels_are_bounded_and_the_oldest_makes_room(treaty):
    async with (
        listening(treaty, node_name(QM, "one")) as one,
        listening(treaty, node_name(QM, "two")) as two,
        listening(treaty, node_name(QM, "three")) as three,
        Channels(own=treaty.credential(node_name(QN)), clock=WALL_CLOCK, channels_max=2) as channels,
        asyncio.TaskGroup() as tasks,
    ):
        held = calls_held_by(one)
        call = tasks.create_task(channels.call(one.peer, DELIVER, REQUEST))
        await held.arrived.wait()
        for served in (two, three):
            await GrpcTransport(channels).bundles(served.peer)
        held.go_on.set()

        assert (await call).receipt == b"late"
        assert await GrpcTransport(channels).bundles(one.peer) == one.exchange.known


async def test_calls_end_as_unreachable_when_the_channels_close(treaty):
    async with listening(treaty, node_name(QM)) as served, asyncio.TaskGroup() as tasks:
        held = calls_held_by(served)
        async with Channels(own=treaty.credential(node_name(QN)), clock=WALL_CLOCK) as channels:
            call = tasks.create_task(_outcome(channels, served.peer))
            await held.arrived.wait()

        assert isinstance(await call, Unreachable)


async def test_a_call_that_is_cancelled_is_cancelled(treaty):
    async with (
        listening(treaty, node_name(QM)) as served,
        Channels(own=treaty.credential(node_name(QN)), clock=WALL_CLOCK) as channels,
    ):
        held = calls_held_by(served)
        call = asyncio.ensure_future(_outcome(channels, served.peer))
        await held.arrived.wait()
        call.cancel()

        with pytest.raises(asyncio.CancelledError):
            await call


async def test_a_peer_that_is_down_is_unreachable_and_served_when_it_is_back(treaty):
    credential = treaty.credential(node_name(QM))
    async with listening(treaty, node_name(QM), credential=credential) as served:
        peer = served.peer
    async with Channels(own=treaty.credential(node_name(QN)), clock=WALL_CLOCK) as channels:
        with pytest.raises(Unreachable, match="nothing listens"):
            await GrpcTransport(channels).bundles(peer)
        async with listening(treaty, node_name(QM), credential=credential, address=peer.endpoint):
            while isinstance(await _outcome(channels, peer), Unreachable):
                await asyncio.sleep(0.01)


async def test_a_server_that_stops_lets_calls_end(treaty):
    async with Channels(own=treaty.credential(node_name(QN)), clock=WALL_CLOCK) as channels, asyncio.TaskGroup() as tasks:
        async with listening(treaty, node_name(QM)) as served:
            held = calls_held_by(served)
            call = tasks.create_task(channels.call(served.peer, DELIVER, REQUEST))
            await held.arrived.wait()
            asyncio.get_running_loop().call_later(0.05, held.go_on.set)

        assert (await call).receipt == b"late"


async def _outcome(channels: Channels, peer: Peer) -> object:
    try:
        return await channels.call(peer, DELIVER, REQUEST)
    except Unreachable as unreachable:
        return unreachable


async def test_a_node_that_begins_to_listen_is_reached_at_the_next_call_and_not_after_a_pause_of_grpc(treaty):
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{held.getsockname()[1]}"
    peer = Peer(name=node_name(QM), endpoint=address, anchors=(treaty.ca(QM).certificate,))
    async with Channels(own=treaty.credential(node_name(QN)), clock=WALL_CLOCK) as channels:
        for _ in range(6):  # by now a channel that stayed would pause for seconds
            with pytest.raises(Unreachable):
                await channels.call(peer, DELIVER, REQUEST)
        async with listening(treaty, node_name(QM), address=address):
            reply = await channels.call(peer, DELIVER, REQUEST)

    assert reply.receipt
