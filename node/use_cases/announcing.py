"""What a Party says of itself in the directory: made only when it differs from what stands there, and signed by the Party key."""

from __future__ import annotations

from collections.abc import Sequence

from federation import limits
from federation.boundary.directory import compose_entry, join_signatures, sign_body
from federation.envelope.suite import SUITE
from federation.errors import Forbidden, Malformed
from federation.identity import NodeName, PartyId
from federation.ports import DirectoryService, Peer
from federation.trust import directory, keys
from federation.trust.entries import (
    Authority,
    Contact,
    EntryBody,
    EntryKind,
    Mandate,
    NodeEntry,
    SignedEntry,
    Update,
)
from federation.trust.keys import Signer
from federation.trust.roster import PartyRecord, Roster
from federation.uim.pattern import PatternSet
from federation.wire.directory import decode_entry_body, decode_signed_entry, encode_entry_body
from federation.wire.patterns import encode_pattern_set
from node.use_cases.library import pattern_set_digest
from node.use_cases.registry import Registry


def wanted_update(
    roster: Roster, party: PartyId, *, name: str, region: bool, own_set: PatternSet | None, now: int
) -> Update | None:
    """The update that brings the log to what the settings say; None when it says so already."""
    record = roster.party(party)
    before = record.update
    digest = pattern_set_digest(encode_pattern_set(own_set)) if own_set is not None else b""
    version = own_set.version if own_set is not None else 0
    standing = (before.display_name, before.region, before.pattern_set_digest) if before is not None else None
    if standing == (name, region, digest):
        return None
    authorities: tuple[Authority, ...] = before.authorities if before is not None else ()
    contacts: tuple[Contact, ...] = before.contacts if before is not None else ()
    return Update(
        created=now,
        party=party,
        serial=before.serial + 1 if before is not None else 1,
        display_name=name,
        region=region,
        authorities=authorities,
        contacts=contacts,
        pattern_set_version=version,
        pattern_set_digest=digest,
    )


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


async def announce(
    registry: Registry,
    service: DirectoryService,
    secretariat: Peer,
    *,
    bodies: Sequence[EntryBody | None],
    signer: Signer,
) -> None:
    """Submit what is wanted, and follow the log until it stands here too.

    Raises:
        Unreachable: the Secretariat does not answer; what was submitted before stands.
        Forbidden: an entry breaks its author rule.
    """
    leaves = [compose_entry(body, [signer]) for body in bodies if body is not None]
    for leaf in leaves:
        await service.submit(secretariat, leaf)
    if leaves:
        await registry.follow(service, secretariat)


def offer_mandate(*, region: PartyId, member: PartyId, days: int, now: int, signer: Signer) -> bytes:
    """The region's half of a mandate: a leaf that is good only when the member signs too."""
    mandate = Mandate(created=now, region=region, member=member, serial=now, not_after=now + days * 86_400)
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
