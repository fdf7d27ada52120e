"""What an officer has to know, and to have said, before a Party is asked."""

from __future__ import annotations

from federation.errors import Forbidden
from federation.trust.roster import Roster
from node.use_cases.desk_values import Question


def check_confirmed(roster: Roster, question: Question) -> None:
    """A Party whose keys too few others have vouched for may be a false one: the officer has to know that.

    Raises:
        Forbidden: the officer has not said so.
    """
    if not question.unconfirmed_consent and not roster.is_confirmed(question.party):
        raise Forbidden(
            f"{question.party} is not confirmed by {roster.governance.confirmations} other Parties yet",
            hint="it may be somebody else under that name: ask its contact point by telephone, or ask all the same with --unconfirmed",
        )
