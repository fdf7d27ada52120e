"""Files as values: names and types from strangers, what a message may have of them, and the ciphertext."""

from __future__ import annotations

from dataclasses import replace
from hashlib import sha512

import pytest

from federation import limits
from federation.delivery.attachment import after_cut, after_fault, awaited, offered, put_off
from federation.envelope import suite
from federation.envelope.attachment import (
    Attachment,
    AttachmentId,
    Decryption,
    Encryption,
    FileFacts,
    MediaType,
    Named,
    arrival_digest,
    attachment_id,
    check_attached,
    check_name,
    check_named,
    looks_like,
)
from federation.errors import InvalidInput, Oversized, Unauthentic
from tests.support.samples import QM, message_id

KEY, ID = bytes(range(32)), AttachmentId(bytes(range(16)))
PLAIN = bytes(range(256)) * 300


def facts(name: str = "a.jpg", plain: bytes = PLAIN, **changes) -> FileFacts:
    values = {"name": name, "media_type": MediaType.JPEG, "size": len(plain), "sha512": sha512(plain).digest()}
    return FileFacts(**(values | changes))


def sealed(plain: bytes = PLAIN, *, step: int = 10_000) -> tuple[Attachment, bytes]:
    encryption = Encryption(ID, KEY)
    ciphertext = b"".join([encryption.add(plain[start : start + step]) for start in range(0, len(plain), step)])
    ciphertext += encryption.end()
    assert encryption.plaintext_sha512 == sha512(plain).digest()
    assert encryption.ciphertext_sha512 == sha512(ciphertext).digest()
    return Attachment(
        attachment_id=ID, facts=facts(plain=plain), key=KEY, ciphertext_sha512=encryption.ciphertext_sha512
    ), ciphertext


def opened(attachment: Attachment, ciphertext: bytes, *, step: int = 7_001) -> bytes:
    decryption = Decryption(attachment)
    return (
        b"".join([decryption.add(ciphertext[start : start + step]) for start in range(0, len(ciphertext), step)])
        + decryption.end()
    )


@pytest.mark.parametrize(
    "name",
    [
        "photo.jpg",
        "Foto 3 (Rückseite).JPEG",
        "отчёт.pdf",
        "报告.pdf",
        "تقرير.pdf",
        "a.b.c.png",
        "2024-03-15_pack.heic",
        "x" * 116 + ".txt",
    ],
)
def test_names_of_every_script_are_names(name):
    assert check_name(name) in MediaType


@pytest.mark.parametrize(
    "name",
    [
        "",
        "photo",
        ".jpg",
        "photo.exe",
        "photo.jpg.exe",
        "photo.jpg ",
        "photo.jpg.",
        " photo.jpg",
        "photo .jpg",
        "photo..jpg",
        ".hidden.jpg",
        "../photo.jpg",
        "a/b.jpg",
        "a\\b.jpg",
        "C:photo.jpg",
        "photo?.jpg",
        "-rf.jpg",
        "~root.jpg",
        "con.jpg",
        "NUL.tar.pdf",
        "com1.txt",
        "photo\n.jpg",
        "photo\0.jpg",
        "photo\x1b[2J.jpg",
        "gpj.\u202eexe.jpg",
        "cafe\u0301.jpg",
        "x" * 117 + ".txt",
        "\N{GRINNING FACE}" * 60 + ".jpg",
        "\ud800.jpg",
    ],
)
def test_what_is_no_plain_name_is_refused(name):
    with pytest.raises((InvalidInput, Oversized)):
        check_name(name)


def test_a_file_is_what_its_name_says_and_of_a_size_that_files_have():
    facts()
    for changes, error in (
        ({"media_type": MediaType.PNG}, InvalidInput),
        ({"size": 0}, InvalidInput),
        ({"size": limits.ATTACHMENT_BYTES_MAX + 1}, Oversized),
        ({"sha512": bytes(63)}, InvalidInput),
    ):
        with pytest.raises(error):
            facts(**changes)
    with pytest.raises(InvalidInput):
        attachment_id(bytes(15))
    attachment = sealed()[0]
    for broken in ({"key": bytes(31)}, {"ciphertext_sha512": bytes(32)}):
        with pytest.raises(InvalidInput):
            replace(attachment, **broken)
    assert KEY.hex() not in repr(attachment)
    assert repr(KEY) not in repr(attachment)


