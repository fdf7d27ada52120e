"""Contradictions: each test tells a history that cannot be true, or one that only looks like it."""

from __future__ import annotations

import pytest

from federation.query.codes import UimStatus
from federation.uim.codes import Level
from node import limits
from node.trace.events import (
    Application,
    Arrival,
    Deactivation,
    Dispatch,
    Importation,
    Invoice,
    Payment,
    Reactivation,
    Recall,
    RetailDelivery,
    TransLoading,
)
from node.trace.model import AnomalyKind
from node.trace.parts import DeactivationReason, Destination, DestinationKind, Money, PaymentMethod, RecallReason, Trader
from tests.support.trace_teller import DAY, Teller

TO_STORE = Destination(kind=DestinationKind.DOMESTIC, facility_id="STORE")
EXPORT = Destination(kind=DestinationKind.EXPORT, country="QO")
LABORATORY = Destination(kind=DestinationKind.OTHER, address="Laboratory")
SALE = {"invoice_number": "I-1", "invoice_date": DAY, "seller": Trader(name="S"), "buyer": Trader(name="B")}


@pytest.fixture
def teller():
    teller = Teller()
    teller.make("PACK")
    return teller


async def kinds(teller, code="PACK", **arguments):
    finding = await teller.finding(code, **arguments)
    assert (UimStatus.CONFLICT in finding.status) == bool(finding.anomalies)
    return [anomaly.kind for anomaly in finding.anomalies]


def arrive(teller, at, place="STORE", **facts):
    return teller.tell(Arrival, "PACK", at=at, facility_id=place, **facts)


def send(teller, at, destination=TO_STORE, place="FACTORY"):
    return teller.tell(Dispatch, "PACK", at=at, destination=destination, facility_id=place)


async def test_an_ordinary_life_has_none(teller):
    teller.pack("CASE", "PACK", at=3, facility_id="FACTORY")
    teller.tell(Dispatch, "CASE", at=4, destination=TO_STORE, facility_id="FACTORY")
    teller.tell(TransLoading, "CASE", at=5, destination=TO_STORE)
    teller.tell(Arrival, "CASE", at=6, facility_id="STORE")
    teller.tell(Invoice, "CASE", at=7, **SALE)
    teller.unpack("CASE", at=7)
    send(teller, 8, Destination(kind=DestinationKind.DOMESTIC, facility_id="SHOP"), place="STORE")
    teller.tell(RetailDelivery, "PACK", at=9, facility_id="SHOP")
    arrive(teller, 20, product_return=True)

    assert await kinds(teller) == []


async def test_a_code_that_nobody_issued(teller):
    teller.tell(Arrival, "GHOST", at=5, facility_id="STORE")

    assert await kinds(teller, "GHOST") == [AnomalyKind.NEVER_ISSUED]
    assert (await teller.finding("GHOST")).level is None


async def test_a_container_needs_no_issuer(teller):
    teller.pack("SSCC", "PACK", at=3)

    assert await kinds(teller, "SSCC") == []


async def test_a_code_issued_twice(teller):
    teller.issue("PACK", at=3)

    assert await kinds(teller) == [AnomalyKind.ISSUED_TWICE]


async def test_a_code_applied_twice(teller):
    twice = teller.tell(Application, "PACK", at=9, facility_id="FACTORY")

    (anomaly,) = (await teller.finding("PACK")).anomalies
    assert (anomaly.kind, anomaly.event_id, anomaly.event_time) == (AnomalyKind.APPLIED_TWICE, twice, 9)


async def test_an_application_that_was_recalled_is_not_the_second(teller):
    twice = teller.tell(Application, "PACK", at=9, facility_id="FACTORY")
    teller.tell(Recall, at=10, about=twice, reason=RecallReason.WRONG_INFORMATION)

    assert await kinds(teller) == []


async def test_a_code_applied_after_it_expired():
    teller = Teller()
    late = limits.UNUSED_CODE_LIFE_S + 2
    teller.make("PACK", at=late)

    assert await kinds(teller, now=late + 1) == [AnomalyKind.APPLIED_WHEN_VOID]


