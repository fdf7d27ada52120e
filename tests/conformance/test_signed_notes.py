"""Signed notes as C2SP prints them, and a published conversation of a log with a witness."""

from __future__ import annotations

import re
from base64 import b64decode

import pytest

from federation.errors import Malformed, Unauthentic
from federation.trust.keys import SoftwareSigner
from federation.trust.merkle import empty_root, verify_consistency
from federation.trust.note import (
    KeyKind,
    Note,
    NoteKey,
    cosign,
    format_note,
    parse_checkpoint,
    parse_note,
    parse_verifier_key,
    verify_note,
)
from tests.support.reference import reference


def printed_notes():
    document = reference("tlog/signed-note.md").read_text(encoding="utf-8")
    return [block.encode() for block in re.findall(r"```\n(.*?\n)```", document, re.DOTALL)]


def printed_key():
    document = reference("tlog/signed-note.md").read_text(encoding="utf-8")
    return re.search(r"^ {4}(example\.com\S+)$", document, re.MULTILINE)[1]


def test_every_printed_note_is_read_and_written_back():
    notes = printed_notes()

    assert len(notes) == 2
    assert [format_note(parse_note(raw)) for raw in notes] == notes


def test_the_printed_key_verifies_the_printed_note():
    note = parse_note(printed_notes()[1])

    (verified,) = verify_note(note, [parse_verifier_key(printed_key())])

    assert note.text == b"This is an example message.\n"
    assert (verified.name, verified.time) == ("example.com/foo", None)


def test_the_printed_key_says_nothing_about_the_note_of_another_signer():
    with pytest.raises(Unauthentic):
        verify_note(parse_note(printed_notes()[0]), [parse_verifier_key(printed_key())])


def test_a_printed_key_is_written_back():
    assert parse_verifier_key(printed_key()).verifier_key == printed_key()


class Witness:
    """The rules of tlog-witness over our functions, as far as the published conversation needs them."""

    def __init__(self, log_key, signer):
        self.log_key, self.signer = log_key, signer
        self.size, self.root = 0, empty_root()

    def add_checkpoint(self, body):
        header, raw = body.split(b"\n\n", 1)
        first, *proof = header.decode().split("\n")
        try:
            note = parse_note(raw)
            verify_note(note, [self.log_key])
        except (Malformed, Unauthentic):  # the false signature of the conversation is also base64 with unused bits set
            return 403
        checkpoint = parse_checkpoint(note.text)
        if int(first.removeprefix("old ")) != self.size:
            return 409
        try:
            self._follow(checkpoint, [b64decode(line) for line in proof])
        except (Unauthentic, Malformed):
            return 422
        line = cosign(note.text, "example.com/witness", self.signer, 1_700_000_000)
        key = NoteKey(name="example.com/witness", public_key=self.signer.public_key, kind=KeyKind.COSIGNATURE)
        verify_note(Note(text=note.text, signatures=(*note.signatures, line)), [self.log_key, key])
        return 200

    def _follow(self, checkpoint, proof):
        if self.size:
            verify_consistency(
                old_size=self.size, old_root=self.root, new_size=checkpoint.size, new_root=checkpoint.root, proof=proof
            )
        self.size, self.root = checkpoint.size, checkpoint.root


def test_a_witness_answers_as_in_the_published_conversation():
    transcript = reference("tlog/litewitness.txt").read_text(encoding="utf-8")
    log_public_key = bytes.fromhex(re.search(r"add-sigsum-log -key=(\w+)", transcript)[1])
    exchanges = re.findall(r"```\n(old .*?\n)```\nHTTP (\d+)", transcript, re.DOTALL)
    origin = re.search(r"^sigsum\.org/\S+$", transcript, re.MULTILINE)[0]
    witness = Witness(NoteKey(name=origin, public_key=log_public_key), SoftwareSigner(bytes(range(32))))

    answers = [witness.add_checkpoint(body.encode()) for body, _ in exchanges]

    assert answers == [int(status) for _, status in exchanges]
    assert set(answers) == {200, 403, 409, 422}
    assert witness.size == 5
