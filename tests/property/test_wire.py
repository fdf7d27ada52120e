"""Every decoder of `federation.wire`: total over any bytes, and with one spelling for each value.

`CASES` is the table of decoders; a decoder that is not in it fails a test here.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import federation.wire
from federation.delivery.parcel import REFUSALS, LogTail, Parcel, RefusedEnvelope
from federation.envelope.header import Header
from federation.errors import Incompatible, Malformed, PeerMisbehaviour
from federation.query.query import Query
from federation.trust.entries import EntryKind
from federation.trust.log_copy import LogCopy
from federation.wire import account, directory, envelope, evidence, library, log_copy, parcel, patterns, query
from federation.wire.library import LibraryFile
from node.formats.patterns import read_pattern_folder
from tests.support import account_values, entry_values, values
from tests.support.mutation import UNKNOWN_FIELD, join, mutated, overlong, split, varint, wrapped

CONFIG = Path(__file__).resolve().parents[2] / "config" / "patterns"

wire_settings = partial(
    settings, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much]
)


@dataclass(frozen=True)
class Case:
    """One decoder with the values that it reads."""

    decode: Callable[[bytes], Any]
    encode: Callable[[Any], bytes]
    given: st.SearchStrategy[Any]


def _entry(kind: EntryKind, strategy: st.SearchStrategy[Any]) -> Case:
    return Case(partial(directory.decode_entry_body, kind), directory.encode_entry_body, strategy)


def _encode_body(body: tuple[Any, bytes]) -> bytes:
    content, certificate = body
    encode = query.encode_query_body if isinstance(content, Query) else query.encode_answer_body
    return encode(content, certificate=certificate)


LIBRARY_FILES = st.builds(
    LibraryFile,
    leaves=st.lists(st.binary(min_size=1, max_size=40), min_size=1, max_size=4).map(tuple),
    checkpoint=st.binary(min_size=1, max_size=60),
    sets=st.lists(st.binary(min_size=1, max_size=40), max_size=3).map(tuple),
)
LOG_COPIES = st.builds(
    LogCopy,
    checkpoint=st.binary(min_size=1, max_size=60),
    leaves=st.lists(st.binary(min_size=1, max_size=40), min_size=1, max_size=4).map(tuple),
)
_SOME = st.lists(st.binary(min_size=1, max_size=40), max_size=3).map(tuple)
LOG_TAILS = st.builds(
    LogTail,
    first=st.integers(0, 2**40),
    checkpoint=st.binary(min_size=1, max_size=60),
    leaves=st.lists(st.binary(min_size=1, max_size=40), min_size=1, max_size=4).map(tuple),
)
PARCELS = st.builds(
    Parcel,
    parcel_id=values.exact(16),
    sender=values.NODES,
    recipient=values.NODES,
    created=values.TIMES,
    receipts=_SOME,
    envelopes=_SOME,
    bundles=_SOME,
    log=st.none() | LOG_TAILS,
    refusals=st.lists(
        st.builds(
            RefusedEnvelope, message_id=values.MESSAGE_IDS, digest=values.exact(32), code=st.sampled_from(sorted(REFUSALS))
        ),
        max_size=3,
    ).map(tuple),
)
CASES = {
    "decode_signed_entry": Case(directory.decode_signed_entry, directory.encode_signed_entry, entry_values.SIGNED_ENTRIES),
    **{f"decode_entry_body {kind}": _entry(kind, strategy) for kind, strategy in entry_values.BODIES.items()},
    "decode_split_view": Case(directory.decode_split_view, directory.encode_split_view, entry_values.SPLIT_VIEWS),
    "decode_envelope": Case(envelope.decode_envelope, envelope.encode_envelope, values.ENVELOPES),
    "decode_header": Case(envelope.decode_header, envelope.encode_header, values.HEADERS),
    "decode_statement": Case(envelope.decode_statement, envelope.encode_statement, values.STATEMENTS),
    "decode_bundle": Case(envelope.decode_bundle, envelope.encode_bundle, values.BUNDLES),
    "decode_signed_bundle": Case(
        envelope.decode_signed_bundle,
        lambda pair: envelope.encode_signed_bundle(*pair),
        st.tuples(st.binary(max_size=60), values.SIGNATURES),
    ),
    "decode_body": Case(query.decode_body, _encode_body, values.BODIES),
    "decode_policy": Case(query.decode_policy, query.encode_policy, values.POLICIES),
    "decode_receipt": Case(evidence.decode_receipt, evidence.encode_receipt, values.RECEIPTS),
    "decode_signed_receipt": Case(evidence.decode_signed_receipt, evidence.encode_signed_receipt, values.SIGNED_RECEIPTS),
    "decode_record": Case(evidence.decode_record, evidence.encode_record, values.JOURNAL_RECORDS),
    "decode_silence": Case(evidence.decode_silence, evidence.encode_silence, values.SILENCES),
    "decode_account": Case(account.decode_account, account.encode_account, account_values.ACCOUNTS),
    "decode_listing": Case(account.decode_listing, account.encode_listing, account_values.LISTINGS),
    "decode_telling": Case(account.decode_telling, account.encode_telling, account_values.TELLINGS),
    "decode_contradiction": Case(account.decode_contradiction, account.encode_contradiction, account_values.CONTRADICTIONS),
    "decode_proof": Case(evidence.decode_proof, evidence.encode_proof, values.PROOFS),
    "decode_parcel": Case(parcel.decode_parcel, parcel.encode_parcel, PARCELS),
    "decode_signed_parcel": Case(
        parcel.decode_signed_parcel,
        lambda pair: parcel.encode_signed_parcel(*pair),
        st.tuples(st.binary(max_size=60), values.SIGNATURES),
    ),
    "decode_log_copy": Case(log_copy.decode_log_copy, log_copy.encode_log_copy, LOG_COPIES),
    "decode_library_file": Case(library.decode_library_file, library.encode_library_file, LIBRARY_FILES),
    "decode_pattern_set": Case(patterns.decode_pattern_set, patterns.encode_pattern_set, values.PATTERN_SETS),
}
every_decoder = pytest.mark.parametrize("case", CASES.values(), ids=CASES)


def test_every_decoder_of_the_wire_is_tested_here():
    modules = [
        importlib.import_module(f"federation.wire.{module.name}")
        for module in pkgutil.iter_modules(federation.wire.__path__)
        if module.name != "strict"
    ]
    decoders = {name for module in modules for name in vars(module) if name.startswith("decode_") and name != "decode_node"}

    assert decoders == {name.split()[0] for name in CASES}
    assert {f"decode_entry_body {kind}" for kind in EntryKind} <= CASES.keys()


@every_decoder
def test_a_value_comes_back_as_it_was(case):
    @wire_settings(max_examples=30)
    @given(case.given)
    def check(value):
        assert case.decode(case.encode(value)) == value

    check()


@every_decoder
def test_any_bytes_give_a_value_or_the_senders_fault(case):
    @wire_settings(max_examples=60)
    @given(st.binary(max_size=200))
    def check(raw):
        assert_strict(case, raw)

    check()


@every_decoder
def test_changed_bytes_give_another_value_or_the_senders_fault(case):
    @wire_settings(max_examples=60)
    @given(case.given.map(case.encode).flatmap(mutated))
    def check(raw):
        assert_strict(case, raw)

    check()


@every_decoder
def test_another_spelling_of_the_same_value_is_refused(case):
    """What a lenient parser takes for the same message, each time: unknown, moved and badly spelled fields."""

    @wire_settings(max_examples=8)
    @given(case.given.map(case.encode).filter(split))
    def check(raw):
        fields = split(raw)
        first, last = fields[0], fields[-1]
        spellings = [
            raw + varint(UNKNOWN_FIELD << 3) + varint(1),
            raw + wrapped(UNKNOWN_FIELD << 3 | 2, b"rides along").raw,
            overlong(first.tag) + first.rest + join(fields[1:]),
        ]
        if first.tag != last.tag:
            spellings.append(join([last, *fields[:-1]]))
        for spelling in spellings:
            with pytest.raises(Malformed):
                case.decode(spelling)

    check()


@pytest.mark.parametrize("pattern_set", read_pattern_folder(CONFIG), ids=lambda one: one.party)
def test_every_shipped_pattern_set_crosses(pattern_set):
    assert patterns.decode_pattern_set(patterns.encode_pattern_set(pattern_set)) == pattern_set


@wire_settings(max_examples=5)
@given(values.HEADERS | values.PROOFS)
def test_another_version_is_told_from_a_malformed_message(value):
    is_header = isinstance(value, Header)
    encoded = envelope.encode_header(value) if is_header else evidence.encode_proof(value)
    other = b"\x08\x02" + join(split(encoded)[1:])

    with pytest.raises(Incompatible):
        (envelope.decode_header if is_header else evidence.decode_proof)(other)


def assert_strict(case: Case, raw: bytes) -> None:
    """Either refused as the sender's fault, or a value whose one encoding these bytes are."""
    try:
        value = case.decode(raw)
    except PeerMisbehaviour:
        return
    assert case.encode(value) == raw
