"""What the auditor and whoever exports proofs send to the own node: what goes in comes out, and no bytes are anything but our errors."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import fields

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from federation import limits
from federation.errors import FederationError, Malformed
from federation.evidence.bundle import Disclosure
from federation.evidence.journal import JournalKind
from federation.identity import MessageId
from federation.wire import strict
from node.rpc import audit, proof_wire
from node.use_cases.audit_values import STATES, AuditRow, Found, Search
from node.v1 import audit_pb2, desk_pb2

WORDS = st.text("abc =+'\\\"é字", max_size=12)
SEARCHES = st.builds(
    Search,
    since=st.integers(0, 1_000),
    until=st.integers(1_000, limits.TIME_S_MAX),
    peer=st.sampled_from(["", "qm"]),
    officer_id=WORDS,
    state=st.sampled_from(["", *sorted(STATES)]),
    reference=WORDS,
    code=WORDS,
    kind=st.sampled_from(["", *JournalKind]).map(str),
)
ROWS = st.builds(
    AuditRow,
    **{field.name: st.integers(0, 2**31) if field.name in {"position", "at", "codes"} else WORDS for field in fields(AuditRow)},
)
few = settings(max_examples=60, deadline=None)


@few
@given(search=SEARCHES)
def test_a_search_comes_through(search):
    raw = strict.encode(audit.encode_search(search))

    assert audit.decode_search(strict.parse(audit_pb2.AuditSearch, raw, bytes_max=len(raw))) == search


@few
@given(found=st.builds(Found, rows=st.lists(ROWS, max_size=4).map(tuple), closing=st.binary(max_size=40)))
def test_a_page_comes_through(found):
    raw = strict.encode(audit.encode_page(found))

    assert audit.decode_page(strict.parse(audit_pb2.AuditPage, raw, bytes_max=len(raw))) == found


@pytest.mark.parametrize(
    ("message", "decode"),
    [
        (audit_pb2.AuditSearch, audit.decode_search),
        (audit_pb2.AuditPage, audit.decode_page),
        (desk_pb2.ProofRequest, proof_wire.decode_request),
    ],
)
@few
@given(data=st.data())
def test_any_bytes_are_a_value_or_our_error(message, decode, data):
    raw = data.draw(st.binary(max_size=80))
    with suppress(FederationError):
        decode(strict.parse(message, raw, bytes_max=1_000))


def test_more_rows_than_a_page_has_are_refused():
    rows = [audit_pb2.AuditRow()] * (limits.PAGE_ROWS_MAX + 1)

    with pytest.raises(FederationError):
        audit.decode_page(audit_pb2.AuditPage(rows=rows))


@pytest.mark.parametrize("disclose", Disclosure)
def test_what_is_to_be_disclosed_comes_through(disclose):
    query = MessageId(b"q" * 16)

    assert proof_wire.decode_request(proof_wire.encode_request(query, disclose)) == (query, disclose)


@pytest.mark.parametrize(
    "wrong", [{"disclosure": "all"}, {"disclosure": "none"}, {"disclosure": "some"}, {"disclose": True, "disclosure": "query"}]
)
def test_what_is_to_be_disclosed_has_one_spelling(wrong):
    with pytest.raises(Malformed):
        proof_wire.decode_request(desk_pb2.ProofRequest(message_id=b"q" * 16, **wrong))