def test_a_message_has_files_that_differ_and_not_too_many_of_them():
    one = sealed()[0]
    check_attached([])
    check_attached([one, replace(one, attachment_id=AttachmentId(bytes(16)), facts=facts("b.jpg"))])
    with pytest.raises(InvalidInput, match="same id"):
        check_attached([one, replace(one, facts=facts("b.jpg"))])
    with pytest.raises(InvalidInput, match="same name"):
        check_attached([one, replace(one, attachment_id=AttachmentId(bytes(16)), facts=facts("A.JPG"))])
    named = [Named(attachment_id=AttachmentId(number.to_bytes(16)), size=100, sha512=bytes(64)) for number in range(17)]
    check_named(named[:16])
    with pytest.raises(Oversized):
        check_named(named)
    large = [replace(one, size=limits.ATTACHMENT_BYTES_MAX) for one in named[:5]]
    check_named(large[:4])
    with pytest.raises(Oversized):
        check_named(large)
    for size in (0, suite.stream_size(0), suite.stream_size(limits.ATTACHMENT_BYTES_MAX) + 1):
        with pytest.raises(Oversized):
            replace(named[0], size=size)
    with pytest.raises(InvalidInput):
        replace(named[0], sha512=bytes(32))


HEADS = {
    MediaType.JPEG: b"\xff\xd8\xff\xe0",
    MediaType.PNG: b"\x89PNG\r\n\x1a\n",
    MediaType.WEBP: b"RIFF\x10\0\0\0WEBP",
    MediaType.HEIC: b"\0\0\0\x18ftypheic",
    MediaType.TIFF: b"MM\0*",
    MediaType.PDF: b"%PDF-1.7",
    MediaType.TEXT: "größer".encode(),
    MediaType.CSV: b"code;place",
}


def test_the_first_bytes_tell_one_type_from_another():
    written = {MediaType.TEXT, MediaType.CSV}
    for media_type in MediaType:
        assert looks_like(media_type, HEADS[media_type])
        for other, head in HEADS.items():
            if other is not media_type and media_type not in written:
                assert not looks_like(media_type, head)
        for program in (b"MZ\x90\0", b"\x7fELF\x02", b"#!/bin/sh", b"\0\0"):
            assert not looks_like(media_type, program)


def test_a_file_comes_back_whatever_pieces_it_travels_in():
    for size in (1, 16_383, 16_384, 16_385, len(PLAIN)):
        attachment, ciphertext = sealed(PLAIN[:size], step=1_000)
        assert len(ciphertext) == attachment.named.size
        for step in (1_000, 16_400, len(ciphertext)):
            assert opened(attachment, ciphertext, step=step) == PLAIN[:size]


def test_what_was_changed_cut_or_belongs_elsewhere_does_not_open():
    attachment, ciphertext = sealed()
    changed = ciphertext[:-1] + bytes([ciphertext[-1] ^ 1])
    for bad in (changed, ciphertext[:-1], ciphertext[:20_000], ciphertext + b"\0", b""):
        with pytest.raises(Unauthentic):
            opened(attachment, bad)
    for other in (replace(attachment, key=bytes(32)), replace(attachment, attachment_id=AttachmentId(bytes(16)))):
        with pytest.raises(Unauthentic):
            opened(other, ciphertext)
    with pytest.raises(Unauthentic, match="names"):
        opened(replace(attachment, facts=replace(attachment.facts, sha512=bytes(64))), ciphertext)


def test_every_part_is_in_the_digest_that_is_receipted():
    named = sealed()[0].named
    digests = {
        arrival_digest(message_id(1), named),
        arrival_digest(message_id(2), named),
        arrival_digest(message_id(1), replace(named, attachment_id=AttachmentId(bytes(16)))),
        arrival_digest(message_id(1), replace(named, sha512=bytes(64))),
    }
    assert len(digests) == 4


def test_tries_come_later_and_later_and_soon_after_one_that_brought_something():
    (one,) = awaited([sealed()[0].named], message_id=message_id(1), peer=QM, now=100)
    assert one.next_attempt == 100
    assert offered([one.named], message_id=message_id(1), peer=QM, now=100)[0].place.file == f"sent-{ID.hex()}"
    assert one.place.file == f"received-{message_id(1).hex()}-{ID.hex()}"
    delays = []
    for _ in range(12):
        one = after_fault(one, now=0, problem="unreachable", jitter=0.5)
        delays.append(one.next_attempt)
    assert delays == sorted(delays)
    assert (delays[0], delays[-1]) == (limits.RETRY_S_MIN * 0.75, limits.RETRY_S_MAX * 0.75)
    soon = after_cut(one, now=0, problem="unreachable", jitter=0.5)
    assert (soon.attempts, soon.next_attempt) == (0, limits.RETRY_S_MIN * 0.75)
    assert put_off(one, until=9.0, problem="overloaded").next_attempt == 9.0
