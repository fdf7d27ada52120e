"""What everybody waits for on a Party's way into the directory: one value for both sides, and one way to say it.

The Secretariat makes it from its invitations and its log, the Party from what the Secretariat told it last; both can say it while
the other side is down.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from federation.identity import PartyId
from federation.ports import Enrolment
from federation.trust.enrolment import Step
from federation.trust.fingerprint import digits_of, fingerprint
from federation.trust.roster import PartyRecord, Roster, Status


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How far one Party is.

    Attributes:
        status: what the directory says of it, once it is there; None before.
        fingerprint: of the entry that admits it, for reading aloud; empty before there is one.
        founders_signed, founders_needed: under that entry.
        confirmed_by: Parties that stand and have confirmed it.
        confirmations: how many have to.
        expires: Unix seconds at which an invitation that nobody used ends; 0 later on.
    """

    party: PartyId
    step: Step
    status: Status | None = None
    fingerprint: str = ""
    founders_signed: int = 0
    founders_needed: int = 0
    confirmed_by: tuple[PartyId, ...] = ()
    confirmations: int = 0
    expires: int = 0

    @property
    def is_confirmed(self) -> bool:
        """Whether enough others have confirmed it."""
        return len(self.confirmed_by) >= self.confirmations

    @property
    def waits_for(self) -> str:
        """Whom it waits for, in words; empty when it waits for nobody."""
        match self.step:
            case Step.INVITED:
                return f"{self.party} to join"
            case Step.ENROLLED:
                return f"{self.party} to sign its acceptance"
            case Step.ACCEPTED:
                missing = self.founders_needed - self.founders_signed
                return f"{missing} of {self.founders_needed} founders" if missing > 0 else "the directory to take the entry"
            case Step.APPROVED:
                return "the directory to be cosigned by enough witnesses"
            case Step.LOGGED:
                missing = self.confirmations - len(self.confirmed_by)
                waiting = missing > 0 and self.status in (Status.ACTIVE, Status.PILOT)
                return f"{missing} of {self.confirmations} other Parties to confirm it" if waiting else ""

    @property
    def next_act(self) -> str:
        """Who does what next."""
        match self.step:
            case Step.INVITED:
                return f"{self.party} runs `gsp party join` with its code"
            case Step.ENROLLED:
                return f"{self.party} runs the same `gsp party join` again; it goes on by itself"
            case Step.ACCEPTED:
                return f"founders compare the fingerprint by telephone and sign; then `gsp secretariat admit {self.party}`"
            case Step.APPROVED:
                return "the nodes of the witnesses have to run, and the Secretariat's: `gsp secretariat run`"
            case Step.LOGGED:
                if self.waits_for:
                    return f"other Parties compare the fingerprint by telephone: `gsp party confirm {self.party}`"
                return _NEXT[self.status or Status.ACTIVE]


_NEXT: Final = {
    Status.ACTIVE: "nothing",
    Status.PILOT: "nothing",
    Status.SUSPENDED: "the founders end the suspension: `gsp secretariat propose reinstate`",
    Status.WITHDRAWN: "nothing; to come back it is invited and admitted again",
}


def step_of(known: Enrolment) -> Step:
    """How far the Secretariat's record of a Party is."""
    if known.logged_index is not None:
        return Step.LOGGED
    if known.acceptance is not None:
        return Step.ACCEPTED
    return Step.ENROLLED if known.admit_body else Step.INVITED


def standings(roster: Roster, enrolments: Iterable[Enrolment]) -> tuple[Standing, ...]:
    """Everybody, by name: those under way, and those in the directory.

    Args:
        roster: as accepted.
        enrolments: those that are not in the log.
    """
    known = {party: listed(roster, party, record) for party, record in roster.parties.items()}
    for one in enrolments:
        known[one.party] = under_way(one, founders_needed=roster.governance.founders_threshold)
    return tuple(known[party] for party in sorted(known))


def under_way(known: Enrolment, *, founders_needed: int) -> Standing:
    """A Party that is not in the log yet."""
    step = Step.APPROVED if known.logged_index is not None else step_of(known)
    return Standing(
        party=known.party,
        step=step,
        fingerprint=fingerprint(known.admit_body) if known.admit_body else "",
        founders_signed=len(known.founder_signatures),
        founders_needed=founders_needed,
        expires=known.expires if step is Step.INVITED else 0,
    )


def listed(roster: Roster, party: PartyId, record: PartyRecord) -> Standing:
    """A Party as the log has it."""
    return Standing(
        party=party,
        step=Step.LOGGED,
        status=record.status,
        fingerprint=digits_of(record.admit_digest),
        confirmed_by=tuple(sorted(one for one in record.confirmed_by if roster.parties[one].exchanges)),
        confirmations=roster.governance.confirmations,
    )
