from dataclasses import replace

import pytest

from federation.errors import StoreUnavailable
from federation.ports import Change
from federation.query.lifecycle import AskedState, ReceivedState
from tests.support import samples
from tests.support.faults import Faults, When
from tests.support.memory_stores import BrokenContract, MemoryExchange
from tests.support.samples import message_id


async def test_a_call_that_fails_before_has_done_nothing():
    store = MemoryExchange()
    store.faults.fail("commit", When.BEFORE)
    with pytest.raises(StoreUnavailable):
        await store.commit(Change(asked=(samples.asked(1),)))

    assert await store.asked(message_id(1)) is None
    await store.commit(Change(asked=(samples.asked(1),)))


async def test_a_call_that_fails_after_has_done_it():
    store = MemoryExchange()
    store.faults.fail("commit", When.AFTER, skip=1, times=1)
    await store.commit(Change(asked=(samples.asked(1),)))
    with pytest.raises(StoreUnavailable):
        await store.commit(Change(asked=(samples.asked(2),)))
    await store.commit(Change(asked=(samples.asked(3),)))

    assert await store.asked(message_id(2)) == samples.asked(2)
    assert store.faults.calls == {"commit": 3, "asked": 1}


async def outcomes(faults, calls=200):
    store = MemoryExchange(faults)
    found = []
    for _ in range(calls):
        try:
            found.append(await store.next_due())
        except StoreUnavailable as error:
            found.append(error.message)
    return found


async def test_the_same_seed_gives_the_same_faults():
    first = await outcomes(Faults(seed=7, before=0.1, after=0.1))

    assert first == await outcomes(Faults(seed=7, before=0.1, after=0.1))
    assert first != await outcomes(Faults(seed=8, before=0.1, after=0.1))
    assert len(set(first)) == 3


async def test_nothing_fails_after_healing():
    faults = Faults(before=1.0, after=1.0)
    faults.fail("next_due", When.BEFORE, times=1_000)
    faults.heal()

    assert set(await outcomes(faults)) == {None}


BEFORE = Change(
    asked=(samples.asked(1, state=AskedState.ANSWERED, answer_ids=(message_id(7),)),),
    received=(samples.received(2, state=ReceivedState.ANSWERED, answer_id=message_id(8)),),
    crossings=(samples.crossing(1, receipt=samples.receipt("theirs")),),
    heads=(samples.head(5),),
    keys=(samples.key(1), samples.key(2)),
    leaves=(samples.leaf("sent"),),
)
CROSSING = replace(BEFORE.crossings[0], leaf=0)


@pytest.mark.parametrize(
    ("change", "accusation"),
    [
        (Change(marks=(samples.mark(1), samples.mark(1))), "marks a message twice"),
        (Change(outgoing=(samples.outgoing(9),)), "without content"),
        (Change(heads=(samples.head(4),)), "counts backwards"),
        (Change(heads=(replace(samples.head(5), digest=b"other"),)), "two envelopes have one number"),
        (Change(crossings=(replace(CROSSING, statement=b"other"),)), "another statement"),
        (Change(crossings=(replace(CROSSING, body=b"other"),)), "another statement"),
        (Change(crossings=(replace(CROSSING, leaf=-1),)), "forgets its leaf"),
        (Change(crossings=(replace(CROSSING, leaf=7),)), "does not have"),
        (Change(crossings=(replace(CROSSING, receipt=None),)), "forgets its receipt"),
        (Change(asked=(replace(BEFORE.asked[0], answer_ids=()),)), "forgets an answer"),
        (Change(asked=(replace(BEFORE.asked[0], state=AskedState.EXPIRED),)), "open again"),
        (Change(received=(replace(BEFORE.received[0], answer_id=None),)), "forgets its answer"),
        (Change(received=(replace(BEFORE.received[0], state=ReceivedState.WAITING),)), "waits again"),
        (Change(leaves=BEFORE.leaves), "salt"),
        (Change(keys=(samples.key(2),)), "after it was destroyed"),
        (Change(keys=(replace(samples.key(1), seed=b"other"),)), "replaced under its name"),
        (Change(keys_destroyed=(b"never there",)), "never there"),
    ],
)
async def test_a_caller_who_breaks_the_contract_is_accused_and_changes_nothing(change, accusation):
    store = MemoryExchange()
    await store.commit(BEFORE)
    await store.commit(Change(keys_destroyed=(samples.key(2).key_id,)))
    with pytest.raises(BrokenContract, match=accusation):
        await store.commit(replace(change, asked=(*change.asked, samples.asked(50))))

    assert await store.asked(message_id(50)) is None
