"""A query's life at both ends and its message in the outbox, under any order of events: a state machine against plain rules.

The rules that have to hold are written down here a second time, in other words than the tables: what has happened, as a set,
decides the state.
"""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from federation import limits
from federation.delivery.outbox import Outgoing, after_failure, is_over
from federation.delivery.replay import ReplayMark, check_repetition
from federation.envelope.header import Lane, MessageKind
from federation.errors import Conflict, Replayed
from federation.identity import MessageId, PartyId
from federation.query.lifecycle import (
    ASKED,
    OPEN_STATES,
    RECEIVED,
    AskedEvent,
    AskedState,
    ReceivedEvent,
    ReceivedState,
    next_asked,
    next_received,
)

MACHINE = settings(max_examples=40, stateful_step_count=25, deadline=None)
START = 1_800_000_000
DEADLINE = START + limits.QUERY_DEADLINE_S_DEFAULT


class AskedQueryMachine(RuleBasedStateMachine):
    """The asking node: the query waits in the outbox, fails, is delivered, answered in parts, late or never."""

    def __init__(self) -> None:
        super().__init__()
        self.now = float(START)
        self.state = AskedState.QUEUED
        self.happened: set[AskedEvent] = set()
        self.outgoing: Outgoing | None = None

    @initialize(kind=st.sampled_from(MessageKind))
    def put(self, kind):
        self.outgoing = Outgoing(
            message_id=MessageId(bytes(16)),
            peer=PartyId("qn"),
            kind=kind,
            lane=Lane.NORMAL,
            created=START,
            deadline=DEADLINE,
            sealed_until=START + limits.PREKEY_OFFER_S,
            attempts=0,
            next_attempt=self.now,
            problem="",
        )

    @rule(seconds=st.floats(0, 40 * 86_400))
    def time_passes(self, seconds):
        self.now += seconds

    @rule(event=st.sampled_from(AskedEvent))
    def something_happens(self, event):
        if (self.state, event) not in ASKED:
            with pytest.raises(Conflict):
                next_asked(self.state, event)
            return
        self.state = next_asked(self.state, event)
        self.happened.add(event)

    @rule(jitter=st.floats(0, 1, exclude_max=True))
    @precondition(lambda self: self.outgoing is not None)
    def an_attempt_fails(self, jitter):
        before = self.outgoing
        self.outgoing = after_failure(before, now=self.now, problem="unreachable", jitter=jitter)
        wait = self.outgoing.next_attempt - self.now

        assert self.outgoing.attempts == before.attempts + 1
        assert wait + 1e-3 >= limits.RETRY_S_MIN / 2
        assert wait <= min(limits.RETRY_S_MAX, limits.RETRY_S_MIN * 2 ** min(before.attempts, 20)) + 1e-3
        unchanged = {"attempts": 0, "next_attempt": 0.0, "problem": ""}
        assert replace(self.outgoing, **unchanged) == replace(before, **unchanged)

    @invariant()
    def the_state_is_what_the_events_add_up_to(self):
        delivered = self.happened & {AskedEvent.RECEIPT, AskedEvent.PARTIAL_ANSWER}
        if AskedEvent.FINAL_ANSWER in self.happened:
            expected = AskedState.ANSWERED
        elif AskedEvent.DEADLINE in self.happened:
            expected = AskedState.EXPIRED
        else:
            expected = AskedState.DELIVERED if delivered else AskedState.QUEUED

        assert self.state is expected

    @invariant()
    def a_final_answer_is_taken_unless_there_is_one(self):
        """Late or before its receipt: what the peer says is never thrown away."""
        assert ((self.state, AskedEvent.FINAL_ANSWER) in ASKED) == (self.state is not AskedState.ANSWERED)
        assert (self.state, AskedEvent.RECEIPT) in ASKED

    @invariant()
    def it_is_open_until_an_answer_or_the_deadline(self):
        assert (self.state in OPEN_STATES) == (not self.happened & {AskedEvent.FINAL_ANSWER, AskedEvent.DEADLINE})

    @invariant()
    def a_message_is_given_up_at_its_deadline_and_never_taken_up_again(self):
        if self.outgoing is None:
            return
        is_query = self.outgoing.kind is MessageKind.QUERY
        end = DEADLINE if is_query else START + limits.RETENTION_S

        assert is_over(self.outgoing, now=self.now) == (self.now > end)
        assert is_over(self.outgoing, now=end + 1)


class ReceivedQueryMachine(RuleBasedStateMachine):
    """The answering node: one word of an officer or of the policy, before or after the deadline."""

    def __init__(self) -> None:
        super().__init__()
        self.state = ReceivedState.WAITING
        self.happened: list[ReceivedEvent] = []

    @rule(event=st.sampled_from(ReceivedEvent))
    def something_happens(self, event):
        if (self.state, event) not in RECEIVED:
            with pytest.raises(Conflict):
                next_received(self.state, event)
            return
        self.state = next_received(self.state, event)
        self.happened.append(event)

    @invariant()
    def there_is_one_decision_and_it_stands(self):
        decisions = [event for event in self.happened if event is not ReceivedEvent.DEADLINE]

        assert len(decisions) <= 1
        assert len(self.happened) <= 2
        if decisions:
            decided = {ReceivedEvent.ANSWER: ReceivedState.ANSWERED, ReceivedEvent.REFUSE: ReceivedState.REFUSED}
            assert self.state is decided[decisions[0]]
        else:
            assert self.state is (ReceivedState.EXPIRED if self.happened else ReceivedState.WAITING)


TestAskedQuery = AskedQueryMachine.TestCase
TestAskedQuery.settings = MACHINE
TestReceivedQuery = ReceivedQueryMachine.TestCase
TestReceivedQuery.settings = MACHINE


def test_every_state_and_every_event_occurs_in_the_tables():
    assert {state for state, _ in ASKED} | set(ASKED.values()) == set(AskedState)
    assert {event for _, event in ASKED} == set(AskedEvent)
    assert {state for state, _ in RECEIVED} | set(RECEIVED.values()) == set(ReceivedState)
    assert {event for _, event in RECEIVED} == set(ReceivedEvent)


def test_the_wait_doubles_up_to_its_bound():
    outgoing = Outgoing(
        message_id=MessageId(bytes(16)),
        peer=PartyId("qn"),
        kind=MessageKind.QUERY,
        lane=Lane.URGENT,
        created=START,
        deadline=DEADLINE,
        sealed_until=0,
        attempts=0,
        next_attempt=0.0,
        problem="",
    )
    waits = []
    for _ in range(20):
        outgoing = after_failure(outgoing, now=0.0, problem="unreachable", jitter=0.0)
        waits.append(outgoing.next_attempt)

    assert waits[:8] == [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0]
    assert set(waits[8:]) == {limits.RETRY_S_MAX / 2}
    assert outgoing.problem == "unreachable"


@pytest.mark.parametrize("changed", ["sender", "message_id", "statement_hash"])
def test_the_same_id_for_something_else_is_a_replay_and_a_repetition_is_none(changed):
    known = ReplayMark(sender=PartyId("qm"), message_id=MessageId(bytes(16)), statement_hash=bytes(32))
    other = {"sender": PartyId("qn"), "message_id": MessageId(b"\x01" * 16), "statement_hash": b"\x01" * 32}[changed]

    check_repetition(known=known, incoming=known)
    with pytest.raises(Replayed):
        check_repetition(known=known, incoming=replace(known, **{changed: other}))
