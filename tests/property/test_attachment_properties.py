"""Names, facts and views of files: any text is a safe name or refused, and any bytes a value or our error."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from federation import limits
from federation.delivery.attachment import AttachmentState
from federation.envelope.attachment import Decryption, Encryption, MediaType, check_name, looks_like
from federation.errors import InvalidInput, Malformed, Oversized, Unauthentic
from federation.wire import strict
from node.rpc import attachment_desk as wire
from node.use_cases.attachment_desk import AttachmentView
from node.v1 import attachments_pb2 as pb
from tests.support.attachment_values import ATTACHMENTS, FACTS, IDS
from tests.support.mutation import mutated
from tests.support.values import MESSAGE_IDS, PARTIES, TIMES

few = settings(max_examples=60, deadline=None)

ODD = st.text(st.sampled_from("a.jpgPDF/\\:\0\n\u202e\u0301 -~"), max_size=20)
VIEWS = st.builds(
    AttachmentView,
    message_id=MESSAGE_IDS,
    attachment_id=IDS,
    sender=PARTIES,
    facts=FACTS,
    state=st.sampled_from(AttachmentState),
    here=st.integers(0, 1_000),
    whole=st.integers(1_000, 10_000),
    changed=TIMES,
    problem=st.sampled_from(["", "unreachable"]),
)


@few
@given((st.text(max_size=30) | ODD).flatmap(lambda stem: st.sampled_from([stem, stem + ".jpg", stem + ".pdf"])))
def test_any_text_is_a_name_in_this_folder_or_refused(name):
    try:
        media_type = check_name(name)
    except (InvalidInput, Oversized):
        return
    path = Path("/folder") / name
    assert path.parent == Path("/folder")
    assert path.name == name
    assert not name.startswith(".")
    assert name.isprintable() or all(
        character.isprintable() or character in "\u00a0\u202f\u3000\u200c\u200d\u200e\u200f" for character in name
    )
    assert media_type in MediaType
    assert len(name.encode()) <= 240


@few
@given(VIEWS)
def test_a_view_comes_back_as_it_was(view):
    assert wire.decode_view(wire.encode_view(view)) == view


@few
@given(st.binary(max_size=120) | VIEWS.map(wire.encode_view).map(strict.encode).flatmap(mutated))
def test_any_bytes_are_a_view_or_our_error(raw):
    try:
        wire.decode_view(strict.parse(pb.AttachmentView, raw, bytes_max=10_000))
    except Malformed:
        return


@few
@given(st.binary(max_size=120) | FACTS.map(wire.encode_facts).map(strict.encode).flatmap(mutated))
def test_any_bytes_are_facts_or_our_error(raw):
    try:
        facts = wire.decode_facts(strict.parse(pb.FileFacts, raw, bytes_max=10_000))
    except Malformed:
        return
    assert check_name(facts.name) is facts.media_type
    assert 1 <= facts.size <= limits.ATTACHMENT_BYTES_MAX


@few
@given(st.sampled_from(MediaType), st.binary(max_size=16))
def test_any_first_bytes_are_of_a_type_or_not(media_type, head):
    assert looks_like(media_type, head) in {True, False}


@few
@given(ATTACHMENTS, st.lists(st.binary(max_size=40_000), max_size=3), st.binary(max_size=100))
def test_no_bytes_make_a_file_that_was_not_sealed(attachment, pieces, noise):
    encryption = Encryption(attachment.attachment_id, attachment.key)
    ciphertext = b"".join([encryption.add(piece) for piece in pieces]) + encryption.end()
    decryption = Decryption(attachment)
    try:
        decryption.add(ciphertext + noise)
        decryption.end()
    except Unauthentic:
        return
    raise AssertionError("the hash of the plaintext is another one")
