"""The ten items of Article 8.4.1: what is given, and which state stands where nothing is."""

from __future__ import annotations

from datetime import timedelta

import pytest

from federation import limits
from federation.query.items import ALL_ITEMS, FieldName, Item, ItemState
from federation.uim.codes import Level
from node.trace.events import (
    Application,
    Arrival,
    Confirmation,
    Deactivation,
    Dispatch,
    Importation,
    Invoice,
    Order,
    Payment,
    Recall,
    RetailDelivery,
    TransLoading,
)
from node.trace.model import Coverage
from node.trace.parts import (
    DeactivationReason,
    Destination,
    DestinationKind,
    Money,
    PaymentMethod,
    RecallReason,
    Trader,
    TransportMode,
)
from tests.support.trace_teller import DAY, NOW, Teller

MAKER, SISTER, BUYER, NEXT = (Trader(operator_id=name) for name in ("MAKER", "SISTER", "BUYER", "NEXT"))
TO_STORE = Destination(kind=DestinationKind.DOMESTIC, facility_id="STORE")
PRICE = Money(amount="12.50", currency="XTS")


@pytest.fixture
def teller():
    return Teller()


async def records(teller, item, code="PACK", **arguments):
    """The records of one item, each as a mapping from field names to values."""
    answer = (await teller.finding(code, **arguments)).item(item)
    return [{field.name: field.value for field in record.fields} for record in answer.records]


async def state(teller, item, code="PACK", **arguments):
    return (await teller.finding(code, **arguments)).item(item).state


async def test_all_ten_are_there_and_only_the_wanted_ones_are_answered(teller):
    teller.make("PACK")
    finding = await teller.finding("PACK", wanted=frozenset({Item.F}))

    assert [answer.item for answer in finding.items] == list(Item)
    assert [answer.item for answer in finding.items if answer.state is not ItemState.NOT_ASKED] == [Item.F]
    assert finding.complete_as_of == NOW - 10


# --- manufacture --------------------------------------------------------------------------------------------------------


async def test_the_event_of_manufacture_gives_date_place_facility_machine_and_time(teller):
    teller.issue("PACK")
    teller.tell(Application, "PACK", at=90_061, facility_id="FACTORY", machine_id="MACHINE", shift="B")

    (made,) = await records(teller, Item.A)
    assert made == {
        FieldName.DATE: "1970-01-02",
        FieldName.PRECISION: "second",
        FieldName.PLACE: "Factory",
        FieldName.COUNTRY: "QN",
    }
    assert (await records(teller, Item.B))[0][FieldName.FACILITY_NAME] == "Factory"
    assert await records(teller, Item.C) == [{FieldName.MACHINE_ID: "MACHINE", FieldName.MACHINE_NAME: "Machine"}]
    (time,) = await records(teller, Item.D)
    assert time == {FieldName.TIME: "1970-01-02T01:01:01Z", FieldName.PRECISION: "second", FieldName.SHIFT: "B"}


async def test_the_time_stamp_in_the_code_counts_before_the_time_of_the_report(teller):
    teller.make("PACK", at=9_000, made_at=7_200)

    assert (await records(teller, Item.D))[0] == {FieldName.TIME: "1970-01-01T02:00:00Z", FieldName.PRECISION: "hour"}


async def test_before_use_a_code_tells_what_it_was_asked_for_and_no_time(teller):
    teller.issue("PACK", made_at=7_200)

    states = {item: await state(teller, item) for item in ALL_ITEMS}
    given = {item for item, now in states.items() if now is ItemState.PROVIDED}
    assert given == {Item.B, Item.C, Item.F, Item.G}
    assert {states[item] for item in ALL_ITEMS - given} == {ItemState.NOT_RECORDED_YET}


async def test_product_and_market_are_those_of_the_request(teller):
    teller.make("PACK")

    assert await records(teller, Item.F) == [{FieldName.MARKET: "QN"}]
    (product,) = await records(teller, Item.G)
    assert product == {
        FieldName.PRODUCT_CLASS: "cigarette",
        FieldName.BRAND: "Brand",
        FieldName.UNITS: "20",
        FieldName.WEIGHT_G: "14.5",
    }


async def test_ids_without_master_data_are_given_as_they_are(teller):
    teller.issue("PACK", product_id="P-9")
    teller.tell(Application, "PACK", at=2, facility_id="F-9", machine_id="M-9")

    assert await records(teller, Item.B) == [{FieldName.FACILITY_ID: "F-9"}]
    assert await records(teller, Item.C) == [{FieldName.MACHINE_ID: "M-9"}]
    assert await records(teller, Item.G) == [{FieldName.PRODUCT: "P-9"}]


