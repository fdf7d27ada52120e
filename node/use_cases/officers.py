"""Officers of this Party as its node knows them, the steps of an officer's life, and the port of the store that keeps them.

    invited --(enrol)--> active --(withdraw)--> withdrawn         invited again after a lost key; withdrawn is for ever

A person's name is here and in the store, sealed, and nowhere else: it never crosses, stands in no certificate and in no log line.
Every step gives a new value; when it is made durable and who may take it is left to `administration` and `officer_enrolment`.
Times are Unix seconds UTC.
"""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Protocol

from federation import limits
from federation.errors import Conflict, DeadlinePassed, Forbidden, InvalidInput
from federation.query.codes import Purpose
from federation.text import check_plain
from federation.trust.certificate import certificate_hash
from federation.trust.entries import Authority
from node import limits as node_limits
from node.use_cases.rights import Grant, Right, add_grant, check_authority


class OfficerState(StrEnum):
    """Where an officer stands."""

    INVITED = "invited"
    """There is a code, and no certificate that is good."""
    ACTIVE = "active"
    """Enrolled: may do what the grants say."""
    WITHDRAWN = "withdrawn"
    """May do nothing any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OfficerCertificate:
    """A certificate that this node made for an officer.

    Attributes:
        der: exact bytes.
        not_after: when it ends by itself.
        withdrawn: since when it is worth nothing at the desk; None while it is good.
    """

    der: bytes
    not_after: int
    withdrawn: int | None = None

    @property
    def hash(self) -> bytes:
        """SHA-256 of its bytes."""
        return certificate_hash(self.der)


@dataclass(frozen=True, slots=True, kw_only=True)
class OfficerInvitation:
    """What is kept of a desk code: never the token.

    Attributes:
        expires: from when on it is no longer good.
        public_key: of the officer who used it; empty before.
        certificate: what was issued for it; empty before.
    """

    token_hash: bytes
    expires: int
    public_key: bytes = b""
    certificate: bytes = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class Officer:
    """One officer.

    Attributes:
        officer_id: opaque; the only thing about an officer that crosses.
        name: the person's; for this Party's administrators alone.
        authority: the competent authority that the person works for.
        life_s: how long each certificate lives.
        certificates: all that were made and are not long over, the oldest first.
        invitation: the newest code, or None.
    """

    officer_id: str
    name: str = field(repr=False)
    authority: Authority
    state: OfficerState
    created: int
    life_s: int
    grants: tuple[Grant, ...] = ()
    certificates: tuple[OfficerCertificate, ...] = ()
    invitation: OfficerInvitation | None = None

    def __post_init__(self) -> None:
        check_authority(self.authority)
        check_plain(self.name, "a person's name", characters_max=limits.NAME_CHARACTERS_MAX)
        if not self.name.strip():
            raise InvalidInput("an officer has a name")
        if not limits.OFFICER_CERTIFICATE_LIFE_S_MIN <= self.life_s <= limits.OFFICER_CERTIFICATE_LIFE_S:
            raise InvalidInput("an officer's certificate lives 30 to 90 days")

    def holds(self, right: Right) -> bool:
        """Whether any grant gives this right."""
        return any(grant.right is right for grant in self.grants)

    @property
    def is_active(self) -> bool:
        """Whether the officer is at work here, with whatever certificate."""
        return self.state is OfficerState.ACTIVE

    def can_act(self, now: float) -> bool:
        """Whether the desk would let this officer in: active, with a certificate that is good now."""
        return self.state is OfficerState.ACTIVE and any(
            one.withdrawn is None and now <= one.not_after for one in self.certificates
        )

    def check_standing(self, certificate: bytes) -> None:
        """See that the officer is active and the certificate one of the good ones.

        Raises:
            Forbidden: it is not.
        """
        if self.state is not OfficerState.ACTIVE:
            raise Forbidden("this officer may not use the desk any more", hint="ask an administrator of your Party")
        known = [one for one in self.certificates if hmac.compare_digest(one.der, certificate)]
        if not known:
            raise unknown_certificate()
        if known[0].withdrawn is not None:
            raise Forbidden(
                "this certificate was withdrawn",
                hint="enrol with the code that the administrator gave you; if that was not you, tell the administrator at once",
            )


def unknown_certificate() -> Forbidden:
    """The refusal of a certificate that this Party's CA made and that nobody registered here."""
    return Forbidden(
        "this node has no officer with this certificate",
        hint="an administrator invites you anew: `gsp officers invite`; the first one, on the node's own machine, with --home",
    )


