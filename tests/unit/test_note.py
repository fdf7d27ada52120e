from __future__ import annotations

from base64 import b64encode
from dataclasses import replace
from hashlib import sha256

import pytest

from federation import limits
from federation.errors import Malformed, Misuse, Oversized, Unauthentic
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

LOG = SoftwareSigner(b"l" * 32)
WITNESS = SoftwareSigner(b"w" * 32)
ORIGIN = "log.example"
LOG_KEY = NoteKey(name=ORIGIN, public_key=LOG.public_key)
WITNESS_KEY = NoteKey(name="qm.example/node", public_key=WITNESS.public_key, kind=KeyKind.COSIGNATURE)
CHECKPOINT = Checkpoint(origin=ORIGIN, size=12, root=bytes(range(32)))
TEXT = CHECKPOINT.text()
ROOT_LINE = b64encode(bytes(range(32)))
LOG_LINE = sign_note(TEXT, ORIGIN, LOG)
WITNESS_LINE = cosign(TEXT, WITNESS_KEY.name, WITNESS, 1_700_000_000)
NOTE = Note(text=TEXT, signatures=(LOG_LINE, WITNESS_LINE))


def test_a_checkpoint_is_three_lines():
    assert TEXT == b"log.example\n12\n" + ROOT_LINE + b"\n"
    assert parse_checkpoint(TEXT) == CHECKPOINT


def test_extensions_are_kept_and_mean_nothing():
    extended = replace(CHECKPOINT, extensions=("one", "two words"))

    assert parse_checkpoint(extended.text()) == extended


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"\n",
        b"log.example\n12\n",
        TEXT[:-1],
        b"\n" + TEXT,
        TEXT + b"\n",
        TEXT.replace(b"\n12\n", b"\n012\n"),
        TEXT.replace(b"\n12\n", b"\n+12\n"),
        TEXT.replace(b"\n12\n", b"\n-1\n"),
        TEXT.replace(b"\n12\n", b"\n1_2\n"),
        TEXT.replace(b"\n12\n", b"\n 12\n"),
        TEXT.replace(b"\n12\n", b"\n\n"),
        TEXT.replace(b"\n12\n", "\n\u0661\n".encode()),
        TEXT.replace(b"\n12\n", b"\n%d\n" % 2**63),
        TEXT.replace(b"\n12\n", b"\n" + b"9" * 5_000 + b"\n"),
        TEXT.replace(b"\n", b"\r\n"),
        TEXT.replace(ROOT_LINE, ROOT_LINE[:-4]),
        TEXT.replace(ROOT_LINE, ROOT_LINE[:-2] + b"9="),
        TEXT.replace(ROOT_LINE, ROOT_LINE.rstrip(b"=")),
        TEXT.replace(b"log.example", b"log example"),
        TEXT.replace(b"log.example", b"log+example"),
        TEXT.replace(b"log.example", b"log\0example"),
        TEXT.replace(b"log.example", b"log\xffexample"),
        TEXT.replace(b"log.example", "log\u2003example".encode()),
    ],
)
def test_a_checkpoint_has_one_spelling(text):
    with pytest.raises(Malformed):
        parse_checkpoint(text)


@pytest.mark.parametrize(
    "changes",
    [
        {"origin": ""},
        {"origin": "two\nlines"},
        {"size": -1},
        {"size": 2**63},
        {"root": bytes(31)},
        {"extensions": ("",)},
        {"extensions": ("two\nlines",)},
        {"extensions": ("tab\t",)},
    ],
)
def test_a_checkpoint_that_cannot_be_written_is_never_made(changes):
    with pytest.raises(Malformed):
        replace(CHECKPOINT, **changes)


def test_a_note_is_read_as_it_was_written():
    raw = format_note(NOTE)

    assert raw.startswith(TEXT + "\n\N{EM DASH} log.example ".encode())
    assert parse_note(raw) == NOTE


def test_a_text_may_have_empty_lines():
    text = b"first\n\nthird\n\n"
    note = Note(text=text, signatures=(sign_note(text, ORIGIN, LOG),))

    assert parse_note(format_note(note)) == note


def test_ids_of_keys_are_those_of_the_specification():
    assert LOG_KEY.key_id == sha256(b"log.example\n\x01" + LOG.public_key).digest()[:4]
    assert WITNESS_KEY.key_id == sha256(b"qm.example/node\n\x04" + WITNESS.public_key).digest()[:4]


