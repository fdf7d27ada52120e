from __future__ import annotations

import pytest

from node.trace.events import Aggregation, Arrival, Invoice, Order, Payment, Recall
from node.trace.parts import Money, PaymentMethod, RecallReason, Trader
from tests.support.trace_teller import DAY, Teller

BUYER = Trader(operator_id="BUYER")


@pytest.fixture
def teller():
    teller = Teller()
    teller.make("PACK", "OTHER")
    return teller


async def seen(teller, code="PACK"):
    """Times of the arrivals in a history, with whose they are."""
    history = await teller.history(code)
    return [(entry.event.event_time, entry.under) for entry in history.entries if isinstance(entry.event, Arrival)]


def see(teller, *codes, at):
    return teller.tell(Arrival, *codes, at=at, facility_id="STORE")


async def test_a_pack_shares_what_happens_to_its_pallet_while_it_is_on_it(teller):
    see(teller, "PALLET", at=3)
    teller.pack("CARTON", "PACK", at=4)
    teller.pack("CASE", "CARTON", at=5)
    see(teller, "PALLET", at=6)
    teller.pack("PALLET", "CASE", at=7)
    see(teller, "PALLET", at=8)

    assert await seen(teller) == [(8, "PALLET")]
    assert (await teller.history("PACK")).inside == ("CARTON", "CASE", "PALLET")


async def test_a_pack_that_was_taken_out_shares_no_more(teller):
    teller.pack("CARTON", "PACK", "OTHER", at=4)
    teller.unpack("CARTON", "PACK", at=5)
    see(teller, "CARTON", at=6)

    assert await seen(teller) == []
    assert await seen(teller, "OTHER") == [(6, "CARTON")]


async def test_unpacking_a_case_belongs_to_the_history_of_everything_in_it(teller):
    teller.pack("CARTON", "PACK", at=4)
    teller.pack("CASE", "CARTON", at=5)
    unpacked = teller.unpack("CASE", at=6)
    see(teller, "CASE", at=7)
    see(teller, "CARTON", at=8)

    assert unpacked in {entry.event.event_id for entry in (await teller.history("PACK")).entries}
    assert await seen(teller) == [(8, "CARTON")]


async def test_packing_into_something_else_ends_the_stay(teller):
    teller.pack("CARTON", "PACK", at=4)
    teller.pack("OTHER-CARTON", "PACK", at=5)
    see(teller, "CARTON", at=6)
    see(teller, "OTHER-CARTON", at=7)

    assert await seen(teller) == [(7, "OTHER-CARTON")]


async def test_a_pack_that_came_back_shares_both_times(teller):
    teller.pack("CARTON", "PACK", at=4)
    see(teller, "CARTON", at=5)
    teller.unpack("CARTON", "PACK", at=6)
    see(teller, "CARTON", at=7)
    teller.pack("CARTON", "PACK", at=8)
    see(teller, "CARTON", at=9)

    assert await seen(teller) == [(5, "CARTON"), (9, "CARTON")]


async def test_a_recalled_packing_moves_nothing(teller):
    packed = teller.pack("CARTON", "PACK", at=4)
    teller.tell(Recall, at=6, about=packed, reason=RecallReason.WRONG_INFORMATION)
    see(teller, "CARTON", at=5)

    assert await seen(teller) == []
    (entry,) = [entry for entry in (await teller.history("PACK")).entries if isinstance(entry.event, Aggregation)]
    assert entry.recall is not None


async def test_what_else_goes_into_the_container_is_not_the_packs_history(teller):
    teller.pack("CARTON", "PACK", at=4)
    later = teller.pack("CARTON", "OTHER", at=5)
    taken = teller.unpack("CARTON", "OTHER", at=6)

    ids = {entry.event.event_id for entry in (await teller.history("PACK")).entries}
    assert not ids & {later, taken}
    assert {later, taken} <= {entry.event.event_id for entry in (await teller.history("CARTON")).entries}


async def test_events_of_one_second_follow_the_order_of_their_records(teller):
    teller.pack("CARTON", "PACK", at=4, record_time=10)
    teller.tell(Arrival, "CARTON", at=4, record_time=9, facility_id="STORE")
    teller.tell(Arrival, "CARTON", at=4, record_time=11, facility_id="STORE")

    assert len(await seen(teller)) == 1


async def test_an_event_that_names_pack_and_case_is_there_once(teller):
    teller.pack("CARTON", "PACK", at=4)
    see(teller, "PACK", "CARTON", at=5)

    assert await seen(teller) == [(5, "PACK")]


async def test_papers_of_a_sale_count_whenever_they_were_reported(teller):
    ordered = teller.tell(Order, "CARTON", at=3, order_number="O-1", order_date=DAY, buyer=BUYER)
    teller.pack("CARTON", "PACK", at=4)
    sale = {"invoice_number": "I-1", "invoice_date": DAY, "seller": Trader(name="Seller"), "buyer": BUYER}
    teller.tell(Invoice, "CARTON", at=5, order_number="O-1", **sale)
    teller.unpack("CARTON", at=6)
    price = Money(amount="10", currency="XTS")
    facts = {"payment_date": DAY, "method": PaymentMethod.CASH, "price": price, "payer": BUYER}
    paid = teller.tell(Payment, "CARTON", at=7, invoice_number="I-1", **facts)
    other = teller.tell(Payment, "CARTON", at=8, invoice_number="I-2", **facts)

    ids = {entry.event.event_id for entry in (await teller.history("PACK")).entries}
    assert {ordered, paid} <= ids
    assert other not in ids
