"""The desk's codec: what goes in comes out, and no bytes make it raise anything but our errors."""

from __future__ import annotations

import string
from contextlib import suppress
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from federation import limits
from federation.delivery.outbox import Outgoing
from federation.delivery.timeline import Step
from federation.envelope.header import Lane, MessageKind
from federation.errors import FederationError
from federation.ports import AskedQuery, Direction, PeerSeen, ReceivedQuery, TimelineEvent
from federation.query.codes import Automation, HandlingCode, Purpose, Urgency
from federation.query.items import Item
from federation.query.lifecycle import AskedState, ReceivedState
from federation.query.query import CodeAsked
from federation.trust.roster import Status
from federation.uim.candidate import Fact, Reason, ReasonCode
from federation.uim.codes import KeyForm, Label, Level
from federation.uim.library import Candidate
from federation.uim.pattern import PrintedItem
from federation.uim.scan import Key, Scan
from federation.wire import strict
from node import limits as node_limits
from node.limits import PEER_ROUND_TRIPS_KEPT
from node.rpc import desk_wire, peers_wire, resolution_wire, why_wire
from node.use_cases.desk_values import (
    Check,
    Health,
    KeyLine,
    KeyPlace,
    Membership,
    NodeStatus,
    Prepared,
    Question,
    RankedParty,
    Resolution,
    Standing,
)
from node.use_cases.why_values import Explanation, PeerView, Situation, Weather, WhyLine
from node.v1 import desk_pb2

few = settings(max_examples=40, deadline=None)

party = st.text(string.ascii_lowercase, min_size=2, max_size=2)
identifier = st.binary(min_size=16, max_size=16)
moment = st.integers(0, limits.TIME_S_MAX)
words = st.text(string.ascii_letters + " äЖ世", max_size=40)
code_text = st.text(string.ascii_letters + string.digits + "!-~", min_size=1, max_size=40)
number = st.integers(0, 2**31)

key = st.builds(Key, code_text, st.sampled_from(KeyForm))
candidate = st.builds(
    Candidate,
    party=party,
    answered_by=party,
    published_by=party,
    pattern_id=words,
    label=st.sampled_from(Label),
    key=key,
    level=st.none() | st.sampled_from(Level),
    names_issuer=st.booleans(),
    score=st.integers(-1_000, 1_000),
    reasons=st.lists(
        st.builds(Reason, code=st.sampled_from(ReasonCode), points=st.integers(-99, 99), words=words), max_size=3
    ).map(tuple),
    facts=st.lists(st.builds(Fact, item=st.sampled_from(PrintedItem), name=words, value=words), max_size=3).map(tuple),
)
resolution = st.builds(
    Resolution,
    scan=st.builds(Scan, raw=words, keys=st.lists(key, min_size=1, max_size=3).map(tuple), qualifiers=st.just(("01", "235"))),
    parties=st.lists(
        st.builds(
            RankedParty,
            candidate=candidate,
            membership=st.sampled_from(Membership),
            party_name=words,
            responder=st.none() | party,
            responder_name=words,
            standing=st.frozensets(st.sampled_from(Standing)),
            responder_standing=st.frozensets(st.sampled_from(Standing)),
        ),
        max_size=3,
    ).map(tuple),
)
question = st.builds(
    Question,
    party=party,
    codes=st.lists(st.builds(CodeAsked, key=code_text, scan=words), max_size=3).map(tuple),
    items=st.frozensets(st.sampled_from(Item)),
    purpose=st.sampled_from(Purpose),
    necessity=words,
    handling=st.sampled_from(HandlingCode),
    urgency=st.sampled_from(Urgency),
    reference=words,
    deadline_s=number,
    unconfirmed_consent=st.booleans(),
)
prepared = st.builds(Prepared, message_id=identifier, statement=st.binary(max_size=40), body=st.binary(max_size=40))
asked = st.builds(
    AskedQuery,
    message_id=identifier,
    peer=party,
    state=st.sampled_from(AskedState),
    officer_id=words,
    created=moment,
    deadline=moment,
    changed=moment,
    codes=number,
    reference=words,
    key_id=st.just(b""),
    answer_ids=st.lists(identifier, max_size=3).map(tuple),
    problem=words,
)
received = st.builds(
    ReceivedQuery,
    message_id=identifier,
    peer=party,
    state=st.sampled_from(ReceivedState),
    officer_id=words,
    received=moment,
    deadline=moment,
    changed=moment,
    codes=number,
    reply_key=st.just(b""),
    answer_id=st.none() | identifier,
)
status = st.builds(
    NodeStatus,
    party=party,
    version=words,
    checks=st.lists(st.builds(Check, name=words, health=st.sampled_from(Health), words=words, hint=words), max_size=3).map(tuple),
    figures=st.dictionaries(words, st.integers(-(2**63), 2**63 - 1), max_size=3),
    keys=st.lists(
        st.builds(
            KeyLine,
            name=words,
            id=words,
            place=st.sampled_from(KeyPlace),
            since=moment,
            ends=moment,
            health=st.sampled_from(Health),
            words=words,
        ),
        max_size=3,
    ).map(tuple),
)

