"""Desk codes, and the codec of the officers' administration: what goes in comes out, and nothing raises anything but our errors."""

from __future__ import annotations

import contextlib
import string

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from federation import limits
from federation.errors import FederationError, InvalidInput
from federation.identity import PartyId
from federation.query.codes import Purpose
from federation.trust.desk_code import DeskCode, decode_desk_code, encode_desk_code
from federation.trust.entries import Authority, AuthorityKind
from federation.trust.join_code import decode_join_code
from federation.wire import strict
from node import limits as node_limits
from node.rpc import administration_wire as wire
from node.rpc.officer_enrolment import decode_enrolled, encode_enrolled
from node.use_cases.administration import Outcome
from node.use_cases.administration_values import InvitationWanted
from node.use_cases.officer_enrolment import Enrolled
from node.use_cases.officers import Officer, OfficerCertificate, OfficerState, Proposal, Proposed, Use, granted
from node.use_cases.rights import NEEDS, PURPOSEFUL, Grant, Right
from node.v1 import administration_pb2 as pb

few = settings(max_examples=40, deadline=None)

CODES = st.builds(
    DeskCode,
    address=st.from_regex(r"[a-z0-9][a-z0-9.-]{0,40}:[1-9][0-9]{0,3}", fullmatch=True),
    party=st.text(string.ascii_lowercase, min_size=2, max_size=2).map(PartyId),
    token=st.binary(min_size=16, max_size=16),
    ca_key_sha256=st.binary(min_size=32, max_size=32),
)

identifier = st.text(string.ascii_lowercase + string.digits, min_size=8, max_size=32)
moment = st.integers(0, limits.TIME_S_MAX)
name = st.text(string.ascii_letters + "äЖ世", min_size=1, max_size=40)
words = st.text(string.ascii_letters + " äЖ世", max_size=40)
authority = st.builds(Authority, kind=st.sampled_from(AuthorityKind), name=name)
life_s = st.integers(limits.OFFICER_CERTIFICATE_LIFE_S_MIN, limits.OFFICER_CERTIFICATE_LIFE_S)


@st.composite
def a_grant(draw) -> Grant:
    right = draw(st.sampled_from(Right))
    purposes = draw(st.frozensets(st.sampled_from(Purpose), min_size=1)) if right in PURPOSEFUL else frozenset()
    return Grant(right=right, authority=draw(authority), purposes=purposes)


grants = st.lists(a_grant(), max_size=3).map(tuple)
certificate = st.builds(
    OfficerCertificate, der=st.binary(max_size=40), not_after=moment, withdrawn=st.none() | st.integers(1, limits.TIME_S_MAX)
)
officer = st.builds(
    Officer,
    officer_id=identifier,
    name=name,
    authority=authority,
    state=st.sampled_from([OfficerState.INVITED, OfficerState.ACTIVE]),
    created=moment,
    life_s=life_s,
    certificates=st.lists(certificate, max_size=3).map(tuple),
)
proposal = st.builds(
    Proposal,
    proposal_id=identifier,
    kind=st.sampled_from(Proposed),
    proposer=identifier,
    created=moment,
    officer=officer,
    grants=grants,
)
use = st.builds(
    Use,
    at=moment,
    officer_id=st.just("") | identifier,
    act=st.sampled_from([*NEEDS, "enrol"]),
    right=st.just("") | st.sampled_from(Right),
    message_id=st.just(b"") | st.binary(min_size=16, max_size=16),
    subject=st.just("") | identifier,
    words=words,
)
invitation = st.builds(InvitationWanted, name=name, authority=authority, life_s=life_s, grants=grants)
enrolled = st.builds(Enrolled, officer_id=identifier, certificate=st.binary(max_size=100))

CODECS = {
    "invitation": (invitation, wire.encode_invitation, wire.decode_invitation, pb.InviteRequest),
    "uses": (
        st.lists(use, max_size=3).map(tuple),
        wire.encode_uses,
        wire.decode_uses,
        pb.UsedReply,
    ),
    "enrolled": (enrolled, encode_enrolled, decode_enrolled, pb.EnrolOfficerReply),
}

DECODERS = {
    pb.InviteRequest: wire.decode_invitation,
    pb.Outcome: wire.decode_outcome,
    pb.OfficerView: wire.decode_officer,
    pb.OfficersReply: wire.decode_officers,
    pb.ProposalsReply: wire.decode_proposals,
    pb.WithdrawRightRequest: wire.decode_right,
    pb.UsedRequest: wire.decode_page,
    pb.UsedReply: wire.decode_uses,
    pb.EnrolOfficerReply: decode_enrolled,
    pb.GrantRequest: lambda message: (wire.identifier(message.officer_id), wire.decode_grants(message.grants)),
    pb.OfficerRequest: lambda message: wire.identifier(message.officer_id),
    pb.DecideRequest: lambda message: wire.identifier(message.proposal_id),
}


