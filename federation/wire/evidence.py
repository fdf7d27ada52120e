"""Receipts, journal records and the proof file."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from federation import limits
from federation.delivery.receipt import Receipt, SignedReceipt
from federation.errors import Incompatible, Malformed
from federation.evidence.bundle import CrossingProof, LoggedEntry, Proof
from federation.evidence.journal import FIRST_EPOCH, NO_MESSAGE, SALT_BYTES, JournalKind, JournalRecord, Restoration
from federation.evidence.silence import SignedSilence, Silence
from federation.identity import message_id, party_id
from federation.v1 import exchange_pb2
from federation.wire.strict import EnumMap, at_most, decode_node, encode, encode_node, exactly, parse, seconds, text, total

JOURNAL_KINDS: Final = EnumMap(exchange_pb2.JournalKind, "JOURNAL_KIND_", JournalKind)
PROOF_VERSION: Final = 1
PROOF_CROSSINGS_MAX: Final = 64
"""A query and its answers, corrections included."""


def encode_receipt(receipt: Receipt) -> bytes:
    """The bytes that the receiver's node signs."""
    return encode(
        exchange_pb2.Receipt(
            receiver=encode_node(receipt.receiver),
            message_id=receipt.message_id,
            envelope_digest=receipt.envelope_digest,
            received_at=receipt.received_at,
            leaf_index=receipt.leaf_index,
            leaf_salt=receipt.leaf_salt,
            leaf_content=receipt.leaf_content,
            inclusion=receipt.inclusion,
            checkpoint=receipt.checkpoint,
        )
    )


@total
def decode_receipt(raw: bytes) -> Receipt:
    """Read a receipt's statement."""
    message = parse(exchange_pb2.Receipt, raw, bytes_max=limits.RECEIPT_BYTES_MAX)
    return Receipt(
        receiver=decode_node(message.receiver),
        message_id=message_id(message.message_id),
        envelope_digest=exactly(message.envelope_digest, 32, "a digest"),
        received_at=seconds(message.received_at),
        leaf_index=message.leaf_index,
        leaf_salt=exactly(message.leaf_salt, SALT_BYTES, "a salt"),
        leaf_content=message.leaf_content,
        inclusion=_hashes(message.inclusion),
        checkpoint=message.checkpoint,
    )


def encode_signed_receipt(receipt: SignedReceipt) -> bytes:
    """A receipt as it crosses."""
    return encode(exchange_pb2.SignedReceipt(statement=receipt.statement, signature=receipt.signature))


@total
def decode_signed_receipt(raw: bytes) -> SignedReceipt:
    """Receipt bytes and signature, nothing believed yet."""
    message = parse(exchange_pb2.SignedReceipt, raw, bytes_max=limits.RECEIPT_BYTES_MAX + 128)
    return SignedReceipt(statement=message.statement, signature=exactly(message.signature, 64, "a signature"))


def encode_record(record: JournalRecord) -> bytes:
    """The content of a journal leaf."""
    return encode(
        exchange_pb2.JournalRecord(
            kind=JOURNAL_KINDS.number(record.kind),
            at=record.at,
            message_id=record.message_id,
            peer=record.peer,
            digest=record.digest,
            note=record.note,
            restoration=_restoration_message(record.restoration),
        )
    )


def _restoration_message(restoration: Restoration | None) -> exchange_pb2.Restoration | None:
    if restoration is None:
        return None
    return exchange_pb2.Restoration(number=restoration.number, size=restoration.size, taken=restoration.taken)


@total
def decode_record(raw: bytes) -> JournalRecord:
    """Read the content of a journal leaf."""
    message = parse(exchange_pb2.JournalRecord, raw, bytes_max=limits.JOURNAL_CONTENT_BYTES_MAX)
    record = JournalRecord(
        kind=JOURNAL_KINDS.value(message.kind),
        at=seconds(message.at),
        message_id=message_id(message.message_id),
        peer=party_id(message.peer),
        digest=exactly(message.digest, 32, "a digest"),
        note=text(message.note, limits.NAME_CHARACTERS_MAX, "a note"),
        restoration=_decode_restoration(message.restoration) if message.HasField("restoration") else None,
    )
    if (record.kind is JournalKind.EPOCH) != (record.restoration is not None):
        raise Malformed("the record of a new epoch says what was put back, and no other record does")
    if record.kind is JournalKind.EPOCH and record.message_id != NO_MESSAGE:
        raise Malformed("the record of a new epoch is about no message")
    return record


def _decode_restoration(message: exchange_pb2.Restoration) -> Restoration:
    if message.number <= FIRST_EPOCH:
        raise Malformed("the first epoch of a journal is begun by nothing that was put back")
    return Restoration(number=seconds(message.number), size=message.size, taken=seconds(message.taken))


def encode_silence(silence: Silence) -> bytes:
    """The bytes that the asking node signs."""
    return encode(
        exchange_pb2.Silence(
            exporter=encode_node(silence.exporter),
            message_id=silence.message_id,
            envelope_digest=silence.envelope_digest,
            answers=silence.answers,
            at=silence.at,
            journal_size=silence.journal_size,
            journal_root=silence.journal_root,
        )
    )