# --- the steps ----------------------------------------------------------------------------------------------------------------


def invited(officer: Officer, invitation: OfficerInvitation, *, now: int) -> Officer:
    """Take a new code. Whatever the officer had before is worth nothing from now on.

    Raises:
        Conflict: the officer was withdrawn.
    """
    refuse_withdrawn(officer)
    return replace(
        officer, state=OfficerState.INVITED, invitation=invitation, certificates=_without_good(officer.certificates, now)
    )


def check_enrolment(officer: Officer | None, *, token_hash: bytes, public_key: bytes, now: int) -> Officer:
    """Let pass who holds the token: the first time, or again with the same key.

    Raises:
        Forbidden: no such token, or the officer was withdrawn.
        Conflict: it was used with another key.
        DeadlinePassed: it was not used in time.
    """
    invitation = officer.invitation if officer is not None else None
    if officer is None or invitation is None or not hmac.compare_digest(invitation.token_hash, token_hash):
        raise Forbidden("this code is no invitation here", hint="ask the administrator for a new one")
    if officer.state is OfficerState.WITHDRAWN:
        raise Forbidden("this officer was withdrawn", hint="ask an administrator of your Party")
    if invitation.public_key and invitation.public_key != public_key:
        raise Conflict(
            "this code was used already, on another machine or in another folder",
            hint="enrol from where it was begun; if that was not you, tell the administrator at once",
        )
    if not invitation.public_key and now >= invitation.expires:
        raise DeadlinePassed("this code has expired", hint="ask the administrator for a new one")
    return officer


def used_code(officer: Officer, public_key: bytes) -> Officer:
    """The code is used up, with this key: to be durable before anything is issued."""
    assert officer.invitation is not None  # checked before
    return replace(officer, invitation=replace(officer.invitation, public_key=public_key))


def certified(officer: Officer, certificate: OfficerCertificate, *, now: int) -> Officer:
    """The officer has one more certificate, and is active. What ended long ago is forgotten.

    Raises:
        Conflict: too many that have not ended.
    """
    refuse_withdrawn(officer)
    kept = tuple(one for one in officer.certificates if one.not_after >= now)
    if len(kept) >= node_limits.CERTIFICATES_PER_OFFICER_MAX:
        raise Conflict("this officer has too many certificates", hint="one of them is still good: use it")
    return replace(officer, state=OfficerState.ACTIVE, certificates=(*kept, certificate))


def enrolled(officer: Officer, certificate: OfficerCertificate, *, now: int) -> Officer:
    """The certificate that a code was for; a repetition of the enrolment gives it again."""
    assert officer.invitation is not None  # used up before
    return replace(certified(officer, certificate, now=now), invitation=replace(officer.invitation, certificate=certificate.der))


def granted(officer: Officer, grants: Sequence[Grant]) -> Officer:
    """The officer holds these too.

    Raises:
        Conflict: the officer was withdrawn.
    """
    refuse_withdrawn(officer)
    held = officer.grants
    for grant in grants:
        held = add_grant(held, grant)
    return replace(officer, grants=held)


def without_right(officer: Officer, right: Right, authority: Authority | None) -> Officer:
    """The officer does not hold this right any more: for one authority, or for any.

    Raises:
        Conflict: the officer does not hold it.
    """
    kept = tuple(one for one in officer.grants if one.right is not right or authority not in {None, one.authority})
    if kept == officer.grants:
        raise Conflict("this officer does not hold that right", hint="`gsp officers show` lists what there is")
    return replace(officer, grants=kept)


def withdrawn(officer: Officer, *, now: int) -> Officer:
    """The officer is gone. Certificates that have not ended are worth nothing from now on; grants stay for whoever looks."""
    return replace(officer, state=OfficerState.WITHDRAWN, certificates=_without_good(officer.certificates, now), invitation=None)


