"""Files that go with a message: a photo of a pack, a report.

Each has its own key and its own stream of suite 1. The key and the hash of the plaintext are sealed with the message, and so an
officer signs them; size and hash of the ciphertext stand in the header, and so the sending node does. The ciphertext itself
crosses behind the message, in pieces and as often as it takes (docs/protocol.md, "Attachments").

Names and types come from strangers. A name is one that every system takes for a file and none for anything else, and a type is
one of a closed list and has to fit both the name and the first bytes.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from hashlib import sha512
from typing import Final, NewType

from federation import limits
from federation.envelope import suite
from federation.errors import InvalidInput, Oversized, Unauthentic
from federation.identity import MessageId
from federation.text import check_plain
from federation.trust.keys import digest

AttachmentId = NewType("AttachmentId", bytes)

ATTACHMENT_ID_BYTES: Final = 16
SHA512_BYTES: Final = 64
HEAD_BYTES: Final = 16
"""So many first bytes say whether a file is of its type."""

_CONTEXT: Final = b"gsp/v1/attachment\0"


class MediaType(StrEnum):
    """What a file may be. Nothing that a program runs, and nothing that holds other files."""

    JPEG = "image/jpeg"
    PNG = "image/png"
    WEBP = "image/webp"
    HEIC = "image/heic"
    TIFF = "image/tiff"
    PDF = "application/pdf"
    TEXT = "text/plain"
    CSV = "text/csv"


ENDINGS: Final = {
    ".jpg": MediaType.JPEG,
    ".jpeg": MediaType.JPEG,
    ".png": MediaType.PNG,
    ".webp": MediaType.WEBP,
    ".heic": MediaType.HEIC,
    ".tif": MediaType.TIFF,
    ".tiff": MediaType.TIFF,
    ".pdf": MediaType.PDF,
    ".txt": MediaType.TEXT,
    ".csv": MediaType.CSV,
}
"""By the end of the name, in small letters."""

_FORBIDDEN: Final = frozenset('/\\:*?"<>|')
_RESERVED: Final = frozenset(
    {"con", "prn", "aux", "nul", *(f"{port}{number}" for port in ("com", "lpt") for number in range(10))}
)
_WRITTEN: Final = frozenset({MediaType.TEXT, MediaType.CSV})
_PROGRAMS: Final = (b"MZ", b"\x7fELF", b"#!")
_MARKS: Final[Mapping[MediaType, Sequence[tuple[int, bytes]]]] = {
    MediaType.JPEG: ((0, b"\xff\xd8\xff"),),
    MediaType.PNG: ((0, b"\x89PNG\r\n\x1a\n"),),
    MediaType.WEBP: ((8, b"WEBP"),),
    MediaType.HEIC: tuple((4, b"ftyp" + brand) for brand in (b"heic", b"heix", b"mif1", b"msf1")),
    MediaType.TIFF: ((0, b"II*\0"), (0, b"MM\0*")),
    MediaType.PDF: ((0, b"%PDF-"),),
    MediaType.TEXT: (),
    MediaType.CSV: (),
}
"""Where in its first bytes a file of a type has which bytes."""
_NAME_BYTES_MAX: Final = 240
"""File systems take 255, and a number may have to go behind the name."""


def attachment_id(raw: bytes) -> AttachmentId:
    """Sixteen random bytes, chosen by the sender.

    Raises:
        InvalidInput: another length.
    """
    if len(raw) != ATTACHMENT_ID_BYTES:
        raise InvalidInput(f"an attachment's id has {ATTACHMENT_ID_BYTES} bytes")
    return AttachmentId(raw)


def check_name(name: str) -> MediaType:
    """See that a name can only be a file's, here and at the other end; give the type that it says.

    Raises:
        InvalidInput, Oversized: a path, something hidden or reserved, control characters, too long, or an end that is not listed.
    """
    check_plain(name, "a file's name", characters_max=limits.ATTACHMENT_NAME_CHARACTERS_MAX)
    stem, dot, ending = name.rpartition(".")
    media_type = ENDINGS.get(f".{ending.lower()}") if dot else None
    if media_type is None:
        raise InvalidInput("this kind of file is not attached", hint=f"use one of {', '.join(sorted(ENDINGS))}")
    if not stem or stem != stem.strip(" .") or stem.startswith(("-", "~")) or _FORBIDDEN & set(name):
        raise InvalidInput("a file's name is no plain name", hint="rename the file: letters, digits, spaces, hyphens")
    if stem.split(".")[0].strip().lower() in _RESERVED or len(name.encode(errors="replace")) > _NAME_BYTES_MAX:
        raise InvalidInput("a file's name means something else on some systems, or is too long", hint="rename the file")
    if unicodedata.normalize("NFC", name) != name:
        raise InvalidInput("a file's name is not in Unicode's composed form", hint="rename the file")
    return media_type


@dataclass(frozen=True, slots=True, kw_only=True)
class FileFacts:
    """What an officer knows of a file, and signs.

    Attributes:
        size: bytes of the plaintext.
        sha512: of the plaintext.
    """

    name: str
    media_type: MediaType
    size: int
    sha512: bytes = field(repr=False)

    def __post_init__(self) -> None:
        if check_name(self.name) is not self.media_type:
            raise InvalidInput("a file's name says another type than the file has")
        if self.size < 1:
            raise InvalidInput("an empty file is not attached")
        if self.size > limits.ATTACHMENT_BYTES_MAX:
            raise Oversized(
                f"a file has more than {limits.ATTACHMENT_BYTES_MAX // 2**20} MiB", hint="split it, or make the picture smaller"
            )
        if len(self.sha512) != SHA512_BYTES:
            raise InvalidInput("the hash of a file has another length than SHA-512")


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment:
    """A file as the sealed body names it. Its `repr` shows no key.

    Attributes:
        key: 32 bytes, made for this file alone.
        ciphertext_sha512: so that the header follows from the body.
    """

    attachment_id: AttachmentId
    facts: FileFacts
    key: bytes = field(repr=False)
    ciphertext_sha512: bytes = field(repr=False)

    def __post_init__(self) -> None:
        if len(self.key) != suite.CEK_BYTES or len(self.ciphertext_sha512) != SHA512_BYTES:
            raise InvalidInput("the parts of an attachment do not have the sizes of suite 1")

    @property
    def named(self) -> Named:
        """Its entry in the header."""
        size = suite.stream_size(self.facts.size)
        return Named(attachment_id=self.attachment_id, size=size, sha512=self.ciphertext_sha512)


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """A file as the header names it: everybody on the way may see that there is one, and how large.

    Attributes:
        size: bytes of the ciphertext.
        sha512: of the ciphertext.
    """

    attachment_id: AttachmentId
    size: int
    sha512: bytes

    def __post_init__(self) -> None:
        if not suite.stream_size(1) <= self.size <= suite.stream_size(limits.ATTACHMENT_BYTES_MAX):
            raise Oversized("an attachment is empty, or larger than files may be")
        if len(self.sha512) != SHA512_BYTES:
            raise InvalidInput("the hash of an attachment has another length than SHA-512")


def check_named(named: Sequence[Named]) -> tuple[Named, ...]:
    """The entries of one header: no id twice, and not too much.

    Raises:
        Oversized, InvalidInput: they are not.
    """
    _check_count(len(named), sum(one.size for one in named))
    if len({one.attachment_id for one in named}) != len(named):
        raise InvalidInput("two attachments of one message have the same id")
    return tuple(named)


def check_attached(attached: Sequence[Attachment]) -> None:
    """The files of one message: no id and no name twice, whatever the size of its letters, and not too much.

    Raises:
        Oversized, InvalidInput: they are not.
    """
    check_named([one.named for one in attached])
    if len({one.facts.name.casefold() for one in attached}) != len(attached):
        raise InvalidInput("two files of one message have the same name", hint="rename one of them")


def _check_count(count: int, size: int) -> None:
    if count > limits.ATTACHMENTS_PER_MESSAGE_MAX:
        raise Oversized(
            f"a message takes at most {limits.ATTACHMENTS_PER_MESSAGE_MAX} files", hint="send the others with another"
        )
    if size > suite.stream_size(limits.ATTACHMENTS_BYTES_PER_MESSAGE_MAX):
        raise Oversized(
            f"the files of one message have more than {limits.ATTACHMENTS_BYTES_PER_MESSAGE_MAX // 2**20} MiB together",
            hint="send some of them with another message",
        )


def looks_like(media_type: MediaType, head: bytes) -> bool:
    """Whether a file begins as files of this type do.

    Args:
        media_type: what it is said to be.
        head: its first bytes, HEAD_BYTES of them unless it is shorter.
    """
    return any(head[at : at + len(mark)] == mark for at, mark in _MARKS[media_type]) or (
        media_type in _WRITTEN and b"\0" not in head and not head.startswith(_PROGRAMS)
    )


def arrival_digest(message_id: MessageId, named: Named) -> bytes:
    """H("gsp/v1/attached", message id, attachment id, hash of the ciphertext), 32 bytes: what is journalled and receipted."""
    return digest("gsp/v1/attached", message_id, named.attachment_id, named.sha512)


class Encryption:
    """Makes the ciphertext of one file, piece by piece, and both hashes on the way.

    Args:
        attachment_id: what the stream is bound to.
        key: 32 random bytes, made for this file.

    Attributes:
        taken: bytes of plaintext so far.
    """

    def __init__(self, attachment_id: AttachmentId, key: bytes) -> None:
        self._encryptor = suite.stream_encryptor(key, _CONTEXT + attachment_id)
        self._plain, self._cipher = sha512(), sha512()
        self.taken = 0

    def add(self, piece: bytes) -> bytes:
        """The ciphertext that this piece adds; some of it may come with the next."""
        self._plain.update(piece)
        self.taken += len(piece)
        return self._given(self._encryptor.update(piece))

    def end(self) -> bytes:
        """The last of the ciphertext."""
        return self._given(self._encryptor.finalize())

    def _given(self, ciphertext: bytes) -> bytes:
        self._cipher.update(ciphertext)
        return ciphertext

    @property
    def plaintext_sha512(self) -> bytes:
        """Of everything that was added."""
        return self._plain.digest()

    @property
    def ciphertext_sha512(self) -> bytes:
        """Of everything that was given."""
        return self._cipher.digest()


class Decryption:
    """Makes the file of its ciphertext, piece by piece. Only `end` says that it is whole; whoever keeps a piece before that has to be
    able to take it back.
    """

    def __init__(self, attachment: Attachment) -> None:
        self._facts = attachment.facts
        self._decryptor = suite.StreamDecryptor(attachment.key, _CONTEXT + attachment.attachment_id)
        self._plain = sha512()

    def add(self, piece: bytes) -> bytes:
        """The plaintext that this piece gives. Raises Unauthentic."""
        return self._given(self._decryptor.update(piece))

    def end(self) -> bytes:
        """The last of the plaintext.

        Raises:
            Unauthentic: it is not the file that the message names.
        """
        last = self._given(self._decryptor.finalize())
        if self._plain.digest() != self._facts.sha512:
            raise Unauthentic("a file is not the one that its message names")
        return last

    def _given(self, plaintext: bytes) -> bytes:
        self._plain.update(plaintext)
        return plaintext
