from __future__ import annotations

import json

import pytest

from federation.trust import keys
from federation.trust.entries import EntryKind
from federation.wire.directory import decode_entry_body, decode_signed_entry
from federation.wire.envelope import decode_bundle, decode_header, decode_statement
from federation.wire.evidence import decode_record, decode_signed_receipt
from federation.wire.patterns import decode_pattern_set
from federation.wire.query import decode_body, decode_policy
from tests.vectors.log_entries import ENTRIES, LATER_FIELDS
from tests.vectors.messages import ANSWER, FILES, FOLDER, PATTERNS, POLICY, QUERY, render
from tests.vectors.primitives import NODE, OFFICER

LOGGED_BY_0_1_0 = {
    EntryKind.GENESIS: "76872385397976333a8dd9cbf90e095830d071ff2553afcc61c4ad529f9cd29e",
    EntryKind.ADMIT: "d91250b22fd37a75a13e846515ef89bc7b6a0e2a1c90131163fb1f764c96f331",
    EntryKind.UPDATE: "12af1eef1f090f36ecdd83968f0d837a602d914375e0a516d4d268d39ae17d44",
    EntryKind.NODE: "48fb560b64ee28e1652e8f2654df6bc82fa6526abdf0874050e922f233ac6002",
    EntryKind.MANDATE: "e6079366cddcd1fbd70c3366e9e17a8e791dd2b995d978012bfc0719ef3f8c76",
}
"""Leaf hashes of the entries that stood in this file when version 0.1.0 was published. Logs of that time hold such entries."""


def kept(name):
    return json.loads((FOLDER / name).read_text(encoding="utf-8"))


def encoded(vector, part="encoded"):
    return bytes.fromhex(vector[part])


@pytest.mark.parametrize("name", FILES)
def test_the_encodings_have_not_changed(name):
    assert (FOLDER / name).read_text(encoding="utf-8") == render(name)


def test_what_was_encoded_once_is_still_read():
    vectors = kept("messages.json")

    assert decode_body(encoded(vectors["query body"])) == (QUERY, encoded(vectors["query body"], "certificate"))
    assert decode_body(encoded(vectors["answer body"])) == (ANSWER, b"")
    assert decode_policy(encoded(vectors["policy"])) == POLICY
    assert decode_pattern_set(encoded(vectors["pattern set"])) == PATTERNS
    assert decode_header(encoded(vectors["header"])).created == vectors["header"]["value"]["created"]
    assert decode_bundle(encoded(vectors["prekey bundle"])).expires == vectors["prekey bundle"]["value"]["expires"]
    assert decode_record(encoded(vectors["receipt"])).at == vectors["receipt"]["value"]["at"]


def test_what_was_signed_once_still_verifies():
    vectors = kept("messages.json")
    statement, bundle, receipt = (vectors[name] for name in ("statement of a query", "prekey bundle", "receipt"))
    signed = decode_signed_receipt(encoded(receipt, "signed receipt"))

    for signer, message, signature in (
        (OFFICER, keys.officer_message(encoded(statement)), encoded(statement, "signature")),
        (NODE, keys.pae("bundle", encoded(bundle)), encoded(bundle, "signature")),
        (NODE, keys.pae("receipt", signed.statement), signed.signature),
    ):
        keys.verify(public_key=signer.public_key, message=message, signature=signature)
    assert decode_statement(encoded(statement)).officer_id == statement["value"]["officer_id"]


@pytest.mark.parametrize("kind", EntryKind)
def test_entries_that_were_logged_once_are_still_read(kind):
    vector = kept("entries.json")[kind]
    entry = decode_signed_entry(encoded(vector, "leaf"))

    assert decode_entry_body(entry.kind, entry.body) == ENTRIES[kind][0]
    assert sorted(vector["signers"]) == [one.public_key.hex() for one in entry.signatures]
    for one in entry.signatures:
        keys.verify(public_key=one.public_key, message=encoded(vector, "signed message"), signature=one.signature)


@pytest.mark.parametrize("kind", LOGGED_BY_0_1_0)
def test_what_the_first_version_logged_has_the_same_bytes_for_ever(kind):
    assert kept("entries.json")[kind]["leaf hash"] == LOGGED_BY_0_1_0[kind]


@pytest.mark.parametrize("kind", LATER_FIELDS)
def test_fields_that_came_later_cross_too(kind):
    entry = decode_signed_entry(encoded(kept("entries.json")[f"{kind} with later fields"], "leaf"))

    assert decode_entry_body(entry.kind, entry.body) == LATER_FIELDS[kind]
