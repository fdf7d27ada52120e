"""What the node says of its outbox, to the own officers: whole, and strictly read."""

from __future__ import annotations

import contextlib

from hypothesis import given, settings
from hypothesis import strategies as st

from federation import limits
from federation.envelope.header import Lane
from federation.errors import Malformed
from federation.wire import strict
from node.rpc.outbox import decode_view, encode_view
from node.use_cases.held import OutboxView, Queue
from node.v1 import outbox_pb2
from tests.support import samples
from tests.support.samples import QM, QN

words = st.text("abc ÄЖ", max_size=40)
peers = st.sampled_from([QM, QN])
moment = st.integers(0, limits.TIME_S_MAX)
views = st.builds(
    OutboxView,
    queues=st.lists(
        st.builds(
            Queue,
            peer=peers,
            lanes=st.lists(st.tuples(st.sampled_from(Lane), st.integers(1, 10_000)), max_size=3).map(tuple),
            since=moment,
            away=st.booleans(),
            next_try_s=st.integers(0, 300),
            problem=words,
        ),
        max_size=3,
    ).map(tuple),
    held=st.lists(st.builds(samples.outgoing, st.integers(0, 9), held_since=moment, reason=words), max_size=3).map(tuple),
    poisons=st.lists(st.builds(samples.poison, st.integers(0, 9), peer=peers, reason=words), max_size=3).map(tuple),
    numbers=st.lists(words, max_size=3).map(tuple),
)


@settings(max_examples=40, deadline=None)
@given(views)
def test_what_is_said_of_the_outbox_survives_exactly(view):
    assert decode_view(encode_view(view)) == view


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes_give_a_view_or_are_malformed(raw):
    with contextlib.suppress(Malformed):
        decode_view(strict.parse(outbox_pb2.OutboxViewReply, raw, bytes_max=1_000))