seen = st.builds(
    PeerSeen,
    party=party,
    reached=moment,
    heard=moment,
    failures=number,
    failing_since=moment,
    problem=words,
    round_trips_ms=st.lists(number, max_size=PEER_ROUND_TRIPS_KEPT).map(tuple),
    offset_ms=st.none() | st.integers(-(10**12), 10**12),
    offset_at=moment,
    certificate_ends=moment,
    certificate_seen=moment,
    version=words,
)
why_line = st.builds(
    WhyLine,
    kind=st.sampled_from(MessageKind),
    event=st.builds(
        TimelineEvent,
        direction=st.sampled_from(Direction),
        message_id=identifier,
        step=st.sampled_from(Step),
        reason=words,
        first=moment,
        last=moment,
        count=number,
        offset_ms=st.none() | st.integers(-(10**12), 10**12),
    ),
)
why = st.builds(
    Explanation,
    message_id=identifier,
    side=st.sampled_from(Direction),
    peer=party,
    peer_name=words,
    situation=st.sampled_from(Situation),
    deadline=moment,
    problem=words,
    attempts=number,
    next_attempt=st.floats(0, limits.TIME_S_MAX),
    ahead=number,
    said=words,
    automation=st.none() | st.sampled_from(Automation),
    seen=seen,
    lines=st.lists(why_line, max_size=3).map(tuple),
)
peer_views = st.lists(
    st.builds(
        PeerView,
        party=party,
        name=words,
        node=words,
        endpoint=words,
        status=st.sampled_from(Status),
        weather=st.sampled_from(Weather),
        seen=seen,
        waiting=number,
        waiting_since=moment,
        rows=st.just(()),
    ),
    max_size=3,
).map(tuple)

CODECS = {
    "why": (why, why_wire.encode_explanation, why_wire.decode_explanation, desk_pb2.Explanation),
    "peers": (peer_views, peers_wire.encode_peers, peers_wire.decode_peers, desk_pb2.PeersReply),
    "resolution": (resolution, resolution_wire.encode_resolution, resolution_wire.decode_resolution, desk_pb2.Resolution),
    "question": (question, desk_wire.encode_question, desk_wire.decode_question, desk_pb2.Question),
    "prepared": (prepared, desk_wire.encode_prepared, desk_wire.decode_prepared, desk_pb2.Prepared),
    "asked": (asked, desk_wire.encode_asked, desk_wire.decode_asked, desk_pb2.AskedQuery),
    "received": (received, desk_wire.encode_received, desk_wire.decode_received, desk_pb2.ReceivedQuery),
    "status": (status, desk_wire.encode_status, desk_wire.decode_status, desk_pb2.NodeStatus),
}

DECODERS = {
    desk_pb2.ResolveRequest: resolution_wire.decode_scans,
    desk_pb2.ResolveReply: resolution_wire.decode_resolutions,
    desk_pb2.Question: desk_wire.decode_question,
    desk_pb2.Prepared: desk_wire.decode_prepared,
    desk_pb2.PageRequest: desk_wire.decode_page,
    desk_pb2.QueryRequest: desk_wire.decode_query_request,
    desk_pb2.AskedPage: desk_wire.decode_asked_page,
    desk_pb2.QueryView: desk_wire.decode_query_view,
    desk_pb2.ReceivedPage: desk_wire.decode_received_page,
    desk_pb2.InboxView: desk_wire.decode_inbox_view,
    desk_pb2.NodeStatus: desk_wire.decode_status,
    desk_pb2.Explanation: why_wire.decode_explanation,
    desk_pb2.PeersRequest: peers_wire.decode_peers_request,
    desk_pb2.PeersReply: peers_wire.decode_peers,
}


@pytest.mark.parametrize("name", CODECS)
@few
@given(data=st.data())
def test_what_is_encoded_is_decoded_to_the_same_value(name, data):
    values, encode, decode, message_type = CODECS[name]
    value = data.draw(values)
    raw = strict.encode(encode(value))
    assert decode(strict.parse(message_type, raw, bytes_max=node_limits.GRPC_MESSAGE_BYTES_MAX)) == value


@pytest.mark.parametrize("message_type", DECODERS, ids=lambda message_type: message_type.DESCRIPTOR.name)
@few
@given(raw=st.binary(max_size=200))
def test_any_bytes_give_a_value_or_our_error(message_type, raw):
    with suppress(FederationError):
        DECODERS[message_type](strict.parse(message_type, raw, bytes_max=node_limits.GRPC_MESSAGE_BYTES_MAX))


@pytest.mark.parametrize("name", CODECS)
@few
@given(data=st.data())
def test_a_damaged_message_gives_a_value_or_our_error(name, data):
    values, encode, decode, message_type = CODECS[name]
    raw = bytearray(strict.encode(encode(data.draw(values))))
    if raw:
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    with suppress(FederationError):
        decode(strict.parse(message_type, bytes(raw), bytes_max=node_limits.GRPC_MESSAGE_BYTES_MAX))


@few
@given(value=asked)
def test_the_id_of_a_reply_key_stays_at_the_node(value):
    message = desk_wire.encode_asked(replace(value, key_id=b"k" * 16))
    assert message == desk_wire.encode_asked(value)


@few
@given(value=received)
def test_a_reply_key_stays_at_the_node(value):
    message = desk_wire.encode_received(replace(value, reply_key=b"k" * 1_216))
    assert message == desk_wire.encode_received(value)


@few
@given(
    outgoing=st.builds(
        Outgoing,
        message_id=identifier,
        peer=party,
        kind=st.sampled_from(MessageKind),
        lane=st.sampled_from(Lane),
        created=moment,
        deadline=moment,
        sealed_until=moment,
        attempts=number,
        next_attempt=st.floats(0, limits.TIME_S_MAX),
        problem=words,
        conversation=st.none() | identifier,
        held_since=moment,
        reason=words,
    )
)
def test_a_place_in_the_outbox_survives_exactly(outgoing):
    message = desk_wire.encode_outgoing(outgoing)
    assert desk_wire.decode_outgoing(message) == outgoing
