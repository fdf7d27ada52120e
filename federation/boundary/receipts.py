"""Receipts and prekey bundles: small signed statements between nodes."""

from __future__ import annotations

from collections.abc import Iterable

from federation import limits
from federation.delivery.receipt import Receipt, SignedReceipt
from federation.envelope import suite
from federation.envelope.header import PrekeyBundle
from federation.errors import Forbidden, Incompatible, Unauthentic
from federation.evidence.journal import (
    FIRST_EPOCH,
    JournalKind,
    JournalRecord,
    Leaf,
    Position,
    epoch_in,
    leaf_hash,
    origin,
)
from federation.identity import MessageId, NodeName
from federation.trust import keys, merkle, note
from federation.trust.keys import Signer
from federation.trust.note import Checkpoint, Note, NoteKey
from federation.trust.roster import Roster, signing_keys, standing_node
from federation.wire.envelope import decode_bundle, decode_signed_bundle, encode_bundle, encode_signed_bundle
from federation.wire.evidence import decode_receipt, decode_record, encode_receipt, encode_record


def journal_leaf(record: JournalRecord, *, salt: bytes) -> Leaf:
    """A record ready for the journal."""
    return Leaf(salt=salt, content=encode_record(record))


def sign_receipt(
    *, receiver: NodeName, digest: bytes, leaf: Leaf, position: Position, signer: Signer, epoch: int = FIRST_EPOCH
) -> SignedReceipt:
    """The promise that an envelope stands in the journal. The same arguments give the same bytes.

    Args:
        receiver: this node.
        digest: of the envelope that came.
        leaf: the journal record of it, which holds message id and time.
        position: where the leaf came to stand.
        signer: this node's.
        epoch: of the journal in which the leaf was appended.
    """
    record = decode_record(leaf.content)
    name = origin(receiver.dns, epoch)
    text = Checkpoint(origin=name, size=position.index + 1, root=position.root).text()
    checkpoint = note.format_note(Note(text=text, signatures=(note.sign_note(text, name, signer),)))
    statement = encode_receipt(
        Receipt(
            receiver=receiver,
            message_id=record.message_id,
            envelope_digest=digest,
            received_at=record.at,
            leaf_index=position.index,
            leaf_salt=leaf.salt,
            leaf_content=leaf.content,
            inclusion=position.inclusion,
            checkpoint=checkpoint,
        )
    )
    return SignedReceipt(statement=statement, signature=signer.sign(keys.pae("receipt", statement)))


def read_receipt(
    signed: SignedReceipt,
    *,
    signing_key: bytes,
    receiver: NodeName,
    message_id: MessageId,
    digest: bytes,
    kind: JournalKind = JournalKind.RECEIVED,
) -> Receipt:
    """A receipt that proves: this node has this envelope in its journal; or this file of a message, by its arrival's digest, where
    `kind` is ATTACHED.

    Raises:
        Unauthentic: a signature, the checkpoint or the inclusion is wrong.
        Forbidden: it is about another message, envelope or node.
    """
    keys.verify(public_key=signing_key, message=keys.pae("receipt", signed.statement), signature=signed.signature)
    receipt = decode_receipt(signed.statement)
    _check_content(receipt, signing_key=signing_key, receiver=receiver, message_id=message_id, digest=digest, kind=kind)
    return receipt


def _check_content(
    receipt: Receipt, *, signing_key: bytes, receiver: NodeName, message_id: MessageId, digest: bytes, kind: JournalKind
) -> None:
    """What a receipt whose signature is right has to be beside."""
    if (receipt.receiver, receipt.message_id, receipt.envelope_digest) != (receiver, message_id, digest):
        raise Forbidden("a receipt about something else")
    record = decode_record(receipt.leaf_content)
    expected = (kind, message_id, digest, receipt.received_at)
    if (record.kind, record.message_id, record.digest, record.at) != expected:
        raise Unauthentic("the receiver wrote something else into its journal than it says")
    checkpoint = read_journal_checkpoint(note.parse_note(receipt.checkpoint), node=receiver, signing_keys=[signing_key])
    merkle.verify_inclusion(
        leaf_hash=leaf_hash(salt=receipt.leaf_salt, content=receipt.leaf_content),
        index=receipt.leaf_index,
        size=checkpoint.size,
        proof=receipt.inclusion,
        root=checkpoint.root,
    )


def read_receipt_of(
    signed: SignedReceipt,
    *,
    roster: Roster,
    receiver: NodeName,
    message_id: MessageId,
    digest: bytes,
    kind: JournalKind = JournalKind.RECEIVED,
) -> Receipt:
    """As `read_receipt`, under the key that the directory lists for the receiver at the time of the receipt.

    Raises:
        UnknownParty, Forbidden: the receiver is no node with which messages may be exchanged.
        Else as `read_receipt`.
    """
    receipt = decode_receipt(signed.statement)
    key = keys.verify_any(
        public_keys=signing_keys(roster, receiver, at=receipt.received_at),
        message=keys.pae("receipt", signed.statement),
        signature=signed.signature,
    )
    _check_content(receipt, signing_key=key, receiver=receiver, message_id=message_id, digest=digest, kind=kind)
    return receipt


def read_journal_checkpoint(parsed: Note, *, node: NodeName, signing_keys: Iterable[bytes]) -> Checkpoint:
    """A checkpoint of that node's journal, of any epoch, under one of the keys.

    Raises:
        Unauthentic: it is another log's, or none of the keys signed it under the journal's name.
    """
    checkpoint = note.parse_checkpoint(parsed.text)
    name = origin(node.dns, epoch_in(checkpoint.origin, node.dns) or FIRST_EPOCH)
    note.verify_note(parsed, [NoteKey(name=name, public_key=key) for key in signing_keys])
    if checkpoint.origin != name:
        raise Unauthentic("a journal's checkpoint is the checkpoint of another log")
    return checkpoint


def sign_bundle(bundle: PrekeyBundle, signer: Signer) -> bytes:
    """A node's prekeys for others to fetch from anybody."""
    encoded = encode_bundle(bundle)
    return encode_signed_bundle(encoded, signer.sign(keys.pae("bundle", encoded)))


def read_bundle(raw: bytes, *, roster: Roster, now: float) -> PrekeyBundle:
    """A bundle that its node signed and that may be used now.

    Raises:
        UnknownParty: the node is not the one that the directory lists.
        Unauthentic: the signature is wrong, or it is expired or claims too long a life.
        Incompatible: the node does not open our suite.
        Malformed: a prekey to which nobody could seal.
    """
    encoded, signature = decode_signed_bundle(raw)
    bundle = decode_bundle(encoded)
    node = standing_node(roster, bundle.node)
    node_keys = signing_keys(roster, bundle.node, at=bundle.created)
    keys.verify_any(public_keys=node_keys, message=keys.pae("bundle", encoded), signature=signature)
    if bundle.expires - bundle.created > limits.PREKEY_OFFER_S or bundle.created > now + limits.CLOCK_TOLERANCE_S:
        raise Unauthentic("a prekey bundle claims a time that no bundle has")
    if bundle.expires < now:
        raise Unauthentic("a prekey bundle has expired", hint="the peer makes a new one each day; it may be down")
    if suite.SUITE not in node.suites or node.min_suite > suite.SUITE:
        raise Incompatible("the peer does not open the suite that this node seals with")
    for prekey in bundle.prekeys:
        suite.check_public_key(prekey.public_key)
    return bundle
