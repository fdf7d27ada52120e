"""Files at the desk: what an officer brings to a message, sees of it and takes away. Who may read a query may read its files."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import Protocol

from federation import limits
from federation.delivery.attachment import AttachmentState, Place, Spooled
from federation.delivery.direction import Direction
from federation.envelope.attachment import Attachment, AttachmentId, Decryption, FileFacts
from federation.errors import Conflict, Malformed, NotFound
from federation.identity import MessageId, OfficerName, PartyId
from federation.ports import Crossing, ExchangeStore
from federation.wire.query import decode_body
from node.use_cases.answering import Answering
from node.use_cases.attachments import AttachmentPorts
from node.use_cases.entitlement import Entitlement
from node.use_cases.uploads import Uploads


@dataclass(frozen=True, slots=True, kw_only=True)
class AttachmentView:
    """One file of a query or of an answer to it.

    Attributes:
        message_id: of the query or the answer that it goes with.
        sender: the Party over whose signature it stands.
        here: bytes of the ciphertext that are here, of `whole`.
        problem: why it is not here yet, as an error code, or empty.
    """

    message_id: MessageId
    attachment_id: AttachmentId
    sender: PartyId
    facts: FileFacts
    state: AttachmentState
    here: int
    whole: int
    changed: int
    problem: str = ""


class AttachmentDesk(Protocol):
    """What an officer can do with files at the own node. The officer was verified by whoever calls; rights are checked here."""

    async def begin_attachment(self, officer: OfficerName, facts: FileFacts) -> AttachmentId:
        """Announce a file. Raises Overloaded, StoreUnavailable."""

    async def add_to_attachment(self, officer: OfficerName, attachment_id: AttachmentId, offset: int, data: bytes) -> int:
        """Bring its next piece; gives how many bytes are here. Raises NotFound, Conflict, InvalidInput, StoreUnavailable."""

    async def attachments(self, officer: OfficerName, query: MessageId) -> tuple[AttachmentView, ...]:
        """The files of a query and of its answers. Raises NotFound."""

    def fetch_attachment(
        self, officer: OfficerName, query: MessageId, message_id: MessageId, attachment_id: AttachmentId, offset: int
    ) -> AsyncGenerator[bytes, None]:
        """The plaintext of one of them from an offset on, in pieces. It is whole when the iteration ends without an error, and not
        before. Raises NotFound, Conflict while it is not here, Unauthentic.
        """


class OwnAttachmentDesk:
    """Implements `AttachmentDesk`."""

    def __init__(
        self,
        *,
        own: PartyId,
        store: ExchangeStore,
        ports: AttachmentPorts,
        uploads: Uploads,
        answering: Answering,
        entitlement: Entitlement,
    ) -> None:
        self._own = own
        self._store = store
        self._rows = ports.rows
        self._spool = ports.spool
        self._uploads = uploads
        self._answering = answering
        self._may = entitlement.require

    async def begin_attachment(self, officer: OfficerName, facts: FileFacts) -> AttachmentId:
        await self._may(officer, "begin_attachment")
        return await self._uploads.begin(officer, facts)

    async def add_to_attachment(self, officer: OfficerName, attachment_id: AttachmentId, offset: int, data: bytes) -> int:
        await self._may(officer, "add_to_attachment")
        return await self._uploads.add(officer, attachment_id, offset, data)

    async def attachments(self, officer: OfficerName, query: MessageId) -> tuple[AttachmentView, ...]:
        await self._may(officer, "attachments")
        await self._may_read(officer, query)
        views: list[AttachmentView] = []
        for crossing in await self._messages(query):
            attached = decode_body(crossing.body)[0].attachments
            if attached:
                rows = {
                    row.named.attachment_id: row for row in await self._rows.attachments(crossing.direction, crossing.message_id)
                }
                views += [await self._view(crossing, one, rows[one.attachment_id]) for one in attached]
        return tuple(views)

    async def _view(self, crossing: Crossing, one: Attachment, row: Spooled) -> AttachmentView:
        here = row.named.size
        if row.state is AttachmentState.WAITING:
            here = await self._spool.size(row.place.file, settled=False) or 0
        elif row.state is AttachmentState.GONE:
            here = 0
        return AttachmentView(
            message_id=crossing.message_id,
            attachment_id=one.attachment_id,
            sender=self._own if crossing.direction is Direction.SENT else crossing.peer,
            facts=one.facts,
            state=row.state,
            here=here,
            whole=row.named.size,
            changed=row.changed,
            problem=row.problem,
        )

    async def fetch_attachment(
        self, officer: OfficerName, query: MessageId, message_id: MessageId, attachment_id: AttachmentId, offset: int
    ) -> AsyncGenerator[bytes, None]:
        await self._may(officer, "fetch_attachment")
        await self._may_read(officer, query)
        attachment, row = await self._found(query, message_id, attachment_id)
        if offset > attachment.facts.size:
            raise Malformed("a file ends before the offset from which it is asked for")
        if row.state in {AttachmentState.WAITING, AttachmentState.GONE}:
            raise Conflict("the file is not here", hint="`gsp attachments ID` shows how much of it is")
        async for piece in self._decrypted(attachment, row):
            skipped, offset = min(offset, len(piece)), max(0, offset - len(piece))
            for start in range(skipped, len(piece), limits.ATTACHMENT_CHUNK_BYTES_MAX):
                yield piece[start : start + limits.ATTACHMENT_CHUNK_BYTES_MAX]

    async def _decrypted(self, attachment: Attachment, row: Spooled) -> AsyncGenerator[bytes, None]:
        decryption = Decryption(attachment)
        for offset in range(0, row.named.size, limits.ATTACHMENT_CHUNK_BYTES_MAX):
            yield decryption.add(await self._spool.read(row.place.file, offset, limits.ATTACHMENT_CHUNK_BYTES_MAX, settled=True))
        yield decryption.end()

    async def _found(self, query: MessageId, message_id: MessageId, attachment_id: AttachmentId) -> tuple[Attachment, Spooled]:
        for crossing in await self._messages(query):
            for one in decode_body(crossing.body)[0].attachments:
                place = Place(direction=crossing.direction, message_id=message_id, attachment_id=attachment_id)
                if (crossing.message_id, one.attachment_id) == (message_id, attachment_id):
                    row = await self._rows.attachment(place)
                    if row is not None:
                        return one, row
        raise NotFound("this query and its answers have no such file", hint="`gsp attachments ID` lists them")

    async def _may_read(self, officer: OfficerName, query: MessageId) -> None:
        """As for reading the query: one that was asked here, or one that came here."""
        if await self._store.asked(query) is not None:
            await self._may(officer, "query", message_id=query)
        else:
            purpose = await self._answering.purpose_of(query)
            await self._may(officer, "inbox_entry", purpose=purpose, message_id=query)

    async def _messages(self, query: MessageId) -> list[Crossing]:
        """The query and its answers, as far as their records are here."""
        asked, received = await self._store.asked(query), await self._store.received(query)
        wanted: list[tuple[Direction, MessageId]] = []
        if asked is not None:
            wanted = [(Direction.SENT, query), *((Direction.RECEIVED, answer) for answer in asked.answer_ids)]
        elif received is not None:
            wanted = [(Direction.RECEIVED, query)]
            wanted += [(Direction.SENT, received.answer_id)] if received.answer_id is not None else []
        found = [await self._store.crossing(direction, message_id) for direction, message_id in wanted]
        return [crossing for crossing in found if crossing is not None]
