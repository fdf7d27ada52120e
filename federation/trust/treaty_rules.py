"""Author rules of the entries that founders and the Secretariat write, and the rules that wait for time to pass.

The rules have no clock. Time in the log is what witnesses said: a `witnessed` entry holds a cosigned checkpoint of this very log, and
the middle one of its times is the time of everything before it. So an entry cannot be older than the first such checkpoint
that holds it, whatever it says of itself, and every reader of one log sees the same things take effect at the same entry.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from hashlib import sha256
from types import MappingProxyType

from federation import limits
from federation.errors import Forbidden
from federation.trust import note
from federation.trust.certificate import read_issuing_ca, read_party_ca
from federation.trust.entries import (
    Duty,
    Founders,
    Override,
    Recover,
    Reinstate,
    RotateIssuer,
    RotateLog,
    Suspend,
    TreatyPolicy,
    Veto,
    Witnessed,
)
from federation.trust.party_rules import (
    Signers,
    fresh,
    present,
    require_founders,
    require_growing,
    successor,
    with_ca,
    with_keys,
)
from federation.trust.roster import (
    Governance,
    LogKey,
    OnDuty,
    PartyRecord,
    Recovery,
    Roster,
    with_party,
)
from federation.trust.witness import counting_witnesses, weigh


def suspend(roster: Roster, body: Suspend, signers: Signers) -> Roster:
    """K founders."""
    governed = _governed(roster, body.serial, signers)
    record = present(roster, body.party)
    return with_party(governed, body.party, replace(record, suspended=body.reason))


def reinstate(roster: Roster, body: Reinstate, signers: Signers) -> Roster:
    """K founders."""
    governed = _governed(roster, body.serial, signers)
    record = present(roster, body.party)
    if record.suspended is None:
        raise Forbidden(f"{body.party} is not suspended")
    return with_party(governed, body.party, replace(record, suspended=None))


def duty(roster: Roster, body: Duty, signers: Signers) -> Roster:
    """K founders. Whoever comes off duty and on again waits again; only where nobody counts there is nothing to wait for."""
    governed = _governed(roster, body.serial, signers)
    present(roster, body.party)
    if body.on == (body.party in roster.duties):
        raise Forbidden(f"{body.party} is {'on duty already' if body.on else 'not on duty'}")
    others = {party: one for party, one in roster.duties.items() if party != body.party}
    added = {body.party: OnDuty(index=roster.size, at_once=not counting_witnesses(roster))} if body.on else {}
    return replace(governed, duties=MappingProxyType({**others, **added}))


def policy(roster: Roster, body: TreatyPolicy, signers: Signers) -> Roster:
    """K founders. No waiting time becomes shorter than the genesis entry made it: everybody joined relying on that."""
    governed = _governed(roster, body.serial, signers)
    genesis = roster.genesis
    if body.witness_wait_s < genesis.witness_wait_s or body.recovery_wait_s < genesis.recovery_wait_s:
        raise Forbidden("a waiting time may not be shorter than the genesis entry says")
    return _with(
        governed,
        replace(
            governed.governance,
            witness_wait_s=body.witness_wait_s,
            recovery_wait_s=body.recovery_wait_s,
            confirmations=body.confirmations,
        ),
    )


def founders(roster: Roster, body: Founders, signers: Signers) -> Roster:
    """Enough of the old founders, and every new one, who so proves to hold the key."""
    governance = roster.governance
    old, new = set(governance.founders), set(body.founders)
    if not new <= signers or not signers <= old | new:
        raise Forbidden("a change of founders is signed by every new founder and by old ones, and by nobody else")
    if len(signers & old) < governance.founders_threshold:
        raise Forbidden(f"{len(signers & old)} founders signed; {governance.founders_threshold} have to")
    used = roster.used.including(*(fresh(roster, key) for key in new - old))
    governed = replace(_numbered(roster, body.serial), used=used)
    return _with(governed, replace(governed.governance, founders=body.founders, founders_threshold=body.threshold))


def rotate_log(roster: Roster, body: RotateLog, signers: Signers) -> Roster:
    """K founders and the new key. The old key signs nothing larger than the log up to this entry."""
    require_founders(roster, signers, beside={body.log_key})
    governed = _numbered(roster, body.serial)
    governed = with_keys(governed, fresh(roster, body.log_key))
    *former, standing = governed.governance.log_keys
    size = roster.size + 1
    keys = (*former, replace(standing, last=size), LogKey(public_key=body.log_key, first=size))
    return _with(governed, replace(governed.governance, log_keys=keys))


def rotate_issuer(roster: Roster, body: RotateIssuer, signers: Signers) -> Roster:
    """K founders; the new issuing CA leads to the treaty root, and the Secretariat's new CA to it."""
    governed = _governed(roster, body.serial, signers)
    genesis, governance = roster.genesis, governed.governance
    root, domain, now = genesis.root_certificate, genesis.domain, body.created
    read_issuing_ca(body.issuing_ca, root=root, domain=domain, now=now)
    if body.secretariat_ca:
        read_party_ca(body.secretariat_ca, party=None, domain=domain, issuing_ca=body.issuing_ca, root=root, now=now)
    issuing = _joined(governance.issuing_cas, body.issuing_ca, retire=body.retire_former)
    secretariat = _joined(governance.secretariat_cas, body.secretariat_ca, retire=body.retire_former)
    if max(len(issuing), len(secretariat)) > limits.ISSUERS_MAX:
        raise Forbidden("too many issuing CAs stand; retire the former ones")
    return _with(governed, replace(governance, issuing_cas=issuing, secretariat_cas=secretariat))


