"""A node's door for accounts, and what it makes of a peer that does not keep to the question."""

from __future__ import annotations

import os
from dataclasses import replace

import pytest

from federation.boundary.accounts import sign_account
from federation.errors import Forbidden, Incompatible, Malformed, Overloaded, PeerMisbehaviour, Unreachable
from federation.evidence.account import Head, SignedTelling, Way, day_of, tally
from federation.evidence.journal import Epoch
from federation.ports import Accounted, Change, ComparedDay, Reconciled, Standing
from federation.wire.account import decode_account, decode_telling, encode_telling
from node import limits
from node.use_cases.accounting import Accounting
from node.use_cases.reconciling import Reconciling
from node.use_cases.registry import Registry
from node.use_cases.world import Own, World
from tests.support import samples
from tests.support.memory_stores import MemoryDirectory, MemoryExchange
from tests.support.parties import treaty_of
from tests.support.rpc import SetClock
from tests.support.virtual_clock import EPOCH

TREATY = treaty_of(3)
HERE, THERE, OTHER = TREATY.parties


class House:
    """One Party's side, without a network."""

    def __init__(self, kit, clock) -> None:
        self.kit, self.clock = kit, clock
        self.own = Own(party=kit.party, name=kit.name, signer=kit.signer)
        self.world = World(clock=clock, entropy=os.urandom)
        self.store = MemoryExchange()
        self.registry = Registry(TREATY.replica, MemoryDirectory(), clock)
        self.accounting = Accounting(own=self.own, world=self.world, store=self.store, journal=self.store, registry=self.registry)

    def reconciling(self, service) -> Reconciling:
        return Reconciling(
            own=self.own,
            world=self.world,
            store=self.store,
            exchange_store=self.store,
            service=service,
            registry=self.registry,
            accounting=self.accounting,
            resending=None,  # nothing is lost in these tests
        )


class Service:
    """Asks the other house, and changes what it says."""

    def __init__(self, caller: House, callee: House, change=lambda accounted: accounted) -> None:
        self._caller, self._callee, self._change = caller, callee, change

    async def reconcile(self, _peer, account, sizes):
        return self._change(await self._callee.accounting.reconcile(self._caller.kit.name, account, sizes))

    async def list_day(self, _peer, *, day, way, after):
        return await self._callee.accounting.list_day(self._caller.kit.name, day=day, way=way, after=after)


@pytest.fixture
async def houses():
    clock = SetClock(EPOCH)
    here, there = House(HERE, clock), House(THERE, clock)
    for house in (here, there):
        await house.store.commit(Change(leaves=(samples.leaf("one"), samples.leaf("two"))))
    await here.store.commit(Change(reconciled=(Reconciled(standing=Standing(peer=THERE.party)),)))
    return here, there


async def standing_after(here: House, service) -> Standing:
    await here.reconciling(service).look()
    (standing,) = await here.store.standings()
    return standing


async def test_a_node_tells_nothing_to_the_secretariat_nor_to_whom_an_account_is_not_from(houses):
    here, there = houses
    account = await here.accounting.account(THERE.name, ())
    for sender, error in ((TREATY.secretariat, Forbidden), (OTHER.name, Forbidden)):
        with pytest.raises(error):
            await there.accounting.reconcile(sender, account, ())
    with pytest.raises(Forbidden):
        await there.accounting.list_day(TREATY.secretariat, day=1, way=Way.SENT, after=b"")
    with pytest.raises(Forbidden):
        await there.accounting.reconcile(HERE.name, await here.accounting.account(OTHER.name, ()), ())


@pytest.mark.parametrize("sizes", [(2, 1), (1, 1), (0,), (2**63,), tuple(range(1, 200))], ids=str)
async def test_sizes_that_nobody_may_ask_for_are_refused(houses, sizes):
    here, there = houses
    with pytest.raises(PeerMisbehaviour):
        await there.accounting.reconcile(HERE.name, await here.accounting.account(THERE.name, ()), sizes)


async def test_whoever_asks_without_end_is_told_to_wait_and_others_are_not(houses):
    here, there = houses
    for _ in range(limits.RECONCILE_CALLS_PER_HOUR_MAX):
        await there.accounting.list_day(HERE.name, day=1, way=Way.SENT, after=b"")
    with pytest.raises(Overloaded):
        await there.accounting.list_day(HERE.name, day=1, way=Way.SENT, after=b"")
    await there.accounting.list_day(OTHER.name, day=1, way=Way.SENT, after=b"")
    here.clock.at += 3_601
    await there.accounting.list_day(HERE.name, day=1, way=Way.SENT, after=b"")


async def test_an_account_that_is_good_becomes_the_one_that_the_next_is_held_against(houses):
    here, there = houses
    first = await standing_after(here, Service(here, there))
    assert (first.problem, first.visited) == ("", int(EPOCH))
    await there.store.commit(Change(leaves=(samples.leaf("three"),)))
    here.clock.at += limits.RECONCILE_EVERY_S
    second = await standing_after(here, Service(here, there))

    assert second.account is not None
    assert [head.size for head in decode_account(second.account.statement).heads] == [2]
    assert (await here.store.findings(THERE.party))[1:] == ((), ())


def resigned(change):
    """What a dishonest node tells instead, with its own signature."""

    def apply(accounted: Accounted) -> Accounted:
        account = decode_account(decode_telling(accounted.account).statement)
        return replace(accounted, account=encode_telling(sign_account(change(account), THERE.signer)))

    return apply


