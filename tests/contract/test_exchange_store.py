import asyncio
from dataclasses import replace

import pytest

from federation.envelope.header import Lane, MessageKind
from federation.errors import Misuse, Replayed
from federation.identity import MessageId
from federation.ports import AlreadySeen, Change, Direction, KeyUse
from federation.query.lifecycle import AskedState, ReceivedState
from federation.trust import merkle
from tests.support import samples
from tests.support.samples import QM, QN, message_id


async def test_what_was_committed_is_read_back_whole(exchange):
    sent = samples.crossing(1, leaf=-1)
    came = samples.crossing(
        2, direction=Direction.RECEIVED, ciphertext=b"", receipt=samples.receipt("ours"), statement_signature=b""
    )
    change = Change(
        marks=(samples.mark(2),),
        asked=(
            samples.asked(1, answer_ids=(message_id(7), message_id(8)), problem="unreachable"),
            samples.asked(3, reference=""),
        ),
        received=(samples.received(2, answer_id=message_id(9)), samples.received(4)),
        crossings=(sent, came),
        outgoing=(samples.outgoing(1, problem="unreachable", attempts=2),),
        heads=(samples.head(1), samples.head(5, lane=Lane.BULK)),
        keys=(samples.key(1), samples.key(2, use=KeyUse.PREKEY)),
        leaves=(samples.leaf("sent"), samples.leaf("received"), samples.leaf("decided")),
    )
    async with exchange:
        positions = await exchange.store.commit(change)
        await exchange.again()
        store = exchange.store

        assert [position.index for position in positions] == [0, 1, 2]
        assert tuple([await store.asked(query.message_id) for query in change.asked]) == change.asked
        assert tuple([await store.received(query.message_id) for query in change.received]) == change.received
        assert await store.crossing(Direction.SENT, sent.message_id) == replace(sent, leaf=0)
        assert await store.crossing(Direction.RECEIVED, came.message_id) == replace(came, leaf=1)
        assert await store.waiting(QM) == change.outgoing
        assert set(await store.heads()) == set(change.heads)
        assert await store.keys() == change.keys
        assert tuple([await store.leaf(index) for index in range(3)]) == change.leaves


async def test_what_was_never_put_is_not_there(exchange):
    async with exchange:
        store = exchange.store
        assert await store.asked(message_id(1)) is None
        assert await store.received(message_id(1)) is None
        assert await store.crossing(Direction.SENT, message_id(1)) is None
        assert await store.asked_page(before=2**40, rows=10) == ()
        assert await store.received_page(before=2**40, rows=10) == ()
        assert await store.keys() == ()
        assert await store.commit(Change()) == ()


async def test_what_is_put_again_replaces_what_was_there(exchange):
    async with exchange:
        first = Change(
            asked=(samples.asked(1),),
            received=(samples.received(1),),
            crossings=(samples.crossing(1, leaf=-1),),
            heads=(samples.head(1),),
            leaves=(samples.leaf("sent"),),
        )
        await exchange.store.commit(first)
        sealed_again = samples.crossing(
            1, digest=samples.some("other"), header=b"other", wrap=b"other", ciphertext=b"other", ciphertext_hash=b"other"
        )
        second = Change(
            asked=(samples.asked(1, state=AskedState.ANSWERED, answer_ids=(message_id(5),)),),
            received=(samples.received(1, state=ReceivedState.REFUSED),),
            crossings=(sealed_again,),
            heads=(samples.head(2),),
            leaves=(samples.leaf("sent again"),),
        )
        await exchange.store.commit(second)
        await exchange.again()

        assert await exchange.store.asked(message_id(1)) == second.asked[0]
        assert await exchange.store.received(message_id(1)) == second.received[0]
        assert await exchange.store.crossing(Direction.SENT, message_id(1)) == replace(sealed_again, leaf=1)
        assert await exchange.store.heads() == second.heads


