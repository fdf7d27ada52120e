from __future__ import annotations

import json

import pytest

from federation.envelope import suite
from federation.envelope.seal import Envelope, open_envelope, verify_outer
from federation.trust.keys import SoftwareSigner, officer_message, verify
from federation.trust.note import parse_note, parse_verifier_key, verify_note
from tests.vectors.primitives import FILES, FOLDER, render


def kept(name):
    return json.loads((FOLDER / name).read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", FILES)
def test_the_formats_have_not_changed(name):
    assert (FOLDER / name).read_text(encoding="utf-8") == render(name)


def test_the_kept_note_verifies():
    vector = kept("notes.json")
    known = [parse_verifier_key(vector["log key"]), parse_verifier_key(vector["witness key"])]

    assert [verified.time for verified in verify_note(parse_note(vector["note"].encode()), known)] == [None, 1_700_000_000]


def test_an_envelope_that_was_sealed_once_still_opens():
    vector = {name: bytes.fromhex(value) for name, value in kept("envelope.json").items()}
    envelope = Envelope(**{name: vector[name] for name in ("header", "wrap", "ciphertext", "signature")})

    verify_outer(envelope, SoftwareSigner(vector["node seed"]).public_key)
    inner = open_envelope(envelope, suite.PrivateKey(vector["recipient seed"]), commitment=vector["commitment"])

    assert inner.body == vector["body"]
    verify(
        public_key=SoftwareSigner(vector["officer seed"]).public_key,
        message=officer_message(inner.statement),
        signature=inner.statement_signature,
    )
