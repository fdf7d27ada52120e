"""What may be asked, and what may be answered without an officer. The standard is: nothing.

A policy is the answering Party's law written as values. It decides before anything is looked up, so a refusal or a withheld item
never tells whether a code exists, and nobody can use it to try guesses. The first rule that fits stands; without one, the
standard; without a standard, by hand.
"""

from __future__ import annotations

from dataclasses import dataclass

from federation import limits
from federation.errors import DeadlinePassed, Forbidden, InvalidInput
from federation.identity import PartyId
from federation.query.codes import Automation, Purpose
from federation.query.items import ALL_ITEMS, Item, ItemState
from federation.query.query import Query


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemRule:
    """One item: `provided` when it may be given, or the state that says why not."""

    item: Item
    state: ItemState


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One line of a policy.

    Attributes:
        parties: whom it is about; empty for every Party.
        purposes: which purposes; empty for every purpose.
        automation: how such a query is answered.
        items: items that are not simply given. What is not listed may be given.
        codes_max: queries with more codes are answered by hand: no fishing (8.9(b)).
    """

    parties: frozenset[PartyId] = frozenset()
    purposes: frozenset[Purpose] = frozenset()
    automation: Automation
    items: tuple[ItemRule, ...] = ()
    codes_max: int = limits.CODES_PER_QUERY_MAX

    def __post_init__(self) -> None:
        if len({one.item for one in self.items}) != len(self.items):
            raise InvalidInput("a policy rule names an item twice")
        if not 1 <= self.codes_max <= limits.CODES_PER_QUERY_MAX:
            raise InvalidInput(f"codes_max lies between 1 and {limits.CODES_PER_QUERY_MAX}")

    def fits(self, *, sender: PartyId, query: Query) -> bool:
        """Whether this rule is about that query of that Party."""
        return (not self.parties or sender in self.parties) and (not self.purposes or query.purpose in self.purposes)


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """All rules of a Party, first fit first."""

    standard: Automation = Automation.MANUAL
    rules: tuple[Rule, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What a policy says of one query.

    Attributes:
        withheld: items that are not given, with the reason; the officer's own decision may differ.
    """

    automation: Automation
    withheld: dict[Item, ItemState]


def decide(policy: Policy, *, sender: PartyId, query: Query) -> Decision:
    """Apply the first rule that fits."""
    for rule in policy.rules:
        if rule.fits(sender=sender, query=query):
            automation = rule.automation if len(query.codes) <= rule.codes_max else Automation.MANUAL
            withheld = {one.item: one.state for one in rule.items if one.state is not ItemState.PROVIDED}
            return Decision(automation=automation, withheld=withheld | not_asked(query))
    return Decision(automation=policy.standard, withheld=not_asked(query))


def not_asked(query: Query) -> dict[Item, ItemState]:
    """Items that the query does not want: data minimisation begins with the question (Article 5)."""
    return dict.fromkeys(ALL_ITEMS - query.items, ItemState.NOT_ASKED)


def check_asking(*, own: PartyId, recipient: PartyId, created: int, deadline: int) -> None:
    """What has to hold before a query is sealed, whoever signs it.

    Raises:
        Forbidden: a Party does not ask itself through the federation.
        DeadlinePassed: the deadline is no later than now.
        InvalidInput: the deadline is out of the permitted range.
    """
    if own == recipient:
        raise Forbidden("this code belongs to your own Party", hint="look it up in your own system")
    if deadline <= created:
        raise DeadlinePassed("the deadline is not in the future", hint="give a later deadline")
    if not limits.QUERY_DEADLINE_S_MIN <= deadline - created <= limits.QUERY_DEADLINE_S_MAX:
        raise InvalidInput("a deadline lies between one minute and ninety days from now")
