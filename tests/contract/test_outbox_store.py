from dataclasses import replace

from federation.envelope.header import Lane
from federation.ports import Change
from federation.query.lifecycle import AskedState, ReceivedState
from tests.support import samples
from tests.support.samples import QM, QN, message_id


async def put(store, *messages):
    """Each with the content that it has to have."""
    contents = tuple(
        replace(samples.crossing(0), message_id=outgoing.message_id, peer=outgoing.peer, leaf=-1) for outgoing in messages
    )
    await store.commit(Change(crossings=contents, outgoing=messages))


async def test_an_empty_outbox_has_nothing_due(exchange):
    async with exchange:
        assert await exchange.store.due(now=2.0**40, rows=10) == ()
        assert await exchange.store.next_due() is None
        assert await exchange.store.waiting(QM) == ()
        assert await exchange.store.heads() == ()
        assert await exchange.store.overdue(now=2.0**40, rows=10) == ()


async def test_what_is_longest_due_comes_first_and_what_is_not_due_does_not_come(exchange):
    async with exchange:
        times = [30.25, 10.5, 20.0, 10.5, 40.0]
        messages = [samples.outgoing(number, next_attempt=time) for number, time in enumerate(times)]
        await put(exchange.store, *messages)
        await exchange.again()

        due = await exchange.store.due(now=30.25, rows=10)
        assert [outgoing.message_id for outgoing in due] == [message_id(number) for number in (1, 3, 2, 0)]
        assert await exchange.store.next_due() == 10.5
        assert await exchange.store.due(now=10.0, rows=10) == ()


async def test_one_peer_with_much_to_get_does_not_starve_another(exchange):
    async with exchange:
        many = [samples.outgoing(number, next_attempt=float(number)) for number in range(20)]
        late = samples.outgoing(99, peer=QN, next_attempt=50.0)
        await put(exchange.store, *many, late)
        await exchange.again()

        assert await exchange.store.due(now=100.0, rows=3) == (*many[:3], late)


async def test_a_message_keeps_its_place_in_the_queue_when_it_is_put_again(exchange):
    async with exchange:
        messages = [samples.outgoing(number) for number in range(4)]
        await put(exchange.store, *messages, samples.outgoing(9, peer=QN))
        tried = replace(messages[1], attempts=1, next_attempt=99.0, problem="unreachable")
        await exchange.store.commit(Change(outgoing=(tried,)))
        await exchange.again()

        assert await exchange.store.waiting(QM) == (messages[0], tried, messages[2], messages[3])


async def test_a_queue_goes_on_behind_what_has_left_it(exchange):
    async with exchange:
        await put(exchange.store, *(samples.outgoing(number) for number in range(3)))
        await exchange.store.commit(Change(outgoing_done=(message_id(0), message_id(2))))
        await put(exchange.store, samples.outgoing(5))
        await exchange.again()

        assert [outgoing.message_id for outgoing in await exchange.store.waiting(QM)] == [message_id(1), message_id(5)]


async def test_what_is_put_and_done_in_one_change_is_done(exchange):
    async with exchange:
        crossing, outgoing = samples.crossing(1), samples.outgoing(1)
        await exchange.store.commit(Change(crossings=(crossing,), outgoing=(outgoing,), outgoing_done=(message_id(1),)))
        await exchange.again()

        assert await exchange.store.waiting(QM) == ()
        assert (await exchange.store.crossing(crossing.direction, crossing.message_id)).ciphertext == b""


async def test_there_is_one_head_for_each_lane_and_peer(exchange):
    heads = [samples.head(4, peer=peer, lane=lane) for peer in (QM, QN) for lane in (Lane.NORMAL, Lane.URGENT)]
    async with exchange:
        await exchange.store.commit(Change(heads=tuple(heads)))
        await exchange.store.commit(Change(heads=(samples.head(5),)))
        await exchange.again()

        assert set(await exchange.store.heads()) == {samples.head(5), *heads[1:]}


