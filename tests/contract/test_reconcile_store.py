from dataclasses import replace

import pytest

from federation.boundary.receipts import journal_leaf
from federation.envelope.header import PROTOCOL_VERSION, Header, Lane, MessageKind, Statement
from federation.errors import StoreUnavailable
from federation.evidence.account import Crossed, DifferenceKind, Judgement, SignedTelling, Way
from federation.evidence.journal import JournalKind, JournalRecord
from federation.identity import NodeName
from federation.ports import Alarm, Change, ComparedDay, Difference, Direction, Expired, Reconciled, Standing
from federation.trust import merkle
from federation.wire.envelope import encode_header, encode_statement
from tests.support import samples
from tests.support.faults import Faults, When
from tests.support.memory_stores import MemoryExchange
from tests.support.samples import QM, QN, message_id, some

NODE = NodeName(party=QN, node_id="n1", domain="gsp.example")
DAY = 20_000
AT = DAY * 86_400 + 500


def crossing(number, *, created=AT, **changes):
    """With a statement and a header that can be read."""
    statement = Statement(
        message_id=message_id(number),
        kind=MessageKind.QUERY,
        conversation=message_id(number),
        in_reply_to=None,
        sender=QN,
        recipient=QM,
        officer_id="abcdefgh",
        certificate_hash=some("certificate"),
        policy_digest=b"",
        created=created,
        deadline=created + 3_600,
        body_digest=some(f"body {number}"),
    )
    header = Header(
        version=PROTOCOL_VERSION,
        suite=1,
        message_id=message_id(number),
        sender=NODE,
        recipient=NODE,
        created=created,
        expires=created + 60,
        lane=Lane.NORMAL,
        sequence=1,
        previous_digest=b"",
        checkpoint=b"",
        key_id=some("key", 16),
        wrap_bytes=1_168,
        ciphertext_bytes=1_500,
        commitment=some(f"commitment {number}"),
    )
    fields = {"statement": encode_statement(statement), "header": encode_header(header), "at": created} | changes
    return samples.crossing(number, **fields)


def entry(number, *, receipted=True):
    return Crossed(message_id=message_id(number), commitment=some(f"commitment {number}"), receipted=receipted)


async def sorted_all(store):
    taken = 0
    while step := await store.sort_crossings(rows=2):
        taken += step
    return taken


async def everything(store, peer, day, way):
    return await store.tallied(peer, day, way, after=b"", rows=100)


async def test_what_crossed_stands_under_the_day_of_its_statement(exchange):
    async with exchange:
        sent = [crossing(number, receipt=samples.receipt("1")) for number in (3, 1)]
        other_day = crossing(2, created=AT + 86_400)
        came = crossing(4, direction=Direction.RECEIVED)
        unsealed = crossing(5, digest=b"", header=b"", wrap=b"", ciphertext=b"", ciphertext_hash=b"", signature=b"")
        elsewhere = crossing(6, peer=QN)
        await exchange.store.commit(Change(crossings=(*sent, other_day, came, unsealed, elsewhere)))
        assert await sorted_all(exchange.store) == 6
        await exchange.again()

        store = exchange.store
        assert await everything(store, QM, DAY, Way.SENT) == (entry(1), entry(3))
        assert await everything(store, QM, DAY + 1, Way.SENT) == (entry(2, receipted=False),)
        assert await everything(store, QM, DAY, Way.RECEIVED) == (entry(4),)
        assert await everything(store, QN, DAY, Way.SENT) == (entry(6, receipted=False),)
        assert await store.tallied(QM, DAY, Way.SENT, after=message_id(1), rows=9) == (entry(3),)
        assert await store.tallied(QM, DAY, Way.SENT, after=b"", rows=1) == (entry(1),)
        assert await store.open_days(QM, since=0, before=DAY + 1, rows=9) == (DAY,)
        assert await store.open_days(QM, since=0, before=DAY + 2, rows=9) == (DAY, DAY + 1)
        assert await store.open_days(QM, since=DAY + 1, before=DAY + 2, rows=9) == (DAY + 1,)
        assert [(one.peer, one.open_day) for one in await store.standings()] == [(QM, DAY), (QN, DAY)]


