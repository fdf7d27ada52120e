"""The directory in a proof file: all of its entries, or those that show which keys the nodes of the proof had.

A log that is small, or in which a Party of the proof was recovered, is carried whole: then everything is computed as every node
computes it, and nothing can have been left out. Of a large one the proof carries a part: the founders' and the Secretariat's
changes of keys, and of each Party in the proof (and of a region that administers for it) what it was admitted with and what became of
its keys. Every entry of a part is in the log and keeps its author rule, so no key can be made up; but that an entry was left out
cannot be seen. So a part says nothing of what its maker may have hidden: a later revocation above all. The other side, and every
Party that has the log, can show it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from hmac import compare_digest
from typing import Final

from federation.boundary.directory import claimed_checkpoint, cosigners, extend, open_genesis, read_checkpoint
from federation.errors import FederationError, Malformed, Unauthentic
from federation.evidence.bundle import LoggedEntry
from federation.identity import PartyId
from federation.trust import directory, merkle, note
from federation.trust.entries import (
    Admit,
    Ca,
    EntryBody,
    EntryKind,
    Mandate,
    NodeEntry,
    Revoke,
    Rotate,
    SignedEntry,
    Withdraw,
)
from federation.trust.note import Checkpoint
from federation.trust.roster import Roster
from federation.trust.witness import Quorum, weigh
from federation.wire.directory import decode_entry_body, decode_signed_entry

GOVERNING: Final = frozenset({EntryKind.FOUNDERS, EntryKind.ROTATE_LOG, EntryKind.ROTATE_ISSUER})
"""Without these later entries have other authors than their readers expect."""
KEYS: Final = frozenset({EntryKind.ADMIT, EntryKind.CA, EntryKind.ROTATE, EntryKind.REVOKE, EntryKind.WITHDRAW})
"""What a Party's keys are, as far as its own entries and its admission say."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownDirectory:
    """The directory as a proof shows it.

    Attributes:
        roster: what its entries add up to.
        checkpoint: which the log signed.
        cosigners: nodes that cosigned it, of those that the entries name.
        quorum: what stands under it, when all entries are there; None when only a part is.
    """

    roster: Roster
    checkpoint: Checkpoint
    cosigners: tuple[str, ...]
    quorum: Quorum | None


def read_shown(
    entries: Sequence[LoggedEntry], checkpoint_note: bytes, *, log_key: bytes, genesis_digest: bytes
) -> ShownDirectory:
    """Check the directory of a proof against the two things that its reader brings.

    Raises:
        Malformed: not the entries of a proof.
        Unauthentic: another directory, an entry that is not in it, or one that breaks its rule.
    """
    if not entries or entries[0].index != 0:
        raise Malformed("a proof begins with the genesis entry")
    if not compare_digest(merkle.leaf_hash(entries[0].leaf), genesis_digest):
        raise Unauthentic("the proof stands on another directory than the one you named")
    claimed = claimed_checkpoint(checkpoint_note)
    whole = len(entries) == claimed.size
    if not whole or any(one.inclusion for one in entries):
        roster = _part(entries, claimed)
    if whole:
        roster = _whole(entries, checkpoint_note)
    if not any(compare_digest(key.public_key, log_key) for key in roster.governance.log_keys):
        raise Unauthentic("the log key you named is not one of that directory")
    checkpoint, signed = read_checkpoint(roster, checkpoint_note)
    verified, parsed = cosigners(roster, checkpoint_note), note.parse_note(checkpoint_note)
    if len(parsed.signatures) != len(signed) + len(verified):  # nothing is passed over here: a proof is checked to the last byte
        raise Unauthentic("the directory's checkpoint carries a signature that the entries in the proof do not explain")
    return ShownDirectory(
        roster=roster,
        checkpoint=checkpoint,
        cosigners=tuple(sorted(one.name for one in verified)),
        quorum=weigh(roster, parsed) if whole else None,
    )


def _whole(entries: Sequence[LoggedEntry], checkpoint_note: bytes) -> Roster:
    first, *others = entries
    if [one.index for one in entries] != list(range(len(entries))):
        raise Malformed("the entries of a proof stand in the order of the log, each once")
    begun = open_genesis(first.leaf, merkle.leaf_hash(first.leaf))
    return extend(begun, [one.leaf for one in others], checkpoint_note).roster


