"""The directory from a Party's folder, without its node: mandates offered, accepted and ended, and what stands there of a Party."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from federation.boundary.directory import extend, open_genesis
from federation.identity import PartyId
from federation.trust.entries import EntryBody, Mandate, MandateScope, Update
from federation.trust.keys import SoftwareSigner
from node.config import NodeSettings
from node.joining import Following, following, own_admission
from node.keystore import Keystore
from node.store.directory import SqliteDirectory, read_copy
from node.use_cases.announcing import (
    Particulars,
    accept_mandate,
    announce,
    check_administers,
    end_mandate,
    offer_mandate,
    wanted_update,
)
from node.use_cases.registry import Registry
from node.use_cases.world import World


def offer(
    home: Path, settings: NodeSettings, keystore: Keystore, member: PartyId, *, days: int, scope: MandateScope, world: World
) -> bytes:
    """The region's half. Its node may be running.

    Raises:
        NotFound, Unauthentic, StoreUnavailable: the directory in the folder cannot be read.
    """
    copy = read_copy(home / "directory.sqlite")
    roster = extend(open_genesis(copy.leaves[0], bytes.fromhex(settings.genesis)), copy.leaves[1:], copy.checkpoint).roster
    signer = SoftwareSigner(keystore.get("party"))
    return offer_mandate(roster, region=settings.party_id, member=member, days=days, scope=scope, now=world.now(), signer=signer)


async def accept(home: Path, settings: NodeSettings, keystore: Keystore, offered: bytes, world: World) -> Mandate:
    """The member's half, submitted. The member's node must not be running.

    Raises:
        Forbidden, Malformed, Unauthentic: as `accept_mandate`.
        Unreachable: the Secretariat does not answer.
    """
    async with _line(home, settings, keystore, world) as line:
        signer = SoftwareSigner(keystore.get("party"))
        mandate, leaf = accept_mandate(offered, line.registry.roster, member=settings.party_id, now=world.now(), signer=signer)
        await line.service.submit(line.secretariat, leaf)
        await line.registry.follow(line.service, line.secretariat)
    return mandate


async def end(home: Path, settings: NodeSettings, keystore: Keystore, other: PartyId, *, reason: str, world: World) -> Mandate:
    """End the mandate between this Party and another, from either side. The own node must not be running.

    Raises:
        NotFound: there is none.
        Unreachable: the Secretariat does not answer.
    """
    async with _line(home, settings, keystore, world) as line:
        mandate, revoke = end_mandate(line.registry.roster, settings.party_id, other, reason=reason, now=world.now())
        await _submit(line, revoke, keystore)
    return mandate


async def bring_up_to_date(
    home: Path, settings: NodeSettings, keystore: Keystore, *, party: PartyId, says: Particulars, world: World
) -> Update | None:
    """Bring what the directory says of a Party to what is said here, under this Party's key; None when it stood there already.

    Raises:
        Forbidden: it is another Party, which gave no mandate to administer for it.
        Unreachable: the Secretariat does not answer.
    """
    async with _line(home, settings, keystore, world) as line:
        roster, now = line.registry.roster, world.now()
        if party != settings.party_id:
            check_administers(roster, settings.party_id, party, now=now)
        update = wanted_update(roster, party, says, now=now)
        await _submit(line, update, keystore)
    return update


@asynccontextmanager
async def _line(home: Path, settings: NodeSettings, keystore: Keystore, world: World) -> AsyncIterator[Following]:
    """The Secretariat's log, followed as this Party from the replica on disk."""
    async with SqliteDirectory.open(home / "directory.sqlite") as store:
        registry = await Registry.load(store, bytes.fromhex(settings.genesis), world.clock)
        admit = own_admission(registry, settings.party_id)
        (first_leaf,) = await store.leaves(0, 1)
    async with following(home, settings, keystore, admit, world, first_leaf=first_leaf) as line:
        yield line


async def _submit(line: Following, body: EntryBody | None, keystore: Keystore) -> None:
    signer = SoftwareSigner(keystore.get("party"))
    await announce(line.registry, line.service, line.secretariat, bodies=[body], signer=signer)
