"""A whole directory log, verified from its first entry, with what each entry says and who signed it.

Nothing is asked of a node and nothing is believed but the genesis digest: whoever has the leaves and the checkpoint comes to the same
result. What it adds up to for each Party is in `directory_view`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from hmac import compare_digest

from federation import limits
from federation.boundary.directory import Replica, fold, log_keys, open_genesis, read_checkpoint
from federation.errors import FederationError, Malformed, NotFound, Oversized, Unauthentic
from federation.identity import PartyId
from federation.trust import note, witness
from federation.trust.entries import (
    Admit,
    Confirm,
    EntryBody,
    EntryKind,
    Founders,
    Genesis,
    Mandate,
    Recover,
    RotateLog,
    SignedEntry,
)
from federation.trust.log_copy import LogCopy
from federation.trust.merkle import Frontier, leaf_hash
from federation.trust.roster import PartyRecord, Roster
from federation.trust.witness import Quorum
from federation.wire.directory import decode_entry_body, decode_signed_entry


class Role(StrEnum):
    """What a key that signed an entry is, at that entry."""

    FOUNDER = "founder"
    LOG = "log-key"
    PARTY = "party-key"
    NEXT = "next-party-key"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Author:
    """One key that signed an entry.

    Attributes:
        party: whose key it is; None for founders, the log key and a key that nobody knows.
    """

    role: Role
    public_key: bytes
    party: PartyId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryView:
    """One leaf of the log.

    Attributes:
        kind, body: None when the leaf cannot be read.
        parties: whom it is about.
        authors: the keys that stand under it; of a refused entry, as it claims.
        refused: why it changed nothing; empty for an entry that was accepted.
    """

    index: int
    kind: EntryKind | None
    body: EntryBody | None
    parties: tuple[PartyId, ...]
    authors: tuple[Author, ...]
    refused: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DirectoryView:
    """A whole log that was verified.

    Attributes:
        entries: all of them, in their order.
        replica: roster and tree after the last one.
        quorum: who stands under the checkpoint, weighed with the roster that it ends in.
        log_key: the key that signed the checkpoint.
        leaves: as they came.
    """

    entries: tuple[EntryView, ...]
    replica: Replica
    quorum: Quorum
    log_key: bytes
    leaves: tuple[bytes, ...]

    @property
    def roster(self) -> Roster:
        """Who is who."""
        return self.replica.roster

    @property
    def refused(self) -> tuple[EntryView, ...]:
        """The entries that break a rule. Each changed nothing."""
        return tuple(one for one in self.entries if one.refused)

    @property
    def root(self) -> bytes:
        """Of the tree, as the checkpoint has it."""
        return self.replica.frontier.root()

    @property
    def time(self) -> int | None:
        """When witnesses saw it: under the checkpoint, else the newest one that the log itself holds; None when nobody vouches."""
        if self.quorum.tells_time:
            return self.quorum.time
        return self.roster.witnessed_at or None


def verify_copy(copy: LogCopy, *, genesis_digest: bytes, log_key: bytes | None = None) -> DirectoryView:
    """Verify a whole log from nothing.

    Args:
        copy: its checkpoint and leaves, from wherever.
        genesis_digest: how the directory is known; got by another way than the copy.
        log_key: the key that has to have signed the checkpoint, when the reader knows it.

    Raises:
        Unauthentic: another directory, a leaf or the checkpoint was changed, or another key signed.
        Malformed: the leaves do not lead up to the checkpoint.
    """
    replica = open_genesis(copy.leaves[0], genesis_digest)
    entries = [_first(replica, copy.leaves[0])]
    for leaf in copy.leaves[1:]:
        if len(leaf) > limits.ENTRY_BYTES_MAX:
            raise Oversized("a directory entry is too long")
        grown = fold(replica, leaf)
        entries.append(_viewed(replica.roster, grown.roster, leaf))
        replica = grown
    checkpoint, verified = read_checkpoint(replica.roster, copy.checkpoint)
    if checkpoint.size != len(copy.leaves):
        raise Malformed(f"{len(copy.leaves)} entries do not lead up to a checkpoint about {checkpoint.size}")
    if checkpoint.root != replica.frontier.root():
        raise Unauthentic(
            "the checkpoint does not follow from the entries", hint="this copy of the log was changed: get another one"
        )
    known = {key.public_key for key in log_keys(replica.roster, checkpoint.size)}
    signed = [one.public_key for one in verified if one.public_key in known]
    if log_key is not None and not any(compare_digest(one, log_key) for one in signed):
        raise Unauthentic(
            "the log key that you named did not sign this checkpoint", hint="compare it with what the Secretariat publishes"
        )
    return DirectoryView(
        entries=tuple(entries),
        replica=Replica(roster=replica.roster, frontier=replica.frontier, note=copy.checkpoint),
        quorum=witness.weigh(replica.roster, note.parse_note(copy.checkpoint)),
        log_key=signed[-1],
        leaves=copy.leaves,
    )


def root_at(view: DirectoryView, size: int) -> bytes:
    """The root after the first `size` entries: what an older print or checkpoint has to show.

    Raises:
        NotFound: the log has not that many.
    """
    if not 1 <= size <= len(view.leaves):
        raise NotFound(f"this log has {len(view.leaves)} entries, not {size}", hint="get a newer copy of the log")
    frontier = Frontier()
    for leaf in view.leaves[:size]:
        frontier, _ = frontier.append(leaf_hash(leaf))
    return frontier.root()


def _first(replica: Replica, leaf: bytes) -> EntryView:
    entry, genesis = decode_signed_entry(leaf), replica.genesis
    return EntryView(
        index=0,
        kind=entry.kind,
        body=genesis,
        parties=genesis.first_witnesses,
        authors=_authors(replica.roster, entry, genesis),
        refused="",
    )


def _viewed(before: Roster, after: Roster, leaf: bytes) -> EntryView:
    refused = after.alarms[-1].words if after.alarms and after.alarms[-1].index == before.size else ""
    entry: SignedEntry | None = None
    body: EntryBody | None = None
    try:
        entry = decode_signed_entry(leaf)
        body = decode_entry_body(entry.kind, entry.body)
    except FederationError:
        pass  # it says so itself: `refused` has the reason
    return EntryView(
        index=before.size,
        kind=entry.kind if entry is not None else None,
        body=body,
        parties=_about(body) if body is not None else (),
        authors=_authors(before, entry, body) if entry is not None else (),
        refused=refused,
    )


def _about(body: EntryBody) -> tuple[PartyId, ...]:
    """The Parties that an entry names."""
    if isinstance(body, Genesis):
        return body.first_witnesses
    if isinstance(body, Mandate):
        return body.region, body.member
    if isinstance(body, Confirm):
        return body.party, body.subject
    party: PartyId | None = getattr(body, "party", None)
    return (party,) if party is not None else ()


def _authors(before: Roster, entry: SignedEntry, body: EntryBody | None) -> tuple[Author, ...]:
    named = tuple(before.parties[one] for one in _about(body) if one in before.parties) if body is not None else ()
    return tuple(_author(before, one.public_key, body, named) for one in entry.signatures)


def _author(before: Roster, key: bytes, body: EntryBody | None, named: Sequence[PartyRecord]) -> Author:
    """Whose key it is: by what stood before the entry, else by what the entry itself brings."""
    if key in before.governance.founders or (isinstance(body, Genesis | Founders) and key in body.founders):
        return Author(role=Role.FOUNDER, public_key=key)
    if key == before.governance.log_key or (isinstance(body, Genesis | RotateLog) and key == body.log_key):
        return Author(role=Role.LOG, public_key=key)
    if isinstance(body, Admit | Recover) and key == body.party_key:
        return Author(role=Role.PARTY, public_key=key, party=body.party)
    hashed = sha256(key).digest()
    for record in named:
        if record.next_key_hash == hashed:
            return Author(role=Role.NEXT, public_key=key, party=record.admit.party)
    for party, record in before.parties.items():
        if record.party_key == key:
            return Author(role=Role.PARTY, public_key=key, party=party)
    return Author(role=Role.UNKNOWN, public_key=key)
