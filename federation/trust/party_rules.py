"""Author rules of the entries that Parties write or sign. Each takes the roster before and gives the roster after.

The table of all rules stands in `directory`, which calls these with the keys whose signatures have verified.
"""

from __future__ import annotations

from dataclasses import replace
from hashlib import sha256
from types import MappingProxyType

from federation import limits
from federation.errors import Forbidden
from federation.identity import PartyId
from federation.trust.certificate import read_party_ca, read_pinned_ca, read_successor_ca
from federation.trust.entries import (
    Admit,
    Ca,
    Confirm,
    Mandate,
    NodeEntry,
    Revoke,
    RevokedKind,
    Rotate,
    Update,
    Withdraw,
    mandate_id,
)
from federation.trust.keys import check_public_key
from federation.trust.roster import (
    Logged,
    LoggedCa,
    LoggedMandate,
    PartyRecord,
    Roster,
    listed_keys,
    with_party,
)

Signers = set[bytes]


def admit(roster: Roster, body: Admit, signers: Signers, digest: bytes) -> Roster:
    """K founders and the Party; its CA leads through an issuing CA that stands to the treaty root."""
    genesis = roster.genesis
    require_founders(roster, signers, beside={body.party_key})
    before = roster.parties.get(body.party)
    if before is not None and not before.withdrawn:
        raise Forbidden(f"{body.party} is a Party already; its keys change by rotation")
    if before is None and len(roster.parties) >= limits.PARTIES_MAX:
        raise Forbidden("the directory holds as many Parties as it can")
    require_unused(roster, body.party_key)
    if body.issuing_ca not in roster.governance.issuing_cas:
        raise Forbidden("the CA of a Party is issued by the issuing CA that the directory lists")
    ca = read_party_ca(
        body.party_ca,
        party=body.party,
        domain=genesis.domain,
        issuing_ca=body.issuing_ca,
        root=genesis.root_certificate,
        now=body.created,
    )
    record = PartyRecord(
        admit=body,
        admit_index=roster.size,
        admit_digest=digest,
        party_key=body.party_key,
        next_key_hash=body.next_key_hash,
        cas=(LoggedCa(index=roster.size, der=body.party_ca, key_hash=sha256(ca.public_key_info).digest()),),
    )
    return with_party(roster, body.party, _returned(before, record) if before is not None else record)


def _returned(before: PartyRecord, record: PartyRecord) -> PartyRecord:
    """A Party that comes back: what it had is kept for old signatures and counts no more."""
    keys = {logged.entry.signing_key for logged in before.nodes}
    hashes = {ca.key_hash for ca in before.cas}
    if record.cas[0].key_hash in hashes:
        raise Forbidden("a Party that comes back makes new keys")
    return replace(
        record,
        nodes=before.nodes,
        cas=(*before.cas, *record.cas),
        revoked=before.revoked | keys | hashes,
        former_keys=before.former_keys | ({before.party_key} if before.party_key is not None else set()),
    )


def update(roster: Roster, body: Update, signers: Signers) -> Roster:
    """The Party key, or that of a region that administers for it."""
    record = _written_for(roster, body.party, signers, at=body.created)
    if record.update is not None and body.serial <= record.update.serial:
        raise Forbidden("the serial of an update has to grow")
    return with_party(roster, body.party, replace(record, update=body))


def node(roster: Roster, body: NodeEntry, signers: Signers) -> Roster:
    """The Party key, or that of a region that administers for it."""
    record = _written_for(roster, body.party, signers, at=body.created)
    if record.nodes and body.serial <= record.nodes[-1].entry.serial:
        raise Forbidden("the serial of a node entry has to grow")
    if body.node.domain != roster.genesis.domain:
        raise Forbidden("a node is named in the treaty's domain")
    check_public_key(body.signing_key)
    if body.signing_key in record.revoked:
        raise Forbidden("this signing key was revoked and never serves again")
    own = {logged.entry.signing_key for logged in record.nodes}
    if body.signing_key in listed_keys(roster) - own:
        raise Forbidden("the signing key of a node serves for nothing else, and for nobody else")
    return with_party(roster, body.party, replace(record, nodes=(*record.nodes, Logged(index=roster.size, entry=body))))