async def test_what_was_not_recorded_at_manufacture_is_not_held(teller):
    teller.make("PACK", machine_id=None, intended_market=None)

    assert await state(teller, Item.C) is ItemState.NOT_HELD
    assert await state(teller, Item.F) is ItemState.NOT_HELD


async def test_imported_goods_tell_where_they_come_from(teller):
    teller.issue("PACK", facility_id=None, machine_id=None)
    teller.tell(Importation, "PACK", at=5, origin="QO", importer=BUYER)

    assert await records(teller, Item.A) == [{FieldName.EVENT: "importation", FieldName.COUNTRY: "QO"}]
    assert await state(teller, Item.B) is ItemState.NOT_HELD


async def test_a_container_is_described_by_an_example_of_what_is_in_it(teller):
    teller.make("PACK", made_at=7_200)
    teller.issue("CARTON", level=Level.CARTON, product_id=None, facility_id=None, machine_id=None, intended_market=None)
    teller.pack("CARTON", "PACK", at=8)
    teller.pack("CASE", "CARTON", at=9, level=Level.CASE)

    for code in ("CARTON", "CASE"):
        for item in (Item.A, Item.B, Item.C, Item.D, Item.F, Item.G):
            answer = (await teller.finding(code)).item(item)
            assert "example" in {field.value for field in answer.records[0].fields if field.name is FieldName.PRECISION}
    (product,) = await records(teller, Item.G, "CASE")
    assert product[FieldName.BRAND] == "Brand"


async def test_a_container_of_which_nothing_is_known_has_no_machine_of_its_own(teller):
    teller.pack("CASE", "UNKNOWN", at=9, level=Level.CASE)

    assert await state(teller, Item.C, "CASE") is ItemState.NOT_APPLICABLE
    assert await state(teller, Item.G, "CASE") is ItemState.NOT_HELD


# --- customers ----------------------------------------------------------------------------------------------------------


def sell(teller, buyer, number, *, at=10, day=DAY, code="PACK", **facts):
    papers = {"invoice_number": number, "invoice_date": day, "seller": MAKER, "buyer": buyer}
    return teller.tell(Invoice, code, at=at, **(papers | facts))


def pay(teller, payer, number, *, at=20):
    papers = {"payment_date": DAY, "method": PaymentMethod.TRANSFER, "price": PRICE, "payer": payer, "invoice_number": number}
    return teller.tell(Payment, "PACK", at=at, **papers)


async def test_the_first_customer_is_the_first_outside_the_makers_group(teller):
    teller.make("PACK")
    sell(teller, NEXT, "I-3", day=DAY + timedelta(2))
    sell(teller, SISTER, "I-1")
    sell(teller, BUYER, "I-2", day=DAY + timedelta(1), order_number="O-2", price=PRICE)
    teller.tell(Order, "PACK", at=9, order_number="O-2", order_date=DAY, buyer=BUYER)
    teller.tell(Order, "PACK", at=9, order_number="O-3", order_date=DAY, buyer=NEXT)
    paid = pay(teller, BUYER, "I-2")
    pay(teller, NEXT, "I-3")

    customer, order, payment = await records(teller, Item.E)
    assert customer == {
        FieldName.NAME: "Buyer",
        FieldName.ADDRESS: "1 Street",
        FieldName.COUNTRY: "QN",
        FieldName.REGISTRATION: "R-1",
        FieldName.INVOICE: "I-2",
        FieldName.INVOICE_DATE: "2026-01-02",
        FieldName.SELLER: "Maker",
        FieldName.AMOUNT: "12.50",
        FieldName.CURRENCY: "XTS",
    }
    assert order == {FieldName.ORDER: "O-2", FieldName.ORDER_DATE: "2026-01-01"}
    assert payment[FieldName.PAYMENT] == paid
    assert payment[FieldName.PAYER] == "Buyer"
    assert [record[FieldName.INVOICE] for record in await records(teller, Item.I)] == ["I-3"]


async def test_papers_without_numbers_belong_to_the_buyer_they_name_or_to_the_sale(teller):
    teller.make("PACK")
    sell(teller, BUYER, "I-1")
    teller.tell(Order, "PACK", at=9, order_number="O-1", order_date=DAY)
    teller.tell(Order, "PACK", at=9, order_number="O-2", order_date=DAY, buyer=NEXT)
    mine = pay(teller, BUYER, None)
    pay(teller, NEXT, None)

    _, order, payment = await records(teller, Item.E)
    assert order[FieldName.ORDER] == "O-1"
    assert payment[FieldName.PAYMENT] == mine