def test_log_and_witness_verify():
    log, witness = verify_note(NOTE, [WITNESS_KEY, LOG_KEY])

    assert (log.name, log.public_key, log.time) == (ORIGIN, LOG.public_key, None)
    assert (witness.name, witness.public_key, witness.time) == (WITNESS_KEY.name, WITNESS.public_key, 1_700_000_000)


def test_a_cosignature_signs_header_time_and_text():
    blob = WITNESS_LINE.blob

    assert blob == (1_700_000_000).to_bytes(8, "big") + WITNESS.sign(b"cosignature/v1\ntime 1700000000\n" + TEXT)


def test_signatures_of_unknown_keys_are_ignored():
    (verified,) = verify_note(NOTE, [LOG_KEY])

    assert verified.name == ORIGIN


def test_a_note_that_no_known_key_signed_is_refused():
    with pytest.raises(Unauthentic):
        verify_note(NOTE, [NoteKey(name=ORIGIN, public_key=WITNESS.public_key)])
    with pytest.raises(Unauthentic):
        verify_note(NOTE, [])


def test_one_false_signature_of_a_known_key_refuses_the_whole_note():
    false = replace(WITNESS_LINE, blob=WITNESS_LINE.blob[:-1] + bytes([WITNESS_LINE.blob[-1] ^ 1]))

    with pytest.raises(Unauthentic):
        verify_note(replace(NOTE, signatures=(LOG_LINE, false)), [LOG_KEY, WITNESS_KEY])


@pytest.mark.parametrize("blob", [b"\0", bytes(8), WITNESS_LINE.blob[:-1], WITNESS_LINE.blob + b"\0", WITNESS_LINE.blob[8:]])
def test_a_signature_of_another_length_is_false(blob):
    with pytest.raises(Unauthentic):
        verify_note(replace(NOTE, signatures=(replace(WITNESS_LINE, blob=blob),)), [WITNESS_KEY])


def test_another_time_is_another_cosignature():
    later = (1_700_000_001).to_bytes(8, "big") + WITNESS_LINE.blob[8:]

    with pytest.raises(Unauthentic):
        verify_note(replace(NOTE, signatures=(replace(WITNESS_LINE, blob=later),)), [WITNESS_KEY])


def test_a_time_that_no_specification_allows_is_a_false_cosignature():
    message = b"cosignature/v1\ntime %d\n" % 2**63 + TEXT
    line = replace(WITNESS_LINE, blob=(2**63).to_bytes(8, "big") + WITNESS.sign(message))

    with pytest.raises(Unauthentic):
        verify_note(replace(NOTE, signatures=(line,)), [WITNESS_KEY])


def test_another_text_refuses_all_signatures():
    with pytest.raises(Unauthentic):
        verify_note(replace(NOTE, text=TEXT.replace(b"12", b"13")), [LOG_KEY, WITNESS_KEY])


def test_the_key_of_a_log_is_no_witness():
    as_witness = replace(LOG_KEY, kind=KeyKind.COSIGNATURE)

    with pytest.raises(Unauthentic):
        verify_note(replace(NOTE, signatures=(LOG_LINE,)), [as_witness])
    with pytest.raises(Unauthentic):
        verify_note(replace(NOTE, signatures=(replace(LOG_LINE, key_id=as_witness.key_id),)), [as_witness])


def test_a_key_that_signs_twice_counts_once():
    later = cosign(TEXT, WITNESS_KEY.name, WITNESS, 1_700_000_500)

    (verified,) = verify_note(replace(NOTE, signatures=(WITNESS_LINE, later)), [WITNESS_KEY])

    assert verified.time == 1_700_000_000


def test_a_made_collision_of_key_ids_neither_forges_nor_blocks(monkeypatch):
    """Thirty-two bits are found in seconds, so a Party could list a key with the id of another one of its name."""
    monkeypatch.setattr(NoteKey, "key_id", property(lambda _key: LOG_LINE.key_id))
    colliding = NoteKey(name=ORIGIN, public_key=WITNESS.public_key)

    (verified,) = verify_note(replace(NOTE, signatures=(LOG_LINE,)), [colliding, LOG_KEY])

    assert verified.public_key == LOG.public_key
    with pytest.raises(Unauthentic):
        verify_note(replace(NOTE, signatures=(LOG_LINE,)), [colliding])


