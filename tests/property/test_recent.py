"""What is told from memory is what the store says, whatever commits overlap, fail, or say nothing of what they did."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from enum import Enum, auto

from hypothesis import given
from hypothesis import strategies as st

from federation.errors import FederationError, StoreUnavailable
from federation.evidence.account import Way
from federation.evidence.journal import Position
from federation.ports import AlreadySeen, AskedQuery, Change, Crossing, Direction, ExchangeStore, Expired, ReceivedQuery
from node.use_cases.recent import Recent
from tests.support import samples
from tests.support.memory_stores import BrokenContract, MemoryExchange
from tests.support.samples import message_id


class Fate(Enum):
    GOOD = auto()
    NOTHING_HAPPENED = auto()
    HAPPENED_UNTOLD = auto()


class Slow(MemoryExchange):
    """Decides changes in the order in which they came, and some of them fail; who made them hears of it later."""

    fates: list[Fate]

    async def commit(self, change: Change) -> tuple[Position, ...]:
        fate = self.fates.pop() if self.fates else Fate.GOOD
        await asyncio.sleep(0)
        if fate is Fate.NOTHING_HAPPENED:
            raise StoreUnavailable("the disk of this node is full")
        positions = await super().commit(change)
        await asyncio.sleep(0)
        if fate is Fate.HAPPENED_UNTOLD:
            raise StoreUnavailable("the disk of this node fails")
        return positions


KINDS = ("asked", "received", "sent", "came", "both", "receipt", "done", "seen", "erased")


def change_of(kind: str, number: int, salt: int) -> Change:
    identifier = message_id(number)
    sent = samples.crossing(number, leaf=-1, signature=samples.some(f"signature {salt}", 64))
    kinds = {
        "asked": Change(asked=(samples.asked(number, codes=salt + 1),)),
        "received": Change(received=(samples.received(number, codes=salt + 1),)),
        "sent": Change(crossings=(sent,), leaves=(samples.leaf("sent"),)),
        "came": Change(crossings=(replace(sent, direction=Direction.RECEIVED, ciphertext=b""),), leaves=(samples.leaf("came"),)),
        "both": Change(
            asked=(samples.asked(number),),
            crossings=(sent,),
            outgoing=(samples.outgoing(number),),
            leaves=(samples.leaf("sent"),),
        ),
        "receipt": Change(receipts=((identifier, samples.receipt(f"{salt}")),), outgoing_done=(identifier,)),
        "done": Change(outgoing_done=(identifier,)),
        "seen": Change(marks=(samples.mark(number),), asked=(samples.asked(number, codes=salt + 20),)),
        "erased": Change(
            erased=Expired(crossings=((Way.SENT, identifier),), asked=(identifier,), received=(), days=(), leaves=0, records=0)
        ),
    }
    return kinds[kind]


CHANGES = st.tuples(st.sampled_from(KINDS), st.integers(1, 3), st.integers(0, 9))


async def held(store: ExchangeStore, number: int) -> tuple[AskedQuery | ReceivedQuery | Crossing | None, ...]:
    identifier = message_id(number)
    return (
        await store.asked(identifier),
        await store.received(identifier),
        await store.crossing(Direction.SENT, identifier),
        await store.crossing(Direction.RECEIVED, identifier),
    )


@given(
    rounds=st.lists(st.lists(CHANGES, min_size=1, max_size=3), min_size=1, max_size=8),
    fates=st.lists(st.sampled_from([Fate.GOOD, Fate.GOOD, Fate.NOTHING_HAPPENED, Fate.HAPPENED_UNTOLD]), max_size=24),
)
def test_memory_and_store_say_the_same_after_every_round(rounds: list[list[tuple[str, int, int]]], fates: list[Fate]):
    async def run() -> None:
        store = Slow()
        store.fates = list(fates)
        recent = Recent(store)
        for together in rounds:
            for outcome in await asyncio.gather(*(recent.commit(change_of(*one)) for one in together), return_exceptions=True):
                assert isinstance(outcome, tuple | FederationError | AlreadySeen | BrokenContract)  # each of them refuses whole
            for number in range(1, 4):
                assert await held(recent, number) == await held(store, number)

    asyncio.run(run())


def test_what_was_written_is_read_without_the_store():
    async def run() -> None:
        store = MemoryExchange()
        recent = Recent(store)
        sent = samples.crossing(1, leaf=-1)
        await recent.commit(Change(asked=(samples.asked(1),), crossings=(sent,), leaves=(samples.leaf("sent"),)))
        store._asked.clear()
        store._crossings.clear()
        assert await recent.asked(message_id(1)) == samples.asked(1)
        assert await recent.crossing(Direction.SENT, message_id(1)) == replace(sent, leaf=0)

    asyncio.run(run())
