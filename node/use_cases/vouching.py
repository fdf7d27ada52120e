"""What a Party says about another one's admission, and about its own: `confirm` and `withdraw`.

A confirmation is worth what the check before it is worth. So nothing is confirmed without the fingerprint that a person of the other
Party read aloud, held against the admission that stands in the directory here.
"""

from __future__ import annotations

from federation.errors import Conflict, Forbidden, Unauthentic
from federation.identity import PartyId
from federation.trust.entries import Confirm, Withdraw
from federation.trust.fingerprint import digits_of, same_fingerprint
from federation.trust.roster import Roster


def confirm_admission(roster: Roster, party: PartyId, subject: PartyId, *, claimed: str, now: int) -> Confirm | None:
    """The entry with which a Party vouches for another one; None when it has done so already.

    Args:
        roster: as accepted here.
        party: who confirms.
        subject: whom.
        claimed: the fingerprint as the other Party read it aloud.
        now: Unix seconds.

    Raises:
        Unauthentic: the directory lists an admission with another fingerprint.
        Forbidden: a Party does not confirm itself, and nobody confirms one that has left.
        UnknownParty: it is not in the directory here.
    """
    record = roster.party(subject)
    if subject == party:
        raise Forbidden("a Party does not confirm itself", hint="two other Parties do, after a call with you")
    if record.withdrawn:
        raise Forbidden(f"{subject} has withdrawn")
    seen = digits_of(record.admit_digest)
    if not same_fingerprint(seen, claimed):
        raise Unauthentic(
            f"the directory lists {subject} with the fingerprint {seen}",
            hint="it is not the one that was read aloud: confirm nothing, call again, and tell the founders",
        )
    if party in record.confirmed_by:
        return None
    return Confirm(created=now, party=party, subject=subject, admit_digest=record.admit_digest)


def leave(roster: Roster, party: PartyId, *, now: int) -> Withdraw:
    """The entry with which a Party leaves.

    Raises:
        Conflict: it has left already.
        UnknownParty: it was never there.
    """
    record = roster.party(party)
    if record.withdrawn:
        raise Conflict(f"{party} has withdrawn already", hint="to come back it is invited and admitted again")
    return Withdraw(created=now, party=party, admit_digest=record.admit_digest)
