"""All Parties' patterns at this node: the sets that the directory pins by digest, and the published reference sets that come with
the program for markings of those who publish none.

A set is taken only when its digest is the one that its Party logged, and only if its examples prove it; a bad set is left out and
hides no other. For whom its Party may publish is asked of the roster again and again, because mandates come and end. Whether an
issuer is a Party is read from the roster, never from a pattern.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from hashlib import sha256
from typing import Final

from federation.errors import FederationError, Unauthentic
from federation.identity import PartyId
from federation.ports import PatternStore, Peer, Transport
from federation.trust.roster import Roster, Status
from federation.uim.library import Candidate, Library
from federation.uim.pattern import PatternSet, try_examples, within_mandates
from federation.uim.scan import read_scan
from federation.wire.patterns import decode_pattern_set, encode_pattern_set
from node.use_cases.desk_values import Membership, RankedParty, Resolution, Standing
from node.use_cases.registry import Registry
from node.use_cases.world import World

logger = logging.getLogger(__name__)


_STANDINGS: Final = {
    Status.PILOT: Standing.PILOT,
    Status.SUSPENDED: Standing.SUSPENDED,
    Status.WITHDRAWN: Standing.WITHDRAWN,
}
"""What is said of a status; an active Party needs no word."""


def pattern_set_digest(encoded: bytes) -> bytes:
    """How the directory pins a set: SHA-256 of its encoding."""
    return sha256(encoded).digest()


class Patterns:
    """The library, kept up to date with the roster."""

    def __init__(
        self, *, own: PartyId, world: World, registry: Registry, store: PatternStore, reference: Sequence[PatternSet]
    ) -> None:
        self._own = own
        self._world = world
        self._registry = registry
        self._store = store
        self._reference = tuple(reference)
        self._accepted: dict[bytes, PatternSet] = {}
        self._refused: set[bytes] = set()
        self._built: tuple[tuple[bytes, frozenset[PartyId]], ...] = ()
        self._library = Library.build(self._reference)

    async def publish(self, sets: Sequence[PatternSet]) -> None:
        """Keep the sets that this node answers with where others can fetch them."""
        for one in sets:
            encoded = encode_pattern_set(one)
            await self._store.put(pattern_set_digest(encoded), encoded)

    async def refresh(self, transport: Transport | None) -> None:
        """Take up the sets that the roster pins: from the own store, else from the node that answers for the Party."""
        pinned = _pinned(self._registry.roster)
        for party, digest in pinned.items():
            if digest not in self._accepted and digest not in self._refused:
                await self._take(party, digest, transport)
        self._forget(frozenset(pinned.values()))
        taken = tuple(
            (digest, self._registry.roster.members_of(party, now=self._world.now()))
            for party, digest in pinned.items()
            if digest in self._accepted
        )
        if taken == self._built:
            return
        self._built = taken
        sets = [within_mandates(self._accepted[digest], may_publish_for=members) for digest, members in taken]
        publishers = {one.party for one in sets}
        self._library = Library.build([*sets, *(one for one in self._reference if one.party not in publishers)])

    async def _take(self, party: PartyId, digest: bytes, transport: Transport | None) -> None:
        try:
            encoded = await self._store.get(digest)
            if encoded is None and transport is not None:
                encoded = await self._fetch(party, digest, transport)
            if encoded is None:
                return
            if digest not in self._accepted:  # what came over the network was checked before it was kept
                self._accepted[digest] = self._checked(party, digest, encoded)
        except FederationError as error:
            logger.info("a pattern set is missing", extra={"peer": party, "problem": error.code})

    async def _fetch(self, party: PartyId, digest: bytes, transport: Transport) -> bytes | None:
        responder = self._registry.roster.responder(party, now=self._world.now())
        if responder is None or responder == self._own:
            return None
        peer: Peer = self._registry.peer(responder)
        encoded = await transport.pattern_set(peer, party, digest)
        self._accepted[digest] = self._checked(party, digest, encoded)
        await self._store.put(digest, encoded)
        return encoded

    def _checked(self, party: PartyId, digest: bytes, encoded: bytes) -> PatternSet:
        if pattern_set_digest(encoded) != digest:
            raise Unauthentic("a pattern set is not the one that the directory pins")
        try:
            pattern_set = decode_pattern_set(encoded)
            if pattern_set.party != party:
                raise Unauthentic("a pattern set is published by another Party")
            try_examples(pattern_set)
        except FederationError:
            self._refused.add(digest)  # what the digest pins will never become right
            raise
        return pattern_set

    def _forget(self, pinned: frozenset[bytes]) -> None:
        """Sets that their Parties have replaced: somebody may publish a new one every hour."""
        self._accepted = {digest: one for digest, one in self._accepted.items() if digest in pinned}
        self._refused &= pinned

    def resolve(self, raw: str) -> Resolution:
        """From a scan to ranked Parties, each with what the roster says of it.

        Raises:
            InvalidScan: no rule can read it.
        """
        scan = read_scan(raw)
        candidates = self._library.resolve(scan, now=self._world.now())
        return Resolution(scan=scan, parties=tuple(self._rank(one) for one in candidates))

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
            candidate=candidate,
            membership=membership,
            party_name=record.name if record is not None else "",
            responder=responder,
            responder_name=roster.party(responder).name if responder is not None else "",
            standing=standing_of(roster, candidate.party),
            responder_standing=standing_of(roster, responder) if responder not in (None, candidate.party) else frozenset(),
        )


def standing_of(roster: Roster, party: PartyId | None) -> frozenset[Standing]:
    """What is to be said of a Party beside its name; nothing of whoever is none."""
    record = roster.parties.get(party) if party is not None else None
    if record is None or party is None:
        return frozenset()
    told = {_STANDINGS[record.status]} if record.status in _STANDINGS else set()
    if not record.withdrawn and not roster.is_confirmed(party):
        told.add(Standing.UNCONFIRMED)
    return frozenset(told)


def _pinned(roster: Roster) -> dict[PartyId, bytes]:
    """Which set each Party has published last."""
    return {
        party: record.update.pattern_set_digest
        for party, record in roster.parties.items()
        if record.update is not None and record.update.pattern_set_digest
    }