def _part(entries: Sequence[LoggedEntry], checkpoint: Checkpoint) -> Roster:
    _, *others = entries
    if [one.index for one in others] != sorted({one.index for one in others} - {0}):
        raise Malformed("the entries of a proof stand in the order of the log, each once")
    for one in entries:
        merkle.verify_inclusion(
            leaf_hash=merkle.leaf_hash(one.leaf),
            index=one.index,
            size=checkpoint.size,
            proof=one.inclusion,
            root=checkpoint.root,
        )
    roster = _folded([(one.index, one.leaf) for one in entries])
    if roster.alarms:
        raise Unauthentic(f"an entry in the proof breaks its author rule: {roster.alarms[0].words}")
    return roster


def _folded(leaves: Sequence[tuple[int, bytes]]) -> Roster:
    (_, first), *others = leaves
    roster = _begin(first)
    for index, leaf in others:
        entry = decode_signed_entry(leaf)
        roster = _apply(roster, index, entry, decode_entry_body(entry.kind, entry.body))
    return roster


def holds_with_paths(leaves: Sequence[bytes]) -> bool:
    """Whether a whole directory also holds as a part does, which is how programs of version 0.1.0 read every proof."""
    try:
        return not _folded(list(enumerate(leaves))).alarms
    except FederationError:
        return False


def _begin(leaf: bytes) -> Roster:
    entry = decode_signed_entry(leaf)
    return replace(directory.begin(entry, decode_entry_body(entry.kind, entry.body)), partial=True)


def _apply(roster: Roster, index: int, entry: SignedEntry, body: EntryBody) -> Roster:
    return directory.apply(replace(roster, size=index), entry, body, root=_no_root)


def _no_root() -> bytes:
    """A part of the log has no tree, and so no checkpoints inside."""
    raise Unauthentic("a proof that carries a part of the directory carries no time")


@dataclass(frozen=True, slots=True)
class _Candidate:
    index: int
    entry: SignedEntry
    body: EntryBody


class PartFinder:
    """Looks through a log, entry by entry, for what a proof has to carry of it."""

    def __init__(self, genesis_leaf: bytes) -> None:
        self._genesis = genesis_leaf
        self._size = 1
        self._total_bytes = len(genesis_leaf)
        self._candidates: list[_Candidate] = []

    @property
    def total_bytes(self) -> int:
        """All leaves so far together."""
        return self._total_bytes

    def offer(self, leaf: bytes) -> None:
        """Take the next leaf. One that cannot be read stands in the log and shows nothing."""
        index, self._size, self._total_bytes = self._size, self._size + 1, self._total_bytes + len(leaf)
        try:
            entry = decode_signed_entry(leaf)
            if entry.kind in GOVERNING | KEYS | {EntryKind.NODE, EntryKind.MANDATE}:
                self._candidates.append(_Candidate(index, entry, decode_entry_body(entry.kind, entry.body)))
        except FederationError:
            return

    def part(self, roster: Roster, parties: Collection[PartyId]) -> tuple[int, ...] | None:
        """The entries that show the keys of these Parties as the roster has them; None when only the whole log does.

        What was refused when it was logged is left out, and so is what cannot be shown without the rest of the log. Whether that was
        needed shows in the outcome.
        """
        regions = {
            one.body.region for one in self._candidates if isinstance(one.body, Mandate) and _administered(one.body, parties)
        }
        shown, indexes = _begin(self._genesis), [0]
        for one in self._candidates:
            if _concerns(one, parties, regions):
                after = _apply(shown, one.index, one.entry, one.body)
                if not after.alarms:
                    shown = after
                    indexes.append(one.index)
        same = shown.governance.log_keys == roster.governance.log_keys and all(
            _keys_of(shown, party) == _keys_of(roster, party) for party in parties
        )
        return tuple(indexes) if same else None


def _administered(mandate: Mandate, parties: Collection[PartyId]) -> bool:
    return mandate.administers and mandate.member in parties


def _concerns(one: _Candidate, parties: Collection[PartyId], regions: Collection[PartyId]) -> bool:
    match one.body:
        case Mandate():
            return _administered(one.body, parties)
        case NodeEntry():
            return one.body.party in parties
        case Admit() | Ca() | Rotate() | Revoke() | Withdraw():
            return one.body.party in parties or one.body.party in regions
        case _:
            return True


def _keys_of(roster: Roster, party: PartyId) -> Mapping[str, object]:
    """What a proof says of a Party."""
    record = roster.party(party)
    return {"nodes": record.nodes, "cas": record.cas, "revoked": record.revoked, "withdrawn": record.withdrawn}


def whole(leaves: Iterable[bytes]) -> tuple[LoggedEntry, ...]:
    """All entries, in their order, without paths: their root is computed."""
    return tuple(LoggedEntry(index=index, leaf=leaf, inclusion=()) for index, leaf in enumerate(leaves))