@settings(max_examples=100, deadline=None)
@given(CODES)
def test_a_code_is_read_back(code):
    assert decode_desk_code(encode_desk_code(code)) == code


@settings(max_examples=100, deadline=None)
@given(CODES)
def test_a_desk_code_is_no_join_code(code):
    with pytest.raises(InvalidInput, match="begins with GSP"):
        decode_join_code(encode_desk_code(code))


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=80).map(lambda text: "DESK" + text) | st.text())
def test_any_text_is_refused_in_words(text):
    with pytest.raises(InvalidInput):
        decode_desk_code(text)


@settings(max_examples=200, deadline=None)
@given(CODES, st.data())
def test_no_change_of_one_character_gives_another_code(code, data):
    text = encode_desk_code(code)
    position = data.draw(st.integers(0, len(text) - 1))
    character = data.draw(st.sampled_from("0123456789ABCDEFGHJKMNPQRSTVWXYZ -OILU") | st.characters(codec="utf-8"))

    with contextlib.suppress(InvalidInput):
        assert decode_desk_code(text[:position] + character + text[position + 1 :]) == code


@pytest.mark.parametrize("name", CODECS)
@few
@given(data=st.data())
def test_what_is_encoded_is_decoded_to_the_same_value(name, data):
    values, encode, decode, message_type = CODECS[name]
    value = data.draw(values)
    raw = strict.encode(encode(value))
    assert decode(strict.parse(message_type, raw, bytes_max=node_limits.GRPC_MESSAGE_BYTES_MAX)) == value


@few
@given(officer, grants)
def test_an_administrator_sees_everything_of_an_officer_but_bytes_and_codes(one, more):
    one = granted(one, more)
    seen = wire.decode_officer(wire.encode_officer(one))
    for field in ("officer_id", "name", "authority", "state", "created", "life_s", "grants"):
        assert getattr(seen, field) == getattr(one, field)
    assert [(line.hash, line.not_after, line.withdrawn) for line in seen.certificates] == [
        (known.hash, known.not_after, known.withdrawn) for known in one.certificates
    ]


@few
@given(st.lists(proposal, max_size=3))
def test_proposals_are_seen_as_they_are(proposals):
    seen = wire.decode_proposals(wire.encode_proposals(proposals))
    assert [(one.proposal_id, one.kind, one.proposer, one.created, one.grants) for one in seen] == [
        (one.proposal_id, one.kind, one.proposer, one.created, one.grants) for one in proposals
    ]


@few
@given(officer_id=identifier, proposal_id=st.just("") | identifier, expires=moment, token=st.just(b"") | st.just(b"t" * 16))
def test_an_outcome_has_a_hash_for_the_code_when_there_is_a_token(officer_id, proposal_id, expires, token):
    outcome = Outcome(officer_id=officer_id, proposal_id=proposal_id, token=token, expires=expires)
    reply = wire.decode_outcome(wire.encode_outcome(outcome, ca_key_sha256=b"h" * 32))
    assert (reply.outcome, reply.ca_key_sha256) == (outcome, b"h" * 32 if token else b"")


@pytest.mark.parametrize("message_type", DECODERS, ids=lambda message_type: message_type.DESCRIPTOR.name)
@few
@given(raw=st.binary(max_size=200))
def test_any_bytes_give_a_value_or_our_error(message_type, raw):
    with contextlib.suppress(FederationError):
        DECODERS[message_type](strict.parse(message_type, raw, bytes_max=node_limits.GRPC_MESSAGE_BYTES_MAX))


@pytest.mark.parametrize("name", ["invitation", "uses", "enrolled", "officer", "proposals"])
@few
@given(data=st.data())
def test_a_damaged_message_gives_a_value_or_our_error(name, data):
    codecs = {
        **CODECS,
        "officer": (officer, wire.encode_officer, wire.decode_officer, pb.OfficerView),
        "proposals": (st.lists(proposal, max_size=2), wire.encode_proposals, wire.decode_proposals, pb.ProposalsReply),
    }
    values, encode, decode, message_type = codecs[name]
    raw = bytearray(strict.encode(encode(data.draw(values))))
    if raw:
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    with contextlib.suppress(FederationError):
        decode(strict.parse(message_type, bytes(raw), bytes_max=node_limits.GRPC_MESSAGE_BYTES_MAX))
