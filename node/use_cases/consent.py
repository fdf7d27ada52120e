"""What an officer has to know, and to have said, before a Party is asked."""

from __future__ import annotations

from federation.errors import Forbidden
from federation.identity import PartyId
from federation.trust.roster import Roster
from node.use_cases.desk_values import Question


def check_may_ask(roster: Roster, own: PartyId, question: Question) -> None:
    """Both Parties exchange, and the officer knows with whom.

    Raises:
        UnknownParty: there is nobody to ask.
        Forbidden: one of the two is suspended, or the officer has not said that an unconfirmed Party is to be asked.
    """
    _check_own_standing(roster, own)
    roster.node(question.party)
    _check_confirmed(roster, question)


def _check_own_standing(roster: Roster, own: PartyId) -> None:
    """Whether this Party may ask at all. The others would refuse it; the officer should hear it from the own node.

    Raises:
        Forbidden: it is suspended, or has withdrawn.
    """
    record = roster.parties.get(own)
    if record is not None and not record.exchanges:
        raise Forbidden(
            f"{own} is {record.status} in the directory and exchanges nothing",
            hint="the Party's administrator asks the Secretariat for the reason; what is known to this node stays here",
        )


def _check_confirmed(roster: Roster, question: Question) -> None:
    """A Party whose keys too few others have vouched for may be a false one: the officer has to know that.

    Raises:
        Forbidden: the officer has not said so.
    """
    if not question.unconfirmed_consent and not roster.is_confirmed(question.party):
        raise Forbidden(
            f"{question.party} is not confirmed by {roster.governance.confirmations} other Parties yet",
            hint="it may be somebody else under that name: ask its contact point by telephone, or ask all the same with --unconfirmed",
        )
