"""The file that is carried where there is no network."""

from __future__ import annotations

from collections.abc import Iterable

from federation import limits
from federation.delivery.parcel import PARCEL_ID_BYTES, PARCEL_VERSION, REFUSALS, LogTail, Parcel, RefusedEnvelope
from federation.errors import Incompatible, Malformed, Oversized
from federation.identity import message_id
from federation.v1 import parcel_pb2
from federation.wire.strict import at_most, decode_node, encode, encode_node, exactly, parse, seconds, total


def encode_parcel(parcel: Parcel) -> bytes:
    """The bytes whose hash the sending node signs."""
    return encode(
        parcel_pb2.Parcel(
            version=PARCEL_VERSION,
            parcel_id=parcel.parcel_id,
            sender=encode_node(parcel.sender),
            recipient=encode_node(parcel.recipient),
            created=parcel.created,
            receipts=parcel.receipts,
            envelopes=parcel.envelopes,
            bundles=parcel.bundles,
            log=_log_message(parcel.log),
            refusals=[
                parcel_pb2.RefusedEnvelope(message_id=one.message_id, envelope_digest=one.digest, code=one.code)
                for one in parcel.refusals
            ],
        )
    )


def _log_message(log: LogTail | None) -> parcel_pb2.LogTail | None:
    if log is None:
        return None
    return parcel_pb2.LogTail(first=log.first, checkpoint=log.checkpoint, leaves=log.leaves)


@total
def decode_parcel(raw: bytes) -> Parcel:
    """Take a parcel apart; nothing in it is believed yet.

    Raises:
        Incompatible: made by another version.
        Malformed: anything else that is wrong.
    """
    message = parse(parcel_pb2.Parcel, raw, bytes_max=limits.PARCEL_BYTES_MAX)
    if message.version != PARCEL_VERSION:
        raise Incompatible(f"a parcel of version {message.version}; this program reads {PARCEL_VERSION}")
    at_most(len(message.receipts), limits.PARCEL_RECEIPTS_MAX, "receipts in a parcel")
    at_most(len(message.envelopes), limits.PARCEL_MESSAGES_MAX, "messages in a parcel")
    at_most(len(message.refusals), limits.PARCEL_MESSAGES_MAX, "refusals in a parcel")
    at_most(len(message.bundles), limits.PARCEL_BUNDLES_MAX, "prekey bundles in a parcel")
    if not all((*message.receipts, *message.envelopes, *message.bundles)):
        raise Malformed("a parcel has an empty place in it")
    return Parcel(
        parcel_id=exactly(message.parcel_id, PARCEL_ID_BYTES, "the id of a parcel"),
        sender=decode_node(message.sender),
        recipient=decode_node(message.recipient),
        created=seconds(message.created),
        receipts=tuple(message.receipts),
        envelopes=tuple(message.envelopes),
        bundles=tuple(message.bundles),
        log=_decode_log(message.log) if message.HasField("log") else None,
        refusals=tuple(_decode_refusal(one) for one in message.refusals),
    )


def _decode_refusal(message: parcel_pb2.RefusedEnvelope) -> RefusedEnvelope:
    if message.code not in REFUSALS:
        raise Malformed("a parcel gives a reason for a refusal that this version does not know")
    return RefusedEnvelope(
        message_id=message_id(message.message_id),
        digest=exactly(message.envelope_digest, 32, "a digest"),
        code=message.code,
    )


def _decode_log(message: parcel_pb2.LogTail) -> LogTail:
    if len(message.checkpoint) > limits.CHECKPOINT_BYTES_MAX:
        raise Oversized("a checkpoint is too long")
    _check_leaves(message.leaves)
    if message.first + len(message.leaves) > limits.TREE_SIZE_MAX:
        raise Malformed("a log does not have so many entries")
    return LogTail(first=message.first, checkpoint=message.checkpoint, leaves=tuple(message.leaves))


def _check_leaves(leaves: Iterable[bytes]) -> None:
    sizes = [len(leaf) for leaf in leaves]
    if not sizes or not all(sizes):
        raise Malformed("the end of a log has leaves, and none of them is empty")
    if max(sizes) > limits.ENTRY_BYTES_MAX:
        raise Oversized("a directory entry is too long")


def encode_signed_parcel(parcel: bytes, signature: bytes) -> bytes:
    """A parcel with its node's signature."""
    return encode(parcel_pb2.SignedParcel(parcel=parcel, signature=signature))


@total
def decode_signed_parcel(raw: bytes) -> tuple[bytes, bytes]:
    """Parcel bytes and signature."""
    message = parse(parcel_pb2.SignedParcel, raw, bytes_max=limits.PARCEL_BYTES_MAX)
    return message.parcel, exactly(message.signature, 64, "a signature")