def _joined(former: tuple[bytes, ...], der: bytes, *, retire: bool) -> tuple[bytes, ...]:
    """The CAs that stand with this one as the newest, which may be one of them; without one the newest stays the newest."""
    newest = der or former[-1]
    return (*(() if retire else tuple(one for one in former if one != newest)), newest)


def recover(roster: Roster, body: Recover, signers: Signers, digest: bytes) -> Roster:
    """K founders, the Secretariat's log key, and the new Party key. It waits; a newer one of the same Party takes its place.

    Everything that could be wrong with it is asked now, so that what waits takes effect or is stopped, and never stops the clock.
    """
    require_founders(roster, signers, beside={roster.governance.log_key, body.party_key})
    present(roster, body.party)
    before = next((one for one in roster.recoveries if one.body.party == body.party), None)
    known = sha256(before.body.party_key).digest() if before is not None else None
    key_hash = fresh(roster, body.party_key, known=known)
    governed = with_keys(_numbered(roster, body.serial), key_hash, commits_to=body.next_key_hash)
    ca = before.ca if before is not None and before.body.party_ca == body.party_ca else None
    if body.party_ca and ca is None:
        ca = successor(roster, body.party, body.party_ca, at=body.created)
        governed = with_ca(governed, ca)
    others = tuple(one for one in roster.recoveries if one.body.party != body.party)
    added = Recovery(index=roster.size, digest=digest, body=body, ca=ca)
    return replace(governed, recoveries=(*others, added))


def veto(roster: Roster, body: Veto, signers: Signers) -> Roster:
    """The next key of the Party, which it reveals by this."""
    pending = _pending(roster, body)
    if {sha256(key).digest() for key in signers} != {present(roster, body.party).next_key_hash}:
        raise Forbidden("a veto is signed by the key that was committed to, and by nobody else")
    if pending.vetoed:
        raise Forbidden("this recovery is vetoed already")
    return _with_recovery(roster, replace(pending, vetoed=True))


def override(roster: Roster, body: Override, signers: Signers) -> Roster:
    """Two thirds of the other Parties, of those that were Parties when the recovery was logged: newcomers outvote nobody."""
    pending = _pending(roster, body)
    if not pending.vetoed:
        raise Forbidden("nothing is to be overridden: this recovery is not vetoed")
    others = {
        record.party_key
        for party, record in roster.parties.items()
        if party != body.party and record.exchanges and record.admit_index < pending.index and record.party_key is not None
    }
    if not signers <= others:
        raise Forbidden("a veto is set aside by the keys of other Parties, and by nobody else")
    if not signers or 3 * len(signers) < 2 * len(others):
        raise Forbidden(f"{len(signers)} of {len(others)} other Parties signed; two thirds have to")
    return _with_recovery(roster, replace(pending, overridden=True))


