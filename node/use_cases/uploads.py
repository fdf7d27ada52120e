"""Files that officers have brought and not yet sent.

The node encrypts each as it comes, so that no plaintext is ever on its disk. Until the message is written down, the key is in memory
alone: when the node stops, nothing has been said yet, and what lies in the spool is noise that the next sweep removes.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

from federation.delivery.attachment import Spooled, offered
from federation.envelope.attachment import (
    ATTACHMENT_ID_BYTES,
    HEAD_BYTES,
    Attachment,
    AttachmentId,
    Encryption,
    FileFacts,
    looks_like,
)
from federation.envelope.header import Statement
from federation.envelope.suite import CEK_BYTES
from federation.errors import Conflict, InvalidInput, NotFound, Overloaded, Oversized, StoreUnavailable
from federation.identity import OfficerName
from federation.ports import Spool
from node import limits as node_limits
from node.use_cases.world import World


@dataclass(slots=True, kw_only=True)
class _Upload:
    """One file on its way in.

    Attributes:
        touched: Unix seconds at which something last happened to it.
        written: bytes of ciphertext so far.
        broken: a step of it was interrupted, and nobody knows how far it came.
    """

    officer_id: str
    attachment_id: AttachmentId
    facts: FileFacts
    key: bytes = field(repr=False)
    encryption: Encryption
    touched: int
    written: int = 0
    broken: bool = False
    attachment: Attachment | None = None
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    @property
    def file(self) -> str:
        """Its name in the spool; the same that `Place` gives it when it is sent."""
        return f"sent-{self.attachment_id.hex()}"


class Uploads:
    """Takes files in, and keeps them until they are sent or too old."""

    def __init__(self, world: World, spool: Spool) -> None:
        self._world = world
        self._spool = spool
        self._uploads: dict[AttachmentId, _Upload] = {}

    async def begin(self, officer: OfficerName, facts: FileFacts) -> AttachmentId:
        """Make room for a file.

        Raises:
            StoreUnavailable: the disk has no room for it.
            Overloaded: too many wait.
        """
        await self.expire()
        own = sum(one.officer_id == officer.officer_id for one in self._uploads.values())
        if own >= node_limits.UPLOADS_PER_OFFICER_MAX or len(self._uploads) >= node_limits.UPLOADS_MAX:
            raise Overloaded(
                "too many files were brought and not sent", hint="send them, or wait: they are removed in half an hour"
            )
        if await self._spool.free_bytes() - facts.size < node_limits.SPOOL_FREE_BYTES_MIN:
            raise StoreUnavailable("the disk of this node has no room for the file")
        identifier, key = AttachmentId(self._world.entropy(ATTACHMENT_ID_BYTES)), self._world.entropy(CEK_BYTES)
        self._uploads[identifier] = _Upload(
            officer_id=officer.officer_id,
            attachment_id=identifier,
            facts=facts,
            key=key,
            encryption=Encryption(identifier, key),
            touched=self._world.now(),
        )
        return identifier

    async def add(self, officer: OfficerName, identifier: AttachmentId, offset: int, data: bytes) -> int:
        """Take the next piece; the same one may come again. Gives how many bytes are here.

        Raises:
            NotFound: it was never begun, was removed, or broke.
            Conflict: another piece is next.
            InvalidInput, Oversized: it is not the file that was announced.
            StoreUnavailable: it could not be written; begin again.
        """
        upload = self._upload(officer, identifier)
        async with upload.lock:
            if offset + len(data) == upload.encryption.taken and data:
                return upload.encryption.taken
            self._check_piece(upload, offset, data)
            upload.broken, upload.touched = True, self._world.now()
            await self._write(upload, upload.encryption.add(data))
            if upload.encryption.taken == upload.facts.size:
                await self._finish(upload)
            upload.broken = False
            return upload.encryption.taken

    @staticmethod
    def _check_piece(upload: _Upload, offset: int, data: bytes) -> None:
        if upload.broken:
            raise NotFound("a file broke on its way here", hint="attach it again")
        if offset != upload.encryption.taken or not data:
            raise Conflict("another piece of the file is next", hint="attach it again")
        if len(data) > node_limits.UPLOAD_CHUNK_BYTES or offset + len(data) > upload.facts.size:
            raise Oversized("a file is longer than it was said to be", hint="it changed while it was read: attach it again")
        if offset == 0 and not looks_like(upload.facts.media_type, data[:HEAD_BYTES]):
            raise InvalidInput(
                f"a file is no {upload.facts.media_type}, which its name says", hint="give it the name of what it is"
            )

    async def _write(self, upload: _Upload, ciphertext: bytes) -> None:
        if ciphertext:
            await self._spool.write(upload.file, upload.written, ciphertext)
            upload.written += len(ciphertext)

    async def _finish(self, upload: _Upload) -> None:
        await self._write(upload, upload.encryption.end())
        if upload.encryption.plaintext_sha512 != upload.facts.sha512:
            await self._drop(upload)
            raise InvalidInput("a file is not the one that was announced", hint="it changed while it was read: attach it again")
        await self._spool.settle(upload.file)
        upload.attachment = Attachment(
            attachment_id=upload.attachment_id,
            facts=upload.facts,
            key=upload.key,
            ciphertext_sha512=upload.encryption.ciphertext_sha512,
        )

    def claim(self, officer: OfficerName, identifiers: Sequence[AttachmentId]) -> tuple[Attachment, ...]:
        """Files that are whole, for a message that is prepared.

        Raises:
            NotFound: one is not here, or not whole.
        """
        return tuple(self._whole(self._upload(officer, identifier)) for identifier in identifiers)

    def _whole(self, upload: _Upload) -> Attachment:
        if upload.attachment is None or upload.broken:
            raise NotFound("a file is not here as a whole", hint="attach it again")
        upload.touched = self._world.now()
        return upload.attachment

    def _upload(self, officer: OfficerName, identifier: AttachmentId) -> _Upload:
        upload = self._uploads.get(identifier)
        if upload is None or upload.officer_id != officer.officer_id:
            raise NotFound("no such file was brought here, or too long ago", hint="attach it again")
        return upload

    def offered(self, attached: Sequence[Attachment], statement: Statement) -> tuple[Spooled, ...]:
        """Rows for the commit that writes the message down.

        Raises:
            NotFound: a file is not here any more.
        """
        for one in attached:
            if one.attachment_id not in self._uploads:
                raise NotFound("a file was brought too long ago", hint="attach it again, and sign sooner")
        named = [one.named for one in attached]
        return offered(named, message_id=statement.message_id, peer=statement.recipient, now=self._world.now())

    def sent(self, attached: Sequence[Attachment]) -> None:
        """The message is written down: its files are kept with it from now on."""
        for one in attached:
            self._uploads.pop(one.attachment_id, None)

    def files(self) -> frozenset[str]:
        """Names in the spool that are not orphans although no message names them."""
        return frozenset(one.file for one in self._uploads.values())

    async def expire(self) -> None:
        """Remove what nobody sent."""
        oldest = self._world.now() - node_limits.UPLOAD_LIFE_S
        for one in [one for one in self._uploads.values() if one.touched < oldest and not one.lock.locked()]:
            await self._drop(one)

    async def _drop(self, upload: _Upload) -> None:
        upload.broken = True
        self._uploads.pop(upload.attachment_id, None)
        await self._spool.remove(upload.file)
