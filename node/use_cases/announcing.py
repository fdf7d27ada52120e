"""What a Party says of itself in the directory: made only when it differs from what stands there, and signed by the Party key."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from federation import limits
from federation.boundary.directory import claimed_checkpoint, compose_entry, join_signatures, sign_body
from federation.envelope.suite import SUITE
from federation.errors import Conflict, FederationError, Forbidden, Incompatible, Malformed, NotFound, Overloaded, Unreachable
from federation.identity import NodeName, PartyId
from federation.ports import DirectoryService, Peer
from federation.trust import directory, keys, note
from federation.trust.entries import (
    Administrator,
    Authority,
    Contact,
    EntryBody,
    EntryKind,
    Mandate,
    MandateScope,
    NodeEntry,
    Revoke,
    RevokedKind,
    SignedEntry,
    Update,
    mandate_id,
)
from federation.trust.keys import Signer
from federation.trust.roster import PartyRecord, Roster
from federation.trust.witness import weigh
from federation.wire.directory import decode_entry_body, decode_signed_entry, encode_entry_body
from node.use_cases.registry import Registry

PUBLICATION_WAIT_S: Final = 60.0
"""Witnesses look for checkpoints every few seconds; when one is away, nothing here gets better by waiting longer."""
POLL_S: Final = 0.5
"""How soon the Secretariat is asked again: a person waits."""
POLL_S_MAX: Final = 5.0
"""And how often at least: as often as witnesses look for checkpoints."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pin:
    """Version and SHA-256 of what a Party publishes beside the directory."""

    version: int
    digest: bytes


NOTHING: Final = Pin(version=0, digest=b"")
"""Nothing is published."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Particulars:
    """What a Party says of itself, or a region that administers for it.

    Attributes:
        name: in words.
        region: it answers for others.
        pilot: it tries it out.
        patterns, profile: of the pattern set and the track-and-trace profile; None leaves what stands.
    """

    name: str
    region: bool
    pilot: bool = False
    authorities: tuple[Authority, ...] = ()
    contacts: tuple[Contact, ...] = ()
    administrators: tuple[Administrator, ...] = ()
    patterns: Pin | None = None
    profile: Pin | None = None


def wanted_update(roster: Roster, party: PartyId, says: Particulars, *, now: int) -> Update | None:
    """The update that brings the log to what the Party says; None when it says so already."""
    before = roster.party(party).update
    patterns, profile = says.patterns or _pinned_patterns(before), says.profile or _pinned_profile(before)
    wanted = Update(
        created=now,
        party=party,
        serial=before.serial + 1 if before is not None else 1,
        display_name=says.name,
        region=says.region,
        authorities=says.authorities,
        contacts=says.contacts,
        pattern_set_version=patterns.version,
        pattern_set_digest=patterns.digest,
        administrators=says.administrators,
        pilot=says.pilot,
        profile_version=profile.version,
        profile_digest=profile.digest,
    )
    if before is not None and replace(wanted, created=before.created, serial=before.serial) == before:
        return None
    return wanted


def _pinned_patterns(before: Update | None) -> Pin:
    return Pin(version=before.pattern_set_version, digest=before.pattern_set_digest) if before is not None else NOTHING


def _pinned_profile(before: Update | None) -> Pin:
    return Pin(version=before.profile_version, digest=before.profile_digest) if before is not None else NOTHING


def wanted_node(
    roster: Roster, party: PartyId, *, name: NodeName, endpoint: str, signing_key: bytes, now: int
) -> NodeEntry | None:
    """The node entry that brings the log to what the settings say; None when it says so already."""
    record: PartyRecord = roster.party(party)
    before = record.node
    if before is not None and (before.node, before.endpoint, before.signing_key) == (name, endpoint, signing_key):
        return None
    return NodeEntry(
        created=now,
        party=party,
        serial=record.nodes[-1].entry.serial + 1 if record.nodes else 1,  # also after one whose key was revoked
        node=name,
        endpoint=endpoint,
        signing_key=signing_key,
        suites=(SUITE,),
        min_suite=SUITE,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long to wait for an entry to count, and whom to tell why.

    Attributes:
        wait_s: seconds by the loop's time.
        tell: called with each new reason, in words.
    """

    wait_s: float = PUBLICATION_WAIT_S
    tell: Callable[[str], None] = lambda _words: None


async def announce(
    registry: Registry,
    service: DirectoryService,
    secretariat: Peer,
    *,
    bodies: Sequence[EntryBody | None],
    signer: Signer,
    patience: Patience | None = None,
) -> None:
    """Submit what is wanted, and follow the log until it stands here too.

    Raises:
        Unreachable: the Secretariat does not answer; what was submitted before stands.
        Forbidden: an entry breaks its author rule.
        Conflict: it is logged, and witnesses have not cosigned it yet.
    """
    leaves = [compose_entry(body, [signer]) for body in bodies if body is not None]
    patience = patience or Patience()
    indices = [await _submit(service, secretariat, leaf, patience) for leaf in leaves]
    if indices:
        await follow_until(registry, service, secretariat, size=max(indices) + 1, patience=patience)


async def _submit(service: DirectoryService, secretariat: Peer, leaf: bytes, patience: Patience) -> int:
    """Submit, again and again while the log takes nothing because its witnesses change: a matter of seconds."""
    rest_s = POLL_S
    refused: FederationError = Unreachable("the Secretariat takes long to answer")
    try:
        async with asyncio.timeout(patience.wait_s):
            while True:
                try:
                    return await service.submit(secretariat, leaf)
                except Overloaded as busy:
                    patience.tell(busy.message)
                    refused = busy
                await asyncio.sleep(rest_s)
                rest_s = min(1.5 * rest_s, POLL_S_MAX)
    except TimeoutError:
        raise refused from None


