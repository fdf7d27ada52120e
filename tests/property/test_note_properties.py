"""Notes and checkpoints: only our own errors come out, and whatever is read has one spelling."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from federation.errors import Malformed, Unauthentic
from federation.trust.keys import SoftwareSigner
from federation.trust.note import (
    Checkpoint,
    KeyKind,
    Note,
    NoteKey,
    NoteSignature,
    cosign,
    format_note,
    parse_checkpoint,
    parse_note,
    parse_verifier_key,
    sign_note,
    verify_note,
)

SIGNER = SoftwareSigner(bytes(range(32)))
PRINTABLE = st.characters(exclude_categories=("Cc", "Cs"))
NAMES = st.text(st.characters(exclude_categories=("Cc", "Cs", "Zs", "Zl", "Zp"), exclude_characters="+"), min_size=1, max_size=20)
LINES = st.text(PRINTABLE, min_size=1, max_size=20)
CHECKPOINTS = st.builds(
    Checkpoint,
    origin=NAMES,
    size=st.integers(0, 2**63 - 1),
    root=st.binary(min_size=32, max_size=32),
    extensions=st.lists(LINES, max_size=3).map(tuple),
)
SIGNATURES = st.builds(
    NoteSignature, name=NAMES, key_id=st.binary(min_size=4, max_size=4), blob=st.binary(min_size=1, max_size=80)
)
TEXTS = st.lists(st.text(PRINTABLE, max_size=20), min_size=1, max_size=4).map(
    lambda lines: "".join(f"{line}\n" for line in lines).encode()
)
NOTES = st.builds(Note, text=TEXTS, signatures=st.lists(SIGNATURES, min_size=1, max_size=4).map(tuple))


@given(CHECKPOINTS)
def test_a_checkpoint_comes_back_as_it_was(checkpoint):
    assert parse_checkpoint(checkpoint.text()) == checkpoint


@given(NOTES)
def test_a_note_comes_back_as_it_was(note):
    assert parse_note(format_note(note)) == note


@given(CHECKPOINTS, NAMES, st.integers(0, 2**63 - 1))
def test_what_is_signed_verifies(checkpoint, name, time):
    text = checkpoint.text()
    keys = [NoteKey(name=name, public_key=SIGNER.public_key, kind=kind) for kind in KeyKind]
    note = Note(text=text, signatures=(sign_note(text, name, SIGNER), cosign(text, name, SIGNER, time)))

    assert [verified.time for verified in verify_note(note, keys)] == [None, time]
    assert [parse_verifier_key(key.verifier_key) for key in keys] == keys


@given(st.one_of(st.binary(max_size=200), TEXTS))
def test_made_up_text_is_malformed_or_has_one_spelling(raw):
    try:
        checkpoint = parse_checkpoint(raw)
    except Malformed:
        return
    assert checkpoint.text() == raw


@given(NOTES, st.data())
def test_a_changed_note_is_malformed_or_has_one_spelling(note, data):
    raw = format_note(note)
    start = data.draw(st.integers(0, len(raw)))
    changed = raw[:start] + data.draw(st.binary(max_size=4)) + raw[data.draw(st.integers(start, len(raw))) :]
    try:
        parsed = parse_note(changed)
    except Malformed:
        return
    assert format_note(parsed) == changed


@given(st.text(max_size=80))
def test_a_made_up_verifier_key_is_refused(text):
    try:
        key = parse_verifier_key(text)
    except (Malformed, Unauthentic):
        return
    assert key.verifier_key == text
