"""Timelines fold, go with their message, and are written with the change that they describe, or not at all."""

from dataclasses import replace

import pytest

from federation.delivery.timeline import Step, TimelineEvent
from federation.errors import InvalidInput
from federation.ports import AlreadySeen, Change, Direction, PeerSeen
from tests.support import samples
from tests.support.samples import QM, QN, message_id

SENT, RECEIVED = Direction.SENT, Direction.RECEIVED


def event(number=1, step=Step.TRIED, at=10, *, direction=SENT, reason="", **more):
    return TimelineEvent(direction=direction, message_id=message_id(number), step=step, reason=reason, first=at, last=at, **more)


async def test_a_message_of_which_nothing_is_told_has_no_lines(exchange):
    async with exchange:
        assert await exchange.store.timeline.events(SENT, message_id(1)) == ()


async def test_lines_come_in_the_order_in_which_they_happened_and_in_one_second_in_that_of_the_steps(exchange):
    async with exchange:
        lines = (
            event(step=Step.DELIVERED, at=20),
            event(reason="unreachable", at=20),
            event(reason="forbidden", at=20, offset_ms=-42_000),
            event(step=Step.SEALED, at=10),
        )
        await exchange.store.commit(Change(events=lines))
        await exchange.again()

        assert await exchange.store.timeline.events(SENT, message_id(1)) == (lines[3], lines[2], lines[1], lines[0])


async def test_thirty_days_of_tries_are_one_line_with_the_newest_offset_that_was_known(exchange):
    async with exchange:
        for at, offset_ms in ((10, 5), (20, -7_000), (30, None)):
            await exchange.store.commit(Change(events=(event(reason="unreachable", at=at, offset_ms=offset_ms),)))
        await exchange.again()

        folded = replace(event(reason="unreachable", at=10), last=30, count=3, offset_ms=-7_000)
        assert await exchange.store.timeline.events(SENT, message_id(1)) == (folded,)


async def test_a_sent_and_a_received_message_of_one_id_have_each_their_own(exchange):
    async with exchange:
        sent, received = event(step=Step.SEALED), event(step=Step.RECEIVED, direction=RECEIVED)
        await exchange.store.commit(Change(events=(sent, received)))

        assert await exchange.store.timeline.events(SENT, message_id(1)) == (sent,)
        assert await exchange.store.timeline.events(RECEIVED, message_id(1)) == (received,)


async def test_a_timeline_goes_with_its_message_and_no_other_does(exchange):
    async with exchange:
        others = (event(2), event(direction=RECEIVED))
        await exchange.store.commit(Change(events=(event(), *others)))
        await exchange.store.commit(Change(events_erased=((SENT, message_id(1)), (SENT, message_id(9)))))
        await exchange.again()

        assert await exchange.store.timeline.events(SENT, message_id(1)) == ()
        assert await exchange.store.timeline.events(SENT, message_id(2)) == others[:1]
        assert await exchange.store.timeline.events(RECEIVED, message_id(1)) == others[1:]


async def test_what_a_change_erases_is_gone_before_what_it_tells(exchange):
    async with exchange:
        await exchange.store.commit(Change(events=(event(),)))
        again = event(at=99)
        await exchange.store.commit(Change(events=(again,), events_erased=((SENT, message_id(1)),)))

        assert await exchange.store.timeline.events(SENT, message_id(1)) == (again,)


async def test_a_change_that_is_undone_tells_nothing(exchange):
    async with exchange:
        await exchange.store.commit(Change(marks=(samples.mark(1),)))
        with pytest.raises(AlreadySeen):
            await exchange.store.commit(Change(marks=(samples.mark(1),), events=(event(),)))

        assert await exchange.store.timeline.events(SENT, message_id(1)) == ()


async def put(store, *messages):
    await store.commit(
        Change(crossings=tuple(replace(samples.crossing(0), message_id=one, direction=way, leaf=-1) for way, one in messages))
    )


async def test_messages_are_found_by_how_their_ids_begin(exchange):
    async with exchange:
        low, high, other = (type(message_id(0))(bytes.fromhex(f"{begin:0<32}")) for begin in ("abcd", "abcf", "abd0"))
        await put(exchange.store, (RECEIVED, low), (SENT, high), (SENT, other), (RECEIVED, high))
        await exchange.again()
        find = exchange.store.timeline.matching

        assert await find("abcd", rows=9) == ((RECEIVED, low),)
        assert await find("ABCF0", rows=9) == ((SENT, high), (RECEIVED, high))
        assert await find(f"{'abd0':0<32}", rows=9) == ((SENT, other),)
        assert await find("abcf", rows=1) == ((SENT, high),)
        assert await find("0000", rows=9) == ()


@pytest.mark.parametrize("prefix", ["", "abc", "g" * 8, "abcd ", "a" * 33, "é" * 8, "%abc"])
async def test_what_begins_no_id_is_refused(exchange, prefix):
    async with exchange:
        with pytest.raises(InvalidInput):
            await exchange.store.timeline.matching(prefix, rows=9)


async def test_what_was_seen_of_a_peer_takes_the_place_of_what_was_seen_before(exchange):
    async with exchange:
        assert await exchange.store.timeline.peers() == ()
        everything = PeerSeen(
            party=QN,
            reached=1,
            heard=2,
            failures=3,
            failing_since=4,
            problem="unreachable",
            round_trips_ms=(5, 2**32 - 1),
            offset_ms=-6,
            offset_at=7,
            certificate_ends=8,
            certificate_seen=9,
            version="0.2.0",
        )
        await exchange.store.timeline.put_peers((PeerSeen(party=QN, heard=1), PeerSeen(party=QM)))
        await exchange.store.timeline.put_peers((everything,))
        await exchange.again()

        assert await exchange.store.timeline.peers() == (PeerSeen(party=QM), everything)


async def test_the_newest_bundle_of_each_party_is_kept_and_one_that_is_given_up_is_not(exchange):
    async with exchange:
        timeline = exchange.store.timeline
        await timeline.put_bundles({QN: b"old", QM: b"of qm"})
        await timeline.put_bundles({QN: b"new"})
        await timeline.put_bundles({QM: b""})
        await exchange.again()

        assert await exchange.store.timeline.bundles() == (b"new",)