def _pending(roster: Roster, body: Veto | Override) -> Recovery:
    for one in roster.recoveries:
        if (one.index, one.body.party) == (body.recover_index, body.party):
            return one
    raise Forbidden("no recovery of that Party waits under that number")


def _with_recovery(roster: Roster, changed: Recovery) -> Roster:
    return replace(roster, recoveries=tuple(changed if one.index == changed.index else one for one in roster.recoveries))


def witnessed(roster: Roster, body: Witnessed, signers: Signers, root: Callable[[], bytes]) -> Roster:
    """The log key, over a checkpoint of the log just before this entry, with a quorum under it. Time moves on to theirs."""
    if signers != {roster.governance.log_key}:
        raise Forbidden("the Secretariat's log key writes this entry, and nobody else")
    parsed = note.parse_note(body.checkpoint)
    checkpoint = note.parse_checkpoint(parsed.text)
    if (checkpoint.origin, checkpoint.size, checkpoint.root) != (roster.genesis.origin, roster.size, root()):
        raise Forbidden("a witnessed checkpoint is of this log, as it stands before the entry")
    quorum = weigh(roster, parsed)
    if not quorum.tells_time or quorum.time is None or quorum.time > limits.TIME_S_MAX:
        raise Forbidden(f"{len(quorum.witnesses)} of {quorum.of} witnesses vouch for the time; {max(1, quorum.needed)} have to")
    if quorum.time < roster.witnessed_at:
        raise Forbidden("time in the log does not run backwards")
    return _take_effect(_seen(roster, quorum.time))


def _seen(roster: Roster, at: int) -> Roster:
    """Everything that waits has been seen by now."""
    duties = {party: one if one.seen_at is not None else replace(one, seen_at=at) for party, one in roster.duties.items()}
    recoveries = tuple(one if one.seen_at is not None else replace(one, seen_at=at) for one in roster.recoveries)
    return replace(roster, witnessed_at=at, witnessed_size=roster.size, duties=MappingProxyType(duties), recoveries=recoveries)


def _take_effect(roster: Roster) -> Roster:
    """Recoveries whose waiting time is over and that nobody stopped. Nothing is refused here: it was asked before."""
    wait_s = roster.governance.recovery_wait_s
    ripe = tuple(one for one in roster.recoveries if not one.stopped and _waited(one.seen_at, roster.witnessed_at, wait_s))
    changed = replace(roster, recoveries=tuple(one for one in roster.recoveries if one not in ripe))
    for one in ripe:
        changed = with_party(changed, one.body.party, _recovered(changed.parties[one.body.party], one))
    return changed


def _waited(seen_at: int | None, now: int, wait_s: int) -> bool:
    return seen_at is not None and now - seen_at >= wait_s


def _recovered(record: PartyRecord, recovery: Recovery) -> PartyRecord:
    """New keys. What the lost ones vouched for counts no more: the node is listed anew, the CA goes if another came, and other
    Parties confirm the new keys or do not.
    """
    revoked = record.revoked | {logged.entry.signing_key for logged in record.nodes}
    cas = record.cas
    if recovery.ca is not None:
        revoked |= {one.key_hash for one in cas}
        cas = (*cas, recovery.ca)
    return replace(
        record,
        admit_digest=recovery.digest,
        party_key=recovery.body.party_key,
        next_key_hash=recovery.body.next_key_hash,
        cas=cas,
        revoked=revoked,
        confirmed_by=frozenset(),
    )


def _governed(roster: Roster, serial: int, signers: Signers) -> Roster:
    """The roster after k founders signed something with a new number."""
    require_founders(roster, signers, beside=set())
    return _numbered(roster, serial)


def _numbered(roster: Roster, serial: int) -> Roster:
    require_growing(serial, roster.governance.serial, "the founders' entries")
    return _with(roster, replace(roster.governance, serial=serial))


def _with(roster: Roster, governance: Governance) -> Roster:
    return replace(roster, governance=governance)
