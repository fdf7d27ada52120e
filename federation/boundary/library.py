"""A library file, checked from nothing: the log is replayed from its first entry, and each set is held against the digest that its
Party entered. Only digest and key come from the reader, so it does not matter who made the file.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256

from federation.boundary.directory import claimed_checkpoint, extend, log_keys, open_genesis
from federation.errors import FederationError, Malformed, Unauthentic
from federation.identity import PartyId
from federation.trust.roster import Roster
from federation.uim.pattern import PatternSet, try_examples
from federation.wire.library import decode_library_file
from federation.wire.patterns import decode_pattern_set


@dataclass(frozen=True, slots=True, kw_only=True)
class PinnedSet:
    """What the file holds for one Party that publishes patterns.

    Attributes:
        version, digest: as the Party entered them.
        pattern_set: the set; None when the file does not have it, or when nobody may use it.
        problem: why there is none; empty when there is one.
    """

    party: PartyId
    version: int
    digest: bytes
    pattern_set: PatternSet | None
    problem: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedLibrary:
    """A file that holds: the directory at its checkpoint, and every Party's set."""

    roster: Roster
    size: int
    pinned: tuple[PinnedSet, ...]


def check_library(raw: bytes, *, genesis_digest: bytes, log_key: bytes) -> CheckedLibrary:
    """Check a library file.

    Args:
        raw: the file.
        genesis_digest: of the directory's first entry, from the treaty's publications.
        log_key: of the directory's log, from the same place.

    Raises:
        Unauthentic: another log, a log that was changed, or a set that no Party has entered.
        Malformed: no library file.
    """
    file = decode_library_file(raw)
    replica = extend(open_genesis(file.leaves[0], genesis_digest), file.leaves[1:], file.checkpoint)
    size = claimed_checkpoint(file.checkpoint).size
    if log_key not in {key.public_key for key in log_keys(replica.roster, size)}:
        raise Unauthentic(
            "the directory's log is signed by another key", hint="compare the key with the Secretariat's publication"
        )
    there = {sha256(encoded).digest(): encoded for encoded in file.sets}
    if len(there) != len(file.sets):
        raise Malformed("a library file has one set twice")
    pinned = tuple(_pinned(party, version, digest, there) for party, (version, digest) in pinned_sets(replica.roster).items())
    if there.keys() - {one.digest for one in pinned}:
        raise Unauthentic("a set in the library file is one that no Party has entered into the directory")
    return CheckedLibrary(roster=replica.roster, size=size, pinned=pinned)


def pinned_sets(roster: Roster) -> dict[PartyId, tuple[int, bytes]]:
    """Version and digest of the set that each Party has entered last, in the order of the Parties."""
    return {
        party: (record.update.pattern_set_version, record.update.pattern_set_digest)
        for party, record in sorted(roster.parties.items())
        if record.update is not None and record.update.pattern_set_digest
    }


def open_pinned_set(encoded: bytes, *, party: PartyId, digest: bytes) -> PatternSet:
    """A set as its Party entered it.

    Raises:
        Unauthentic: other bytes than those that the directory pins, or another Party's set.
        Malformed, Oversized: what is pinned is no set, or its own examples contradict it.
    """
    if sha256(encoded).digest() != digest:
        raise Unauthentic("a pattern set is not the one that the directory pins")
    pattern_set = decode_pattern_set(encoded)
    if pattern_set.party != party:
        raise Malformed("the pinned pattern set is published by another Party")
    try_examples(pattern_set)
    return pattern_set


def _pinned(party: PartyId, version: int, digest: bytes, there: dict[bytes, bytes]) -> PinnedSet:
    pattern_set, problem = None, "the file does not have this set"
    if digest in there:
        try:
            pattern_set, problem = open_pinned_set(there[digest], party=party, digest=digest), ""
        except FederationError as error:
            problem = error.message
    return PinnedSet(party=party, version=version, digest=digest, pattern_set=pattern_set, problem=problem)
