"""Rights at the desk: which there are, what a grant gives, and which right each call needs. Default deny everywhere.

    ask          ask other Parties                                              for some purposes
    answer       see what came in, and answer it                                for some purposes
    approve      be the second pair of eyes on what leaves
    administer   invite officers, grant and withdraw
    audit        see what was asked and who did what, and export proofs
    report       make the Party's reports

A right is held for a competent authority of Article 8.8. What is not in the table `NEEDS` is refused, so a method that somebody adds
to the desk and forgets here does nothing for anybody. Who an officer is, and whether the certificate is good, is `officers`'.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from federation import limits
from federation.errors import Forbidden, InvalidInput
from federation.query.codes import Purpose
from federation.text import check_plain
from federation.trust.entries import Authority
from node import limits as node_limits


class Right(StrEnum):
    """What an officer may be entitled to."""

    ASK = "ask"
    """Ask other Parties, for the purposes of the grant."""
    ANSWER = "answer"
    """See the queries that came in and answer them, for the purposes of the grant."""
    APPROVE = "approve"
    """Be the second pair of eyes on what leaves. No call needs it in this version."""
    ADMINISTER = "administer"
    """Invite officers, grant and withdraw rights, and see who has and did what."""
    AUDIT = "audit"
    """See what was asked and who used which right, search the journal, and export proofs."""
    REPORT = "report"
    """Make the Party's reports. No call needs it in this version."""