def _other_signature(accounted: Accounted) -> Accounted:
    telling = decode_telling(accounted.account)
    return replace(accounted, account=encode_telling(SignedTelling(statement=telling.statement, signature=bytes(64))))


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (resigned(lambda account: replace(account, days=(tally(9, sent=(), received=()),))), Malformed.code),
        (resigned(lambda account: replace(account, heads=(Head(size=1, root=b""),))), Malformed.code),
        (resigned(lambda account: replace(account, hearer=OTHER.name)), Forbidden.code),
        (_other_signature, "unauthentic"),
        (lambda accounted: replace(accounted, proofs=((bytes(32),),)), Malformed.code),
        (lambda accounted: replace(accounted, account=b"no account"), Malformed.code),
    ],
    ids=["other days", "other sizes", "another hearer", "another signature", "more proofs", "no account"],
)
async def test_a_reply_that_is_not_what_was_asked_is_written_down_as_a_problem_and_nothing_else(houses, change, problem):
    here, there = houses
    standing = await standing_after(here, Service(here, there, change))

    assert (standing.problem, standing.failing_since, standing.account) == (problem, int(EPOCH), None)
    assert await here.store.findings(THERE.party) == ((), (), ())


@pytest.mark.parametrize(
    "error", [Incompatible("this node does not know this call"), Unreachable("nobody listens there")], ids=str
)
async def test_a_peer_that_gives_no_account_is_asked_again_after_an_hour(houses, error):
    here, there = houses
    asked = []

    class Silent:
        async def reconcile(self, _peer, _account, _sizes):
            asked.append(here.clock.at)
            raise error

    reconciling = here.reconciling(Silent())
    for _ in range(6):
        await reconciling.look()
        here.clock.at += limits.RECONCILE_RETRY_S / 2

    assert asked == [EPOCH + place * limits.RECONCILE_RETRY_S for place in range(3)]
    (standing,) = await here.store.standings()
    assert (standing.problem, standing.failing_since) == (error.code, int(EPOCH))
    assert (await standing_after(here, Service(here, there))).problem == ""


class Counting:
    """Notes when an account was asked for."""

    def __init__(self, here: House, there: House) -> None:
        self._service, self._clock = Service(here, there), here.clock
        self.asked: list[int] = []

    async def reconcile(self, peer, account, sizes):
        self.asked.append(round((self._clock.at - EPOCH) / limits.RECONCILE_EVERY_S))
        return await self._service.reconcile(peer, account, sizes)


async def look_each_day(here: House, reconciling: Reconciling, *, days: int) -> None:
    for _ in range(days):
        await reconciling.look()
        here.clock.at += limits.RECONCILE_EVERY_S


async def test_where_nothing_crossed_a_peer_is_asked_once_a_week_and_once_after_each_start(houses):
    here, there = houses
    service = Counting(here, there)
    await look_each_day(here, here.reconciling(service), days=16)
    assert service.asked == [0, 7, 14]
    await look_each_day(here, here.reconciling(service), days=8)
    assert service.asked == [0, 7, 14, 16, 23]


async def test_a_day_that_waits_to_be_compared_is_compared_the_next_day(houses):
    here, there = houses
    service = Counting(here, there)
    reconciling = here.reconciling(service)
    await look_each_day(here, reconciling, days=3)
    (standing,) = await here.store.standings()
    today = ComparedDay(day=day_of(here.clock.at), compared=0, agreed=False, sent=0, they_have=0, received=0, they_sent=0)
    await here.store.commit(Change(reconciled=(Reconciled(standing=standing, days=(today,)),)))
    await look_each_day(here, reconciling, days=12)

    assert service.asked == [0, 4, 11]  # its own day is not over on day 3


async def test_a_peer_that_was_put_back_from_a_backup_is_asked_the_next_day(houses):
    here, there = houses
    service = Counting(here, there)
    reconciling = here.reconciling(service)
    await look_each_day(here, reconciling, days=2)
    own = replace(there.own, epochs=(*there.own.epochs, Epoch(number=int(EPOCH), first=1)))
    there.accounting = Accounting(own=own, world=there.world, store=there.store, journal=there.store, registry=there.registry)
    account = await there.accounting.account(HERE.name, ())
    for _ in range(2):
        await here.accounting.reconcile(THERE.name, account, ())
    await look_each_day(here, reconciling, days=9)

    assert service.asked == [0, 2, 9]


async def test_a_peer_that_was_put_back_with_an_empty_journal_gives_an_account_that_can_be_read(houses):
    here, there = houses
    there.store = MemoryExchange()
    returned = int(EPOCH) - 60
    await there.store.commit(Change(leaves=(samples.leaf("begins"),), epoch=returned))
    own = replace(there.own, epochs=await there.store.epochs())
    assert [epoch.first for epoch in own.epochs] == [0, 0]
    there.accounting = Accounting(own=own, world=there.world, store=there.store, journal=there.store, registry=there.registry)
    standing = await standing_after(here, Service(here, there))

    assert standing.problem == ""
    assert standing.account is not None
    assert decode_account(standing.account.statement).epochs == (Epoch(number=returned, first=0),)
    assert (await here.store.findings(THERE.party))[2] == ()
