"""Files that are carried, between an officer's program and the node: what goes in comes out, and no bytes raise but our errors."""

from __future__ import annotations

from contextlib import suppress

from hypothesis import given, settings
from hypothesis import strategies as st

from federation.errors import FederationError
from federation.wire import strict
from node.rpc.parcels import decode_exported, decode_step, encode_exported, encode_step
from node.use_cases.carrying_values import Content, Exported, Fate, Outcome, Step
from node.v1 import parcels_pb2
from tests.support import values

few = settings(max_examples=40, deadline=None)
counts = st.integers(0, 2**20)
words = st.text("abc äЖ世", max_size=30).map(lambda text: " ".join(text.split()))
parties = st.sampled_from(["qm", "qn"])
EXPORTED = st.builds(
    Exported,
    file=st.binary(max_size=60),
    parcel_id=values.exact(16),
    party=parties,
    created=values.TIMES,
    messages=counts,
    sealed_anew=counts,
    left=counts,
    without_key=counts,
    receipts=counts,
)
OUTCOMES = st.builds(
    Outcome,
    content=st.sampled_from(Content),
    message_id=st.none() | values.MESSAGE_IDS,
    fate=st.sampled_from(Fate),
    problem=words,
    words=words,
    hint=words,
)
STEPS = st.builds(
    Step,
    party=parties,
    parcel_id=values.exact(16),
    created=values.TIMES,
    outcomes=st.lists(OUTCOMES, max_size=4).map(tuple),
    done=counts,
    total=counts,
    entries=counts,
    entries_problem=words,
)


@few
@given(EXPORTED, STEPS)
def test_a_file_and_a_step_come_back_as_they_were(exported, step):
    assert decode_exported(encode_exported(exported)) == exported
    assert decode_step(encode_step(step)) == step


@few
@given(st.binary(max_size=200))
def test_any_bytes_from_the_desk_give_a_value_or_one_of_our_errors(raw):
    for message, decode in ((parcels_pb2.ParcelFile, decode_exported), (parcels_pb2.ParcelStep, decode_step)):
        with suppress(FederationError):
            decode(strict.parse(message, raw, bytes_max=1_000))


def test_words_that_a_peer_could_have_put_into_an_error_are_cut_and_cleaned_before_they_are_shown():
    outcome = Outcome(
        content=Content.MESSAGE, message_id=None, fate=Fate.REFUSED, problem="malformed", words="a\x1b[2J\n" + 600 * "x", hint=""
    )
    step = Step(
        party="qm", parcel_id=bytes(16), created=0, outcomes=(outcome,), done=1, total=1, entries=0, entries_problem="b\x07"
    )

    shown = decode_step(encode_step(step))

    assert shown.outcomes[0].words.startswith("a [2J xxx")
    assert len(shown.outcomes[0].words) == 500
    assert shown.entries_problem == "b"
