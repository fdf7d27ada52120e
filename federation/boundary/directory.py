"""The directory log: entries composed and signed, checkpoints made, cosigned and accepted, the roster folded."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from hmac import compare_digest
from typing import Final

from federation import limits
from federation.errors import FederationError, Malformed, Oversized, Unauthentic, Unwitnessed
from federation.identity import NodeName
from federation.trust import directory, merkle, note
from federation.trust.entries import (
    Admit,
    Ca,
    Confirm,
    Duty,
    EntryBody,
    EntryKind,
    Founders,
    Genesis,
    Mandate,
    NodeEntry,
    Override,
    Recover,
    Reinstate,
    Revoke,
    Rotate,
    RotateIssuer,
    RotateLog,
    Signature,
    SignedEntry,
    Suspend,
    TreatyPolicy,
    Update,
    Veto,
    Withdraw,
    Witnessed,
)
from federation.trust.keys import Signer
from federation.trust.merkle import Frontier
from federation.trust.note import Checkpoint, Note, NoteKey, Verified
from federation.trust.roster import LogKey, Roster
from federation.trust.witness import (
    Quorum,
    counting_witnesses,
    read_statement,
    verified_lines,
    weigh,
    witness_key,
)
from federation.wire.directory import decode_entry_body, decode_signed_entry, encode_entry_body, encode_signed_entry

KIND_OF: Final[dict[type, EntryKind]] = {
    Genesis: EntryKind.GENESIS,
    Admit: EntryKind.ADMIT,
    Update: EntryKind.UPDATE,
    NodeEntry: EntryKind.NODE,
    Mandate: EntryKind.MANDATE,
    Confirm: EntryKind.CONFIRM,
    Ca: EntryKind.CA,
    Rotate: EntryKind.ROTATE,
    Recover: EntryKind.RECOVER,
    Veto: EntryKind.VETO,
    Override: EntryKind.OVERRIDE,
    Revoke: EntryKind.REVOKE,
    Suspend: EntryKind.SUSPEND,
    Reinstate: EntryKind.REINSTATE,
    Withdraw: EntryKind.WITHDRAW,
    Duty: EntryKind.DUTY,
    TreatyPolicy: EntryKind.POLICY,
    Founders: EntryKind.FOUNDERS,
    RotateLog: EntryKind.ROTATE_LOG,
    RotateIssuer: EntryKind.ROTATE_ISSUER,
    Witnessed: EntryKind.WITNESSED,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Replica:
    """The directory as a node has accepted it: roster and tree always belong together.

    Attributes:
        note: the newest checkpoint as a signed note with the cosignatures known here; empty only between the genesis leaf and
            the first checkpoint.
    """

    roster: Roster
    frontier: Frontier
    note: bytes = b""

    @property
    def genesis(self) -> Genesis:
        """What the log began with."""
        return self.roster.genesis


def genesis_digest(leaf: bytes) -> bytes:
    """How a log is known: the RFC 6962 hash of its first leaf, which is also the root of the tree with that leaf alone."""
    return merkle.leaf_hash(leaf)


def sign_body(kind: EntryKind, body: bytes, signer: Signer) -> Signature:
    """One author's signature over an entry that was composed by somebody else, as it came."""
    return Signature(public_key=signer.public_key, signature=signer.sign(directory.entry_message(kind, body)))


def compose_entry(body: EntryBody, signers: Iterable[Signer]) -> bytes:
    """A leaf, signed by all its authors at once."""
    kind, encoded = KIND_OF[type(body)], encode_entry_body(body)
    return join_signatures(kind, encoded, [sign_body(kind, encoded, signer) for signer in signers])


def join_signatures(kind: EntryKind, body: bytes, signatures: Iterable[Signature]) -> bytes:
    """A leaf from signatures that were collected one by one. They stand in the order of their keys, so that the leaf is one."""
    ordered = sorted(signatures, key=lambda one: one.public_key)
    return encode_signed_entry(SignedEntry(kind=kind, body=body, signatures=tuple(ordered)))


def open_genesis(leaf: bytes, digest: bytes) -> Replica:
    """The replica of a log of one entry.

    Raises:
        Unauthentic: another log than the one whose digest was configured, or signatures that do not verify.
        Malformed: the right digest over something that is no genesis.
    """
    if not compare_digest(genesis_digest(leaf), digest):
        raise Unauthentic(
            "this is not the directory whose genesis digest is configured", hint="compare the digest with the Secretariat"
        )
    entry = decode_signed_entry(leaf)
    roster = directory.begin(entry, decode_entry_body(entry.kind, entry.body))
    return Replica(roster=roster, frontier=Frontier().append(merkle.leaf_hash(leaf))[0])


