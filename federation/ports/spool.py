"""Files that go with messages: what is kept of each, where the ciphertext lies, and how it crosses."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import Protocol

from federation.delivery.attachment import Place, Spooled
from federation.delivery.direction import Direction
from federation.envelope.attachment import AttachmentId
from federation.identity import MessageId, PartyId
from federation.ports.transport import Peer


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """Room that files take up.

    Attributes:
        spooled: bytes of all files that are here.
        day_bytes, day_files: of those of one peer that came since a time.
    """

    spooled: int
    day_bytes: int
    day_files: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SpoolFile:
    """One file of the spool."""

    name: str
    size: int
    settled: bool


class AttachmentStore(Protocol):
    """The files of messages as rows; written through `ExchangeStore.commit` alone, with the message and later by themselves. Same
    durability and trust.
    """

    async def attachment(self, place: Place) -> Spooled | None:
        """One row, or None."""

    async def attachments(self, direction: Direction, message_id: MessageId) -> tuple[Spooled, ...]:
        """The rows of one message, in the order in which they were put."""

    async def attachments_due(self, *, now: float, rows: int) -> tuple[Spooled, ...]:
        """Rows that are waiting or arrived and whose next attempt is not later than now, the longest due first, at most `rows` of
        each peer: none starves.
        """

    async def attachments_next_due(self) -> float | None:
        """Unix seconds of the earliest next attempt among rows that are waiting or arrived, or None."""

    async def attachments_kept(self, *, after: Place | None, rows: int) -> tuple[Spooled, ...]:
        """Rows that are not gone, in the order of their places, behind one of them: for looking through all."""

    async def attachments_usage(self, peer: PartyId, *, since: int) -> Usage:
        """Room that is taken up, by all, and by what came from the peer at that time or later."""


class Spool(Protocol):
    """Ciphertext of files, by name. It is encrypted before it comes here, so whoever reads the disk reads nothing.

    A file is partial until it is settled; a settled one never changes. Not trusted to keep what was not settled: whoever goes on with
    a partial file checks the whole. Every method may raise StoreUnavailable and has then taken effect or not; all may be repeated.
    """

    async def size(self, file: str, *, settled: bool) -> int | None:
        """Bytes of the settled, or of the partial file; None when there is none."""

    async def write(self, file: str, offset: int, data: bytes) -> None:
        """Put data into the partial file at an offset that it has reached; what lay there and behind gives way."""

    async def settle(self, file: str) -> None:
        """Make the partial file the settled one, durably; one that is settled already is left as it is. Raises NotFound."""

    async def read(self, file: str, offset: int, length: int, *, settled: bool) -> bytes:
        """At most so many bytes from there; fewer only at the end. Raises NotFound."""

    async def remove(self, file: str) -> None:
        """Remove it, settled or partial; nothing happens when there is none."""

    async def files(self) -> tuple[SpoolFile, ...]:
        """All files, settled and partial."""

    async def free_bytes(self) -> int:
        """Room left on the disk."""


class AttachmentTransport(Protocol):
    """Files from node to node. Not trusted: a stream may end early, say anything, or never end."""

    def pull(self, peer: Peer, message_id: MessageId, attachment_id: AttachmentId, *, offset: int) -> AsyncGenerator[bytes, None]:
        """The ciphertext from the offset on, in pieces of at most ATTACHMENT_CHUNK_BYTES_MAX. It ends at the end of the file, or
        earlier, and within RPC_TIMEOUT_S. Raises NotFound, Forbidden and others as the sender does.
        """

    async def attached(self, peer: Peer, attachment_id: AttachmentId, receipt: bytes) -> None:
        """Hand over the receipt for a file that is here."""
