"""All Parties' patterns at this node: who may have issued a code, with what the roster says of it.

Which sets there are is `node.use_cases.pattern_sets`. For whom a Party may publish is asked of the roster again and again, because
mandates come and end. Whether an issuer is a Party is read from the roster, never from a pattern.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from federation.identity import PartyId
from federation.ports import PatternStore, Transport
from federation.trust.roster import Roster, Status
from federation.uim.candidate import ReasonCode
from federation.uim.clues import NO_CLUES, Clues
from federation.uim.confusable import Suggestion, suggest
from federation.uim.library import Candidate, Library, Reason
from federation.uim.pattern import PatternSet, within_mandates
from federation.uim.scan import read_scan
from node.use_cases.desk_values import Membership, RankedParty, Resolution, Standing
from node.use_cases.pattern_sets import LibraryRow, PatternSets, pattern_set_digest
from node.use_cases.registry import Registry
from node.use_cases.world import World

__all__ = ["Patterns", "pattern_set_digest"]
"""What a set is known by is imported from here too."""

_STANDINGS: Final = {
    Status.PILOT: Standing.PILOT,
    Status.SUSPENDED: Standing.SUSPENDED,
    Status.WITHDRAWN: Standing.WITHDRAWN,
}
"""What is said of a status; an active Party needs no word."""


class Patterns:
    """The library, kept up to date with the roster."""

    def __init__(
        self, *, own: PartyId, world: World, registry: Registry, store: PatternStore, reference: Sequence[PatternSet]
    ) -> None:
        self._own = own
        self._world = world
        self._registry = registry
        self._sets = PatternSets(own=own, world=world, registry=registry, store=store)
        self._reference = tuple(reference)
        self._built: tuple[tuple[int, frozenset[PartyId]], ...] = ()
        self._within: dict[tuple[int, frozenset[PartyId]], PatternSet] = {}
        self._library = Library.build(self._reference)

    async def publish(self, sets: Sequence[PatternSet]) -> None:
        """Keep the sets that this node answers with where others can fetch them."""
        await self._sets.keep(sets)

    async def refresh(self, transport: Transport | None) -> None:
        """Take up what the roster pins, from wherever it is, and resolve with it from now on."""
        in_use = await self._sets.refresh(transport)
        now = self._world.now()
        taken = tuple((id(one), self._registry.roster.members_of(party, now=now)) for party, one in in_use.items())
        if taken == self._built:
            return
        self._built = taken
        self._within = {
            key: self._within.get(key) or within_mandates(one, may_publish_for=key[1])
            for key, one in zip(taken, in_use.values(), strict=True)
        }
        reference = (one for one in self._reference if one.party not in in_use)
        self._library = self._library.rebuilt([*self._within.values(), *reference])

    def resolve(self, raw: str, clues: Clues = NO_CLUES) -> Resolution:
        """From a scan to ranked Parties, each with what the roster says of it.

        Raises:
            InvalidScan: no rule can read it.
        """
        scan = read_scan(raw)
        candidates = self._library.resolve(scan, now=self._world.now(), clues=clues)
        return Resolution(scan=scan, parties=tuple(self._rank(one) for one in candidates))

    def suggest(self, text: str) -> tuple[Suggestion, ...]:
        """Spellings that a typed code may be a mistake for: guesses, until the Party that issues such codes has confirmed one."""
        return suggest(self._library, text)

    def rows(self) -> tuple[LibraryRow, ...]:
        """What there is of every Party, and why not more."""
        return self._sets.rows(self._reference)

    async def encoded(self, digest: bytes) -> bytes | None:
        """A set that was taken once, however old; None when this node never had it."""
        return await self._sets.encoded(digest)

    def _rank(self, candidate: Candidate) -> RankedParty:
        roster = self._registry.roster
        responder = roster.responder(candidate.party, now=self._world.now())
        if responder is None and candidate.answered_by != candidate.party:
            responder = roster.responder(candidate.answered_by, now=self._world.now())
        record = roster.parties.get(candidate.party)
        if self._own in (candidate.party, responder):
            membership = Membership.OWN
        elif responder is not None:
            membership = Membership.PARTY
        else:
            stands = record is not None and not record.withdrawn
            membership = Membership.NO_NODE if stands else Membership.NOT_A_PARTY
        return RankedParty(
            candidate=_with_mandate(candidate, responder),
            membership=membership,
            party_name=record.name if record is not None else "",
            responder=responder,
            responder_name=roster.party(responder).name if responder is not None else "",
            standing=standing_of(roster, candidate.party),
            responder_standing=standing_of(roster, responder) if responder not in (None, candidate.party) else frozenset(),
        )


def _with_mandate(candidate: Candidate, responder: PartyId | None) -> Candidate:
    """Say it when another Party answers; it moves nobody in the ranking."""
    if responder in (None, candidate.party):
        return candidate
    reason = Reason(code=ReasonCode.MANDATE, points=0, words=f"{responder} answers for {candidate.party}")
    return replace(candidate, reasons=(*candidate.reasons, reason))


def standing_of(roster: Roster, party: PartyId | None) -> frozenset[Standing]:
    """What is to be said of a Party beside its name; nothing of whoever is none."""
    record = roster.parties.get(party) if party is not None else None
    if record is None or party is None:
        return frozenset()
    told = {_STANDINGS[record.status]} if record.status in _STANDINGS else set()
    if not record.withdrawn and not roster.is_confirmed(party):
        told.add(Standing.UNCONFIRMED)
    return frozenset(told)