PURPOSEFUL: Final = frozenset({Right.ASK, Right.ANSWER})
"""Rights that are held for purposes of Article 8.9(b)."""
SENSITIVE: Final = frozenset({Right.ADMINISTER, Right.APPROVE})
"""Rights over other people's: with four eyes, one administrator alone gives them to nobody."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """One right, for one competent authority.

    Attributes:
        purposes: for which a question may be asked or answered; empty for rights that are not about questions.
    """

    right: Right
    authority: Authority
    purposes: frozenset[Purpose] = frozenset()

    def __post_init__(self) -> None:
        check_authority(self.authority)
        if (self.right in PURPOSEFUL) != bool(self.purposes):
            raise InvalidInput("to ask and to answer are held for purposes, and other rights for none")

    def covers(self, right: Right, purpose: Purpose | None) -> bool:
        """Whether it gives this right; for this purpose, when there is one."""
        return self.right is right and (purpose is None or right not in PURPOSEFUL or purpose in self.purposes)

    @property
    def words(self) -> str:
        """For the record of who granted what: no person is in it."""
        purposes = f" ({', '.join(sorted(self.purposes))})" if self.purposes else ""
        return f"{self.right}{purposes} for {self.authority.kind} {self.authority.name}"


def check_authority(authority: Authority) -> None:
    """See that an authority's name can be shown.

    Raises:
        InvalidInput, Oversized: it is empty, too long, or holds control characters.
    """
    check_plain(authority.name, "an authority's name", characters_max=limits.NAME_CHARACTERS_MAX)
    if not authority.name.strip():
        raise InvalidInput("a competent authority has a name")


def add_grant(grants: Iterable[Grant], more: Grant) -> tuple[Grant, ...]:
    """The grants with one more; purposes of the same right for the same authority come together. In one order, whatever came first.

    Raises:
        InvalidInput: nobody needs so many.
    """
    known = {(grant.right, grant.authority): grant for grant in grants}
    same = known.get((more.right, more.authority))
    purposes = more.purposes | (same.purposes if same is not None else frozenset())
    known[more.right, more.authority] = Grant(right=more.right, authority=more.authority, purposes=purposes)
    if len(known) > node_limits.GRANTS_PER_OFFICER_MAX:
        raise InvalidInput(f"one officer holds at most {node_limits.GRANTS_PER_OFFICER_MAX} grants")
    return tuple(sorted(known.values(), key=lambda grant: (grant.right, grant.authority.kind, grant.authority.name)))


EVERY_OFFICER: Final[frozenset[Right]] = frozenset()
"""No right is needed beyond being an officer whose certificate is good."""

NEEDS: Final[Mapping[str, frozenset[Right]]] = {
    # the desk
    "resolve": EVERY_OFFICER,
    "prepare_query": frozenset({Right.ASK}),
    "submit_query": frozenset({Right.ASK}),
    "queries": frozenset({Right.ASK, Right.AUDIT}),
    "query": frozenset({Right.ASK, Right.AUDIT}),
    "inbox": frozenset({Right.ANSWER}),
    "inbox_entry": frozenset({Right.ANSWER}),
    "prepare_answer": frozenset({Right.ANSWER}),
    "submit_answer": frozenset({Right.ANSWER}),
    "proof": frozenset({Right.ASK, Right.ANSWER, Right.AUDIT}),
    "status": EVERY_OFFICER,
    "why": frozenset({Right.ASK, Right.ANSWER, Right.AUDIT}),
    "peers": EVERY_OFFICER,
    # files that are carried: whoever has one in the hand sees between whom every officer's questions go
    "export_parcel": frozenset({Right.ADMINISTER}),
    "put_parcel": frozenset({Right.ADMINISTER}),
    "take_parcel": frozenset({Right.ADMINISTER}),
    "reply_parcel": frozenset({Right.ADMINISTER}),
    # the audit
    "audit": frozenset({Right.AUDIT}),
    "audit_on": frozenset({Right.AUDIT}),
    # files at the desk; reading them also takes what reading their query does
    "begin_attachment": frozenset({Right.ASK, Right.ANSWER}),
    "add_to_attachment": frozenset({Right.ASK, Right.ANSWER}),
    "attachments": frozenset({Right.ASK, Right.ANSWER, Right.AUDIT}),
    "fetch_attachment": frozenset({Right.ASK, Right.ANSWER, Right.AUDIT}),
    # the outbox
    "outbox_view": frozenset({Right.ASK, Right.ANSWER, Right.ADMINISTER, Right.AUDIT}),
    "outbox_retry": frozenset({Right.ASK, Right.ANSWER, Right.ADMINISTER}),
    "outbox_drop": frozenset({Right.ASK, Right.ANSWER, Right.ADMINISTER}),
    # the library
    "library_rows": EVERY_OFFICER,
    "library_set": EVERY_OFFICER,
    "suggest": EVERY_OFFICER,
    # administration
    "invite": frozenset({Right.ADMINISTER}),
    "reenrol": frozenset({Right.ADMINISTER}),
    "grant": frozenset({Right.ADMINISTER}),
    "withdraw_right": frozenset({Right.ADMINISTER}),
    "withdraw_officer": frozenset({Right.ADMINISTER}),
    "decide": frozenset({Right.ADMINISTER}),
    "proposals": frozenset({Right.ADMINISTER, Right.AUDIT}),
    "officers": frozenset({Right.ADMINISTER, Right.AUDIT}),
    "officer": frozenset({Right.ADMINISTER, Right.AUDIT}),
    "used": frozenset({Right.ADMINISTER, Right.AUDIT}),
    "self": EVERY_OFFICER,
    "renew": EVERY_OFFICER,
}
"""For each method, by its name: one of these rights is enough. What is not listed, nobody may."""


def right_for(act: str, grants: Iterable[Grant], *, purpose: Purpose | None) -> Right | None:
    """Find the right that lets somebody with these grants do this; None when it needs none.

    Args:
        act: a key of `NEEDS`.
        grants: what the officer holds.
        purpose: of the question that it is about, where there is one.

    Raises:
        Forbidden: no grant gives one, or nobody may do it.
    """
    needed = NEEDS.get(act)
    if needed is None:
        raise Forbidden("nobody has been given a right to do this", hint="this is a defect of gsp-node: report it")
    if not needed:
        return None
    for grant in grants:
        for right in sorted(needed):
            if grant.covers(right, purpose):
                return right
    wanted = " or ".join(sorted(needed))
    about = f" for the purpose {purpose}" if purpose is not None and needed & PURPOSEFUL else ""
    raise Forbidden(
        f"this needs the right {wanted}{about}", hint="an administrator of your Party can grant it: `gsp officers grant`"
    )
