"""A parcel: what waits for one Party, in one file that a person carries (docs/protocol.md, "A file on a stick").

Envelopes, receipts, bundles and directory entries stand in it as they cross the network, each under its own signature. The parcel's
own signature says which node made the file, for whom and when, and that nothing was taken out or put in.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from federation.identity import NodeName

PARCEL_VERSION: Final = 1
PARCEL_ID_BYTES: Final = 16


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
class Parcel:
    """What one node gives to another one by hand.

    Attributes:
        parcel_id: 16 random bytes by which people and records name the file.
        created: Unix seconds by the sender's clock.
        receipts: signed, of the sender, for messages of the recipient.
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