async def test_a_pack_in_two_cartons_at_once(teller):
    teller.pack("CARTON", "PACK", at=3)
    teller.pack("OTHER-CARTON", "PACK", at=4)

    assert await kinds(teller) == [AnomalyKind.TWO_PARENTS]


@pytest.mark.parametrize("codes", [(), ("PACK",)], ids=["whole", "pack"])
async def test_a_pack_that_was_taken_out_in_between_is_not_in_two_cartons(teller, codes):
    teller.pack("CARTON", "PACK", at=3)
    teller.unpack("CARTON", *codes, at=4)
    teller.pack("OTHER-CARTON", "PACK", at=5)

    assert await kinds(teller) == []


async def test_an_arrival_that_nobody_sent(teller):
    arrive(teller, 5)

    assert await kinds(teller) == [AnomalyKind.ARRIVAL_WITHOUT_DISPATCH]


async def test_a_second_reading_at_the_same_place_is_no_arrival(teller):
    arrive(teller, 5, place="FACTORY")

    assert await kinds(teller) == []


async def test_goods_that_arrive_where_they_were_not_sent(teller):
    send(teller, 4)
    arrive(teller, 5, place="SHOP")

    assert await kinds(teller) == [AnomalyKind.ELSEWHERE]


async def test_exported_goods_that_arrive_at_home(teller):
    send(teller, 4, EXPORT)
    arrive(teller, 5)

    assert await kinds(teller) == [AnomalyKind.ELSEWHERE]


async def test_goods_that_leave_a_place_where_they_are_not(teller):
    send(teller, 4, place="SHOP")

    assert await kinds(teller) == [AnomalyKind.ELSEWHERE]


async def test_imported_goods_arrive_without_a_dispatch_from_here():
    teller = Teller()
    teller.issue("PACK")
    teller.tell(Importation, "PACK", at=3, origin="QO", importer=Trader(name="Importer"), facility_id="STORE")
    arrive(teller, 4)

    assert await kinds(teller) == []


async def test_goods_that_move_before_they_are_made():
    teller = Teller()
    teller.issue("PACK")
    teller.pack("CARTON", "PACK", at=3)

    assert await kinds(teller) == [AnomalyKind.OUT_OF_ORDER]
    teller.issue("CARTON", level=Level.CARTON)
    assert await kinds(teller, "CARTON") == []


async def test_stolen_goods_that_are_sold(teller):
    teller.tell(Deactivation, "PACK", at=4, reason=DeactivationReason.STOLEN)
    teller.tell(Invoice, "PACK", at=5, **SALE)

    assert await kinds(teller) == [AnomalyKind.AFTER_DEACTIVATION]


async def test_recovered_goods_may_be_sold_and_stolen_ones_still_paid_for(teller):
    teller.tell(Invoice, "PACK", at=3, **SALE)
    teller.tell(Deactivation, "PACK", at=4, reason=DeactivationReason.STOLEN)
    money = Money(amount="10.50", currency="XTS")
    paid = {"payment_date": DAY, "method": PaymentMethod.CARD, "price": money, "payer": Trader(name="B")}
    teller.tell(Payment, "PACK", at=5, **paid)
    teller.tell(Reactivation, "PACK", at=6)
    teller.tell(Invoice, "PACK", at=7, **SALE)

    assert await kinds(teller) == []


async def test_void_goods_may_go_to_the_laboratory(teller):
    teller.tell(Deactivation, "PACK", at=4, reason=DeactivationReason.OTHER)
    send(teller, 5, LABORATORY)

    assert await kinds(teller) == []


async def test_what_is_planned_contradicts_nothing_yet(teller):
    send(teller, 50, place="SHOP")

    assert await kinds(teller, now=40) == []


async def test_their_number_is_bounded(teller):
    for number in range(2 * limits.ANOMALIES_PER_CODE_MAX):
        teller.tell(Application, "PACK", at=10 + number, facility_id="FACTORY")

    assert len(await kinds(teller)) == limits.ANOMALIES_PER_CODE_MAX
