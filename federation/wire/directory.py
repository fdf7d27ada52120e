"""Directory entries: the leaf with its signatures; and the proof of a split view. Bodies are in `party_entries`, `treaty_entries`."""

from __future__ import annotations

from typing import Final

from federation import limits
from federation.trust.entries import EntryBody, EntryKind, Signature, SignedEntry
from federation.trust.merkle import HASH_BYTES
from federation.trust.split import SplitView
from federation.v1 import common_pb2, directory_pb2
from federation.wire import party_entries, treaty_entries
from federation.wire.strict import EnumMap, ascending, at_most, encode, exactly, parse, total

KINDS: Final = EnumMap(directory_pb2.EntryKind, "ENTRY_KIND_", EntryKind)
_ENCODERS: Final = {**party_entries.ENCODERS, **treaty_entries.ENCODERS}
_DECODERS: Final = {**party_entries.DECODERS, **treaty_entries.DECODERS}


def encode_signed_entry(entry: SignedEntry) -> bytes:
    """The leaf: these exact bytes are hashed into the log."""
    return encode(
        directory_pb2.SignedEntry(
            kind=KINDS.number(entry.kind),
            body=entry.body,
            signatures=[common_pb2.Signature(public_key=one.public_key, signature=one.signature) for one in entry.signatures],
        )
    )


@total
def decode_signed_entry(leaf: bytes) -> SignedEntry:
    """Read a leaf; its body stays bytes until its signatures are verified. They stand in the order of their keys, each key once."""
    message = parse(directory_pb2.SignedEntry, leaf, bytes_max=limits.ENTRY_BYTES_MAX)
    at_most(len(message.signatures), limits.SIGNATURES_PER_ENTRY_MAX, "signatures")
    ascending((one.public_key for one in message.signatures), "signatures")
    return SignedEntry(
        kind=KINDS.value(message.kind),
        body=message.body,
        signatures=tuple(
            Signature(public_key=exactly(one.public_key, 32, "a key"), signature=exactly(one.signature, 64, "a signature"))
            for one in message.signatures
        ),
    )


def encode_entry_body(body: EntryBody) -> bytes:
    """The bytes that the authors sign."""
    return encode(_ENCODERS[type(body)](body))


@total
def decode_entry_body(kind: EntryKind, body: bytes) -> EntryBody:
    """Read the body of an entry of that kind."""
    return _DECODERS[kind](body)


def encode_split_view(view: SplitView) -> bytes:
    """What goes from node to node, and into a file for those who have none."""
    return encode(directory_pb2.SplitView(older=view.older, newer=view.newer, root=view.root, hashes=view.hashes))


@total
def decode_split_view(raw: bytes) -> SplitView:
    """Read what somebody says is a split view. Nothing is verified."""
    message = parse(directory_pb2.SplitView, raw, bytes_max=limits.SPLIT_VIEW_BYTES_MAX)
    at_most(len(message.hashes), limits.PROOF_HASHES_MAX, "hashes")
    return SplitView(
        older=message.older,
        newer=message.newer,
        root=exactly(message.root, HASH_BYTES, "a root"),
        hashes=tuple(exactly(one, HASH_BYTES, "a hash in a tree") for one in message.hashes),
    )
