"""The directory log as a node keeps it and reads it, and the Secretariat's admissions under way."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from typing import Protocol

from federation.identity import PartyId
from federation.ports.transport import Peer
from federation.trust.entries import Signature


class DirectoryStore(Protocol):
    """A node's replica of the directory log, or the Secretariat's original.

    Durable and append-only, like the journal. Not trusted: what is read is verified again when a node starts.
    Proofs raise NotFound for a size that the log has not reached, and Malformed for numbers that no log has.
    """

    async def append(self, *, first: int, leaves: Sequence[bytes], checkpoint: bytes) -> None:
        """Leaves and the checkpoint that covers them, together. A repetition changes nothing. Raises Conflict when `first` is
        neither the size nor the place where the same leaves stand.
        """

    async def put_checkpoint(self, checkpoint: bytes, *, size: int) -> None:
        """Put further cosignatures in the place of the checkpoint of this size. Raises Conflict when the log has another by now."""

    async def checkpoint(self) -> bytes | None:
        """The newest checkpoint, a signed note."""

    async def leaves(self, start: int, end: int) -> tuple[bytes, ...]:
        """Leaves from start to end, end not included; fewer when the log is shorter."""

    async def size(self) -> int:
        """How many leaves there are."""

    async def inclusion(self, index: int, size: int) -> tuple[bytes, ...]:
        """RFC 6962 path of a leaf in the tree of that size."""

    async def consistency(self, old_size: int, new_size: int) -> tuple[bytes, ...]:
        """RFC 6962 consistency proof between two sizes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cosigned:
    """The largest checkpoint that a witness cosigned.

    Attributes:
        root: 32 bytes.
        checkpoint: a note under the log's own signature: half a proof, if another one of that size ever turns up.
    """

    size: int
    root: bytes
    checkpoint: bytes


class WitnessStore(Protocol):
    """What a node has cosigned and must never contradict. Durable when a method returns: the cosignature leaves after that.

    Whoever puts an old copy of it back could bring the witness to cosign two histories; therefore the mark of a restored file.
    """

    async def cosigned(self) -> Cosigned | None:
        """The largest checkpoint that was cosigned; None before the first."""

    async def put_cosigned(self, cosigned: Cosigned) -> None:
        """Write down what is about to be cosigned. Again is harmless. Raises Conflict for a smaller size, and for another root of the
        size that stands.
        """

    async def restored(self) -> bool:
        """Whether this was put back from a backup: what was cosigned since the backup is not known here."""

    async def mark_restored(self, *, restored: bool) -> None:
        """Set the mark after putting back a backup; take it away once enough other witnesses agree."""


class NoticeKind(StrEnum):
    """What nodes tell each other beside the log."""

    SPLIT_VIEW = "split-view"
    """A proof that the log key signed two histories."""
    REVOCATION = "revocation"
    """A signed `revoke` entry, honoured before the log holds it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """Something that every node has to learn, whatever the Secretariat does. Its bytes prove it; who brings it does not count.

    Attributes:
        raw: an encoded split view, or the leaf of a revocation.
    """

    kind: NoticeKind
    raw: bytes

    @property
    def digest(self) -> bytes:
        """By which it is known: 32 bytes."""
        return sha256(self.kind.encode() + b"\0" + self.raw).digest()


class NoticeStore(Protocol):
    """Notices that count here. Durable when a method returns. What is read is verified again when a node starts.

    Whoever controls the storage can make this node forget them until a peer tells them again.
    """

    async def notices(self) -> tuple[Notice, ...]:
        """All of them, in the order of their digests."""

    async def put_notice(self, notice: Notice) -> None:
        """Keep it. Again is harmless."""

    async def drop_notice(self, notice: Notice) -> None:
        """It is settled: the log holds it. Again is harmless."""


class PublicationStore(Protocol):
    """At the Secretariat: the newest checkpoint that enough witnesses cosigned. Durable when `publish` returns; it never goes back."""

    async def published(self) -> bytes | None:
        """That checkpoint, with its cosignatures; None before the first."""

    async def publish(self, checkpoint: bytes, *, size: int) -> None:
        """Put it in the place of the one before, of the same size with other cosignatures or of a smaller one. Raises Conflict when a
        larger one is published.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class Enrolment:
    """How far a Party has come on its way into the directory, as the Secretariat knows it (docs/protocol.md, "Joining").

    Attributes:
        token_hash: SHA-256 of the invitation's token.
        created: Unix seconds at which the Party was invited.
        expires: Unix seconds after which the token is worth nothing.
        csr_hash: 32 bytes over the request that used the token up; empty before. The same request may come again, no other.
        admit_body: the bytes that Party and founders sign; empty before the request.
        acceptance: the Party's signature over them, or None.
        founder_signatures: in the order in which they came, at most FOUNDERS_MAX.
        logged_index: position of the admission in the directory log, or None.
    """

    party: PartyId
    token_hash: bytes
    created: int
    expires: int
    csr_hash: bytes = b""
    admit_body: bytes = b""
    acceptance: Signature | None = None
    founder_signatures: tuple[Signature, ...] = ()
    logged_index: int | None = None


class EnrolmentStore(Protocol):
    """The Secretariat's invitations and admissions under way, one for each Party. Durable when `swap` returns.

    Whoever controls the storage can lose or delay an admission; what the directory accepts is decided by signatures alone.
    """

    async def enrolment(self, party: PartyId) -> Enrolment | None:
        """The Party's, or None when it was never invited."""

    async def by_token(self, token_hash: bytes) -> Enrolment | None:
        """The one that this token belongs to, or None. The Party's name comes from here, never from a request."""

    async def pending(self) -> tuple[Enrolment, ...]:
        """All that are not in the log yet, the oldest invitation first."""

    async def swap(self, *, old: Enrolment | None, new: Enrolment) -> None:
        """Put `new` in the place of `old`, of the same Party; None stands for nothing there. Raises Conflict when something else
        is there by now, except `new` itself: a repetition is harmless.
        """


class DirectoryService(Protocol):
    """Reads of the log from any node; `pending`, `submit` and `cosign` at the Secretariat's alone. The caller verifies what comes
    back.
    """

    async def checkpoint(self, peer: Peer) -> bytes:
        """The newest checkpoint that enough witnesses cosigned, with their cosignatures."""

    async def pending(self, peer: Peer) -> bytes:
        """The checkpoint that waits for witnesses, with the cosignatures that have come in; the published one when none waits."""

    async def entries(self, peer: Peer, start: int, end: int) -> tuple[bytes, ...]:
        """Leaves from start, at most up to end."""

    async def consistency(self, peer: Peer, old_size: int, new_size: int) -> tuple[bytes, ...]:
        """Consistency proof."""

    async def submit(self, peer: Peer, leaf: bytes) -> int:
        """Ask the Secretariat to log an entry; gives its index at once. It counts when its checkpoint is published. Idempotent for
        identical bytes.
        """

    async def cosign(self, peer: Peer, checkpoint: bytes) -> None:
        """Give the Secretariat this node's cosignature."""


class NoticeService(Protocol):
    """Split views and revocations, from node to node. The receiver verifies everything; calls are repeatable."""

    async def tell(self, peer: Peer, notice: Notice) -> None:
        """Tell a peer. Raises what the peer raised: it refuses what does not prove itself."""

    async def notices(self, peer: Peer) -> tuple[Notice, ...]:
        """Everything that counts at the peer."""
