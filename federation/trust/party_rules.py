"""Author rules of the entries that Parties write or sign. Each takes the roster before and gives the roster after.

The table of all rules stands in `directory`, which calls these with the keys whose signatures have verified.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from hashlib import sha256
from types import MappingProxyType
from typing import Final

from federation import limits
from federation.errors import Forbidden
from federation.identity import PartyId
from federation.trust.certificate import PartyCa, read_party_ca, read_successor_ca
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
    read_mandate_id,
)
from federation.trust.keys import check_public_key
from federation.trust.roster import (
    Logged,
    LoggedCa,
    LoggedMandate,
    PartyRecord,
    Roster,
    with_party,
)

Signers = set[bytes]


def admit(roster: Roster, body: Admit, signers: Signers, digest: bytes) -> Roster:
    """K founders and the Party; its CA leads through an issuing CA that stands to the treaty root."""
    genesis = roster.genesis
    require_founders(roster, signers, beside={body.party_key})
    before = _before(roster, body)
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
    logged = logged_ca(roster, ca)
    record = PartyRecord(
        admit=body,
        admit_index=roster.size,
        admit_digest=digest,
        party_key=body.party_key,
        next_key_hash=body.next_key_hash,
        nodes=before.nodes if before is not None else (),
        cas=(*before.cas, logged) if before is not None else (logged,),
        revoked=_all_keys(before) if before is not None else frozenset(),
    )
    keyed = with_keys(roster, fresh(roster, body.party_key), commits_to=body.next_key_hash)
    return with_party(with_ca(keyed, logged), body.party, record)


def _before(roster: Roster, body: Admit) -> PartyRecord | None:
    """What is known of a Party that comes back. An admission that was signed before it left is not kept for later."""
    before = roster.parties.get(body.party)
    if before is None:
        if len(roster.parties) >= limits.PARTIES_MAX:
            raise Forbidden("the directory holds as many Parties as it can")
        return None
    if not before.withdrawn:
        raise Forbidden(f"{body.party} is a Party already; its keys change by rotation")
    if body.created <= before.admit.created or body.created < before.left_at:
        raise Forbidden("this admission was made before the Party left; founders sign another one")
    return before


def _all_keys(before: PartyRecord) -> frozenset[bytes]:
    """What a Party had that comes back: kept for old signatures, it counts no more."""
    keys = {logged.entry.signing_key for logged in before.nodes}
    return before.revoked | keys | {ca.key_hash for ca in before.cas}


def update(roster: Roster, body: Update, signers: Signers) -> Roster:
    """The Party key, or that of a region that administers for it."""
    record = _written_for(roster, body.party, signers, at=body.created)
    require_growing(body.serial, record.update.serial if record.update is not None else -1, "an update")
    return with_party(roster, body.party, replace(record, update=body))


def node(roster: Roster, body: NodeEntry, signers: Signers) -> Roster:
    """The Party key, or that of a region that administers for it."""
    record = _written_for(roster, body.party, signers, at=body.created)
    require_growing(body.serial, record.nodes[-1].entry.serial if record.nodes else -1, "a node entry")
    if body.node.domain != roster.genesis.domain:
        raise Forbidden("a node is named in the treaty's domain")
    if body.signing_key in record.revoked:
        raise Forbidden("this signing key was revoked and never serves again")
    repeated = any(logged.entry.signing_key == body.signing_key for logged in record.nodes)
    keyed = roster if repeated else with_keys(roster, fresh(roster, body.signing_key))
    return with_party(keyed, body.party, replace(record, nodes=(*record.nodes, Logged(index=roster.size, entry=body))))


def ca(roster: Roster, body: Ca, signers: Signers) -> Roster:
    """The Party key. The Party's CAs stand beside each other; few at a time, or every node would hold ever more anchors."""
    record = written(roster, body.party, signers)
    require_growing(body.serial, record.ca_serial, "a CA entry")
    standing = _not_ended(roster, record)
    if standing >= limits.CAS_PER_PARTY_MAX and not roster.partial:
        raise Forbidden(f"{standing} CAs of this Party stand already; revoke one first")
    logged = successor(roster, body.party, body.party_ca, at=body.created)
    return with_party(with_ca(roster, logged), body.party, replace(record, ca_serial=body.serial, cas=(*record.cas, logged)))