def fold(replica: Replica, leaf: bytes) -> Replica:
    """One more leaf: the tree always grows, the roster changes only if the entry keeps its rule."""
    frontier, _ = replica.frontier.append(merkle.leaf_hash(leaf))
    try:
        entry = decode_signed_entry(leaf)
        body = decode_entry_body(entry.kind, entry.body)
    except FederationError as error:
        return Replica(roster=directory.refuse(replica.roster, error.message), frontier=frontier)
    return Replica(roster=directory.apply(replica.roster, entry, body, root=replica.frontier.root), frontier=frontier)


def extend(replica: Replica, leaves: Sequence[bytes], checkpoint_note: bytes) -> Replica:
    """Continue a replica with the leaves up to a newer checkpoint. Whether enough witnesses stand under it is `accept`'s.

    The tree is computed from all leaves, so a checkpoint that is not a continuation of what was accepted before cannot match. The
    log's key may have changed among the leaves, so it is looked up after them.

    Raises:
        Unauthentic: the log's signature or the root is wrong.
        Malformed: the note is none, or the leaves do not fill the tree.
    """
    return _extend(replica, leaves, checkpoint_note)[0]


def accept(replica: Replica, leaves: Sequence[bytes], checkpoint_note: bytes, *, now: float) -> tuple[Replica, Quorum]:
    """As `extend`, and see that enough witnesses stand under the checkpoint: more than two thirds of those on duty before it.

    Whoever was away for long, or is new, knows other witnesses than those of today. So the checkpoints inside the log are steps:
    one that has the quorum of what was accepted before is accepted, and then its witnesses are those that count.

    Args:
        replica: what was accepted before.
        leaves: what follows in the log.
        checkpoint_note: over all of it.
        now: this node's time; whoever could set the log's clock ahead could shorten the time that a recovery waits.

    Returns:
        The replica, and what stands under its checkpoint.

    Raises:
        Unauthentic: as `extend`; too few witnesses cosigned; or the log's clock is ahead of this node's.
        Malformed: as `extend`.
    """
    grown, vouched = _extend(replica, leaves, checkpoint_note)
    ahead_s = grown.roster.witnessed_at - now
    if ahead_s > limits.CLOCK_TOLERANCE_S:
        raise Unauthentic(
            f"witnesses of the directory say that it is {ahead_s:.0f} s later than this node's clock",
            hint="compare this node's clock with another one; if it is right, tell the other Parties",
        )
    return grown, require_quorum(vouched, checkpoint_note, later=grown.roster)


def _extend(replica: Replica, leaves: Sequence[bytes], checkpoint_note: bytes) -> tuple[Replica, Roster]:
    """The longer replica, and the roster whose witnesses have to stand under its checkpoint."""
    if replica.frontier.size + len(leaves) != claimed_checkpoint(checkpoint_note).size:
        raise Malformed("the entries do not lead up to the checkpoint")
    grown, vouched = replica, replica.roster
    for leaf in leaves:
        if len(leaf) > limits.ENTRY_BYTES_MAX:
            raise Oversized("a directory entry is too long")
        before, grown = grown.roster, fold(grown, leaf)
        if grown.roster.witnessed_size != before.witnessed_size and _steps(vouched, before, leaf):
            vouched = before
    checkpoint, _ = read_checkpoint(grown.roster, checkpoint_note)
    if grown.frontier.root() != checkpoint.root:
        raise Unauthentic("the directory's checkpoint does not follow from its entries", hint=SPLIT_HINT)
    return Replica(roster=grown.roster, frontier=grown.frontier, note=checkpoint_note), vouched


def _steps(vouched: Roster, before: Roster, leaf: bytes) -> bool:
    """Whether the checkpoint in an accepted `witnessed` entry has the quorum of an older roster as well as that of its own."""
    if counting_witnesses(vouched).keys() == counting_witnesses(before).keys():
        return True
    entry = decode_signed_entry(leaf)
    body = decode_entry_body(entry.kind, entry.body)
    return isinstance(body, Witnessed) and weigh(vouched, note.parse_note(body.checkpoint), later=before).reached


def require_quorum(roster: Roster, checkpoint_note: bytes, *, later: Roster | None = None) -> Quorum:
    """See that enough witnesses stand under a checkpoint.

    Args:
        roster: as it was accepted before the checkpoint.
        checkpoint_note: the checkpoint.
        later: the roster at the checkpoint, which knows the witnesses' newest keys.

    Raises:
        Unwitnessed: too few cosigned it.
    """
    quorum = weigh(roster, note.parse_note(checkpoint_note), later=later)
    if not quorum.reached:
        raise Unwitnessed(
            f"{len(quorum.witnesses)} of {quorum.of} witnesses cosigned the directory's checkpoint; {quorum.needed} have to",
            hint="wait for the others; when they stay away, ask them by telephone whether they see the same directory",
        )
    return quorum


