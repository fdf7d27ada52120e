"""The directory over real mTLS and real SQLite: published by witnesses, forked and proven, revoked on sight, left for good."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from federation.errors import FederationError, Forbidden, Unauthentic, UnknownParty, Unreachable
from federation.identity import PartyId
from federation.ports import Notice, NoticeKind, Peer
from federation.trust.entries import RevokedKind
from node.rpc.channels import Channels
from node.rpc.directory import DirectoryServicer, GrpcDirectory
from node.rpc.interceptors import node_chain
from node.rpc.server import serving
from node.rpc.tls import NodeCredential, ServerTls, TlsSnapshot
from node.store.directory import SqliteDirectory
from node.use_cases.announcing import follow_until
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

QM, QN, QO, QP = (PartyId(party) for party in ("qm", "qn", "qo", "qp"))


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


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port


def treaty_of(*parties: str, witnesses: tuple[str, ...] = ()) -> Treaty:
    """Valid now, because TLS reads the real clock; its nodes listen on ports of this machine."""
    treaty = Treaty.make(77, now=int(time.time()), first_witnesses=witnesses)
    for party in parties:
        treaty.admit(party, endpoint=f"127.0.0.1:{free_port()}")
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


async def test_an_entry_is_submitted_cosigned_by_all_witnesses_and_followed(tmp_path):
    treaty = treaty_of("qm", "qn", "qo", "qp", witnesses=("qm", "qn", "qo"))
    async with federation(treaty, tmp_path, QM, QN, QO, QP) as (office, nodes):
        author = nodes[QP]
        index = await author.service.submit(office.peer, acts.update(treaty, author.material).leaf)
        assert not await author.follow()

        waiting = follow_until(author.registry, author.service, office.peer, size=index + 1)
        duties = (nodes[party].witness.attend(office.peer) for party in (QM, QN, QO))
        await asyncio.gather(waiting, *duties)

        assert author.registry.roster.party(QP).update is not None


async def test_a_fork_is_found_proven_and_told_to_every_node(tmp_path):
    treaty = treaty_of("qm", "qn", "qo", "qp")
    (tmp_path / "fork").mkdir()
    async with federation(treaty, tmp_path, QN, QO, QP) as (office, nodes), AsyncExitStack() as stack:
        fork = await office_of(stack, treaty, tmp_path / "fork" / "log.sqlite")
        target = await node_of(stack, treaty, QM, tmp_path / "qm.sqlite", fork.peer)
        await fork.append(acts.update(treaty, treaty.parties[QP]))
        await office.append(acts.update(treaty, treaty.parties[QO]))
        for node in (target, *nodes.values()):
            await node.follow()

        nodes[QN].registry.hear(target.registry.head, QM)
        await nodes[QN].gossip.look()
        await nodes[QN].gossip.tell()

        for node in (target, *nodes.values()):
            assert len(node.notices.splits) == 1
        assert len(office.notices.splits) == 1
        await office.append(acts.update(treaty, treaty.parties[QN]))
        with pytest.raises(Unauthentic, match="two directories"):
            await nodes[QO].follow()


async def test_the_certificate_of_a_withdrawn_party_is_refused(tmp_path):
    """On the connection that it has, and on every new one."""
    treaty = treaty_of("qm", "qn")
    async with federation(treaty, tmp_path, QM, QN) as (office, nodes):
        leaving, staying = nodes[QN], nodes[QM]
        await leaving.service.checkpoint(treaty.parties[QM].peer)
        await office.append(acts.withdraw(treaty, leaving.material))
        await staying.follow()

        with pytest.raises(Unauthentic):
            await leaving.service.checkpoint(treaty.parties[QM].peer)
        async with Channels(own=credential(leaving.material), clock=WALL_CLOCK) as channels:
            with pytest.raises(Unreachable):
                await GrpcDirectory(channels).checkpoint(treaty.parties[QM].peer)
        with pytest.raises(UnknownParty):
            staying.registry.peer(QN)


async def test_a_suspended_party_reads_the_directory_and_is_exchanged_with_by_nobody(tmp_path):
    treaty = treaty_of("qm", "qn")
    async with federation(treaty, tmp_path, QM, QN) as (office, nodes):
        await office.append(acts.suspend(treaty, QN, serial=1))
        await nodes[QM].follow()

        await nodes[QN].service.checkpoint(treaty.parties[QM].peer)
        assert await nodes[QN].follow()
        with pytest.raises(Forbidden):
            nodes[QM].registry.peer(QN)


async def test_a_revoked_ca_is_refused_at_the_next_call_though_the_log_does_not_hold_it(tmp_path):
    treaty = treaty_of("qm", "qn", "qo")
    async with federation(treaty, tmp_path, QM, QN, QO) as (_, nodes):
        stolen, told = nodes[QN], nodes[QM]
        await stolen.service.checkpoint(treaty.parties[QM].peer)
        leaf = acts.revoke(treaty, stolen.material, RevokedKind.PARTY_CA).leaf
        await nodes[QO].service.tell(treaty.parties[QM].peer, Notice(kind=NoticeKind.REVOCATION, raw=leaf))

        assert QN not in told.registry.roster.anchors()
        with pytest.raises(Unauthentic):
            await stolen.service.checkpoint(treaty.parties[QM].peer)
        assert await nodes[QO].service.notices(treaty.parties[QM].peer) == (Notice(kind=NoticeKind.REVOCATION, raw=leaf),)


@pytest.mark.parametrize("notice", [Notice(kind=kind, raw=b"junk") for kind in NoticeKind], ids=str)
async def test_a_notice_that_proves_nothing_is_refused_over_the_wire(tmp_path, notice):
    treaty = treaty_of("qm", "qn")
    async with federation(treaty, tmp_path, QM, QN) as (_, nodes):
        with pytest.raises(FederationError):
            await nodes[QN].service.tell(treaty.parties[QM].peer, notice)

        assert await nodes[QN].service.notices(treaty.parties[QM].peer) == ()


async def test_a_partys_node_has_nothing_pending_and_takes_no_cosignature(tmp_path):
    treaty = treaty_of("qm", "qn")
    async with federation(treaty, tmp_path, QM, QN) as (_, nodes):
        for call in (nodes[QN].service.pending(treaty.parties[QM].peer), nodes[QN].service.cosign(treaty.parties[QM].peer, b"")):
            with pytest.raises(Forbidden):
                await call