async def test_sales_within_the_group_only_leave_the_first_customer_open(teller):
    teller.make("PACK")
    sell(teller, SISTER, "I-1")
    sell(teller, MAKER, "I-2")

    assert await state(teller, Item.E) is ItemState.NOT_RECORDED_YET


async def test_a_buyer_who_is_registered_nowhere_is_told_as_the_invoice_has_it(teller):
    teller.make("PACK")
    sell(teller, Trader(name="Somebody abroad", country="QO"), "I-1")

    (customer,) = await records(teller, Item.E)
    assert (customer[FieldName.NAME], customer[FieldName.COUNTRY]) == ("Somebody abroad", "QO")


async def test_a_recalled_invoice_is_no_sale(teller):
    teller.make("PACK")
    recalled = sell(teller, BUYER, "I-1")
    teller.tell(Recall, at=11, about=recalled, reason=RecallReason.WRONG_INFORMATION)
    sell(teller, NEXT, "I-2")

    assert (await records(teller, Item.E))[0][FieldName.NAME] == "Next buyer"


async def test_the_maker_of_imports_is_the_one_named_with_the_product(teller):
    teller.issue("PACK", facility_id=None, machine_id=None)
    teller.tell(Importation, "PACK", at=5, origin="QO", importer=BUYER)
    sell(teller, BUYER, "I-1")

    assert (await records(teller, Item.E))[0][FieldName.NAME] == "Buyer"


async def test_a_consignee_who_never_bought_is_a_known_purchaser_too(teller):
    teller.make("PACK")
    sell(teller, BUYER, "I-1")
    for consignee in (BUYER, SISTER, NEXT):
        teller.tell(Dispatch, "PACK", at=11, destination=TO_STORE, consignee=consignee)

    assert await records(teller, Item.I) == [{FieldName.EVENT: "dispatch", FieldName.NAME: "Next buyer"}]


async def test_purchasers_after_retail_are_beyond_tracing(teller):
    teller.make("PACK")
    assert await state(teller, Item.I) is ItemState.NOT_RECORDED_YET

    teller.tell(RetailDelivery, "PACK", at=9, facility_id="SHOP")
    assert await state(teller, Item.I) is ItemState.NOT_APPLICABLE


# --- movements and shipments ----------------------------------------------------------------------------------------------


async def test_movements_tell_what_happened_where_and_in_what(teller):
    teller.make("PACK")
    teller.pack("CASE", "PACK", at=3, facility_id="FACTORY")
    teller.tell(Dispatch, "CASE", at=4, destination=TO_STORE, facility_id="FACTORY")
    teller.tell(Arrival, "CASE", at=5, facility_id="STORE")

    packed, sent, arrived = await records(teller, Item.H)
    assert (packed[FieldName.EVENT], packed[FieldName.TO], FieldName.UNDER in packed) == ("aggregation", "CASE", False)
    assert (sent[FieldName.UNDER], sent[FieldName.TO]) == ("CASE", "Store, 2 Street, QN")
    assert arrived == {
        FieldName.EVENT: "arrival",
        FieldName.TIME: "1970-01-01T00:00:05Z",
        FieldName.UNDER: "CASE",
        FieldName.FACILITY_ID: "STORE",
        FieldName.FACILITY_NAME: "Store",
        FieldName.FACILITY_ADDRESS: "2 Street",
        FieldName.COUNTRY: "QN",
    }


async def test_shipments_tell_route_departure_destination_consignee_and_papers(teller):
    teller.make("PACK", intended_route=("QN", "QO"))
    teller.tell(
        Dispatch,
        "PACK",
        at=4,
        facility_id="FACTORY",
        destination=Destination(kind=DestinationKind.EXPORT, address="9 Road", country="QO"),
        consignee=BUYER,
        transport=TransportMode.SEA,
        vehicle="MV Example",
        documents=("ARC 1", "MRN 2"),
    )

    answer = (await teller.finding("PACK")).item(Item.J)
    route, sent = answer.records
    assert [field.value for field in route.fields if field.name is FieldName.ROUTE] == ["QN", "QO"]
    assert [field.value for field in sent.fields if field.name is FieldName.DOCUMENT] == ["ARC 1", "MRN 2"]
    for name, value in {
        FieldName.DEPARTURE: "Factory, QN",
        FieldName.DESTINATION: "9 Road, QO",
        FieldName.CONSIGNEE: "Buyer",
        FieldName.TRANSPORT: "sea",
        FieldName.VEHICLE: "MV Example",
    }.items():
        assert sent.first(name) == value


