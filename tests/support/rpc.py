"""A treaty whose certificates are valid now, because TLS reads the real clock, and nodes that serve and call with them."""

from __future__ import annotations

import os
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from federation.envelope.attachment import AttachmentId
from federation.identity import MessageId, NodeName, PartyId
from federation.ports import Clock, Delivery, Notice, Peer
from federation.trust import issuing
from federation.trust.issuing import Authority
from node import limits as node_limits
from node.rpc.attachments import AttachmentServicer
from node.rpc.calls import Interceptor
from node.rpc.directory import DirectoryServicer
from node.rpc.exchange import ExchangeServicer
from node.rpc.interceptors import node_chain
from node.rpc.server import serving
from node.rpc.tls import NodeCredential, ServerTls, TlsSnapshot

DOMAIN = "gsp.example.org"
QM, QN, QO = PartyId("qm"), PartyId("qn"), PartyId("qo")


class WallClock:
    def now(self) -> float:
        return time.time()


WALL_CLOCK = WallClock()


@dataclass
class SetClock:
    """A clock that stands where a test puts it."""

    at: float

    def now(self) -> float:
        return self.at


class Treaty:
    """Root, issuing CA, and whatever they are asked for."""

    def __init__(self) -> None:
        root_key = issuing.root_key_from_seed(os.urandom(32))
        self.now = time.time()
        self.root = Authority(certificate=issuing.make_root(key=root_key, now=self.now, entropy=os.urandom), key=root_key)
        key = issuing.key_from_seed(os.urandom(32))
        certificate = issuing.make_issuing_ca(
            issuing.make_request(key), root=self.root, domain=DOMAIN, now=self.now, entropy=os.urandom
        )
        self.issuing_ca = Authority(certificate=certificate, key=key)
        self._cas: dict[PartyId | None, Authority] = {}

    def new_ca(self, party: PartyId | None) -> Authority:
        """Another CA for a Party, signed like the first."""
        key = issuing.key_from_seed(os.urandom(32))
        certificate = issuing.issue_party_ca(
            issuing.make_request(key), party=party, issuer=self.issuing_ca, domain=DOMAIN, now=self.now, entropy=os.urandom
        )
        return Authority(certificate=certificate, key=key)

    def ca(self, party: PartyId | None) -> Authority:
        """The CA that everybody pins for the Party."""
        if party not in self._cas:
            self._cas[party] = self.new_ca(party)
        return self._cas[party]

    def anchors(self, *parties: PartyId | None) -> dict[PartyId | None, Sequence[bytes]]:
        return {party: (self.ca(party).certificate,) for party in parties}

    def credential(self, name: NodeName, *, ca: Authority | None = None, age_s: float = 0) -> NodeCredential:
        """A node's certificate, made some time ago."""
        key = issuing.key_from_seed(os.urandom(32))
        certificate = issuing.issue_node_certificate(
            issuing.make_request(key), name=name, ca=ca or self.ca(name.party), now=self.now - age_s, entropy=os.urandom
        )
        return NodeCredential(private_key=issuing.key_to_pem(key), certificate=certificate)


def node_name(party: PartyId | None, node_id: str = "one") -> NodeName:
    return NodeName(party=party, node_id=node_id, domain=DOMAIN)


@dataclass
class Exchange:
    """An exchange handler that remembers what came, and raises what it is told to."""

    failure: Exception | None = None
    deliveries: list[tuple[NodeName, bytes]] = field(default_factory=list)
    receipts: list[tuple[NodeName, tuple[bytes, ...]]] = field(default_factory=list)
    known: tuple[bytes, ...] = (b"bundle of one", b"bundle of two")

    async def deliver(self, sender: NodeName, envelope: bytes) -> Delivery:
        if self.failure is not None:
            raise self.failure
        self.deliveries.append((sender, envelope))
        return Delivery(receipt=b"receipt", answer=b"answer")

    async def acknowledge(self, sender: NodeName, receipts: Sequence[bytes]) -> None:
        self.receipts.append((sender, tuple(receipts)))

    async def bundles(self, sender: NodeName) -> tuple[bytes, ...]:
        return self.known

    async def pattern_set(self, sender: NodeName, party: PartyId, digest: bytes) -> bytes:
        return b"set of " + party.encode() + digest

    async def attachment(
        self, sender: NodeName, message_id: MessageId, attachment_id: AttachmentId, *, offset: int
    ) -> AsyncGenerator[bytes, None]:
        """Its id in three pieces, message id behind it; the failure behind the first one."""
        for piece in (attachment_id[:8], attachment_id[8:], bytes(message_id))[offset:]:
            yield piece
            if self.failure is not None:
                raise self.failure

    async def attached(self, sender: NodeName, attachment_id: AttachmentId, receipt: bytes) -> None:
        self.receipts.append((sender, (bytes(attachment_id), receipt)))


