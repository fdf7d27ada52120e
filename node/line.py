"""A Party's line to the Secretariat: its replica of the directory, begun or followed under a certificate made for the moment."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from federation.boundary.directory import open_genesis
from federation.errors import Unwitnessed
from federation.identity import NodeName
from federation.ports import DirectoryService, DirectoryStore, Peer
from federation.trust.issuing import Authority
from node.config import NodeSettings
from node.rpc.channels import Channels
from node.rpc.directory import GrpcDirectory
from node.rpc.renewal import new_credential
from node.store.directory import SqliteDirectory
from node.use_cases.announcing import POLL_S, Patience
from node.use_cases.founding import secretariat_name
from node.use_cases.registry import Registry
from node.use_cases.world import World


def node_name(settings: NodeSettings) -> NodeName:
    """The node that the settings describe."""
    return NodeName(party=settings.party_id, node_id=settings.node_id, domain=settings.domain)


@dataclass(frozen=True, slots=True, kw_only=True)
class Following:
    """A connection to the Secretariat's log with the replica on disk."""

    registry: Registry
    service: DirectoryService
    secretariat: Peer


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """Where a replica begins.

    Attributes:
        secretariat_ca: DER of the anchor for the first read, when it is not the genesis entry's any more; later on the directory
            itself says it.
    """

    first_leaf: bytes
    secretariat_ca: bytes = b""


@asynccontextmanager
async def following(
    home: Path, settings: NodeSettings, ca: Authority, world: World, *, start: Start, patience: Patience
) -> AsyncIterator[Following]:
    """Follow the log as this Party, with a certificate made for the moment.

    Raises:
        Unwitnessed: too few witnesses stand under the directory, however long one waits for them.
    """
    genesis = open_genesis(start.first_leaf, bytes.fromhex(settings.genesis)).genesis
    credential = new_credential(world, ca, node_name(settings))
    anchor = start.secretariat_ca or genesis.secretariat_ca
    peer = Peer(name=secretariat_name(settings.domain), endpoint=settings.secretariat, anchors=(anchor,))
    async with (
        SqliteDirectory.open(home / "directory.sqlite") as store,
        Channels(own=credential, clock=world.clock) as channels,
    ):
        service = GrpcDirectory(channels)
        registry = await _replicate(store, service, peer, settings, first_leaf=start.first_leaf, world=world, patience=patience)
        yield Following(registry=registry, service=service, secretariat=registry.anchored(peer))


async def _replicate(
    store: DirectoryStore,
    service: GrpcDirectory,
    peer: Peer,
    settings: NodeSettings,
    *,
    first_leaf: bytes,
    world: World,
    patience: Patience,
) -> Registry:
    """The replica on disk, begun from the genesis entry when there is none."""
    digest = bytes.fromhex(settings.genesis)
    if await store.size() == 0:
        await _begin(store, service, peer, digest, first_leaf=first_leaf, world=world, patience=patience)
    registry = await Registry.load(store, digest, world.clock)
    await registry.follow(service, registry.anchored(peer))
    return registry


async def _begin(
    store: DirectoryStore,
    service: GrpcDirectory,
    peer: Peer,
    digest: bytes,
    *,
    first_leaf: bytes,
    world: World,
    patience: Patience,
) -> None:
    """Take the directory over once its witnesses stand under it: the first one may have been listed a moment ago and not run yet."""
    genesis, told = open_genesis(first_leaf, digest), ""
    missing = Unwitnessed("the Secretariat takes long to answer")
    try:
        async with asyncio.timeout(patience.wait_s):
            while True:
                try:
                    await Registry.begin(store, genesis, service, peer, world.clock, first_leaf=first_leaf)
                except Unwitnessed as short:
                    missing = short
                else:
                    return
                if missing.message != told:
                    patience.tell(missing.message)
                    told = missing.message
                await asyncio.sleep(POLL_S)
    except TimeoutError:
        raise missing from None
