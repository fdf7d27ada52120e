"""Mandates at the command line: offered by a region, accepted by a member, entered into the directory by the member."""

from __future__ import annotations

from pathlib import Path

from federation.identity import PartyId
from federation.trust.entries import Mandate
from node.config import NodeSettings
from node.errand import errand
from node.keystore import Keystore
from node.use_cases.announcing import accept_mandate, follow_until, offer_mandate
from node.use_cases.world import World


async def offer(home: Path, settings: NodeSettings, keystore: Keystore, member: PartyId, *, days: int, world: World) -> bytes:
    """The region's half."""
    async with errand(home, settings, keystore, world) as party:
        return offer_mandate(region=settings.party_id, member=member, days=days, now=world.now(), signer=party.author())


async def accept(home: Path, settings: NodeSettings, keystore: Keystore, offered: bytes, world: World) -> Mandate:
    """The member's half, submitted.

    Raises:
        Forbidden, Malformed, Unauthentic: as `accept_mandate`.
        Unreachable: the Secretariat does not answer.
    """
    async with errand(home, settings, keystore, world) as party, party.line() as line:
        await line.registry.follow(line.service, line.secretariat)
        mandate, leaf = accept_mandate(
            offered, line.registry.roster, member=settings.party_id, now=world.now(), signer=party.author()
        )
        index = await line.service.submit(line.secretariat, leaf)
        await follow_until(line.registry, line.service, line.secretariat, size=index + 1)
    return mandate
