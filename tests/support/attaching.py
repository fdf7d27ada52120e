"""Officers of simulated nodes who attach files, and what is to be seen of the files afterwards."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from hashlib import sha512
from typing import Any

from federation.delivery.attachment import AttachmentState
from federation.envelope.attachment import AttachmentId, FileFacts, check_name
from federation.identity import MessageId
from federation.query.answer import Answer
from node import limits as node_limits
from node.use_cases.attachment_desk import AttachmentView
from node.use_cases.desk_values import QueryView, Question
from tests.support.simulated_node import SimNode
from tests.support.simulated_officers import signature_of

JPEG = b"\xff\xd8\xff\xe0 a photo "


def photo(size: int, mark: str = "") -> bytes:
    """Bytes that begin like a photo, and are not the same everywhere."""
    head = JPEG + mark.encode()
    return (head + bytes(range(256)) * (size // 256 + 1))[:size]


def facts_of(name: str, data: bytes) -> FileFacts:
    return FileFacts(name=name, media_type=check_name(name), size=len(data), sha512=sha512(data).digest())


async def bring(node: SimNode, name: str, data: bytes, *, officer: int = 0) -> AttachmentId:
    """Give a file to the own node, in pieces."""
    desk = node.participant.attachment_desk
    who = node.kit.officers[officer].name
    identifier = await desk.begin_attachment(who, facts_of(name, data))
    for offset in range(0, len(data), node_limits.UPLOAD_CHUNK_BYTES):
        await desk.add_to_attachment(who, identifier, offset, data[offset : offset + node_limits.UPLOAD_CHUNK_BYTES])
    return identifier


async def ask_with(node: SimNode, what: Question, files: Mapping[str, bytes]) -> QueryView:
    """Ask with files."""
    brought = tuple([await bring(node, name, data) for name, data in files.items()])
    officer = node.kit.officers[0]
    meant = replace(what, attachments=brought)
    prepared = await node.at_desk(lambda desk: desk.prepare_query(officer.name, officer.certificate, meant))
    return await node.at_desk(lambda desk: desk.submit_query(officer.name, prepared.message_id, signature_of(officer, prepared)))


async def answer_with(node: SimNode, query: MessageId, answer: Answer, files: Mapping[str, bytes]) -> Any:
    """Answer with files."""
    brought = tuple([await bring(node, name, data) for name, data in files.items()])
    officer = node.kit.officers[0]
    prepared = await node.at_desk(
        lambda desk: desk.prepare_answer(officer.name, officer.certificate, query, answer, attachments=brought)
    )
    return await node.at_desk(lambda desk: desk.submit_answer(officer.name, prepared.message_id, signature_of(officer, prepared)))


async def files_at(node: SimNode, query: MessageId) -> tuple[AttachmentView, ...]:
    return await node.participant.attachment_desk.attachments(node.kit.officers[0].name, query)


async def states_at(node: SimNode, query: MessageId) -> list[AttachmentState]:
    return [view.state for view in await files_at(node, query)]


async def saved(node: SimNode, query: MessageId, view: AttachmentView, *, offset: int = 0) -> bytes:
    """What an officer gets who fetches a file to its end."""
    stream = node.participant.attachment_desk.fetch_attachment(
        node.kit.officers[0].name, query, view.message_id, view.attachment_id, offset
    )
    return b"".join([piece async for piece in stream])
