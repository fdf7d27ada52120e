"""Values for tests of stores: all fields set, all of them different, all of the sizes that they have in earnest."""

from __future__ import annotations

from hashlib import sha256
from itertools import count
from typing import Any

from federation.delivery.lanes import LaneNotice, LaneTrack, Oddity
from federation.delivery.outbox import LaneHead, Outgoing
from federation.delivery.receipt import SignedReceipt
from federation.delivery.replay import ReplayMark
from federation.envelope.header import Lane, MessageKind
from federation.evidence.journal import Leaf
from federation.identity import MessageId, PartyId
from federation.ports import AskedQuery, Crossing, DecryptionKey, Direction, KeyUse, Poison, ReceivedQuery
from federation.query.lifecycle import AskedState, ReceivedState

QM = PartyId("qm")
QN = PartyId("qn")

_salts = count()


def message_id(number: int) -> MessageId:
    return MessageId(number.to_bytes(16))


def some(name: str, size: int = 32) -> bytes:
    """Bytes that look random and are the same for the same name."""
    blocks = (sha256(f"{name} {block}".encode()).digest() for block in range(size // 32 + 1))
    return b"".join(blocks)[:size]


def mark(number: int, *, sender: PartyId = QM, statement: str = "first") -> ReplayMark:
    return ReplayMark(sender=sender, message_id=message_id(number), statement_hash=some(statement))


def leaf(content: str) -> Leaf:
    """With a salt that no other leaf of this test run has."""
    return Leaf(salt=some(f"salt {next(_salts)}"), content=content.encode())


def receipt(name: str) -> SignedReceipt:
    return SignedReceipt(statement=some(f"receipt {name}", 900), signature=some(f"receipt signature {name}", 64))


def crossing(number: int, **changes: Any) -> Crossing:
    fields: dict[str, Any] = {
        "direction": Direction.SENT,
        "message_id": message_id(number),
        "conversation": message_id(number + 1),
        "kind": MessageKind.QUERY,
        "peer": QM,
        "at": 1_700_000_000,
        "digest": some(f"digest {number}"),
        "header": some(f"header {number}", 1_200),
        "wrap": some(f"wrap {number}", 1_168),
        "ciphertext": some(f"ciphertext {number}", 1_500),
        "ciphertext_hash": some(f"hash {number}", 64),
        "signature": some(f"signature {number}", 64),
        "salt": some(f"crossing salt {number}"),
        "statement": some(f"statement {number}", 300),
        "statement_signature": some(f"statement signature {number}", 64),
        "body": some(f"body {number}", 500),
    }
    return Crossing(**(fields | changes))


def asked(number: int, **changes: Any) -> AskedQuery:
    fields: dict[str, Any] = {
        "message_id": message_id(number),
        "peer": QM,
        "state": AskedState.QUEUED,
        "officer_id": "abcdefgh",
        "created": 1_700_000_000 + number,
        "deadline": 1_700_600_000 + number,
        "changed": 1_700_000_001 + number,
        "codes": 3,
        "reference": f"case {number}/Ü",
        "key_id": some(f"reply key {number}", 16),
    }
    return AskedQuery(**(fields | changes))


def received(number: int, **changes: Any) -> ReceivedQuery:
    fields: dict[str, Any] = {
        "message_id": message_id(number),
        "peer": QN,
        "state": ReceivedState.WAITING,
        "officer_id": "hgfedcba",
        "received": 1_700_000_000 + number,
        "deadline": 1_700_600_000 + number,
        "changed": 1_700_000_001 + number,
        "codes": 2,
        "reply_key": some(f"public reply key {number}", 1_216),
    }
    return ReceivedQuery(**(fields | changes))


def outgoing(number: int, **changes: Any) -> Outgoing:
    fields: dict[str, Any] = {
        "message_id": message_id(number),
        "peer": QM,
        "kind": MessageKind.QUERY,
        "lane": Lane.NORMAL,
        "created": 1_700_000_000,
        "deadline": 1_700_600_000,
        "sealed_until": 1_700_100_000,
        "attempts": 0,
        "next_attempt": 1_700_000_000.5,
        "problem": "",
    }
    return Outgoing(**(fields | changes))


def head(sequence: int, *, peer: PartyId = QM, lane: Lane = Lane.NORMAL) -> LaneHead:
    return LaneHead(peer=peer, lane=lane, sequence=sequence, digest=some(f"head {peer} {lane} {sequence}"))


def key(number: int, *, use: KeyUse = KeyUse.REPLY) -> DecryptionKey:
    return DecryptionKey(
        key_id=some(f"key {number}", 16),
        use=use,
        seed=some(f"seed {number}"),
        created=1_700_000_000 + number,
        destroy_at=1_701_000_000,
    )


def track(sequence: int, *, peer: PartyId = QM, lane: Lane = Lane.NORMAL, **changes: Any) -> LaneTrack:
    fields: dict[str, Any] = {
        "sequence": sequence,
        "digest": some(f"came {sequence}"),
        "recent": ((sequence - 1, some(f"came {sequence - 1}")), (sequence, some(f"came {sequence}"))),
        "notices": (
            LaneNotice(oddity=Oddity.REPEATED, first=7, last=7, before=b"", after=b"", since=1_700_000_002),
            LaneNotice(oddity=Oddity.MISSING, first=3, last=4, before=some("2"), after=some("4"), since=1_700_000_001),
        ),
    }
    return LaneTrack(peer=peer, lane=lane, **(fields | changes))


def poison(number: int, **changes: Any) -> Poison:
    fields: dict[str, Any] = {
        "peer": QM,
        "message_id": message_id(number),
        "digest": some(f"digest {number}"),
        "reason": "KeyError at answering.py:7",
        "version": "0.2.0",
        "since": 1_700_000_000 + number,
        "times": 1,
    }
    return Poison(**(fields | changes))
