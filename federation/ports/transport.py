"""From node to node: whom to dial, envelopes, and public data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from federation.envelope.seal import Envelope
from federation.identity import NodeName, PartyId


@dataclass(frozen=True, slots=True, kw_only=True)
class Peer:
    """A node to dial: where, the name to expect there, and the anchors of which one has to verify it. Computed from the roster only.

    Attributes:
        endpoint: host and port.
        anchors: DER of the Party's CAs that stand.
    """

    name: NodeName
    endpoint: str
    anchors: tuple[bytes, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """What a peer gave back for an envelope: its signed receipt, and a sealed answer when it was automatic. Not yet verified."""

    receipt: bytes
    answer: bytes


class Transport(Protocol):
    """Envelopes and public data from node to node. Calls are repeatable; the caller retries. Not trusted: whoever controls it can
    delay, drop and repeat, and sees sizes, times and who talks to whom, and nothing else.
    """

    async def deliver(self, peer: Peer, envelope: Envelope) -> Delivery:
        """Hand over one envelope."""

    async def acknowledge(self, peer: Peer, receipts: Sequence[bytes]) -> None:
        """Hand over receipts for answers that came with a delivery."""

    async def bundles(self, peer: Peer) -> tuple[bytes, ...]:
        """Signed prekey bundles of every node that the peer knows."""

    async def pattern_set(self, peer: Peer, party: PartyId, digest: bytes) -> bytes:
        """One Party's encoded pattern set. Raises NotFound."""


class PatternStore(Protocol):
    """Encoded pattern sets of all Parties by digest. Content-addressed: whoever controls it can only lose sets."""

    async def put(self, digest: bytes, encoded: bytes) -> None:
        """Keep an encoded set under its SHA-256; again is harmless. Another digest than its own is Misuse."""

    async def get(self, digest: bytes) -> bytes | None:
        """The encoded set, or None when it is not there or not what the digest says."""