async def follow_pending(
    registry: Registry, service: DirectoryService, secretariat: Peer, *, patience: Patience | None = None
) -> None:
    """Wait until everything counts that the log has taken by now: what somebody submitted before an interruption is among it.

    Raises:
        As `follow_until`.
    """
    size = claimed_checkpoint(await _pending(service, secretariat)).size
    await follow_until(registry, service, secretariat, size=size, patience=patience)


async def _pending(service: DirectoryService, secretariat: Peer) -> bytes:
    """What waits for witnesses. A Secretariat of version 0.1.0 knows of none: what it took is what it shows."""
    try:
        return await service.pending(secretariat)
    except Incompatible:
        return await service.checkpoint(secretariat)


async def follow_until(
    registry: Registry, service: DirectoryService, secretariat: Peer, *, size: int, patience: Patience | None = None
) -> None:
    """Follow the log until so many entries count here.

    Raises:
        Conflict: witnesses have not cosigned them in the given time; they are logged and count as soon as that has happened.
    """
    patience, told, rest_s = patience or Patience(), "", POLL_S
    try:
        async with asyncio.timeout(patience.wait_s):
            while True:
                await registry.follow(service, secretariat)
                if registry.replica.frontier.size >= size:
                    return
                words = waiting_words(registry.replica.roster, await _pending(service, secretariat))
                if words != told:
                    patience.tell(words)
                    told = words
                await asyncio.sleep(rest_s)
                rest_s = min(1.5 * rest_s, POLL_S_MAX)
    except TimeoutError:
        raise Conflict(
            told or "the Secretariat takes long to answer",
            hint="what was submitted is logged and counts when enough witnesses have cosigned it; look again later",
        ) from None


def waiting_words(roster: Roster, pending: bytes) -> str:
    """What a checkpoint waits for, in words."""
    quorum = weigh(roster, note.parse_note(pending))
    return f"the directory waits for witnesses: {len(quorum.witnesses)} of {quorum.needed}"


def offer_mandate(
    roster: Roster,
    *,
    region: PartyId,
    member: PartyId,
    days: int,
    now: int,
    signer: Signer,
    scope: MandateScope = MandateScope.ANSWER,
) -> bytes:
    """The region's half of a mandate: a leaf that is good only when the member signs too.

    Its serial is the time, so that nobody has to remember one; or the next number, after another one in the same second.
    """
    serial = max(now, roster.mandate_serials.get((region, member), 0) + 1)
    mandate = Mandate(created=now, region=region, member=member, serial=serial, not_after=now + days * 86_400, scope=scope)
    body = encode_entry_body(mandate)
    return join_signatures(EntryKind.MANDATE, body, [sign_body(EntryKind.MANDATE, body, signer)])


def accept_mandate(leaf: bytes, roster: Roster, *, member: PartyId, now: int, signer: Signer) -> tuple[Mandate, bytes]:
    """The whole mandate, once the member has seen that the region signed it.

    Raises:
        Malformed: not half a mandate.
        Forbidden: it is for another member, or has no end that anybody would live to see.
        Unauthentic: the region's signature is wrong.
    """
    entry: SignedEntry = decode_signed_entry(leaf)
    mandate = decode_entry_body(entry.kind, entry.body)
    if not isinstance(mandate, Mandate) or len(entry.signatures) != 1:
        raise Malformed("this file is no offer of a mandate", hint="the region makes one with `gsp party mandate offer`")
    if mandate.member != member:
        raise Forbidden(f"this mandate is offered to {mandate.member}")
    latest = now + limits.CLOCK_TOLERANCE_S
    if mandate.created > latest or mandate.serial > latest or mandate.not_after > latest + limits.MANDATE_LIFE_S_MAX:
        raise Forbidden("this mandate would outlast any that may be given", hint="ask the region for another offer")
    offered = entry.signatures[0]
    if offered.public_key != roster.party(mandate.region).party_key:
        raise Forbidden("this mandate is not signed by the region that it names")
    message = directory.entry_message(EntryKind.MANDATE, entry.body)
    keys.verify(public_key=offered.public_key, message=message, signature=offered.signature)
    signatures = [offered, sign_body(EntryKind.MANDATE, entry.body, signer)]
    return mandate, join_signatures(EntryKind.MANDATE, entry.body, signatures)


def end_mandate(roster: Roster, own: PartyId, other: PartyId, *, reason: str, now: int) -> tuple[Mandate, Revoke]:
    """What ends the mandate between two Parties, whichever of them is the region.

    Raises:
        NotFound: there is none.
    """
    ours = (own, other), (other, own)
    standing = [one.mandate for one in roster.mandates if (one.mandate.region, one.mandate.member) in ours]
    if not standing:
        raise NotFound(f"no mandate stands between {own} and {other}", hint="`gsp directory show` lists the mandates")
    mandate = standing[-1]
    revoke = Revoke(created=now, party=own, kind=RevokedKind.MANDATE, id=mandate_id(mandate), reason=reason)
    return mandate, revoke


def check_administers(roster: Roster, region: PartyId, member: PartyId, *, now: int) -> None:
    """See that the region may write the member's entries.

    Raises:
        Forbidden: no such mandate stands.
    """
    if region not in roster.administrators_for(member, now=now):
        raise Forbidden(
            f"{region} has no mandate to administer for {member}",
            hint="offer one with `gsp party mandate offer --scope administer`, or both; the member accepts it",
        )