@dataclass
class Directory:
    """A directory handler over a list of leaves, which also takes notices."""

    leaves: list[bytes] = field(default_factory=lambda: [b"genesis"])
    cosigned: list[tuple[NodeName, bytes]] = field(default_factory=list)
    told: list[tuple[NodeName, Notice]] = field(default_factory=list)

    async def pending(self) -> bytes:
        return b"pending %d" % len(self.leaves)

    async def take(self, sender: NodeName, notice: Notice) -> None:
        self.told.append((sender, notice))

    async def all(self) -> tuple[Notice, ...]:
        return tuple(notice for _, notice in self.told)

    async def checkpoint(self) -> bytes:
        return b"checkpoint %d" % len(self.leaves)

    async def entries(self, start: int, end: int) -> tuple[bytes, ...]:
        return tuple(self.leaves[start:end])

    async def consistency(self, old_size: int, new_size: int) -> tuple[bytes, ...]:
        return (b"consistency", b"%d" % old_size, b"%d" % new_size)

    async def inclusion(self, index: int, size: int) -> tuple[bytes, ...]:
        return (b"inclusion", b"%d" % index, b"%d" % size)

    async def submit(self, sender: NodeName, leaf: bytes) -> int:
        assert sender.party is not None
        self.leaves.append(leaf)
        return len(self.leaves) - 1

    async def cosign(self, sender: NodeName, checkpoint: bytes) -> None:
        self.cosigned.append((sender, checkpoint))


@dataclass
class Served:
    """A node that listens: what others need to dial it, and what a test needs to change it."""

    peer: Peer
    port: int
    tls: ServerTls
    exchange: Exchange
    directory: Directory


def snapshot_of(treaty: Treaty, credential: NodeCredential, trusted: Iterable[PartyId | None]) -> TlsSnapshot:
    return TlsSnapshot(credential=credential, anchors=treaty.anchors(*trusted), domain=DOMAIN)


@asynccontextmanager
async def listening(
    treaty: Treaty,
    name: NodeName,
    *,
    trusted: Sequence[PartyId | None] = (QM, QN),
    credential: NodeCredential | None = None,
    chain: Callable[[ServerTls], Sequence[Interceptor]] | None = None,
    clock: Clock = WALL_CLOCK,
    address: str = "127.0.0.1:0",
    handshake_ms: int = node_limits.GRPC_HANDSHAKE_MS,
    connection_age_ms: int = node_limits.GRPC_CONNECTION_AGE_MS,
) -> AsyncIterator[Served]:
    """A node on a port that the system chose."""
    tls = ServerTls(snapshot_of(treaty, credential or treaty.credential(name), trusted))
    exchange, directory = Exchange(), Directory()
    usual = node_chain(tls=tls, clock=clock, timer=time.monotonic)
    async with serving(
        address,
        credentials=tls.node_credentials(),
        routes={
            **ExchangeServicer(exchange).routes(),
            **AttachmentServicer(exchange).routes(),
            **DirectoryServicer(directory, directory).routes(),
        },
        interceptors=usual if chain is None else chain(tls),
        handshake_ms=handshake_ms,
        connection_age_ms=connection_age_ms,
    ) as port:
        peer = Peer(name=name, endpoint=f"127.0.0.1:{port}", anchors=(treaty.ca(name.party).certificate,))
        yield Served(peer=peer, port=port, tls=tls, exchange=exchange, directory=directory)
