"""A parcel: what waits for one Party, in one file that a person carries (docs/protocol.md, "A file on a stick").

Envelopes, receipts, bundles and directory entries stand in it as they cross the network, each under its own signature. The parcel's
own signature says which node made the file, for whom and when, and that nothing was taken out or put in.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from federation.errors import (
    Forbidden,
    Incompatible,
    Malformed,
    Misuse,
    Oversized,
    PeerMisbehaviour,
    Replayed,
    Unauthentic,
)
from federation.identity import MessageId, NodeName

PARCEL_VERSION: Final = 1
PARCEL_ID_BYTES: Final = 16
REFUSALS: Final = {
    refusal.code: refusal for refusal in (PeerMisbehaviour, Malformed, Oversized, Unauthentic, Forbidden, Replayed, Incompatible)
}
"""Why a message may be refused, by the words that cross."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LogTail:
    """The newest entries of the directory log, verified by whoever takes them and by nobody before.

    Attributes:
        first: number of the first leaf; 0 when the whole log is here.
        checkpoint: signed note about everything up to the last leaf.
    """

    first: int
    checkpoint: bytes
    leaves: tuple[bytes, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusedEnvelope:
    """What a node that is reached over the network says with an error, said in the file that goes back.

    Attributes:
        digest: of the sealing that was refused (32 bytes); another one of the same message is not meant.
        code: one of `REFUSALS`.
    """

    message_id: MessageId
    digest: bytes
    code: str

    def __post_init__(self) -> None:
        if self.code not in REFUSALS:
            raise Misuse(f"{self.code} is no reason to refuse a message")

    def error(self) -> PeerMisbehaviour:
        """As it would have come over the network, but for the other side's words."""
        return REFUSALS[self.code]("the other side refused this message when it was brought there")


@dataclass(frozen=True, slots=True, kw_only=True)
class Parcel:
    """What one node gives to another one by hand.

    Attributes:
        parcel_id: 16 random bytes by which people and records name the file.
        created: Unix seconds by the sender's clock.
        receipts: signed, of the sender, for messages of the recipient.
        refusals: messages of the recipient that the sender did not take.
        envelopes: sealed, in the order in which they are to be taken.
        bundles: signed prekey bundles.
        log: None when there was no room for it.
    """

    parcel_id: bytes
    sender: NodeName
    recipient: NodeName
    created: int
    receipts: tuple[bytes, ...]
    envelopes: tuple[bytes, ...]
    bundles: tuple[bytes, ...]
    log: LogTail | None
    refusals: tuple[RefusedEnvelope, ...] = ()
