"""Revocations before the log holds them.

A Party that revokes a key cannot wait for the Secretariat: whoever stole the key is at work now, and the Secretariat may be down, or
hold the entry back. So a `revoke` entry counts as soon as it is seen, from whomever it comes: its author's signature is all that it
needs. Until the log holds it, it lies over the roster. It only ever takes something away, so it does no harm to honour it early.
"""

from __future__ import annotations

from collections.abc import Iterable

from federation.errors import FederationError, Forbidden, Malformed
from federation.trust import directory, party_rules
from federation.trust.entries import EntryKind, Revoke, RevokedKind, mandate_id
from federation.trust.keys import verify
from federation.trust.roster import Roster
from federation.wire.directory import decode_entry_body, decode_signed_entry


def read_revocation(leaf: bytes, roster: Roster) -> Revoke:
    """Read a revocation that counts now: by the author rules, against the roster of the log.

    Raises:
        Malformed: no entry that revokes something.
        Unauthentic, Forbidden, UnknownParty: it breaks its author rule.
    """
    revoke = read_kept_revocation(leaf)
    entry = decode_signed_entry(leaf)
    after = directory.apply(roster, entry, revoke, root=_no_root)
    if after.alarms != roster.alarms:
        raise Forbidden(after.alarms[-1].words, hint="only the Party's present key revokes what is the Party's")
    return revoke


def read_kept_revocation(leaf: bytes) -> Revoke:
    """Read one that counted when it came. The Party may have another key by now, and what it revoked stays revoked.

    Raises:
        Malformed, Unauthentic: no signed revocation.
    """
    entry = decode_signed_entry(leaf)
    if entry.kind is not EntryKind.REVOKE:
        raise Malformed("this entry revokes nothing")
    body = decode_entry_body(entry.kind, entry.body)
    if not isinstance(body, Revoke) or len(entry.signatures) != 1:
        raise Malformed("a revocation is signed by one key")
    (signature,) = entry.signatures
    message = directory.entry_message(entry.kind, entry.body)
    verify(public_key=signature.public_key, message=message, signature=signature.signature)
    return body


def is_settled(revoke: Revoke, roster: Roster) -> bool:
    """Whether the log says the same by now, or has nothing any more that could be revoked."""
    record = roster.parties.get(revoke.party)
    if record is None or record.withdrawn:
        return True
    if revoke.kind is RevokedKind.MANDATE:
        return all(mandate_id(one.mandate) != revoke.id for one in roster.mandates)
    if revoke.kind is RevokedKind.PARTY_KEY and record.party_key != revoke.id:
        return True
    return revoke.id in record.revoked


def with_revocations(roster: Roster, revocations: Iterable[Revoke]) -> Roster:
    """The roster as it is with these in effect; what cannot apply any more is passed over."""
    for revoke in revocations:
        record = roster.parties.get(revoke.party)
        if record is None:
            continue
        signers: set[bytes] = {record.party_key}  # type: ignore[arg-type]  # None when that key is revoked too: the rule compares it
        try:
            roster = party_rules.revoke(roster, revoke, signers)
        except FederationError:
            continue
    return roster


def _no_root() -> bytes:
    """No revocation asks for the root of the log."""
    return b""
