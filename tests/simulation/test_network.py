"""The network in memory does what it is told to do to calls, and tells callers no more than a real one would."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest

from federation import limits
from federation.envelope import suite
from federation.envelope.seal import Envelope
from federation.errors import Unreachable
from federation.identity import NodeName, PartyId
from federation.ports import Delivery, Peer
from node.rpc.exchange import ExchangeServicer, GrpcTransport
from tests.support.network import Crossed, SimNetwork, Site, Weather
from tests.support.virtual_clock import VirtualLoop, WallClock, run_virtual

QM, QN = (NodeName(party=PartyId(party), node_id="n1", domain="gsp.example.org") for party in ("qm", "qn"))
ENVELOPE = Envelope(header=b"header", wrap=bytes(suite.WRAP_BYTES), ciphertext=b"ciphertext", signature=bytes(64))


@dataclass
class Door:
    """An exchange that writes down what came, and when."""

    loop: VirtualLoop
    came: list[tuple[float, NodeName]] = field(default_factory=list)
    holds: asyncio.Event | None = None

    async def deliver(self, sender: NodeName, envelope: bytes) -> Delivery:
        self.came.append((self.loop.time(), sender))
        if self.holds is not None:
            await self.holds.wait()
        return Delivery(receipt=b"receipt", answer=envelope[-4:])

    async def acknowledge(self, sender: NodeName, receipts: Sequence[bytes]) -> None:
        self.came.append((self.loop.time(), sender))

    async def bundles(self, sender: NodeName) -> tuple[bytes, ...]:
        return (b"bundle",)

    async def pattern_set(self, sender: NodeName, party: PartyId, digest: bytes) -> bytes:
        return digest


@dataclass
class Stage:
    """A network with a node qn behind it, called by qm."""

    network: SimNetwork
    door: Door
    site: Site
    transport: GrpcTransport
    peer: Peer
    watched: list[Crossed]

    async def deliver(self) -> Delivery:
        return await self.transport.deliver(self.peer, ENVELOPE)


@asynccontextmanager
async def stage(loop: VirtualLoop) -> AsyncIterator[Stage]:
    watched: list[Crossed] = []
    async with SimNetwork(loop, watch=watched.append) as network, asyncio.TaskGroup() as group:
        door = Door(loop)
        site = Site(
            name=QN,
            ca=b"CA of qn",
            routes=ExchangeServicer(door).routes(),
            anchors=lambda: {QM.party: (b"CA of qm",)},
            spawn=group.create_task,
        )
        network.attach(site)
        transport = network.transport(QM, ca=b"CA of qm", clock=WallClock(loop))
        yield Stage(network, door, site, transport, Peer(name=QN, endpoint="qn:1", anchors=(b"CA of qn",)), watched)


def test_a_call_takes_its_time_each_way_and_names_its_caller():
    async def main(loop: VirtualLoop) -> None:
        async with stage(loop) as scene:
            scene.network.weather = Weather(delay_s=(2.0, 2.0))
            await scene.deliver()
            assert loop.time() == pytest.approx(4.0)
            assert scene.door.came == [(pytest.approx(2.0), QM)]

    run_virtual(main)


def test_a_lost_request_has_no_effect_and_the_caller_gives_up_in_time():
    async def main(loop: VirtualLoop) -> None:
        async with stage(loop) as scene:
            scene.network.weather = Weather(request_lost=1.0)
            with pytest.raises(Unreachable):
                await scene.deliver()
            assert scene.door.came == []
            assert loop.time() == pytest.approx(limits.RPC_TIMEOUT_S)

    run_virtual(main)


def test_a_lost_reply_looks_the_same_and_the_call_took_effect():
    async def main(loop: VirtualLoop) -> None:
        async with stage(loop) as scene:
            scene.network.weather = Weather(reply_lost=1.0)
            with pytest.raises(Unreachable):
                await scene.deliver()
            assert len(scene.door.came) == 1
            assert loop.time() == pytest.approx(limits.RPC_TIMEOUT_S)

    run_virtual(main)


def test_a_doubled_request_takes_effect_twice():
    async def main(loop: VirtualLoop) -> None:
        async with stage(loop) as scene:
            scene.network.weather = Weather(doubled=1.0)
            await scene.deliver()
            await asyncio.sleep(1)
            assert [sender for _, sender in scene.door.came] == [QM, QM]

    run_virtual(main)


def test_calls_overtake_each_other_where_delays_differ():
    async def main(loop: VirtualLoop) -> None:
        async with stage(loop) as scene:
            ended: list[int] = []

            async def deliver(number: int) -> None:
                await scene.deliver()
                ended.append(number)

            scene.network.weather = Weather(delay_s=(0.1, 5.0))
            await asyncio.gather(*map(deliver, range(10)))
            assert sorted(ended) == list(range(10)) != ended

    run_virtual(main)


@pytest.mark.parametrize(("sources", "targets", "arrived"), [([QM], [QN], 0), ([QN], [QM], 1)])
def test_a_cut_stops_one_way_and_healing_opens_it(sources: list[NodeName], targets: list[NodeName], arrived: int):
    async def main(loop: VirtualLoop) -> None:
        async with stage(loop) as scene:
            scene.network.cut(sources, targets)
            with pytest.raises(Unreachable):
                await scene.deliver()
            assert len(scene.door.came) == arrived

            scene.network.heal()
            assert (await scene.deliver()).receipt == b"receipt"

    run_virtual(main)


def test_a_node_that_is_down_is_known_to_be_at_once():
    async def main(loop: VirtualLoop) -> None:
        async with stage(loop) as scene:
            scene.network.detach(QN)
            with pytest.raises(Unreachable, match="nobody listens"):
                await scene.deliver()
            assert loop.time() < 1

    run_virtual(main)


def test_a_node_that_dies_while_it_serves_breaks_the_connection():
    async def main(loop: VirtualLoop) -> None:
        async with stage(loop) as scene:
            serving: list[asyncio.Task[None]] = []

            def spawn(work):
                serving.append(scene.site.spawn(work))
                return serving[-1]

            scene.network.attach(
                Site(name=QN, ca=scene.site.ca, routes=scene.site.routes, anchors=scene.site.anchors, spawn=spawn)
            )
            scene.door.holds = asyncio.Event()
            call = asyncio.ensure_future(scene.deliver())
            await asyncio.sleep(1)
            serving[0].cancel()
            with pytest.raises(Unreachable, match="broke"):
                await call

    run_virtual(main)


@pytest.mark.parametrize(("ca_shown", "anchor"), [(b"CA of a stranger", b"CA of qn"), (b"CA of qm", b"CA of another qn")])
def test_nodes_that_do_not_know_each_others_ca_do_not_speak(ca_shown: bytes, anchor: bytes):
    async def main(loop: VirtualLoop) -> None:
        async with stage(loop) as scene:
            transport = scene.network.transport(QM, ca=ca_shown, clock=WallClock(loop))
            with pytest.raises(Unreachable, match="TLS"):
                await transport.deliver(Peer(name=QN, endpoint="qn:1", anchors=(anchor,)), ENVELOPE)
            assert scene.door.came == []
            assert scene.watched == []

    run_virtual(main)


def test_whoever_watches_sees_every_byte_both_ways():
    async def main(loop: VirtualLoop) -> None:
        async with stage(loop) as scene:
            await scene.deliver()
            assert [(one.source, one.target, one.way) for one in scene.watched] == [(QM, QN, "request"), (QN, QM, "reply")]
            assert b"ciphertext" in scene.watched[0].data

    run_virtual(main)