async def test_leaves_go_in_order_to_the_crossings_that_have_none(exchange):
    async with exchange:
        await exchange.store.commit(Change(leaves=(samples.leaf("before"),)))
        crossings = (samples.crossing(1), samples.crossing(2, leaf=0), samples.crossing(3), samples.crossing(4))
        await exchange.store.commit(Change(crossings=crossings, leaves=(samples.leaf("one"), samples.leaf("two"))))
        await exchange.again()

        found = [await exchange.store.crossing(Direction.SENT, crossing.message_id) for crossing in crossings]
        assert [crossing.leaf for crossing in found] == [1, 0, 2, -1]


async def test_a_receipt_is_put_with_the_message_that_was_sent(exchange):
    async with exchange:
        came = samples.crossing(1, direction=Direction.RECEIVED, ciphertext=b"")
        await exchange.store.commit(Change(crossings=(samples.crossing(1), came)))
        await exchange.store.commit(Change(receipts=((message_id(1), samples.receipt("theirs")),)))
        await exchange.again()

        sent = await exchange.store.crossing(Direction.SENT, message_id(1))
        assert sent == samples.crossing(1, receipt=samples.receipt("theirs"))
        assert await exchange.store.crossing(Direction.RECEIVED, message_id(1)) == came


async def test_a_receipt_for_nothing_is_refused_and_nothing_is_changed(exchange):
    async with exchange:
        with pytest.raises(Misuse):
            await exchange.store.commit(
                Change(
                    asked=(samples.asked(1),), receipts=((message_id(1), samples.receipt("theirs")),), leaves=(samples.leaf("x"),)
                )
            )
        await exchange.again()

        assert await exchange.store.asked(message_id(1)) is None
        assert (await exchange.store.frontier()).size == 0


async def test_a_message_that_is_done_leaves_the_outbox_with_its_ciphertext(exchange):
    async with exchange:
        await exchange.store.commit(Change(crossings=(samples.crossing(1),), outgoing=(samples.outgoing(1),)))
        for _ in range(2):  # a second receipt may come
            await exchange.store.commit(Change(outgoing_done=(message_id(1),)))
        await exchange.again()

        assert await exchange.store.waiting(QM) == ()
        assert await exchange.store.crossing(Direction.SENT, message_id(1)) == samples.crossing(1, ciphertext=b"")


async def test_a_destroyed_key_is_gone_and_the_others_stay(exchange):
    async with exchange:
        await exchange.store.commit(Change(keys=(samples.key(1), samples.key(2), samples.key(3))))
        for _ in range(2):  # the sweep and the answer may both destroy it
            await exchange.store.commit(Change(keys_destroyed=(samples.key(2).key_id,)))
        await exchange.again()

        assert await exchange.store.keys() == (samples.key(1), samples.key(3))


async def test_a_mark_that_was_seen_stops_the_whole_change(exchange):
    async with exchange:
        await exchange.store.commit(Change(marks=(samples.mark(1),), leaves=(samples.leaf("received"),)))
        await exchange.again()
        with pytest.raises(AlreadySeen) as seen:
            await exchange.store.commit(
                Change(
                    marks=(samples.mark(2), samples.mark(1, statement="another")),
                    received=(samples.received(1),),
                    crossings=(samples.crossing(1, direction=Direction.RECEIVED),),
                    keys=(samples.key(1),),
                    leaves=(samples.leaf("received again"),),
                )
            )
        await exchange.again()

        assert seen.value.known == samples.mark(1)
        assert await exchange.store.received(message_id(1)) is None
        assert await exchange.store.crossing(Direction.RECEIVED, message_id(1)) is None
        assert await exchange.store.keys() == ()
        assert (await exchange.store.frontier()).size == 1
        await exchange.store.commit(Change(marks=(samples.mark(2), samples.mark(1, sender=QN))))


async def test_one_repetition_among_many_changes_stops_none_of_the_others(exchange):
    async def take(number: int) -> bool:
        try:
            await exchange.store.commit(Change(marks=(samples.mark(number),), leaves=(samples.leaf(f"received {number}"),)))
        except AlreadySeen:
            return False
        return True

    async with exchange:
        taken = await asyncio.gather(*(take(number % 30) for number in range(100)))
        await exchange.again()

        assert sum(taken) == 30
        assert (await exchange.store.frontier()).size == 30


