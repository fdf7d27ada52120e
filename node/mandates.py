"""What a Party says in the directory by command: mandates from both sides, and what a region that administers says for its members."""

from __future__ import annotations

from pathlib import Path

from federation.identity import PartyId
from federation.trust.entries import Mandate, MandateScope, Update
from node.config import NodeSettings
from node.errand import errand
from node.keystore import Keystore
from node.use_cases.announcing import (
    Particulars,
    accept_mandate,
    check_administers,
    end_mandate,
    follow_until,
    offer_mandate,
    wanted_update,
)
from node.use_cases.world import World


async def offer(
    home: Path, settings: NodeSettings, keystore: Keystore, member: PartyId, *, days: int, scope: MandateScope, world: World
) -> bytes:
    """The region's half. Its node may be running.

    Raises:
        NotFound, Unauthentic, StoreUnavailable: the directory in the folder cannot be read.
    """
    async with errand(home, settings, keystore, world) as party:
        roster, now = party.registry.roster, world.now()
        return offer_mandate(
            roster, region=settings.party_id, member=member, days=days, scope=scope, now=now, signer=party.author()
        )


async def accept(home: Path, settings: NodeSettings, keystore: Keystore, offered: bytes, world: World) -> Mandate:
    """The member's half: entered into the directory, and read back from there.

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


async def end(home: Path, settings: NodeSettings, keystore: Keystore, other: PartyId, *, reason: str, world: World) -> Mandate:
    """End the mandate between this Party and another, from either side.

    Raises:
        NotFound: there is none.
        Unreachable: the Secretariat does not answer.
    """
    async with errand(home, settings, keystore, world) as party:
        await party.follow()
        roster = party.registry.roster
        mandate, revoke = end_mandate(roster, settings.party_id, other, reason=reason, now=world.now())
        await party.submit(revoke, [party.author()])
    return mandate


async def bring_up_to_date(
    home: Path, settings: NodeSettings, keystore: Keystore, *, party: PartyId, says: Particulars, world: World
) -> Update | None:
    """Bring what the directory says of a Party to what is said here, under this Party's key; None when it stood there already.

    Raises:
        Forbidden: it is another Party, which gave no mandate to administer for it.
        Unreachable: the Secretariat does not answer.
    """
    async with errand(home, settings, keystore, world) as own:
        await own.follow()
        roster, now = own.registry.roster, world.now()
        if party != settings.party_id:
            check_administers(roster, settings.party_id, party, now=now)
        update = wanted_update(roster, party, says, now=now)
        if update is not None:
            await own.submit(update, [own.author()])
    return update
