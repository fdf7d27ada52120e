"""A node that is killed while a file comes in, with a real connection, process and disk: it goes on from where it was."""

from __future__ import annotations

import asyncio
import os
from hashlib import sha512

from benchmarks.federation import PASSPHRASE, Neighbour, federation
from federation.delivery.attachment import AttachmentState
from federation.delivery.direction import Direction
from federation.envelope.attachment import FileFacts, MediaType
from federation.identity import PartyId
from federation.query.codes import HandlingCode, Purpose, Urgency
from federation.query.items import ALL_ITEMS
from federation.query.query import CodeAsked
from federation.trust.keys import SoftwareSigner, officer_message
from node import limits as node_limits
from node import party
from node.use_cases.desk_values import Question
from node.use_cases.parts import Participant

PHOTO = b"\xff\xd8\xff\xe0" + os.urandom(6_000_000)
PATIENCE_S = 60


class Slow:
    """A disk that takes its time, so that there is a middle to be killed in; it remembers from where files were read."""

    def __init__(self, spool) -> None:
        self._spool = spool
        self.offsets: list[int] = []

    async def read(self, file: str, offset: int, length: int, *, settled: bool) -> bytes:
        self.offsets.append(offset)
        await asyncio.sleep(0.03)
        return await self._spool.read(file, offset, length, settled=settled)


async def until(holds) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not await holds():
            await asyncio.sleep(0.02)


async def ask_with_photo(node: Participant, joined, code: str):
    facts = FileFacts(name="lorry.jpg", media_type=MediaType.JPEG, size=len(PHOTO), sha512=sha512(PHOTO).digest())
    identifier = await node.attachment_desk.begin_attachment(joined.officer, facts)
    for offset in range(0, len(PHOTO), node_limits.UPLOAD_CHUNK_BYTES):
        piece = PHOTO[offset : offset + node_limits.UPLOAD_CHUNK_BYTES]
        await node.attachment_desk.add_to_attachment(joined.officer, identifier, offset, piece)
    question = Question(
        party=PartyId("qn"),
        codes=(CodeAsked(key=code, scan=code),),
        items=ALL_ITEMS,
        purpose=Purpose.DETECTION,
        necessity="a lorry at the border",
        handling=HandlingCode.H1,
        urgency=Urgency.NORMAL,
        reference="",
        deadline_s=86_400,
        attachments=(identifier,),
    )
    prepared = await node.desk.prepare_query(joined.officer, joined.officer_certificate, question)
    signature = SoftwareSigner(joined.officer_seed).sign(officer_message(prepared.statement))
    await node.desk.submit_query(joined.officer, prepared.message_id, signature)
    return prepared.message_id


async def test_a_killed_receiver_goes_on_from_where_it_was(tmp_path):
    async with federation(tmp_path, together=True) as bench:
        joined, code = bench.joined, next(iter(bench.showcases.values()))
    spool = tmp_path / "qn" / "attachments"

    async def partly() -> bool:
        return any(file.stat().st_size > 1_500_000 for file in spool.glob("*.part")) if spool.exists() else False

    async with party.running(tmp_path / "qm", PASSPHRASE) as node:
        slow = Slow(node.offering._spool)
        node.offering._spool = slow
        neighbour = Neighbour(tmp_path, "qn")
        try:
            await neighbour.start()
            query = await ask_with_photo(node, joined, code)
            await until(partly)
        finally:
            await neighbour.kill()
        (part,) = spool.iterdir()
        kept = part.stat().st_size
        assert 1_500_000 < kept < len(PHOTO)
        asked_before = len(slow.offsets)

        async def delivered() -> bool:
            rows = await node.offering.rows.attachments(Direction.SENT, query)
            return [row.state for row in rows] == [AttachmentState.DELIVERED]

        try:
            await neighbour.start()
            await until(delivered)
        finally:
            await neighbour.stop()
        assert kept in slow.offsets[asked_before:]
        (whole,) = spool.iterdir()
        (sent,) = (tmp_path / "qm" / "attachments").iterdir()
        assert whole.read_bytes() == sent.read_bytes()