async def test_a_receipt_opens_its_day_again_and_waits_to_be_proved(exchange):
    async with exchange:
        await exchange.store.commit(Change(crossings=(crossing(1), crossing(2, direction=Direction.RECEIVED))))
        await sorted_all(exchange.store)
        assert await exchange.store.unproved(QM, rows=9) == ()
        await exchange.store.commit(Change(reconciled=(reconciled(days=(compared(DAY, agreed=True),)),)))
        assert await exchange.store.open_days(QM, since=0, before=DAY + 9, rows=9) == ()
        assert [one.open_day for one in await exchange.store.standings()] == [None]
        receipt = samples.receipt("late")
        await exchange.store.commit(Change(receipts=((message_id(1), receipt),)))
        await sorted_all(exchange.store)
        await exchange.again()

        store = exchange.store
        assert await everything(store, QM, DAY, Way.SENT) == (entry(1),)
        assert await store.open_days(QM, since=0, before=DAY + 9, rows=9) == (DAY,)
        assert await store.unproved(QM, rows=9) == ((message_id(1), receipt),)
        assert await store.unproved(QN, rows=9) == ()
        await store.commit(Change(reconciled=(reconciled(proved=(message_id(1),)),)))
        assert await store.unproved(QM, rows=9) == ()


def compared(day, *, agreed, at=100):
    return ComparedDay(day=day, compared=at, agreed=agreed, sent=2, they_have=1, received=3, they_sent=3)


def telling(name):
    return SignedTelling(statement=some(name, 100), signature=some(f"{name} signature", 64))


def difference(number, *, kind=DifferenceKind.LOST_THERE, found=50, healed=0):
    return Difference(
        kind=kind, message_id=message_id(number), day=DAY, found=found, healed=healed, evidence=telling(f"listing {number}")
    )


def alarm(size, *, found=50):
    return Alarm(judgement=Judgement.REWRITTEN, epoch=1, size=size, found=found, proof=some(f"proof {size}", 300))


def reconciled(**changes):
    return Reconciled(standing=Standing(peer=QM, visited=70, account=telling("account")), **changes)


async def test_findings_stay_as_they_were_found(exchange):
    async with exchange:
        days = (compared(DAY, agreed=False), compared(DAY + 1, agreed=True))
        found = reconciled(days=days, differences=(difference(1), difference(2)), alarms=(alarm(7),))
        await exchange.store.commit(Change(reconciled=(found,)))
        later = reconciled(
            differences=(difference(1, found=90, healed=90), difference(2, found=91)), alarms=(alarm(7, found=99),)
        )
        await exchange.store.commit(Change(reconciled=(later,)))
        await exchange.again()

        store = exchange.store
        assert await store.findings(QM) == (days[::-1], (difference(2), difference(1, healed=90)), (alarm(7),))
        assert await store.findings(QN) == ((), (), ())
        assert await store.standings() == (replace(later.standing, open_day=DAY),)


async def test_a_peer_that_came_back_is_asked_about_every_day_again(exchange):
    async with exchange:
        days = tuple(compared(DAY + number, agreed=True, at=number) for number in (2, 1, 3))
        await exchange.store.commit(Change(reconciled=(reconciled(days=days),)))
        assert await exchange.store.open_days(QM, since=0, before=DAY + 9, rows=9) == ()
        await exchange.store.commit(Change(reconciled=(reconciled(reopen_all=True, days=(compared(DAY + 1, agreed=True),)),)))

        assert await exchange.store.open_days(QM, since=0, before=DAY + 9, rows=9) == (DAY + 2, DAY + 3)