async def test_open_queries_beyond_their_deadline_are_overdue_at_both_ends(exchange):
    async with exchange:
        asked = [samples.asked(number, deadline=100 + number) for number in range(3)]
        asked[1] = replace(asked[1], state=AskedState.DELIVERED)
        closed = samples.asked(8, deadline=50, state=AskedState.ANSWERED)
        received = [samples.received(10, deadline=101), samples.received(11, deadline=50, state=ReceivedState.ANSWERED)]
        await exchange.store.commit(Change(asked=(*asked, closed), received=tuple(received)))
        await exchange.again()

        assert await exchange.store.overdue(now=102.0, rows=10) == (asked[0], asked[1], received[0])
        assert await exchange.store.overdue(now=102.5, rows=2) == (asked[0], asked[1])
        assert await exchange.store.overdue(now=100.0, rows=10) == ()


async def test_urgent_messages_are_due_before_normal_ones_and_bulk_comes_last(exchange):
    async with exchange:
        lanes = [Lane.BULK, Lane.NORMAL, Lane.URGENT, Lane.BULK, Lane.URGENT]
        messages = [samples.outgoing(number, lane=lane, next_attempt=float(number)) for number, lane in enumerate(lanes)]
        other = samples.outgoing(9, peer=QN, lane=Lane.URGENT, next_attempt=3.5)
        await put(exchange.store, *messages, other)
        await exchange.again()

        due = await exchange.store.due(now=10.0, rows=10)
        assert [one.message_id for one in due] == [message_id(number) for number in (2, 9, 4, 1, 0, 3)]
        assert await exchange.store.foremost(QM) == messages[2]
        # So many rows of each lane: a backlog of one hides no other.
        assert await exchange.store.due(now=10.0, rows=1) == (messages[2], other, messages[1], messages[0])


async def test_the_peers_that_are_left_out_are_not_due(exchange):
    async with exchange:
        first, second = samples.outgoing(1, next_attempt=5.0), samples.outgoing(2, peer=QN, next_attempt=7.0)
        await put(exchange.store, first, second)
        await exchange.again()

        assert await exchange.store.due(now=10.0, rows=10, without=[QM]) == (second,)
        assert await exchange.store.next_due(without=[QM]) == 7.0
        assert await exchange.store.next_due(without=[QM, QN]) is None
        assert await exchange.store.foremost(QM) == first


async def test_nothing_overtakes_an_earlier_message_of_its_conversation(exchange):
    async with exchange:
        talk = message_id(77)
        first = samples.outgoing(1, lane=Lane.BULK, conversation=talk, next_attempt=50.0)
        second = samples.outgoing(2, lane=Lane.URGENT, conversation=talk, next_attempt=1.0)
        elsewhere = samples.outgoing(3, peer=QN, conversation=talk, next_attempt=1.0)
        await put(exchange.store, first, second, elsewhere)
        await exchange.again()

        assert await exchange.store.due(now=10.0, rows=10) == (elsewhere,)
        assert await exchange.store.foremost(QM) == first
        await exchange.store.commit(Change(outgoing_done=(first.message_id,)))
        assert await exchange.store.due(now=10.0, rows=10) == (second, elsewhere)


async def test_what_is_held_is_never_due_and_delays_nothing(exchange):
    async with exchange:
        held = [samples.outgoing(number, conversation=message_id(7), held_since=200 - number, reason="no") for number in (1, 2)]
        behind = samples.outgoing(3, conversation=message_id(7), next_attempt=4.0)
        await put(exchange.store, *held, behind)
        await exchange.again()

        assert await exchange.store.due(now=2.0**40, rows=10) == (behind,)
        assert await exchange.store.next_due() == 4.0
        assert await exchange.store.foremost(QM) == behind
        assert await exchange.store.held(rows=10) == (held[1], held[0])
        assert await exchange.store.held(rows=1) == (held[1],)
        assert await exchange.store.waiting(QM) == (*held, behind)
        await exchange.store.commit(Change(outgoing=(replace(held[0], held_since=0, reason=""),)))
        assert await exchange.store.held(rows=10) == (held[1],)