SPLIT_HINT: Final = (
    "the Secretariat may be showing different directories to different Parties: keep both checkpoints, tell the other Parties"
)


def log_keys(roster: Roster, size: int) -> tuple[NoteKey, ...]:
    """The keys that sign a checkpoint of that size, under the log's own name: two at the size at which they change."""
    keys = (key for key in roster.governance.log_keys if key.signs(size))
    return tuple(NoteKey(name=roster.genesis.origin, public_key=key.public_key) for key in keys)


def sign_checkpoint(origin: str, frontier: Frontier, signer: Signer) -> bytes:
    """A log's statement of its size and root, as a signed note. It serves the directory and every journal."""
    text = Checkpoint(origin=origin, size=frontier.size, root=frontier.root()).text()
    return note.format_note(Note(text=text, signatures=(note.sign_note(text, origin, signer),)))


def claimed_checkpoint(raw: bytes) -> Checkpoint:
    """What a note says of itself. Nothing is verified.

    Raises:
        Malformed: no checkpoint.
    """
    return note.parse_checkpoint(note.parse_note(raw).text)


def read_checkpoint(roster: Roster, raw: bytes) -> tuple[Checkpoint, tuple[Verified, ...]]:
    """A directory checkpoint whose log signature verifies.

    Args:
        roster: names the log, and its keys as far as this roster knows them.
        raw: a signed note.

    Raises:
        Unauthentic: signed by another key, or about another log.
        Malformed: no checkpoint.
    """
    if len(raw) > limits.CHECKPOINT_BYTES_MAX:
        raise Oversized("a checkpoint is too long")
    return _read_checkpoint(roster.genesis.origin, roster.governance.log_keys, raw)


@lru_cache(maxsize=limits.CHECKPOINTS_REMEMBERED_MAX)
def _read_checkpoint(origin: str, keys: tuple[LogKey, ...], raw: bytes) -> tuple[Checkpoint, tuple[Verified, ...]]:
    """Every envelope carries a checkpoint, nearly always the one before's."""
    return read_statement(raw, origin=origin, keys=keys)


def cosign_checkpoint(replica: Replica, signer: Signer, *, name: str, now: float) -> bytes:
    """This node's cosignature for the checkpoint that it has accepted and persisted, as a note of its own."""
    text = note.parse_note(replica.note).text
    return note.format_note(Note(text=text, signatures=(note.cosign(text, name, signer, int(now)),)))


def witness_keys(roster: Roster) -> tuple[NoteKey, ...]:
    """The keys with which the nodes that stand cosign."""
    return tuple(witness_key(record.node) for record in roster.parties.values() if record.node is not None)


def cosigners(roster: Roster, raw: bytes) -> tuple[Verified, ...]:
    """The Party nodes whose cosignatures under the checkpoint verify. Everything else is passed over: earlier keys of a node, and
    what somebody on the way added, which must not make the true ones worthless.
    """
    parsed = note.parse_note(raw)
    return tuple(verified for _, verified in verified_lines(parsed, witness_keys(roster)))


def is_cosigned(raw: bytes, node: NodeEntry) -> bool:
    """Whether a true cosignature of this node stands under the checkpoint."""
    return any(verified_lines(note.parse_note(raw), [witness_key(node)]))


def add_cosignature(replica: Replica, node: NodeEntry, raw: bytes) -> bytes:
    """The checkpoint note of the replica with one more cosignature, taken from a note that the witness sent.

    Raises:
        Unauthentic: it is not that node's cosignature of this very checkpoint.
    """
    offered, own = note.parse_note(raw), note.parse_note(replica.note)
    if offered.text != own.text:
        raise Unauthentic("a cosignature for another checkpoint", hint="read the newest checkpoint and cosign that")
    added = [line for line, _ in verified_lines(offered, [witness_key(node)])]
    if not added:
        raise Unauthentic("the node did not cosign this checkpoint")
    kept = [one for one in own.signatures if one.name != node.node.dns]
    return note.format_note(Note(text=own.text, signatures=(*kept, *added)))


def bare_checkpoint(replica: Replica, *, cosigned_by: Collection[NodeName] = ()) -> bytes:
    """The newest checkpoint with the log's signature and, of the cosignatures, those of these nodes alone.

    Without any it is what every envelope carries. Whoever served the note may have added lines to it; none of them gets in.
    """
    parsed = note.parse_note(replica.note)
    wanted = {name.dns for name in cosigned_by}
    witnesses = [key for key in witness_keys(replica.roster) if key.name in wanted]
    lines = tuple(line for line, _ in verified_lines(parsed, [*log_keys(replica.roster, replica.frontier.size), *witnesses]))
    return note.format_note(Note(text=parsed.text, signatures=lines))