def ca(roster: Roster, body: Ca, signers: Signers) -> Roster:
    """The Party key. The Party's CAs stand beside each other; few at a time, or every node would hold ever more anchors."""
    record = written(roster, body.party, signers)
    if body.serial <= record.ca_serial:
        raise Forbidden("the serial of a CA entry has to grow")
    standing = len(record.standing_cas)
    if standing >= limits.CAS_PER_PARTY_MAX and not _some_ended(roster, record, at=body.created):
        raise Forbidden(f"{standing} CAs of this Party stand already; revoke one first")
    logged = successor(roster, body.party, record, body.party_ca, at=body.created)
    return with_party(roster, body.party, replace(record, ca_serial=body.serial, cas=(*record.cas, logged)))


def successor(roster: Roster, party: PartyId, record: PartyRecord, der: bytes, *, at: int) -> LoggedCa:
    """Read a CA that the Party made for itself."""
    read = read_successor_ca(der, party=party, domain=roster.genesis.domain, now=at)
    key_hash = sha256(read.public_key_info).digest()
    if key_hash in record.revoked or any(one.key_hash == key_hash for one in record.cas):
        raise Forbidden("a new CA has a new key")
    return LoggedCa(index=roster.size, der=der, key_hash=key_hash)


def _some_ended(roster: Roster, record: PartyRecord, *, at: int) -> bool:
    """Whether one of the standing CAs has reached its own end by then."""
    domain = roster.genesis.domain
    windows = [read_pinned_ca(der, party=record.admit.party, domain=domain).window for der in record.standing_cas]
    return any(window.not_after < at for window in windows)


def rotate(roster: Roster, body: Rotate, signers: Signers) -> Roster:
    """The key that was committed to; the key before it may sign as well. So whoever steals the Party key cannot replace it."""
    record = present(roster, body.party)
    if sha256(body.party_key).digest() != record.next_key_hash:
        raise Forbidden("the Party key is followed by the key that was committed to, and by no other")
    if signers not in ({body.party_key}, {body.party_key, record.party_key}):
        raise Forbidden("a rotation is signed by the new Party key, and at most by the old one beside it")
    require_unused(roster, body.party_key)
    if body.next_key_hash == record.next_key_hash:
        raise Forbidden("the key after the next one is another key")
    return with_party(roster, body.party, replaced_key(record, body.party_key, body.next_key_hash))


def replaced_key(record: PartyRecord, party_key: bytes, next_key_hash: bytes) -> PartyRecord:
    """The record with another Party key and another commitment."""
    former = record.former_keys | ({record.party_key} if record.party_key is not None else set())
    return replace(record, party_key=party_key, next_key_hash=next_key_hash, former_keys=former)


def revoke(roster: Roster, body: Revoke, signers: Signers) -> Roster:
    """The Party key, over what is the Party's own; of a mandate, either side."""
    record = written(roster, body.party, signers)
    if body.kind is RevokedKind.MANDATE:
        return _end_mandate(roster, body)
    own = _own_keys(record, body.kind)
    if body.id not in own:
        raise Forbidden("a Party revokes its own keys, and those that the directory lists")
    changed = replace(record, revoked=record.revoked | {body.id})
    if body.kind is RevokedKind.PARTY_KEY:
        changed = replace(changed, party_key=None, former_keys=record.former_keys | {body.id})
    return with_party(roster, body.party, changed)


def _own_keys(record: PartyRecord, kind: RevokedKind) -> set[bytes]:
    """What of that kind the directory lists for the Party."""
    match kind:
        case RevokedKind.SIGNING_KEY:
            return {logged.entry.signing_key for logged in record.nodes}
        case RevokedKind.PARTY_KEY:
            return {record.party_key} if record.party_key is not None else set()
        case RevokedKind.PARTY_CA:
            return {one.key_hash for one in record.cas}
        case RevokedKind.MANDATE:
            return set()