async def test_every_change_of_many_tasks_gets_its_own_place_and_a_proof_of_it(exchange):
    async with exchange:
        leaves = [samples.leaf(f"leaf {number}") for number in range(200)]
        committed = await asyncio.gather(*(exchange.store.commit(Change(leaves=(leaf,))) for leaf in leaves))
        await exchange.again()

        assert sorted(position.index for (position,) in committed) == list(range(200))
        for leaf, (position,) in zip(leaves, committed, strict=True):
            size = position.index + 1
            merkle.verify_inclusion(
                leaf_hash=leaf.hash(), index=position.index, size=size, proof=position.inclusion, root=position.root
            )
            assert await exchange.store.leaf(position.index) == leaf
            assert await exchange.store.inclusion(position.index, size) == position.inclusion


async def test_a_read_sees_every_commit_that_returned_before(exchange):
    async with exchange:
        for number in range(20):
            await exchange.store.commit(Change(asked=(samples.asked(1, codes=number),)))
            asked = await exchange.store.asked(message_id(1))
            assert asked is not None
            assert asked.codes == number


@pytest.mark.parametrize("name", ["asked", "received"])
async def test_pages_go_from_new_to_old_and_miss_nothing_within_one_second(exchange, name):
    make = getattr(samples, name)
    time_field = {"asked": "created", "received": "received"}[name]
    queries = [make(number, **{time_field: 1_000 + number // 4}) for number in range(10)]
    async with exchange:
        await exchange.store.commit(Change(**{name: tuple(queries)}))
        await exchange.again()
        page_of = getattr(exchange.store, f"{name}_page")

        assert await page_of(before=1_001, rows=100) == tuple(reversed(queries[:4]))
        found, before, before_id = [], 2**40, b""
        while page := await page_of(before=before, rows=3, before_id=before_id):
            assert len(page) <= 3
            found.extend(page)
            before, before_id = getattr(page[-1], time_field), page[-1].message_id
        assert found == list(reversed(queries))


async def test_large_bodies_and_empty_ones_are_kept(exchange):
    large = samples.crossing(1, body=samples.some("large", 3_000_000), ciphertext=samples.some("large ciphertext", 3_000_000))
    empty = samples.crossing(2, body=b"", header=b"", wrap=b"", digest=b"", ciphertext=b"", ciphertext_hash=b"", signature=b"")
    async with exchange:
        await exchange.store.commit(Change(crossings=(large, empty)))
        await exchange.again()

        assert await exchange.store.crossing(Direction.SENT, large.message_id) == large
        assert await exchange.store.crossing(Direction.SENT, empty.message_id) == empty


async def test_ids_with_zeros_and_quotes_in_them_are_like_all_others(exchange):
    odd = [MessageId(b"\0" * 16), MessageId(b"'\";--\0\xff\xfe' OR 1=1"[:16])]
    async with exchange:
        await exchange.store.commit(Change(asked=tuple(replace(samples.asked(1), message_id=identifier) for identifier in odd)))
        await exchange.again()

        for identifier in odd:
            found = await exchange.store.asked(identifier)
            assert found is not None
            assert found.message_id == identifier


@pytest.mark.parametrize("changes", [{"peer": QN}, {"kind": MessageKind.ANSWER}])
async def test_a_message_id_that_somebody_overheard_takes_nobodys_place(exchange, changes):
    async with exchange:
        await exchange.store.commit(
            Change(
                marks=(samples.mark(1),),
                received=(samples.received(1),),
                crossings=(samples.crossing(1, direction=Direction.RECEIVED),),
                leaves=(samples.leaf("received"),),
            )
        )
        await exchange.again()
        stood = await exchange.store.crossing(Direction.RECEIVED, message_id(1))

        with pytest.raises(Replayed):
            await exchange.store.commit(
                Change(
                    marks=(samples.mark(1, sender=QN),),
                    received=(samples.received(1, peer=QN),),
                    crossings=(samples.crossing(1, direction=Direction.RECEIVED, **changes),),
                    leaves=(samples.leaf("received from somebody else"),),
                )
            )
        await exchange.again()

        assert await exchange.store.crossing(Direction.RECEIVED, message_id(1)) == stood
        assert await exchange.store.received(message_id(1)) == samples.received(1)
        assert (await exchange.store.frontier()).size == 1
