"""Joining: the invitation behind a join code, and the steps until a Party is in the log.

Names always come from the invitation, never from what the Party sends. The Secretariat keeps only a hash of the token, and marks
the invitation used, durably, before anything is issued. Every step may be repeated with the same keys and gives the same result,
so that whoever lost the connection or the power simply goes on (docs/protocol.md, "Joining").

The code that carries the token is in `join_code`, issuing in `issuing`; entries, network and storage are other rooms'.
Times are Unix seconds UTC.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from federation import limits
from federation.errors import Conflict, DeadlinePassed, Forbidden
from federation.identity import PartyId
from federation.trust.issuing import read_request
from federation.trust.keys import digest


@dataclass(frozen=True, slots=True, kw_only=True)
class Invitation:
    """What the Secretariat keeps of an invitation. Times are Unix seconds UTC.

    Attributes:
        party: who is invited: the only source of the name in what is issued.
        token_hash: see `token_hash`.
        created: when it was made.
        expires: from when on it is no longer good.
        used_at: when the Party enrolled; None before.
        request_hash: what the Party enrolled with (`request_hash`); None before.
    """

    party: PartyId
    token_hash: bytes
    created: float
    expires: float
    used_at: float | None = None
    request_hash: bytes | None = None


class Use(StrEnum):
    """What a good token is good for."""

    FIRST = "first"
    """Mark the invitation used, durably, then issue."""
    REPEATED = "repeated"
    """Give the same result again; issue nothing."""


def invite(*, party: PartyId, token: bytes, now: float) -> Invitation:
    """Make the record of a new invitation; the token itself is not kept."""
    return Invitation(party=party, token_hash=token_hash(token, party), created=now, expires=now + limits.JOIN_TOKEN_LIFE_S)


def token_hash(token: bytes, party: PartyId) -> bytes:
    """The stored form of a token: bound to the Party, so that it is worth nothing in another one's name.

    A plain hash is enough for sixteen random bytes.
    """
    return digest("gsp/v1/join-token", party.encode(), token)


def request_hash(*, csr: bytes, party_key: bytes, next_key_hash: bytes) -> bytes:
    """All keys that a Party enrols with, so that a repetition is known as one, however often its module signs the CSR anew.

    Args:
        csr: for the Party CA; its proof of possession is checked before any token is used up.
        party_key: Ed25519, authors the Party's entries.
        next_key_hash: of the key that alone may replace it.

    Raises:
        Malformed, Unauthentic: the CSR is refused.
    """
    ca_key = read_request(csr).public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return digest("gsp/v1/join-request", ca_key, party_key, next_key_hash)


def check_token(invitation: Invitation | None, *, token: bytes, party: PartyId) -> Invitation:
    """Let pass who holds the token; enough to ask how far it is, and to accept.

    Args:
        invitation: the record for this Party; None when there is none, which is not told apart from a wrong token.
        token: as presented.
        party: as presented.

    Raises:
        Forbidden: no invitation, another Party's, or a wrong token.
    """
    presented = token_hash(token, party)
    if invitation is None or invitation.party != party or not hmac.compare_digest(invitation.token_hash, presented):
        raise Forbidden(
            "this token is no invitation for that Party", hint="check the join code, or ask the Secretariat for a new one"
        )
    return invitation


def check_invitation(invitation: Invitation | None, *, token: bytes, party: PartyId, request: bytes, now: float) -> Use:
    """Decide whether a Party may enrol. A repetition is answered even after the end, because nothing new is issued.

    Args:
        invitation: as for `check_token`.
        token: as presented.
        party: as presented.
        request: `request_hash` of what was presented.
        now: Unix seconds.

    Raises:
        Forbidden: no invitation, another Party's, or a wrong token.
        Conflict: used already, with other keys.
        DeadlinePassed: not used in time.
    """
    known = check_token(invitation, token=token, party=party)
    if known.request_hash == request:
        return Use.REPEATED
    if known.request_hash is not None:
        raise Conflict(
            "this invitation was used with other keys",
            hint="join from the machine that began it; if that was not you, tell the Secretariat at once",
        )
    if now >= known.expires:
        raise DeadlinePassed("this invitation has expired", hint="ask the Secretariat for a new join code")
    return Use.FIRST


def use_invitation(invitation: Invitation, *, request: bytes, now: float) -> Invitation:
    """The record to commit before anything is issued, after `check_invitation` said `FIRST`."""
    return replace(invitation, used_at=now, request_hash=request)


class Step(StrEnum):
    """How far a Party is on its way into the directory."""

    INVITED = "invited"
    ENROLLED = "enrolled"
    ACCEPTED = "accepted"
    APPROVED = "approved"
    LOGGED = "logged"


class Event(StrEnum):
    """What moves it on."""

    CA_ISSUED = "ca-issued"
    PARTY_SIGNED = "party-signed"
    FOUNDERS_SIGNED = "founders-signed"
    ENTRY_LOGGED = "entry-logged"


_ROAD: Final = (
    (Step.INVITED, Event.CA_ISSUED, "the Party runs `gsp join` with its code; the Secretariat waits"),
    (Step.ENROLLED, Event.PARTY_SIGNED, "the CA is issued; the Party signs its acceptance; the Secretariat waits"),
    (
        Step.ACCEPTED,
        Event.FOUNDERS_SIGNED,
        "the Party has signed; the founders compare the fingerprint and sign; the Party waits",
    ),
    (Step.APPROVED, Event.ENTRY_LOGGED, "enough founders have signed; the Secretariat logs the entry; the Party waits"),
    (
        Step.LOGGED,
        None,
        "the Party is in the directory; until two other Parties confirm it, asking it needs consent",
    ),
)
"""Each step, the event that ends it, and who has to do what. Theory of operation: the road is straight, and nobody can be
stepped over, because each signature covers what came before: the Secretariat issues the CA, the Party signs the entry that
names it, k founders compare the entry's fingerprint and sign the entry, the Secretariat logs it."""

_STEPS: Final = [step for step, _, _ in _ROAD]
_EVENTS: Final = [event for _, event, _ in _ROAD]


def next_step(step: Step, event: Event) -> Step:
    """Move on. An event that has happened before changes nothing.

    Raises:
        Conflict: the event comes before its time.
    """
    reached, ended = _STEPS.index(step), _EVENTS.index(event)
    if ended > reached:
        raise Conflict(f"`{event}` is not possible yet", hint=describe_step(step))
    return _STEPS[max(reached, ended + 1)]


def describe_step(step: Step) -> str:
    """One sentence: where it stands, who has to act, and who waits."""
    return f"{step}: {_ROAD[_STEPS.index(step)][2]}"