async def test_a_head_is_the_root_that_the_journal_had(exchange):
    async with exchange:
        leaves = [samples.leaf(f"leaf {number}") for number in range(11)]
        await exchange.store.commit(Change(leaves=tuple(leaves)))
        await exchange.again()

        frontier = merkle.Frontier()
        for leaf in leaves:
            frontier, _ = frontier.append(leaf.hash())
            assert await exchange.store.head(frontier.size) == frontier.root()
        assert await exchange.store.head(0) == b""
        assert await exchange.store.head(12) == b""


def record(at):
    return journal_leaf(
        JournalRecord(kind=JournalKind.SENT, at=at, message_id=message_id(1), peer=QM, digest=some("digest")),
        salt=samples.leaf("").salt,
    )


async def test_what_is_old_is_erased_and_its_leaves_stay(exchange):
    async with exchange:
        store = exchange.store
        leaves = (record(AT), record(AT + 1), record(AT + 100))
        old = crossing(1, created=AT, leaf=0)
        came = crossing(2, created=AT + 1, leaf=1, direction=Direction.RECEIVED)
        waits = crossing(3, created=AT, leaf=1)
        young = crossing(4, created=AT + 100, leaf=2)
        await store.commit(Change(leaves=leaves))
        await store.commit(
            Change(
                crossings=(old, came, waits, young),
                marks=(samples.mark(2), samples.mark(9)),
                outgoing=(samples.outgoing(3),),
                asked=(samples.asked(1, created=AT), samples.asked(4, created=AT + 100)),
                received=(samples.received(2, received=AT + 1),),
            )
        )
        await sorted_all(store)
        frontier = await store.frontier()
        expired = await store.expired(before=AT + 50, rows=10)
        assert expired == Expired(
            crossings=((Way.SENT, message_id(1)), (Way.RECEIVED, message_id(2))),
            asked=(message_id(1),),
            received=(message_id(2),),
            leaves=2,
            records=2,
        )
        assert len((await store.expired(before=AT + 50, rows=1)).crossings) == 1
        await store.commit(Change(erased=expired))
        await exchange.again()

        store = exchange.store
        assert (await store.expired(before=AT + 50, rows=10)).is_empty
        assert await store.crossing(Direction.SENT, message_id(1)) is None
        assert await store.crossing(Direction.RECEIVED, message_id(2)) is None
        assert await store.crossing(Direction.SENT, message_id(3)) is not None
        assert (await store.asked(message_id(1)), await store.received(message_id(2))) == (None, None)
        assert [await store.leaf(place) for place in range(3)] == [None, None, leaves[2]]
        assert await store.frontier() == frontier
        assert await store.head(2) == merkle.node_hash(leaves[0].hash(), leaves[1].hash())
        await store.commit(Change(marks=(samples.mark(2),)))  # it is forgotten; the other one is not
        expired = await store.expired(before=AT + 100 * 86_400, rows=10)
        assert expired.days == ((QM, DAY),)
        await store.commit(Change(erased=expired))
        assert await everything(store, QM, DAY, Way.SENT) == ()


async def test_the_record_of_an_epoch_is_not_erased(exchange):
    async with exchange:
        await exchange.store.commit(Change(leaves=(record(AT),)))
        begins = record(AT + 1)
        await exchange.store.commit(Change(leaves=(begins, record(AT + 2)), epoch=AT))
        expired = await exchange.store.expired(before=AT + 50, rows=10)
        await exchange.store.commit(Change(erased=expired))
        await exchange.again()

        assert [await exchange.store.leaf(place) for place in range(3)] == [None, begins, None]


@pytest.mark.parametrize("when", list(When))
async def test_a_visit_that_could_not_be_written_is_there_or_not(when):
    store = MemoryExchange(Faults())
    store.faults.fail("commit", when)
    with pytest.raises(StoreUnavailable):
        await store.commit(Change(reconciled=(reconciled(differences=(difference(1),)),)))
    there = (await store.findings(QM))[1]
    assert there == ((difference(1),) if when is When.AFTER else ())
    await store.commit(Change(reconciled=(reconciled(differences=(difference(1),)),)))
    assert (await store.findings(QM))[1] == (difference(1),)