def test_pitfall_9_a_note_that_reads_like_a_cosignature_is_not_signed():
    with pytest.raises(Misuse):
        sign_note(b"cosignature/v1\ntime 1700000000\n" + TEXT, ORIGIN, LOG)


def test_only_checkpoints_are_cosigned():
    with pytest.raises(Malformed):
        cosign(b"whatever somebody sent\n", WITNESS_KEY.name, WITNESS, 1_700_000_000)


@pytest.mark.parametrize("time", [-1, 2**63])
def test_a_time_that_cannot_be_written_is_our_own_mistake(time):
    with pytest.raises(Misuse):
        cosign(TEXT, WITNESS_KEY.name, WITNESS, time)


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\n\n",
        TEXT,
        TEXT + b"\n",
        format_note(NOTE)[:-1],
        format_note(NOTE) + b"\n",
        format_note(NOTE).replace("\N{EM DASH}".encode(), b"-"),
        format_note(NOTE).replace(b" log.example ", b"  "),
        format_note(NOTE).replace(b" log.example ", b" log example "),
        format_note(NOTE).replace(b" log.example ", b" log+example "),
        format_note(NOTE).replace(b"\n12\n", b"\n\t12\n"),
        format_note(NOTE).replace(b"\n12\n", b"\n\xc3\x28\n"),
        TEXT + "\n\N{EM DASH} log.example AAAA\n".encode(),
        TEXT + "\n\N{EM DASH} log.example AAAAAA==\n".encode(),
        TEXT + "\n\N{EM DASH} log.example AAAAAAB=\n".encode(),
        TEXT + "\n\N{EM DASH} log.example\n".encode(),
        TEXT + "\n\N{EM DASH} log.example !!!!\n".encode(),
    ],
)
def test_what_is_not_quite_a_note_is_malformed(raw):
    with pytest.raises(Malformed):
        parse_note(raw)


def test_a_note_is_bounded_in_bytes_and_in_signatures():
    line = "\N{EM DASH} x AAAAAAA=\n".encode()

    assert len(parse_note(TEXT + b"\n" + line * limits.CHECKPOINT_SIGNATURES_MAX).signatures) == 512
    with pytest.raises(Oversized):
        parse_note(TEXT + b"\n" + line * (limits.CHECKPOINT_SIGNATURES_MAX + 1))
    with pytest.raises(Oversized):
        parse_note(b"x" * limits.CHECKPOINT_BYTES_MAX + format_note(NOTE))
    with pytest.raises(Oversized):
        format_note(replace(NOTE, text=b"x" * limits.CHECKPOINT_BYTES_MAX + b"\n"))
    with pytest.raises(Malformed):
        Note(text=TEXT, signatures=())


def test_a_verifier_key_is_read_as_it_was_written():
    assert parse_verifier_key(WITNESS_KEY.verifier_key) == WITNESS_KEY
    assert WITNESS_KEY.verifier_key.startswith(f"qm.example/node+{WITNESS_KEY.key_id.hex()}+B")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "log.example",
        LOG_KEY.verifier_key.replace("+", "-"),
        LOG_KEY.verifier_key.replace("log", "LOG"),
        LOG_KEY.verifier_key[:-4],
        LOG_KEY.verifier_key.replace("log", "lag"),
        LOG_KEY.verifier_key.removeprefix(ORIGIN),
        LOG_KEY.verifier_key.replace("+A", "+B"),
        "\ud800" + LOG_KEY.verifier_key,
    ],
)
def test_another_verifier_key_is_malformed(text):
    with pytest.raises(Malformed):
        parse_verifier_key(text)


def test_a_key_that_no_honest_signer_has_is_never_known():
    with pytest.raises(Unauthentic):
        NoteKey(name=ORIGIN, public_key=bytes(32))


def test_a_signature_line_needs_an_id_of_four_bytes_and_a_signature():
    with pytest.raises(Malformed):
        NoteSignature(name=ORIGIN, key_id=bytes(3), blob=bytes(64))
    with pytest.raises(Malformed):
        NoteSignature(name=ORIGIN, key_id=bytes(4), blob=b"")