def successor(roster: Roster, party: PartyId, der: bytes, *, at: int) -> LoggedCa:
    """Read a CA that the Party made for itself."""
    return logged_ca(roster, read_successor_ca(der, party=party, domain=roster.genesis.domain, now=at))


def logged_ca(roster: Roster, read: PartyCa) -> LoggedCa:
    """A CA at this place. Its key is in no other CA: what is revoked would come back under another certificate."""
    key_hash = sha256(read.public_key_info).digest()
    if key_hash in roster.used:
        raise Forbidden("a new CA has a new key")
    return LoggedCa(index=roster.size, der=read.der, key_hash=key_hash, not_after=read.window.not_after)


def _not_ended(roster: Roster, record: PartyRecord) -> int:
    """The standing CAs that have not reached their own end, by the log's clock: an entry could say any time of itself."""
    standing = (one for one in record.cas if one.key_hash not in record.revoked)
    return sum(one.not_after >= roster.witnessed_at for one in standing)


def rotate(roster: Roster, body: Rotate, signers: Signers) -> Roster:
    """The key that was committed to; the key before it may sign as well. So whoever steals the Party key cannot replace it.

    A recovery that waits is vetoed by it: the next key is not lost.
    """
    record = present(roster, body.party)
    key_hash = sha256(body.party_key).digest()
    if key_hash != record.next_key_hash:
        raise Forbidden("the Party key is followed by the key that was committed to, and by no other")
    if signers not in ({body.party_key}, {body.party_key, record.party_key}):
        raise Forbidden("a rotation is signed by the new Party key, and at most by the old one beside it")
    check_public_key(body.party_key)
    if key_hash in roster.used:
        raise Forbidden(USED)
    keyed = with_keys(roster, key_hash, commits_to=body.next_key_hash)
    recoveries = tuple(replace(one, vetoed=True) if one.body.party == body.party else one for one in roster.recoveries)
    changed = replace(record, party_key=body.party_key, next_key_hash=body.next_key_hash)
    return with_party(replace(keyed, recoveries=recoveries), body.party, changed)


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
        changed = replace(changed, party_key=None)
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
    """By the region or the member. A mandate that both signed and that nobody has logged yet can be ended like one that stands."""
    region, member, serial = read_mandate_id(body.id)
    if body.party not in (region, member):
        raise Forbidden("a mandate is ended by its region or its member")
    newest = roster.mandate_serials.get((region, member), -1)
    if serial > newest:
        require_growing(serial, newest, "a mandate")
    kept = tuple(one for one in roster.mandates if mandate_id(one.mandate) != body.id)
    return replace(roster, mandates=kept, mandate_serials=_remembered(roster, region, member, max(serial, newest)))


def mandate(roster: Roster, body: Mandate, signers: Signers) -> Roster:
    """Both sign. The newest serial between the two stands."""
    region, member = present(roster, body.region), present(roster, body.member)
    if signers != {region.party_key, member.party_key}:
        raise Forbidden("a mandate is signed by the region and by the member, and by nobody else")
    between = (body.region, body.member)
    require_growing(body.serial, roster.mandate_serials.get(between, -1), "a mandate")
    if body.not_after - body.created > limits.MANDATE_LIFE_S_MAX:
        raise Forbidden("a mandate lasts longer than any may")
    others = tuple(one for one in roster.mandates if (one.mandate.region, one.mandate.member) != between)
    logged = LoggedMandate(index=roster.size, mandate=body)
    return replace(
        roster,
        mandates=(*others, logged),
        mandate_serials=_remembered(roster, body.region, body.member, body.serial),
    )