def _end_mandate(roster: Roster, body: Revoke) -> Roster:
    kept = tuple(one for one in roster.mandates if mandate_id(one.mandate) != body.id)
    ended = [one.mandate for one in roster.mandates if mandate_id(one.mandate) == body.id]
    if not ended or body.party not in (ended[0].region, ended[0].member):
        raise Forbidden("a mandate is ended by its region or its member, while it stands")
    return replace(roster, mandates=kept, mandate_serials=_remembered(roster, ended[0]))


def mandate(roster: Roster, body: Mandate, signers: Signers) -> Roster:
    """Both sign. The newest serial between the two stands."""
    region, member = present(roster, body.region), present(roster, body.member)
    if signers != {region.party_key, member.party_key}:
        raise Forbidden("a mandate is signed by the region and by the member, and by nobody else")
    between = (body.region, body.member)
    if body.serial <= roster.mandate_serials.get(between, -1):
        raise Forbidden("the serial of a mandate has to grow")
    if body.not_after - body.created > limits.MANDATE_LIFE_S_MAX:
        raise Forbidden("a mandate lasts longer than any may")
    others = tuple(one for one in roster.mandates if (one.mandate.region, one.mandate.member) != between)
    logged = LoggedMandate(index=roster.size, mandate=body)
    return replace(roster, mandates=(*others, logged), mandate_serials=_remembered(roster, body))


def _remembered(roster: Roster, body: Mandate) -> MappingProxyType[tuple[PartyId, PartyId], int]:
    """The newest serial between a region and a member, which outlives the mandate: no older one comes back."""
    return MappingProxyType({**roster.mandate_serials, (body.region, body.member): body.serial})


def confirm(roster: Roster, body: Confirm, signers: Signers) -> Roster:
    """The confirming Party's key, over the very admission that it checked."""
    if not written(roster, body.party, signers).exchanges:
        raise Forbidden("a Party that is suspended confirms nobody")
    subject = present(roster, body.subject)
    if body.admit_digest != subject.admit_digest:
        raise Forbidden("a confirmation is about the admission that stands")
    return with_party(roster, body.subject, replace(subject, confirmed_by=subject.confirmed_by | {body.party}))


def withdraw(roster: Roster, body: Withdraw, signers: Signers) -> Roster:
    """The Party key: a Party leaves by its own word."""
    record = written(roster, body.party, signers)
    if body.admit_digest != record.admit_digest:
        raise Forbidden("a withdrawal is about the admission that stands")
    return with_party(roster, body.party, replace(record, withdrawn=True, suspended=None))


def present(roster: Roster, party: PartyId) -> PartyRecord:
    """The record of a Party that has not left."""
    record = roster.party(party)
    if record.withdrawn:
        raise Forbidden(f"{party} has withdrawn")
    return record


def written(roster: Roster, party: PartyId, signers: Signers) -> PartyRecord:
    """The record of a Party whose own key, and nobody else's, signed."""
    record = present(roster, party)
    if signers != {record.party_key}:
        raise Forbidden("only the Party's own key writes this entry")
    return record


def _written_for(roster: Roster, party: PartyId, signers: Signers, *, at: int) -> PartyRecord:
    """As `written`, or a region that administers for the Party."""
    record = present(roster, party)
    regions = roster.administrators_for(party, now=at)
    if signers != {record.party_key} and not any(signers == {roster.parties[one].party_key} for one in regions):
        raise Forbidden("only the Party's own key writes this entry")
    return record


def require_founders(roster: Roster, signers: Signers, *, beside: Signers) -> None:
    """Enough founders signed, the others that have to, and nobody else."""
    governance = roster.governance
    founders = signers & set(governance.founders)
    if signers != founders | beside:
        others = " and by those whom it is about" if beside else ""
        raise Forbidden(f"this entry is signed by founders{others}, and by nobody else")
    if len(founders) < governance.founders_threshold:
        raise Forbidden(f"{len(founders)} founders signed; {governance.founders_threshold} have to")


def require_unused(roster: Roster, key: bytes) -> None:
    """A sound key that says nothing else in this directory."""
    check_public_key(key)
    if key in listed_keys(roster):
        raise Forbidden("the key of a Party serves for nothing else, and for nobody else")
