"""The rules of the directory log: who may author which entry, and how the roster changes.

Theory of operation. A node reads the log from its first entry on. Entry 0 has to be the genesis whose digest was configured; from
there each entry either follows its author rule and changes the roster, or it does not, and then it changes nothing and leaves an
alarm, although it stands in the log. The rules use what is written in the log, never the reader's clock, so that every reader of
the same log has the same roster.

    genesis         all founders and the log key                      index 0 only
    admit           k founders and the Party (its acceptance)         the CA leads to the treaty root; the Party is new, or had left
    confirm         another Party's key                               about the admission that stands
    update          the Party key, or an administering region's       serial grows
    node            the Party key, or an administering region's       serial grows; the name lies in the Party's domain
    ca              the Party key                                     serial grows; signed by itself; few stand at a time
    rotate          the next key (and the old one, if it is there)    its hash is the commitment that stands
    revoke          the Party key                                     own keys and CAs, for ever; a mandate from either side
    withdraw        the Party key                                     about the admission that stands
    mandate         the region's and the member's Party key           serial grows; it ends
    recover         k founders, the log key and the new Party key     takes effect after the waiting time, unless vetoed
    veto            the next key                                      while the recovery waits; a rotation is one as well
    override        two thirds of the other Parties                   after a veto
    suspend, reinstate, duty, policy, rotate-issuer    k founders     the treaty's serial grows
    founders        k old founders and all new ones                   the treaty's serial grows
    rotate-log      k founders and the new log key                    the treaty's serial grows
    witnessed       the log key, over a checkpoint with a quorum      it is of this log as it stands; time does not run backwards

Signatures are checked here over the bytes that came; whether those bytes parse is asked before, in `federation.wire`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from hashlib import sha256
from types import MappingProxyType
from typing import Any, Final

from federation import limits
from federation.errors import FederationError, Forbidden, Malformed, Unauthentic
from federation.trust import party_rules, treaty_rules
from federation.trust.certificate import read_party_ca
from federation.trust.entries import (
    Admit,
    Ca,
    Confirm,
    Duty,
    EntryBody,
    EntryKind,
    Founders,
    Genesis,
    Mandate,
    NodeEntry,
    Override,
    Recover,
    Reinstate,
    Revoke,
    Rotate,
    RotateIssuer,
    RotateLog,
    SignedEntry,
    Suspend,
    TreatyPolicy,
    Update,
    Veto,
    Withdraw,
    Witnessed,
)
from federation.trust.keys import check_public_key, pae, verify
from federation.trust.roster import Alarm, Governance, LogKey, OnDuty, Roster
from federation.trust.used_keys import UsedKeys


def entry_message(kind: EntryKind, body: bytes) -> bytes:
    """What an author signs: the body bound to its kind."""
    return pae(f"entry/{kind}", body)


def begin(entry: SignedEntry, body: EntryBody) -> Roster:
    """The roster after the genesis entry. That it is the right one is known by its digest, before this is called.

    Raises:
        Unauthentic: a signature of a founder or of the log key is missing or wrong.
        Malformed: not a genesis, or a key or certificate in it that cannot serve.
    """
    if not isinstance(body, Genesis):
        raise Malformed("the first entry of a directory is its genesis")
    for key in (*body.founders, body.log_key):
        check_public_key(key)
    if body.log_key in body.founders:
        raise Malformed("the log key serves for nothing else, and founders keep their own")
    if _signers(entry) != {*body.founders, body.log_key}:
        raise Unauthentic("the genesis is not signed by all founders and the log key")
    read_party_ca(
        body.secretariat_ca,
        party=None,
        domain=body.domain,
        issuing_ca=body.issuing_ca,
        root=body.root_certificate,
        now=body.created,
    )
    governance = Governance(
        founders=body.founders,
        founders_threshold=body.founders_threshold,
        witness_wait_s=body.witness_wait_s,
        recovery_wait_s=body.recovery_wait_s,
        confirmations=body.confirmations,
        log_keys=(LogKey(public_key=body.log_key),),
        issuing_cas=(body.issuing_ca,),
        secretariat_cas=(body.secretariat_ca,),
    )
    duties = MappingProxyType({party: OnDuty(index=0, at_once=True) for party in body.first_witnesses})
    used = UsedKeys().including(*(sha256(key).digest() for key in (*body.founders, body.log_key)))
    return Roster(genesis=body, governance=governance, size=1, duties=duties, used=used)


def apply(roster: Roster, entry: SignedEntry, body: EntryBody, *, root: Callable[[], bytes]) -> Roster:
    """The roster after one more entry; an entry that breaks a rule leaves an alarm and changes nothing else.

    Args:
        roster: before it.
        entry: with its signatures, not verified yet.
        body: what its bytes say.
        root: gives the root of the log before the entry.
    """
    try:
        changed = _apply(roster, entry, body, root)
    except FederationError as error:
        return refuse(roster, error.message)
    return replace(changed, size=roster.size + 1)


def refuse(roster: Roster, words: str) -> Roster:
    """The roster after an entry that stands in the log and is not accepted."""
    alarms = (*roster.alarms, Alarm(index=roster.size, words=words))[-limits.ALARMS_KEPT_MAX :]
    return replace(roster, size=roster.size + 1, alarms=alarms)


_RULES: Final[Mapping[type, Callable[[Roster, Any, set[bytes]], Roster]]] = {
    Confirm: party_rules.confirm,
    Update: party_rules.update,
    NodeEntry: party_rules.node,
    Ca: party_rules.ca,
    Rotate: party_rules.rotate,
    Revoke: party_rules.revoke,
    Withdraw: party_rules.withdraw,
    Mandate: party_rules.mandate,
    Veto: treaty_rules.veto,
    Override: treaty_rules.override,
    Suspend: treaty_rules.suspend,
    Reinstate: treaty_rules.reinstate,
    Duty: treaty_rules.duty,
    TreatyPolicy: treaty_rules.policy,
    Founders: treaty_rules.founders,
    RotateLog: treaty_rules.rotate_log,
    RotateIssuer: treaty_rules.rotate_issuer,
}
"""The rules that need nothing but the signers."""
_WITH_MORE: Final = {Admit, Recover, Witnessed}
"""The rules that need the bytes or the tree as well."""


def _apply(roster: Roster, entry: SignedEntry, body: EntryBody, root: Callable[[], bytes]) -> Roster:
    signers = _signers(entry)
    match body:
        case Genesis():
            raise Forbidden("a directory has one genesis")
        case Admit():
            return party_rules.admit(roster, body, signers, sha256(entry.body).digest())
        case Recover():
            return treaty_rules.recover(roster, body, signers, sha256(entry.body).digest())
        case Witnessed():
            return treaty_rules.witnessed(roster, body, signers, root)
        case _:
            return _RULES[type(body)](roster, body, signers)


def _signers(entry: SignedEntry) -> set[bytes]:
    """The keys whose signatures verify; one that does not, or a key that signs twice, refuses the whole entry."""
    message = entry_message(entry.kind, entry.body)
    for one in entry.signatures:
        verify(public_key=one.public_key, message=message, signature=one.signature)
    keys = {one.public_key for one in entry.signatures}
    if len(keys) != len(entry.signatures):
        raise Malformed("a key signed an entry twice")
    return keys