def _remembered(roster: Roster, region: PartyId, member: PartyId, serial: int) -> Mapping[tuple[PartyId, PartyId], int]:
    """The newest serial between a region and a member, which outlives the mandate: no older one comes back."""
    return MappingProxyType({**roster.mandate_serials, (region, member): serial})


def confirm(roster: Roster, body: Confirm, signers: Signers) -> Roster:
    """The confirming Party's key, over the very admission that it checked."""
    if not written(roster, body.party, signers).exchanges:
        raise Forbidden("a Party that is suspended confirms nobody")
    subject = present(roster, body.subject)
    if body.admit_digest != subject.admit_digest:
        raise Forbidden("a confirmation is about the admission that stands")
    return with_party(roster, body.subject, replace(subject, confirmed_by=subject.confirmed_by | {body.party}))


def withdraw(roster: Roster, body: Withdraw, signers: Signers) -> Roster:
    """The Party key: a Party leaves by its own word. All that it was for others ends as well, and does not come back with it."""
    record = written(roster, body.party, signers)
    if body.admit_digest != record.admit_digest:
        raise Forbidden("a withdrawal is about the admission that stands")
    party = body.party
    parties = {one: replace(other, confirmed_by=other.confirmed_by - {party}) for one, other in roster.parties.items()}
    parties[party] = replace(record, withdrawn=True, suspended=None, left_at=roster.witnessed_at)
    return replace(
        roster,
        parties=MappingProxyType(parties),
        mandates=tuple(one for one in roster.mandates if party not in (one.mandate.region, one.mandate.member)),
        duties=MappingProxyType({one: duty for one, duty in roster.duties.items() if one != party}),
        recoveries=tuple(one for one in roster.recoveries if one.body.party != party),
    )


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
    """As `written`, or a region that administers for the Party: now by its word, and by the log's clock, which it cannot set back."""
    record = present(roster, party)
    regions = roster.administrators_for(party, now=max(at, roster.witnessed_at))
    if signers != {record.party_key} and not any(signers == {roster.parties[one].party_key} for one in regions):
        raise Forbidden("only the Party's own key writes this entry, or that of a region that administers for it")
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


def require_growing(serial: int, before: int, what: str) -> None:
    """A serial that is greater than the one before, and not by so much that no greater ones are left."""
    if not before < serial <= before + limits.SERIAL_STEP_MAX:
        raise Forbidden(f"the serial of {what} has to grow, and by {limits.SERIAL_STEP_MAX} at most")


USED: Final = "a key serves for nothing else and for nobody else, and never a second time"


def fresh(roster: Roster, key: bytes, *, known: bytes | None = None) -> bytes:
    """The hash of a sound key that says nothing in this directory yet, and to which no Party has committed.

    A key that waits in a safe becomes known before its owner's rotation is logged. If anybody could list it meanwhile as the own,
    the owner could not.

    Args:
        roster: before the entry.
        key: Ed25519.
        known: a hash that may be in use already: the same body once more.
    """
    check_public_key(key)
    key_hash = sha256(key).digest()
    if key_hash != known and (key_hash in roster.used or key_hash in roster.committed):
        raise Forbidden(USED)
    return key_hash


def with_keys(roster: Roster, key_hash: bytes, *, commits_to: bytes | None = None) -> Roster:
    """The roster in which this key is used, and in which its owner has committed to another one."""
    used = roster.used.including(key_hash)
    if commits_to is None:
        return replace(roster, used=used)
    if commits_to in used:
        raise Forbidden("the next Party key is another one than all that the directory has seen")
    return replace(roster, used=used, committed=roster.committed.including(commits_to))


def with_ca(roster: Roster, logged: LoggedCa) -> Roster:
    """The roster in which this CA's key is used."""
    return replace(roster, used=roster.used.including(logged.key_hash))
