"""Officers from outside of the node: the first one of a Party, and the way back when no administrator is left.

Both need the keystore's passphrase on the node's own machine. When the node runs, it holds its files; then the request goes through
its tray, sealed under the storage key, which nobody has without the passphrase. The record of use tells of both.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import msgspec

from federation import limits
from federation.errors import Conflict, FederationError, InvalidInput
from federation.trust.certificate import read_pinned_ca
from federation.trust.chain import load_certificate, window_of
from federation.trust.desk_code import DeskCode, ca_key_hash, desk_token_hash
from federation.trust.entries import Authority
from node import limits as node_limits
from node.config import NodeSettings
from node.errand import errand
from node.joining import Joined
from node.keystore import Keystore
from node.store.officer_tray import OfficerTray
from node.store.officers import SqliteOfficers
from node.store.vault import Vault
from node.use_cases.administration import OFFICER_ID_BYTES, by_operator
from node.use_cases.administration_values import InvitationWanted
from node.use_cases.officers import (
    Officer,
    OfficerCertificate,
    OfficerChange,
    OfficerInvitation,
    OfficerState,
    OfficerStore,
    Use,
    all_rights,
    withdrawn,
)
from node.use_cases.world import World

logger = logging.getLogger(__name__)

FIRST_NAME: Final = "first officer"
"""Until an administrator invites people by their names."""
LOOK_S: Final = 0.5
"""How often the running node looks into its tray: a person waits for it."""
PATIENCE_S: Final = 15.0
"""How long the command waits for the running node."""


class _Request(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What lies sealed in the tray."""

    officer: Officer
    invitation: OfficerInvitation


@dataclass(frozen=True, slots=True, kw_only=True)
class OperatorsInvitation:
    """What the operator hands over.

    Attributes:
        expires: Unix seconds.
    """

    officer_id: str
    code: DeskCode
    expires: int


def officers_file(home: Path) -> Path:
    """Where a node keeps its officers."""
    return home / "officers.sqlite"


async def register_first(home: Path, keystore: Keystore, joined: Joined, *, authority: Authority, world: World) -> None:
    """Enter the officer that joining has made, with all rights. Whoever an interrupted try entered has no profile, and goes.

    Raises:
        Conflict: officers are at work here already, and nobody is to be withdrawn by joining again.
    """
    vault, now = Vault(keystore.get("storage"), entropy=world.entropy), world.now()
    window = window_of(load_certificate(joined.officer_certificate))
    officer = Officer(
        officer_id=joined.officer.officer_id,
        name=FIRST_NAME,
        authority=authority,
        state=OfficerState.ACTIVE,
        created=now,
        life_s=limits.OFFICER_CERTIFICATE_LIFE_S,
        grants=all_rights(authority),
        certificates=(OfficerCertificate(der=joined.officer_certificate, not_after=window.not_after),),
    )
    words = "; ".join(grant.words for grant in officer.grants)
    use = Use(at=now, officer_id="", act="enrol", subject=officer.officer_id, words=f"by joining: {words}")
    async with SqliteOfficers.open(officers_file(home), vault=vault) as store:
        if any(line.officer_id for line in await store.uses(before=limits.TIME_S_MAX, rows=limits.PAGE_ROWS_MAX)):
            raise Conflict("this Party has officers already", hint="invite one: `gsp officers invite --home DIR`")
        earlier = tuple((one, withdrawn(one, now=now)) for one in await store.officers())
        await store.commit(OfficerChange(officers=(*earlier, (None, officer)), uses=(use,)))


async def invite_by_operator(
    home: Path, settings: NodeSettings, keystore: Keystore, wanted: InvitationWanted, *, desk: str, world: World
) -> OperatorsInvitation:
    """Invite an officer without an administrator, whether the node runs or not.

    Raises:
        Conflict: the running node did not take it up, or refused it.
        InvalidInput: a value cannot be.
    """
    async with errand(home, settings, keystore, world) as party:
        ca = party.own_keys.desk_ca().certificate
    pinned = read_pinned_ca(ca, party=settings.party_id, domain=settings.domain)
    token, now = world.entropy(limits.JOIN_TOKEN_BYTES), world.now()
    code = DeskCode(
        address=desk,
        party=settings.party_id,
        token=token,
        ca_key_sha256=ca_key_hash(pinned.public_key_info),
    )
    officer = Officer(
        officer_id=world.entropy(OFFICER_ID_BYTES).hex(),
        name=wanted.name,
        authority=wanted.authority,
        state=OfficerState.INVITED,
        created=now,
        life_s=wanted.life_s,
        grants=wanted.grants,
    )
    invitation = OfficerInvitation(
        token_hash=desk_token_hash(token, settings.party_id), expires=now + node_limits.OFFICER_TOKEN_LIFE_S
    )
    vault = Vault(keystore.get("storage"), entropy=world.entropy)
    try:
        async with SqliteOfficers.open(officers_file(home), vault=vault) as store:
            await store.commit(by_operator(officer, invitation, now=now))
    except Conflict:  # the node runs, and holds the file
        tray = OfficerTray(home / "tray", vault)
        request = msgspec.json.encode(_Request(officer=officer, invitation=invitation))
        await _taken_up(tray.put(officer.officer_id, request))
    return OperatorsInvitation(officer_id=officer.officer_id, code=code, expires=invitation.expires)


async def _taken_up(path: Path) -> None:
    """Wait until the running node has taken a request up."""
    try:
        async with asyncio.timeout(PATIENCE_S):
            while path.exists():  # noqa: ASYNC110  # another process takes the file; it can set no event here
                await asyncio.sleep(LOOK_S / 5)
    except TimeoutError:
        path.unlink(missing_ok=True)
        raise Conflict(
            "the running node did not take the request up", hint="look at its log, or stop it and repeat the command"
        ) from None
    if not path.with_suffix(".done").exists():
        why = path.with_suffix(".why")
        raise Conflict(
            "the running node refused the request",
            hint=why.read_text(encoding="utf-8").splitlines()[0] if why.exists() else "it runs with another keystore",
        )


async def take_requests(home: Path, vault: Vault, store: OfficerStore, world: World) -> None:
    """In the running node: take up what the operator laid down, for ever."""
    tray = OfficerTray(home / "tray", vault)
    while True:
        try:
            for path, request in tray.take():
                await tray.settle(path, _carry_out(path.stem, request, store, world))
        except (FederationError, OSError) as error:  # a full disk: officers are served all the same
            logger.warning("the tray cannot be emptied", extra={"problem": getattr(error, "code", "disk")})
        await asyncio.sleep(LOOK_S)


async def _carry_out(officer_id: str, raw: bytes, store: OfficerStore, world: World) -> None:
    try:
        request = msgspec.json.decode(raw, type=_Request)
    except msgspec.MsgspecError as error:
        raise InvalidInput("a file in the tray is no request") from error
    if request.officer.officer_id != officer_id:
        raise InvalidInput("a file in the tray is about another officer")
    fresh = replace(request.officer, state=OfficerState.INVITED, certificates=())
    await store.commit(by_operator(fresh, request.invitation, now=world.now()))