def refuse_withdrawn(officer: Officer) -> None:
    """Nobody comes back: a person who does is invited as a new officer."""
    if officer.state is OfficerState.WITHDRAWN:
        raise Conflict("this officer was withdrawn", hint="invite the person anew: `gsp officers invite`")


def _without_good(certificates: Sequence[OfficerCertificate], now: int) -> tuple[OfficerCertificate, ...]:
    return tuple(one if one.withdrawn is not None else replace(one, withdrawn=now) for one in certificates)


# --- what is proposed and what was done -----------------------------------------------------------------------------------------


class Proposed(StrEnum):
    """What an administrator cannot do alone."""

    INVITE = "invite"
    REENROL = "reenrol"
    GRANT = "grant"


class ProposalState(StrEnum):
    OPEN = "open"
    APPROVED = "approved"
    DECLINED = "declined"


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """An act that waits for a second administrator.

    Attributes:
        proposer: id of the administrator who wants it.
        officer: the officer that it is about, as it will be for an invitation, and only to be named for the others.
        grants: what is to be given.
        decided_by: id of the second administrator; empty before.
    """

    proposal_id: str
    kind: Proposed
    proposer: str
    created: int
    officer: Officer
    grants: tuple[Grant, ...] = ()
    state: ProposalState = ProposalState.OPEN
    decided_by: str = ""

    @property
    def expires(self) -> int:
        """From when on nobody can approve it."""
        return self.created + node_limits.PROPOSAL_LIFE_S


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """One line of the record: who used which right for what.

    Attributes:
        officer_id: who; empty for the operator with the keystore's passphrase.
        act: a key of `rights.NEEDS`, or `enrol`.
        right: that made it possible; empty when none was needed.
        message_id: what it was about, or empty.
        subject: id of the officer whom it was about, or empty.
        words: what was granted or withdrawn; no person.
    """

    at: int
    officer_id: str
    act: str
    right: str = ""
    message_id: bytes = b""
    subject: str = ""
    words: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class OfficerChange:
    """What one step writes, as a whole or not at all.

    Attributes:
        officers: old and new; None stands for nothing there.
        proposals: the same.
        uses: lines of the record.
    """

    officers: tuple[tuple[Officer | None, Officer], ...] = ()
    proposals: tuple[tuple[Proposal | None, Proposal], ...] = ()
    uses: tuple[Use, ...] = ()


class OfficerStore(Protocol):
    """Officers, what they hold, what waits for a second administrator, and the record of use. Durable when `commit` returns.

    Idempotent: a step that is taken again is harmless, but its lines of the record stand twice. Who retries: the caller, after
    `StoreUnavailable`; a store never retries by itself. Whoever controls the storage can withdraw officers, grant rights and change
    the record; it can sign nothing, and reads no person's name, because names are sealed.
    """

    async def officer(self, officer_id: str) -> Officer | None:
        """The officer, or None."""
        ...

    async def by_token(self, token_hash: bytes) -> Officer | None:
        """The officer whose newest code has this token, or None. Names come from here, never from a request."""
        ...

    async def officers(self) -> tuple[Officer, ...]:
        """All of them, the oldest first."""
        ...

    async def proposals(self) -> tuple[Proposal, ...]:
        """All that are open, the oldest first."""
        ...

    async def commit(self, change: OfficerChange) -> None:
        """Put each new value in the place of the old one, and add to the record. Raises Conflict, and writes nothing, when something
        else is there by now, except the new value itself.
        """
        ...

    async def uses(self, *, before: int, rows: int, officer_id: str | None = None) -> tuple[Use, ...]:
        """Lines of the record before a time, the newest first; by or about one officer, or all."""
        ...


PURPOSES_ALL = frozenset(Purpose)
"""What the first officer of a Party may ask and answer for."""


def all_rights(authority: Authority) -> tuple[Grant, ...]:
    """What the first officer of a Party holds."""
    held: tuple[Grant, ...] = ()
    for right in Right:
        purposes = PURPOSES_ALL if right in {Right.ASK, Right.ANSWER} else frozenset()
        held = add_grant(held, Grant(right=right, authority=authority, purposes=purposes))
    return held
