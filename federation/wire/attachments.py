"""Attachments inside other messages: the entries of a header, and the files of a body."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from federation import limits
from federation.envelope.attachment import Attachment, FileFacts, MediaType, Named, attachment_id, check_named
from federation.v1 import exchange_pb2
from federation.wire.strict import EnumMap, at_most, text

MEDIA_TYPES: Final = EnumMap(exchange_pb2.MediaType, "MEDIA_TYPE_", MediaType)


def named_messages(named: Iterable[Named]) -> list[exchange_pb2.AttachmentNamed]:
    """What a header says of files."""
    return [exchange_pb2.AttachmentNamed(attachment_id=one.attachment_id, size=one.size, sha512=one.sha512) for one in named]


def read_named(messages: Iterable[exchange_pb2.AttachmentNamed]) -> tuple[Named, ...]:
    """The same, read.

    Raises:
        Oversized, OperatorMistake: they are no files that one message may have.
    """
    given = list(messages)
    at_most(len(given), limits.ATTACHMENTS_PER_MESSAGE_MAX, "attachments")
    return check_named([Named(attachment_id=attachment_id(one.attachment_id), size=one.size, sha512=one.sha512) for one in given])


def attached_messages(attached: Iterable[Attachment]) -> list[exchange_pb2.Attachment]:
    """What a body says of files."""
    return [
        exchange_pb2.Attachment(
            attachment_id=one.attachment_id,
            name=one.facts.name,
            media_type=MEDIA_TYPES.number(one.facts.media_type),
            size=one.facts.size,
            sha512=one.facts.sha512,
            key=one.key,
            ciphertext_sha512=one.ciphertext_sha512,
        )
        for one in attached
    ]


def read_attached(messages: Iterable[exchange_pb2.Attachment]) -> tuple[Attachment, ...]:
    """The same, read. What they may be together is checked by the query or the answer that has them.

    Raises:
        Oversized, OperatorMistake: one of them cannot be.
    """
    given = list(messages)
    at_most(len(given), limits.ATTACHMENTS_PER_MESSAGE_MAX, "attachments")
    return tuple(_attachment(one) for one in given)


def _attachment(message: exchange_pb2.Attachment) -> Attachment:
    return Attachment(
        attachment_id=attachment_id(message.attachment_id),
        facts=FileFacts(
            name=text(message.name, limits.ATTACHMENT_NAME_CHARACTERS_MAX, "a file's name"),
            media_type=MEDIA_TYPES.value(message.media_type),
            size=message.size,
            sha512=message.sha512,
        ),
        key=message.key,
        ciphertext_sha512=message.ciphertext_sha512,
    )
