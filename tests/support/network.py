"""A network in memory, in which everything happens that happens to networks, and everything from one seed.

Each node gets the real clients and the real servicers of `node.rpc`; what is simulated is what lies between them, where gRPC, TLS
and the wire are in earnest. So requests and replies cross as bytes, errors cross as status, and a call takes its time, gets lost,
comes twice or too late. Who calls is known from the connection, as TLS would tell it: a node believes a caller whose Party CA it
has in its directory, and a caller speaks only to a node that stands under the CA it expects.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Coroutine, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, NoReturn, Self, TypeAlias

from federation import limits
from federation.errors import DeadlinePassed, FederationError, Incompatible, Unreachable
from federation.identity import NodeName, PartyId
from federation.ports import Peer
from federation.wire import strict
from node import limits as node_limits
from node.rpc.attachments import GrpcAttachments
from node.rpc.calls import Call, Method, Routes, Streaming
from node.rpc.directory import GrpcDirectory
from node.rpc.errors import Status, from_status, to_status
from node.rpc.exchange import GrpcTransport
from node.rpc.reconciliation import GrpcReconciliation
from node.use_cases.peer_book import NOTHING_SAID, PeerBook
from tests.support.virtual_clock import VirtualLoop, WallClock

Answered: TypeAlias = "bytes | Stream | Status"
Spawn = Callable[[Coroutine[Any, Any, Any]], asyncio.Task[Any]]
Anchors = Callable[[], Mapping[PartyId | None, Iterable[bytes]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Weather:
    """What happens to calls. Probabilities are from 0 to 1.

    Attributes:
        delay_s: shortest and longest time that one way takes; calls overtake each other when they differ.
        request_lost: it never arrives; the caller notices when its time is over.
        reply_lost: the call took effect, and the caller does not learn of it.
        doubled: the request arrives twice, the second time after a while of its own; the first reply counts.
    """

    delay_s: tuple[float, float] = (0.01, 0.05)
    request_lost: float = 0.0
    reply_lost: float = 0.0
    doubled: float = 0.0


FAIR = Weather()
STORM = Weather(delay_s=(0.005, 4.0), request_lost=0.08, reply_lost=0.08, doubled=0.1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """A node that listens.

    Attributes:
        ca: DER of the CA under which its certificate stands.
        anchors: whose certificates it believes at this moment.
        spawn: begins a task that ends with the node.
        clock: that the node tells behind its replies; None where there is none to tell.
    """

    name: NodeName
    ca: bytes
    routes: Routes
    anchors: Anchors
    spawn: Spawn
    clock: WallClock | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Crossed:
    """Something that was on the wire, for whoever watches it."""

    at: float
    source: NodeName
    target: NodeName
    path: str
    way: str
    data: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Stream:
    """A reply in pieces: `cut` when what is behind them was lost on the way, with an `error` behind them when the handler raised it."""

    pieces: tuple[bytes, ...]
    cut: bool = False
    error: Status | None = None


class _SimCall(Call):
    """A call whose caller is known and whose message has arrived."""

    def __init__(self, path: str, caller: NodeName, request: bytes) -> None:
        self.method = path
        self._request = request
        self._sender = caller
        self.sent: list[bytes] = []

    async def send(self, piece: bytes) -> None:
        self.sent.append(piece)

    async def refuse(self, status: Status) -> NoReturn:
        raise AssertionError(f"nothing that would refuse a call stands here: {status}")


class SimNetwork:
    """All nodes, and what lies between them.

    Attributes:
        weather: for every call that begins from now on.
        calls: how many have begun.
    """

    def __init__(self, loop: VirtualLoop, *, watch: Callable[[Crossed], None] = lambda _crossed: None) -> None:
        self.weather = FAIR
        self.calls = 0
        self._loop = loop
        self._watch = watch
        self._sites: dict[NodeName, Site] = {}
        self._cut: Counter[tuple[NodeName, NodeName]] = Counter()
        self._carrying: asyncio.TaskGroup | None = None

    async def __aenter__(self) -> Self:
        self._carrying = asyncio.TaskGroup()
        await self._carrying.__aenter__()
        return self

    async def __aexit__(self, *error: object) -> None:
        assert self._carrying is not None
        await self._carrying.__aexit__(*error)

    def attach(self, site: Site) -> None:
        """The node listens."""
        self._sites[site.name] = site

    def detach(self, name: NodeName) -> None:
        """Nobody listens there any more; who calls is told so at once."""
        self._sites.pop(name, None)

    def cut(self, sources: Iterable[NodeName], targets: Iterable[NodeName]) -> None:
        """Nothing gets from these to those any more; the other way is open, until it is cut too."""
        targets = list(targets)
        self._cut.update((source, target) for source in sources for target in targets)

    def mend(self, sources: Iterable[NodeName], targets: Iterable[NodeName]) -> None:
        """Undo one `cut`; what was cut twice stays cut."""
        targets = list(targets)
        self._cut.subtract((source, target) for source in sources for target in targets)

    def part(self, some: Iterable[NodeName], others: Iterable[NodeName]) -> None:
        """Cut both ways."""
        some, others = list(some), list(others)
        self.cut(some, others)
        self.cut(others, some)

    def heal(self) -> None:
        """Nothing is cut."""
        self._cut.clear()

    def clock_of(self, name: NodeName) -> WallClock | None:
        """What a node that listens tells of the time."""
        site = self._sites.get(name)
        return site.clock if site is not None else None

    def transport(self, caller: NodeName, *, ca: bytes, clock: WallClock, book: PeerBook | None = None) -> GrpcTransport:
        """`federation.ports.Transport` for one node."""
        return GrpcTransport(_Channels(self, caller, ca, clock, book))  # type: ignore[arg-type]  # stands for the class

    def directory(self, caller: NodeName, *, ca: bytes, clock: WallClock, book: PeerBook | None = None) -> GrpcDirectory:
        """`federation.ports.DirectoryService` for one node."""
        return GrpcDirectory(_Channels(self, caller, ca, clock, book))  # type: ignore[arg-type]  # stands for the class

    def reconciliation(self, caller: NodeName, *, ca: bytes, clock: WallClock) -> GrpcReconciliation:
        """`federation.ports.ReconcileService` for one node."""
        return GrpcReconciliation(_Channels(self, caller, ca, clock))  # type: ignore[arg-type]  # stands for the class

    def attachments(self, caller: NodeName, *, ca: bytes, clock: WallClock) -> GrpcAttachments:
        """`federation.ports.AttachmentTransport` for one node."""
        return GrpcAttachments(_Channels(self, caller, ca, clock))  # type: ignore[arg-type]  # stands for the class

    async def call(self, caller: NodeName, ca: bytes, peer: Peer, path: str, request: bytes) -> Answered:
        """The reply, or the status that came instead.

        Raises:
            Unreachable: nothing came back in time, or nobody listens there.
        """
        assert self._carrying is not None
        self.calls += 1
        weather, chances = self.weather, self._loop.random
        reply: asyncio.Future[Answered] = self._loop.create_future()
        packet = _Packet(caller=caller, ca=ca, peer=peer, path=path, request=request, weather=weather, reply=reply)
        if chances.random() >= weather.request_lost:
            self._carrying.create_task(self._carry(packet))
        if chances.random() < weather.doubled:
            again = replace(packet, reply=self._loop.create_future())
            self._carrying.create_task(self._carry(again))
        try:
            async with asyncio.timeout(limits.RPC_TIMEOUT_S):
                return await reply
        except TimeoutError:
            raise Unreachable(f"{peer.name.dns} did not answer in time") from None

    async def _carry(self, packet: _Packet) -> None:
        await self._pass(packet)
        if self._cut[packet.caller, packet.peer.name] > 0:
            return
        site = self._sites.get(packet.peer.name)
        if site is None:
            packet.fail(Unreachable(f"nobody listens at {packet.peer.name.dns}"))
            return
        if site.ca not in packet.peer.anchors or packet.ca not in site.anchors().get(packet.caller.party, ()):
            packet.fail(Unreachable("the TLS handshake failed: one of the two does not know the other's CA"))
            return
        self._saw(packet, "request", packet.request)
        serving = site.spawn(_serve(site, packet))
        await asyncio.wait([serving])
        if serving.cancelled() or serving.exception() is not None:
            packet.fail(Unreachable(f"the connection to {packet.peer.name.dns} broke"))
            return
        await self._return(packet, serving.result())

    async def _return(self, packet: _Packet, reply: Answered) -> None:
        lost = self._loop.random.random() < packet.weather.reply_lost
        await self._pass(packet)
        if isinstance(reply, Stream) and reply.pieces and lost:
            reply, lost = Stream(reply.pieces[: self._loop.random.randrange(len(reply.pieces))], cut=True), False
        if lost or self._cut[packet.peer.name, packet.caller] > 0:
            return
        if isinstance(reply, bytes):
            self._saw(packet, "reply", reply)
        if isinstance(reply, Stream):
            for piece in reply.pieces:
                self._saw(packet, "reply", piece)
        if not packet.reply.done():
            packet.reply.set_result(reply)

    async def _pass(self, packet: _Packet) -> None:
        await asyncio.sleep(self._loop.random.uniform(*packet.weather.delay_s))

    def _saw(self, packet: _Packet, way: str, data: bytes) -> None:
        source, target = packet.caller, packet.peer.name
        if way == "reply":
            source, target = target, source
        self._watch(Crossed(at=self._loop.time(), source=source, target=target, path=packet.path, way=way, data=data))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Packet:
    """One call on its way."""

    caller: NodeName
    ca: bytes
    peer: Peer
    path: str
    request: bytes
    weather: Weather
    reply: asyncio.Future[Answered]

    def fail(self, error: FederationError) -> None:
        if not self.reply.done():
            self.reply.set_exception(error)
            self.reply.exception()  # whoever called may be gone by now


async def _serve(site: Site, packet: _Packet) -> Answered:
    """What gRPC and the interceptors do in earnest. An error that is not ours ends the node: here, it is a defect."""
    handler = site.routes.get(packet.path)
    if handler is None:
        return to_status(Incompatible("this node does not know this call"))
    call = _SimCall(packet.path, packet.caller, packet.request)
    try:
        async with asyncio.timeout(limits.RPC_TIMEOUT_S):
            reply = await handler(call)
            return Stream(tuple(call.sent)) if isinstance(handler, Streaming) else reply
    except FederationError as error:
        return Stream(tuple(call.sent), error=to_status(error)) if call.sent else to_status(error)
    except TimeoutError:
        return to_status(DeadlinePassed("this node could not finish the call in time"))


class _Channels:
    """Stands where `node.rpc.channels.Channels` stands in earnest."""

    def __init__(self, network: SimNetwork, caller: NodeName, ca: bytes, clock: WallClock, book: PeerBook | None = None) -> None:
        self._book = book if book is not None else PeerBook()
        self._network = network
        self._caller = caller
        self._ca = ca
        self._clock = clock

    async def call(self, peer: Peer, method: Method[Any, Any], request: Any) -> Any:
        with self._book.watching(peer.name.party, self._clock) as meet:
            reply = await self._network.call(self._caller, self._ca, peer, method.path, strict.encode(request))
            there = self._network.clock_of(peer.name)
            meet(NOTHING_SAID, there.now() - self._clock.now() if there is not None else None)
            if isinstance(reply, Status):
                raise from_status(reply, now=self._clock.now())
        return strict.parse(method.reply, reply, bytes_max=node_limits.GRPC_MESSAGE_BYTES_MAX)

    async def stream(self, peer: Peer, method: Method[Any, Any], request: Any) -> AsyncGenerator[Any, None]:
        reply = await self._network.call(self._caller, self._ca, peer, method.path, strict.encode(request))
        if isinstance(reply, Status):
            raise from_status(reply, now=self._clock.now())
        assert isinstance(reply, Stream)
        for piece in reply.pieces:
            yield strict.parse(method.reply, piece, bytes_max=node_limits.GRPC_MESSAGE_BYTES_MAX)
        if reply.error is not None:
            raise from_status(reply.error, now=self._clock.now())
        if reply.cut:
            raise Unreachable("the connection broke in the middle of a stream")