@total
def decode_silence(raw: bytes) -> Silence:
    """Read what an asking node says of what did not come."""
    message = parse(exchange_pb2.Silence, raw, bytes_max=limits.SILENCE_BYTES_MAX)
    at_most(len(message.answers), PROOF_CROSSINGS_MAX, "answers")
    return Silence(
        exporter=decode_node(message.exporter),
        message_id=message_id(message.message_id),
        envelope_digest=exactly(message.envelope_digest, 32, "a digest"),
        answers=tuple(message_id(one) for one in message.answers),
        at=seconds(message.at),
        journal_size=message.journal_size,
        journal_root=exactly(message.journal_root, 32, "a root"),
    )


def _encode_signed_silence(signed: SignedSilence) -> bytes:
    return encode(exchange_pb2.SignedSilence(statement=signed.statement, signature=signed.signature))


def _decode_signed_silence(raw: bytes) -> SignedSilence:
    message = parse(exchange_pb2.SignedSilence, raw, bytes_max=limits.SILENCE_BYTES_MAX + 128)
    return SignedSilence(statement=message.statement, signature=exactly(message.signature, 64, "a signature"))


def encode_proof(proof: Proof) -> bytes:
    """The proof file."""
    return encode(
        exchange_pb2.Proof(
            version=PROOF_VERSION,
            directory_checkpoint=proof.directory_checkpoint,
            entries=[exchange_pb2.LoggedEntry(index=one.index, leaf=one.leaf, inclusion=one.inclusion) for one in proof.entries],
            crossings=[_crossing_message(one) for one in proof.crossings],
            exporter=encode_node(proof.exporter),
            journal_checkpoint=proof.journal_checkpoint,
            silence=_encode_signed_silence(proof.silence) if proof.silence is not None else b"",
        )
    )


@total
def decode_proof(raw: bytes) -> Proof:
    """Take a proof file apart; nothing in it is believed yet.

    Raises:
        Incompatible: made by another version.
        Malformed: anything else that is wrong.
    """
    message = parse(exchange_pb2.Proof, raw, bytes_max=limits.PROOF_FILE_BYTES_MAX)
    if message.version != PROOF_VERSION:
        raise Incompatible(f"a proof file of version {message.version}; this program reads {PROOF_VERSION}")
    at_most(len(message.entries), limits.PROOF_ENTRIES_MAX, "entries")
    at_most(len(message.crossings), PROOF_CROSSINGS_MAX, "messages")
    return Proof(
        directory_checkpoint=message.directory_checkpoint,
        entries=tuple(LoggedEntry(index=one.index, leaf=one.leaf, inclusion=_hashes(one.inclusion)) for one in message.entries),
        crossings=tuple(_decode_crossing(one) for one in message.crossings),
        exporter=decode_node(message.exporter),
        journal_checkpoint=message.journal_checkpoint,
        silence=_decode_signed_silence(message.silence) if message.silence else None,
    )


def _crossing_message(one: CrossingProof) -> exchange_pb2.CrossingProof:
    return exchange_pb2.CrossingProof(
        header=one.header,
        wrap=one.wrap,
        ciphertext_hash=one.ciphertext_hash,
        signature=one.signature,
        receipt=encode_signed_receipt(one.receipt) if one.receipt is not None else b"",
        leaf_index=one.leaf_index,
        leaf_salt=one.leaf_salt,
        leaf_content=one.leaf_content,
        inclusion=one.inclusion,
        salt=one.salt,
        statement=one.statement,
        statement_signature=one.statement_signature,
        body=one.body,
        certificate=one.certificate,
        attached=[encode_signed_receipt(receipt) for receipt in one.attached],
    )


def _decode_crossing(message: exchange_pb2.CrossingProof) -> CrossingProof:
    at_most(len(message.attached), limits.ATTACHMENTS_PER_MESSAGE_MAX, "receipts for files")
    return CrossingProof(
        header=message.header,
        wrap=message.wrap,
        ciphertext_hash=exactly(message.ciphertext_hash, 64, "the hash of a ciphertext"),
        signature=exactly(message.signature, 64, "a signature"),
        receipt=decode_signed_receipt(message.receipt) if message.receipt else None,
        leaf_index=message.leaf_index,
        leaf_salt=exactly(message.leaf_salt, SALT_BYTES, "a salt"),
        leaf_content=message.leaf_content,
        inclusion=_hashes(message.inclusion),
        salt=message.salt,
        statement=message.statement,
        statement_signature=message.statement_signature,
        body=message.body,
        certificate=message.certificate,
        attached=tuple(decode_signed_receipt(receipt) for receipt in message.attached),
    )


def _hashes(raw: Iterable[bytes]) -> tuple[bytes, ...]:
    hashes = tuple(raw)
    at_most(len(hashes), limits.PROOF_HASHES_MAX, "hashes in a proof")
    return tuple(exactly(one, 32, "a hash") for one in hashes)
