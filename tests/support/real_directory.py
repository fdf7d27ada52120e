"""Nodes as far as the directory goes, over real mTLS on loopback and real SQLite: the Secretariat's log, and Parties that follow it."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from federation.identity import PartyId
from federation.ports import Peer
from node.cli.serving import free_address
from node.rpc.channels import Channels
from node.rpc.directory import DirectoryServicer, GrpcDirectory
from node.rpc.interceptors import node_chain
from node.rpc.server import serving
from node.rpc.tls import NodeCredential, ServerTls, TlsSnapshot
from node.store.directory import SqliteDirectory
from node.use_cases.directory_reads import DirectoryReads
from node.use_cases.gossip import Gossip
from node.use_cases.log import Log
from node.use_cases.notices import Notices
from node.use_cases.registry import Registry
from node.use_cases.witnessing import Witness
from node.use_cases.world import Own, World
from tests.support import acts
from tests.support.rpc import WALL_CLOCK
from tests.support.treaty import NodeMaterial, PartyMaterial, Treaty, entropy


@dataclass(frozen=True, kw_only=True)
class RealNode:
    """A Party's node as far as the directory goes."""

    material: PartyMaterial
    registry: Registry
    notices: Notices
    gossip: Gossip
    witness: Witness
    service: GrpcDirectory
    secretariat: Peer

    async def follow(self) -> bool:
        return await self.registry.follow(self.service, self.secretariat)


@dataclass(frozen=True, kw_only=True)
class RealOffice:
    registry: Registry
    log: Log
    notices: Notices
    peer: Peer

    async def append(self, act: acts.Act) -> int:
        return await self.log.append(act.leaf)


def valid_treaty(*parties: str, witnesses: tuple[str, ...] = ()) -> Treaty:
    """Valid now, because TLS reads the real clock; its nodes listen on ports of this machine."""
    treaty = Treaty.make(77, now=int(time.time()), first_witnesses=witnesses)
    for party in parties:
        treaty.admit(party, endpoint=free_address("127.0.0.1:0"))
    return treaty


def credential(material: NodeMaterial) -> NodeCredential:
    return NodeCredential(private_key=material.tls_key_pem, certificate=material.tls_certificate)


@asynccontextmanager
async def listening(material: NodeMaterial, registry: Registry, address: str, servicer: DirectoryServicer) -> AsyncIterator[int]:
    """Serve with the anchors of the roster, whatever it becomes."""
    own, domain = credential(material), material.name.domain
    tls = ServerTls(TlsSnapshot(credential=own, anchors=registry.roster.anchors(), domain=domain))
    registry.on_change(lambda roster: tls.update(TlsSnapshot(credential=own, anchors=roster.anchors(), domain=domain)))
    async with serving(
        address,
        credentials=tls.node_credentials(),
        routes=servicer.routes(),
        interceptors=node_chain(tls=tls, clock=WALL_CLOCK, timer=time.monotonic),
    ) as port:
        yield port


async def disk(stack: AsyncExitStack, treaty: Treaty, path: Path) -> SqliteDirectory:
    store = await stack.enter_async_context(SqliteDirectory.open(path))
    await store.append(first=0, leaves=treaty.log, checkpoint=treaty.checkpoint())
    return store


async def office_of(stack: AsyncExitStack, treaty: Treaty, path: Path) -> RealOffice:
    store = await disk(stack, treaty, path)
    registry = await Registry.load(store, treaty.genesis_digest, WALL_CLOCK)
    log = await Log.load(registry=registry, publications=store, signer=treaty.log_signer)
    notices = await Notices.load(registry, store, WALL_CLOCK)
    port = await stack.enter_async_context(
        listening(treaty.secretariat, registry, "127.0.0.1:0", DirectoryServicer(log, notices))
    )
    return RealOffice(
        registry=registry, log=log, notices=notices, peer=replace(treaty.secretariat.peer, endpoint=f"127.0.0.1:{port}")
    )


async def node_of(stack: AsyncExitStack, treaty: Treaty, party: PartyId, path: Path, secretariat: Peer) -> RealNode:
    material, store = treaty.parties[party], await disk(stack, treaty, path)
    registry = await Registry.load(store, treaty.genesis_digest, WALL_CLOCK)
    notices = await Notices.load(registry, store, WALL_CLOCK)
    service = GrpcDirectory(await stack.enter_async_context(Channels(own=credential(material), clock=WALL_CLOCK)))
    own, world = Own(party=party, name=material.name, signer=material.signer), World(clock=WALL_CLOCK, entropy=entropy(0, party))
    await stack.enter_async_context(
        listening(material, registry, material.endpoint, DirectoryServicer(DirectoryReads(registry), notices))
    )
    return RealNode(
        material=material,
        registry=registry,
        notices=notices,
        gossip=Gossip(
            own=party,
            entropy=world.entropy,
            registry=registry,
            notices=notices,
            directory=service,
            telling=service,
            secretariat=secretariat,
        ),
        witness=Witness(own=own, world=world, registry=registry, store=store, service=service),
        service=service,
        secretariat=secretariat,
    )


@asynccontextmanager
async def federation(
    treaty: Treaty, folder: Path, *parties: PartyId
) -> AsyncIterator[tuple[RealOffice, dict[PartyId, RealNode]]]:
    async with AsyncExitStack() as stack:
        office = await office_of(stack, treaty, folder / "secretariat.sqlite")
        yield (
            office,
            {party: await node_of(stack, treaty, party, folder / f"{party}.sqlite", office.peer) for party in parties},
        )
