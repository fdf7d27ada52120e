"""What a change tells of its messages, kind by kind; what happens at whole nodes is in the simulations."""

from __future__ import annotations

from dataclasses import replace

import pytest

from federation.delivery.outbox import released
from federation.delivery.timeline import Step, TimelineEvent, folded
from federation.envelope.header import MessageKind
from federation.errors import StoreUnavailable
from federation.ports import Change, Direction
from federation.query.lifecycle import AskedState, ReceivedState
from node.use_cases.chronicle import Chronicle, lines_of
from tests.support import samples
from tests.support.faults import Faults, When
from tests.support.memory_stores import MemoryExchange
from tests.support.samples import QM, message_id

SENT, RECEIVED = Direction.SENT, Direction.RECEIVED
AT = 1_000


def told(change: Change) -> list[tuple[Direction, int, Step, str, int | None]]:
    lines = lines_of(change, at=AT, offset=lambda party: -42_000 if party == QM else None)
    return [(one.direction, int.from_bytes(one.message_id), one.step, one.reason, one.offset_ms) for one in lines]


def crossing(number: int, direction: Direction, **more):
    return replace(samples.crossing(0), message_id=message_id(number), direction=direction, peer=QM, leaf=-1, **more)


def test_a_message_is_sealed_and_one_whose_peer_has_no_key_yet_is_queued():
    assert told(Change(crossings=(crossing(1, SENT),))) == [(SENT, 1, Step.SEALED, "", -42_000)]
    assert told(Change(crossings=(crossing(1, SENT, digest=b""),))) == [(SENT, 1, Step.QUEUED, "", -42_000)]


def test_a_try_that_failed_tells_its_code_and_one_that_is_to_come_tells_nothing():
    failed = replace(samples.outgoing(1), peer=QM, attempts=3, problem="forbidden", held_since=0)

    assert told(Change(outgoing=(failed,))) == [(SENT, 1, Step.TRIED, "forbidden", -42_000)]
    assert told(Change(outgoing=(replace(failed, attempts=0),))) == []  # not tried: that the peer is away is known
    assert told(Change(outgoing=(replace(failed, attempts=0, problem=""),))) == []


def test_a_try_that_failed_for_good_holds_the_message_and_a_person_sends_it_once_more():
    refused = replace(samples.outgoing(1), peer=QM, attempts=1, problem="forbidden", held_since=AT)

    assert [step for _, _, step, _, _ in told(Change(outgoing=(refused,)))] == [Step.TRIED, Step.HELD]
    assert told(Change(outgoing=(released(refused, now=AT),))) == [(SENT, 1, Step.RELEASED, "", -42_000)]


def test_a_sealing_after_tries_that_failed_is_no_try():
    failed = replace(samples.outgoing(1), peer=QM, attempts=3, problem="unauthentic")

    assert told(Change(crossings=(crossing(1, SENT),), outgoing=(failed,))) == [(SENT, 1, Step.SEALED, "", -42_000)]


def test_a_receipt_is_a_delivery():
    asked = replace(samples.asked(1), peer=QM, state=AskedState.DELIVERED)
    change = Change(receipts=((message_id(1), samples.receipt("r")),), asked=(asked,), outgoing_done=(message_id(1),))

    assert told(change) == [(SENT, 1, Step.DELIVERED, "", -42_000)]


def test_what_comes_for_the_first_time_and_what_comes_again_are_two_things():
    came = crossing(1, RECEIVED)

    assert told(Change(crossings=(came,), marks=(samples.mark(1),))) == [(RECEIVED, 1, Step.RECEIVED, "", -42_000)]
    assert told(Change(crossings=(came,))) == [(RECEIVED, 1, Step.REPEATED, "", -42_000)]


def test_a_deadline_that_passes_is_told_at_both_ends():
    asked = replace(samples.asked(1), state=AskedState.EXPIRED)
    received = replace(samples.received(2), state=ReceivedState.EXPIRED, answer_id=None)

    assert told(Change(asked=(asked,), outgoing_done=(message_id(1),))) == [(SENT, 1, Step.EXPIRED, "", None)]
    assert told(Change(received=(received,))) == [(RECEIVED, 2, Step.EXPIRED, "", None)]


def test_what_comes_after_the_deadline_ends_nothing_a_second_time():
    asked = replace(samples.asked(1), state=AskedState.EXPIRED)
    answer = crossing(3, RECEIVED, conversation=message_id(1), kind=MessageKind.ANSWER)
    done = (message_id(1),)

    late_answer = Change(crossings=(answer,), marks=(samples.mark(3),), asked=(asked,), outgoing_done=done)
    late_receipt = Change(receipts=((message_id(1), samples.receipt("r")),), asked=(asked,), outgoing_done=done)
    assert [step for _, _, step, _, _ in told(late_answer)] == [Step.RECEIVED]
    assert [step for _, _, step, _, _ in told(late_receipt)] == [Step.DELIVERED]


def test_lines_that_say_the_same_fold_and_keep_what_was_known_of_the_clock():
    first = TimelineEvent(
        direction=SENT, message_id=message_id(1), step=Step.TRIED, reason="unreachable", first=1, last=1, offset_ms=5
    )

    assert folded(first, replace(first, first=9, last=9, offset_ms=None)) == replace(first, last=9, count=2)


@pytest.mark.parametrize("when", When)
async def test_a_line_is_there_exactly_when_what_it_tells_is(when):
    faults = Faults()
    store = MemoryExchange(faults)
    faults.fail("commit", when)
    chronicle = Chronicle(store, now=lambda: AT, offset=lambda _party: None)

    with pytest.raises(StoreUnavailable):
        await chronicle.commit(Change(crossings=(crossing(1, SENT),), leaves=(samples.leaf("l"),)))

    is_there = await chronicle.crossing(SENT, message_id(1)) is not None
    assert is_there is (when is When.AFTER)
    assert bool(await store.timeline.events(SENT, message_id(1))) is is_there


async def test_what_a_maker_tells_by_itself_is_kept_beside_it():
    store = MemoryExchange()
    chronicle = Chronicle(store, now=lambda: AT, offset=lambda _party: None)
    own = TimelineEvent(direction=SENT, message_id=message_id(9), step=Step.EXPIRED, first=7, last=7)
    await chronicle.commit(Change(crossings=(crossing(1, SENT),), leaves=(samples.leaf("m"),), events=(own,)))

    assert await store.timeline.events(SENT, message_id(9)) == (own,)
    assert len(await store.timeline.events(SENT, message_id(1))) == 1
