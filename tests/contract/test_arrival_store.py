from dataclasses import replace

from federation.envelope.header import Lane
from federation.ports import Change
from tests.support import samples
from tests.support.samples import QM, QN, message_id


async def test_an_empty_store_has_seen_nothing(exchange):
    async with exchange:
        assert await exchange.store.tracks() == ()
        assert await exchange.store.poisons(rows=10) == ()
        assert await exchange.store.poison(QM, message_id(1)) is None


async def test_a_lane_is_kept_whole_and_replaced_whole(exchange):
    async with exchange:
        tracks = (samples.track(9), samples.track(4, lane=Lane.URGENT), samples.track(5, peer=QN, notices=(), recent=()))
        await exchange.store.commit(Change(tracks=tracks))
        await exchange.again()
        assert set(await exchange.store.tracks()) == set(tracks)

        after = samples.track(10, notices=tracks[0].notices[1:])
        await exchange.store.commit(Change(tracks=(after,)))
        await exchange.again()
        assert set(await exchange.store.tracks()) == {after, *tracks[1:]}


async def test_what_was_failed_over_is_told_until_it_is_done(exchange):
    async with exchange:
        first, second = samples.poison(2), samples.poison(1, peer=QN, since=1_800_000_000)
        await exchange.store.commit(Change(poisons=(second, first)))
        again = replace(first, times=2, digest=samples.some("another sealing"))
        await exchange.store.commit(Change(poisons=(again,)))
        await exchange.again()

        assert await exchange.store.poisons(rows=10) == (again, second)
        assert await exchange.store.poisons(rows=1) == (again,)
        assert await exchange.store.poison(QM, message_id(2)) == again
        assert await exchange.store.poison(QN, message_id(2)) is None
        await exchange.store.commit(Change(poisons_done=((QM, message_id(2)), (QM, message_id(1)))))
        assert await exchange.store.poisons(rows=10) == (second,)
