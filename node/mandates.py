"""Mandates at the command line: offered by a region, accepted by a member, entered into the directory by the member."""

from __future__ import annotations

from pathlib import Path

from federation.identity import PartyId
from federation.trust.entries import Mandate
from federation.trust.keys import Signer, SoftwareSigner
from node.config import NodeSettings
from node.joining import Start, following, own_admission
from node.keystore import Keystore
from node.store.directory import SqliteDirectory
from node.use_cases.announcing import accept_mandate, follow_until, offer_mandate
from node.use_cases.registry import Registry
from node.use_cases.world import World


def offer(settings: NodeSettings, member: PartyId, *, days: int, now: int, signer: Signer) -> bytes:
    """The region's half."""
    return offer_mandate(region=settings.party_id, member=member, days=days, now=now, signer=signer)


async def accept(home: Path, settings: NodeSettings, keystore: Keystore, offered: bytes, world: World) -> Mandate:
    """The member's half, submitted. The member's node must not be running.

    Raises:
        Forbidden, Malformed, Unauthentic: as `accept_mandate`.
        Unreachable: the Secretariat does not answer.
    """
    async with SqliteDirectory.open(home / "directory.sqlite") as store:
        registry = await Registry.load(store, bytes.fromhex(settings.genesis), world.clock)
        admit = own_admission(registry, settings.party_id)
        (first_leaf,) = await store.leaves(0, 1)
    async with following(home, settings, keystore, admit, world, start=Start(first_leaf=first_leaf)) as line:
        signer = SoftwareSigner(keystore.get("party"))
        mandate, leaf = accept_mandate(offered, line.registry.roster, member=settings.party_id, now=world.now(), signer=signer)
        index = await line.service.submit(line.secretariat, leaf)
        await follow_until(line.registry, line.service, line.secretariat, size=index + 1)
    return mandate