async def planned(teller, item=Item.J):
    return [record.planned for record in (await teller.finding("PACK")).item(item).records]


async def test_a_dispatch_is_planned_until_something_shows_that_it_took_place(teller):
    teller.make("PACK")
    sent = teller.tell(Dispatch, "PACK", at=4, destination=TO_STORE, facility_id="FACTORY")
    teller.tell(TransLoading, "PACK", at=5, destination=TO_STORE)
    assert await planned(teller) == [True, True]
    assert await planned(teller, Item.H) == [True, True]

    teller.tell(Confirmation, at=6, about=sent)
    assert await planned(teller) == [False, True]

    teller.tell(Arrival, "PACK", at=7, facility_id="STORE")
    assert await planned(teller) == [False, False]
    assert await planned(teller, Item.H) == [False, False, False]


async def test_an_arrival_announced_for_tomorrow_shows_nothing_yet(teller):
    teller.make("PACK")
    teller.tell(Dispatch, "PACK", at=4, destination=TO_STORE)
    teller.tell(Arrival, "PACK", at=NOW + 1, facility_id="STORE")

    assert await planned(teller) == [True]


async def test_a_recalled_report_stays_with_its_flag(teller):
    teller.make("PACK")
    sent = teller.tell(Dispatch, "PACK", at=4, destination=TO_STORE, facility_id="FACTORY")
    teller.tell(Recall, at=6, about=sent, reason=RecallReason.DID_NOT_HAPPEN)

    assert [record[FieldName.RECALL] for record in await records(teller, Item.H)] == ["did-not-happen"]
    assert [record[FieldName.RECALL] for record in await records(teller, Item.J)] == ["did-not-happen"]
    assert await planned(teller) == [False]


async def test_a_long_chain_keeps_its_latest_movements_and_says_how_many_are_left_out(teller):
    teller.make("PACK")
    for number in range(100):
        teller.tell(Arrival, "PACK", at=10 + number, facility_id="STORE")

    first, *kept = await records(teller, Item.H)
    assert int(first[FieldName.OMITTED]) == 100 - len(kept)
    assert kept[-1][FieldName.TIME] == "1970-01-01T00:01:49Z"
    answer = (await teller.finding("PACK")).item(Item.H)
    assert sum(len(record.fields) for record in answer.records) <= limits.VALUES_PER_ITEM_MAX


# --- why nothing is there -------------------------------------------------------------------------------------------------


async def test_an_item_that_the_system_does_not_record_is_not_held(teller):
    teller.make("PACK")
    teller.coverage = Coverage(recorded_since=dict.fromkeys(ALL_ITEMS - {Item.E}, 0))

    assert await state(teller, Item.E) is ItemState.NOT_HELD


async def test_an_item_that_was_not_yet_required_is_not_applicable(teller):
    teller.make("PACK")
    teller.coverage = Coverage(recorded_since=dict.fromkeys(ALL_ITEMS, 0) | {Item.E: 2})

    assert await state(teller, Item.E) is ItemState.NOT_APPLICABLE


async def test_events_older_than_the_retention_may_be_gone(teller):
    teller.make("PACK")
    teller.coverage = Coverage(retention_s=100)

    assert await state(teller, Item.H) is ItemState.OUT_OF_RETENTION
    assert await state(teller, Item.H, now=50) is ItemState.NOT_RECORDED_YET


@pytest.mark.parametrize("reason", [DeactivationReason.UNUSED, DeactivationReason.MARKING_STOLEN])
async def test_a_code_that_was_never_used_has_no_history_to_come(teller, reason):
    teller.issue("PACK")
    teller.tell(Deactivation, "PACK", at=3, reason=reason)

    assert {await state(teller, item) for item in (Item.A, Item.D, Item.E, Item.H, Item.I)} == {ItemState.NOT_APPLICABLE}


async def test_destroyed_goods_find_no_customer_and_stolen_ones_may(teller):
    teller.make("PACK", "STOLEN")
    teller.tell(Deactivation, "PACK", at=3, reason=DeactivationReason.DESTROYED)
    teller.tell(Deactivation, "STOLEN", at=3, reason=DeactivationReason.STOLEN)

    assert await state(teller, Item.E) is ItemState.NOT_APPLICABLE
    assert await state(teller, Item.E, "STOLEN") is ItemState.NOT_RECORDED_YET


async def test_of_a_code_that_nobody_issued_manufacture_is_not_held(teller):
    teller.tell(Arrival, "GHOST", at=5, facility_id="STORE")

    assert await state(teller, Item.G, "GHOST") is ItemState.NOT_HELD
