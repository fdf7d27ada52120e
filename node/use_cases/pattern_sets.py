"""Every Party's pattern set at this node: taken when its digest is the one that its Party entered into the directory, and kept.

A set comes from the own store, from the node that answers for the Party, or from any other node that has it: the digest says
whether it is right, so it does not matter who gave it. What the digest pins and cannot be used is quarantined with the reason, and
touches no other set. While the newest set of a Party is missing or in quarantine, the one before it goes on being used: those are
older words of the same Party. Nothing that was taken is thrown away.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256

from federation import limits
from federation.boundary.library import open_pinned_set, pinned_sets
from federation.errors import FederationError, Malformed, Oversized, Unauthentic
from federation.identity import PartyId
from federation.ports import PatternStore, Peer, Transport
from federation.trust import directory, keys
from federation.trust.entries import EntryKind, Update
from federation.uim.pattern import PatternSet
from federation.wire.directory import decode_entry_body, decode_signed_entry
from federation.wire.patterns import encode_pattern_set
from node import limits as node_limits
from node.use_cases.registry import Registry
from node.use_cases.world import World

logger = logging.getLogger(__name__)

OWN_STORE = "own store"
"""Where a set came from that was here already."""


def pattern_set_digest(encoded: bytes) -> bytes:
    """How the directory pins a set: SHA-256 of its encoding."""
    return sha256(encoded).digest()


class SetState(StrEnum):
    """How it stands with one Party's patterns."""

    IN_USE = "in-use"
    OLDER_IN_USE = "older-in-use"
    """The set that is pinned is missing or in quarantine; the one before it is used."""
    MISSING = "missing"
    QUARANTINED = "quarantined"
    REFERENCE = "reference"
    """The Party publishes none; what comes with the program is used."""
    NONE = "none"
    """The Party publishes none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LibraryRow:
    """One Party in the library.

    Attributes:
        pinned_version, pinned_digest: what the Party entered last; 0 and empty when it publishes none.
        version, digest: of the set in use; 0 and empty when none is.
        patterns: how many that set has.
        source: who gave it.
        problem: why the pinned set is not in use.
    """

    party: PartyId
    state: SetState
    pinned_version: int
    pinned_digest: bytes
    version: int
    digest: bytes
    patterns: int
    source: str
    problem: str


@dataclass(frozen=True, slots=True)
class _Taken:
    """A set that may be used."""

    digest: bytes
    pattern_set: PatternSet
    source: str


class PatternSets:
    """The sets in use, and why others are not."""

    def __init__(self, *, own: PartyId, world: World, registry: Registry, store: PatternStore) -> None:
        self._own = own
        self._world = world
        self._registry = registry
        self._store = store
        self._taken: dict[PartyId, _Taken] = {}
        self._quarantined: dict[bytes, str] = {}
        self._missing: dict[PartyId, str] = {}
        self._looked_back: set[PartyId] = set()

    async def keep(self, sets: Sequence[PatternSet]) -> None:
        """Keep sets where others can fetch them."""
        for one in sets:
            encoded = encode_pattern_set(one)
            await self._store.put(pattern_set_digest(encoded), encoded)

    async def encoded(self, digest: bytes) -> bytes | None:
        """A set that is kept, by its digest."""
        return await self._store.get(digest)

    async def refresh(self, transport: Transport | None) -> dict[PartyId, PatternSet]:
        """Take up what the roster pins, and give the sets in use by Party."""
        pinned = pinned_sets(self._registry.roster)
        self._forget(pinned)
        for party, (_, digest) in pinned.items():
            if digest not in self._quarantined and not self._is_taken(party, digest):
                await self._take(party, digest, transport)
        done = {*self._taken, *self._looked_back}
        without = {party: digest for party, (_, digest) in pinned.items() if party not in done}
        if without:
            self._looked_back |= without.keys()
            await self._look_back(without)
        return {party: one.pattern_set for party, one in self._taken.items()}

    def rows(self, reference: Sequence[PatternSet]) -> tuple[LibraryRow, ...]:
        """One for each Party, and for each State whose published markings come with the program."""
        pinned = pinned_sets(self._registry.roster)
        rows = {party: _given_row(party, None) for party in self._registry.roster.parties}
        rows |= {one.party: _given_row(one.party, one) for one in reference}
        rows |= {party: self._row(party, version, digest) for party, (version, digest) in pinned.items()}
        return tuple(row for _, row in sorted(rows.items()))

    def _row(self, party: PartyId, version: int, digest: bytes) -> LibraryRow:
        taken = self._taken.get(party)
        problem = (
            "" if self._is_taken(party, digest) else self._quarantined.get(digest) or self._missing.get(party, "not fetched yet")
        )
        if taken is not None:
            state = SetState.OLDER_IN_USE if problem else SetState.IN_USE
        else:
            state = SetState.QUARANTINED if digest in self._quarantined else SetState.MISSING
        return LibraryRow(
            party=party,
            state=state,
            pinned_version=version,
            pinned_digest=digest,
            version=taken.pattern_set.version if taken is not None else 0,
            digest=taken.digest if taken is not None else b"",
            patterns=len(taken.pattern_set.patterns) if taken is not None else 0,
            source=taken.source if taken is not None else "",
            problem=problem[: node_limits.QUARANTINE_WORDS_MAX],
        )

    def _is_taken(self, party: PartyId, digest: bytes) -> bool:
        taken = self._taken.get(party)
        return taken is not None and taken.digest == digest

    def _forget(self, pinned: dict[PartyId, tuple[int, bytes]]) -> None:
        """Parties that have left or publish nothing any more, and what was wrong with sets that were replaced."""
        self._taken = {party: one for party, one in self._taken.items() if party in pinned}
        digests = {digest for _, digest in pinned.values()}
        self._quarantined = {digest: words for digest, words in self._quarantined.items() if digest in digests}

    async def _take(self, party: PartyId, digest: bytes, transport: Transport | None) -> None:
        encoded = await self._store.get(digest)
        if encoded is not None:
            self._use(party, digest, encoded, source=OWN_STORE)
            return
        for peer in self._sources(party) if transport is not None else ():
            assert transport is not None  # as asked above
            fetched = await self._fetch(peer, party, digest, transport)
            if fetched is None:
                continue
            if self._use(party, digest, fetched, source=peer.name.party or "") is not None:
                await self._store.put(digest, fetched)
            return

    async def _fetch(self, peer: Peer, party: PartyId, digest: bytes, transport: Transport) -> bytes | None:
        """What a peer gives for a digest, when it is that; None with the reason written down when it is not."""
        try:
            encoded = await transport.pattern_set(peer, party, digest)
            if pattern_set_digest(encoded) != digest:
                raise Unauthentic("it gave another set than the pinned one")
        except FederationError as error:
            self._missing[party] = f"{peer.name.party}: {error.message}"
            logger.info("a pattern set is missing", extra={"peer": peer.name.party, "problem": error.code})
            return None
        return encoded

    def _use(self, party: PartyId, digest: bytes, encoded: bytes, *, source: str) -> PatternSet | None:
        """What the digest pins will never become right, so a bad set is not looked at twice."""
        try:
            pattern_set = open_pinned_set(encoded, party=party, digest=digest)
        except (Malformed, Oversized, Unauthentic) as error:
            self._quarantined[digest] = error.message
            logger.warning("a pattern set is quarantined", extra={"peer": party, "problem": error.code})
            return None
        self._taken[party] = _Taken(digest, pattern_set, source)
        self._missing.pop(party, None)
        return pattern_set

    def _sources(self, party: PartyId) -> Iterator[Peer]:
        """The node that answers for the Party, then a few others, each time beginning with another one."""
        roster = self._registry.roster
        responder = roster.responder(party, now=self._world.now())
        if responder is not None and responder != self._own:
            yield self._registry.peer(responder)
        others = [
            one for one, record in sorted(roster.parties.items()) if record.node is not None and one not in (self._own, responder)
        ]
        start = int.from_bytes(self._world.entropy(2)) % max(1, len(others))
        for other in [*others[start:], *others[:start]][: node_limits.PATTERN_SOURCES_MAX]:
            yield self._registry.peer(other)

    async def _look_back(self, newest: Mapping[PartyId, bytes]) -> None:
        """After a start, while the newest sets of these Parties cannot be had: the last of the older ones of each in the store."""
        for party, digests in (await self._older_digests(newest)).items():
            for digest in digests:
                encoded = await self._store.get(digest)
                if encoded is not None and self._use(party, digest, encoded, source=OWN_STORE) is not None:
                    break

    async def _older_digests(self, newest: Mapping[PartyId, bytes]) -> dict[PartyId, list[bytes]]:
        """What these Parties entered before, the newest first. The log is read once for all: it grows, and so do they."""
        found: dict[PartyId, list[bytes]] = {party: [] for party in newest}
        listed = {party: self._registry.roster.party(party).party_key for party in newest}
        party_keys = {party: key for party, key in listed.items() if key is not None}
        start, size = 0, self._registry.roster.size
        while start < size:
            leaves = await self._registry.store.leaves(start, min(size, start + limits.ENTRIES_PER_REPLY_MAX))
            if not leaves:
                break
            start += len(leaves)
            for leaf in leaves:
                party, digest = _entered(leaf, party_keys)
                if party is not None and digest not in (b"", newest[party]):
                    found[party].insert(0, digest)
        return found


def _entered(leaf: bytes, party_keys: Mapping[PartyId, bytes]) -> tuple[PartyId | None, bytes]:
    """The digest in an update entry of one of these Parties under the key that it has now; None and empty for everything else.

    A log may hold entries that broke their rule, so the signature is asked for again.
    """
    try:
        entry = decode_signed_entry(leaf)
        if entry.kind is not EntryKind.UPDATE:
            return None, b""
        body = decode_entry_body(entry.kind, entry.body)
        if not isinstance(body, Update) or body.party not in party_keys:
            return None, b""
        party_key = party_keys[body.party]
        message = directory.entry_message(entry.kind, entry.body)
        signature = next((one.signature for one in entry.signatures if one.public_key == party_key), b"")
        keys.verify(public_key=party_key, message=message, signature=signature)
    except FederationError:
        return None, b""
    return body.party, body.pattern_set_digest


def _given_row(party: PartyId, reference: PatternSet | None) -> LibraryRow:
    """For whoever publishes nothing."""
    return LibraryRow(
        party=party,
        state=SetState.REFERENCE if reference is not None else SetState.NONE,
        pinned_version=0,
        pinned_digest=b"",
        version=reference.version if reference is not None else 0,
        digest=b"",
        patterns=len(reference.patterns) if reference is not None else 0,
        source="this program" if reference is not None else "",
        problem="",
    )
