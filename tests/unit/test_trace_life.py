"""Status flags and the last known place."""

from __future__ import annotations

import pytest

from federation.query.codes import UimStatus
from federation.uim.codes import Level
from node import limits
from node.trace.events import (
    Arrival,
    Deactivation,
    Dispatch,
    Importation,
    Pairing,
    Reactivation,
    Recall,
    RetailDelivery,
)
from node.trace.parts import DeactivationReason, Destination, DestinationKind, RecallReason, Trader
from tests.support.trace_teller import NOW, Teller

EXPORT = Destination(kind=DestinationKind.EXPORT, country="QO")
HOME = Destination(kind=DestinationKind.DOMESTIC, facility_id="STORE")


@pytest.fixture
def teller():
    return Teller()


async def status(teller, code="PACK", **arguments):
    return (await teller.finding(code, **arguments)).status


async def test_a_fresh_code_is_issued_and_a_stale_one_expired(teller):
    teller.issue("PACK", at=1)

    assert await status(teller, now=100) == {UimStatus.ISSUED_NOT_APPLIED}
    assert await status(teller, now=limits.UNUSED_CODE_LIFE_S + 2) == {UimStatus.EXPIRED_UNUSED}


async def test_an_applied_code_is_active(teller):
    teller.make("PACK")

    assert await status(teller) == {UimStatus.ACTIVE}


async def test_a_container_is_active_once_something_is_in_it(teller):
    teller.make("PACK")
    teller.issue("CARTON", level=Level.CARTON)
    assert await status(teller, "CARTON") == {UimStatus.ISSUED_NOT_APPLIED}

    teller.pack("CARTON", "PACK", at=3)
    assert await status(teller, "CARTON") == {UimStatus.ACTIVE}


async def test_a_container_that_its_maker_numbered_is_active_and_has_its_level(teller):
    teller.make("PACK")
    teller.pack("SSCC", "PACK", at=3, level=Level.CASE)

    finding = await teller.finding("SSCC")
    assert finding.status == {UimStatus.ACTIVE}
    assert finding.level is Level.CASE


@pytest.mark.parametrize(
    ("reason", "flag"),
    [
        (DeactivationReason.DESTROYED, UimStatus.DESTROYED),
        (DeactivationReason.STOLEN, UimStatus.STOLEN),
        (DeactivationReason.MARKING_DESTROYED, UimStatus.MARKING_DESTROYED),
        (DeactivationReason.MARKING_STOLEN, UimStatus.MARKING_STOLEN),
        (DeactivationReason.UNUSED, UimStatus.DEACTIVATED_UNUSED),
        (DeactivationReason.OTHER, UimStatus.DEACTIVATED_OTHER),
    ],
)
async def test_a_deactivated_code_says_why(teller, reason, flag):
    teller.make("PACK")
    teller.tell(Deactivation, "PACK", at=5, reason=reason)

    assert await status(teller) == {flag}


async def test_a_recovered_code_is_active_again_and_says_so(teller):
    teller.make("PACK")
    teller.tell(Deactivation, "PACK", at=5, reason=DeactivationReason.STOLEN)
    teller.tell(Reactivation, "PACK", at=6)

    assert await status(teller) == {UimStatus.ACTIVE, UimStatus.REACTIVATED}


async def test_theft_of_a_case_befalls_the_packs_in_it_and_a_torn_label_does_not(teller):
    teller.make("PACK")
    teller.pack("CASE", "PACK", at=3)
    teller.tell(Deactivation, "CASE", at=4, reason=DeactivationReason.MARKING_DESTROYED)
    assert await status(teller) == {UimStatus.ACTIVE}

    teller.tell(Deactivation, "CASE", at=5, reason=DeactivationReason.STOLEN)
    assert await status(teller) == {UimStatus.STOLEN}


async def test_an_export_counts_when_its_time_has_come_and_until_the_goods_are_back(teller):
    teller.make("PACK")
    teller.tell(Dispatch, "PACK", at=10, destination=EXPORT, facility_id="FACTORY")
    assert UimStatus.EXPORTED not in await status(teller, now=9)
    assert UimStatus.EXPORTED in await status(teller, now=11)

    teller.tell(Arrival, "PACK", at=20, facility_id="STORE", product_return=True)
    assert await status(teller, now=21) == {UimStatus.ACTIVE}


async def test_a_recalled_export_did_not_happen_and_is_flagged(teller):
    teller.make("PACK")
    sent = teller.tell(Dispatch, "PACK", at=10, destination=EXPORT, facility_id="FACTORY")
    teller.tell(Recall, at=11, about=sent, reason=RecallReason.DID_NOT_HAPPEN)

    assert await status(teller) == {UimStatus.ACTIVE, UimStatus.RECALLED_EVENT}


@pytest.mark.parametrize("arrives", [False, True])
async def test_goods_reach_retail_by_delivery_or_by_arriving_at_a_shop(teller, arrives):
    teller.make("PACK")
    teller.tell(Dispatch, "PACK", at=10, destination=HOME, facility_id="FACTORY")
    if arrives:
        teller.tell(Arrival, "PACK", at=11, facility_id="SHOP")
    else:
        teller.tell(RetailDelivery, "PACK", at=11, by_van=True)

    assert UimStatus.DELIVERED_TO_RETAIL in await status(teller)


async def test_imported_goods_are_in_use_without_an_application_here(teller):
    teller.issue("PACK")
    teller.tell(Importation, "PACK", at=5, origin="QO", importer=Trader(name="Importer"))

    assert await status(teller) == {UimStatus.ACTIVE}


async def test_the_last_known_place_may_be_that_of_the_case(teller):
    teller.make("PACK")
    teller.pack("CASE", "PACK", at=3, facility_id="FACTORY")
    teller.tell(Dispatch, "CASE", at=4, destination=HOME, facility_id="FACTORY")
    teller.tell(Arrival, "CASE", at=5, facility_id="STORE")
    teller.tell(Dispatch, "CASE", at=NOW + 5, destination=EXPORT, facility_id="SHOP")

    last = (await teller.finding("PACK")).last_known
    assert (last.event_time, last.event, last.facility_id, last.under) == (5, "arrival", "STORE", "CASE")
    assert (last.place, last.country) == ("2 Street", "QN")


async def test_a_code_that_was_only_issued_was_never_anywhere(teller):
    teller.issue("PACK")

    assert (await teller.finding("PACK")).last_known is None


async def test_the_readable_part_of_a_code_finds_the_pack(teller):
    teller.make("PACK")
    teller.pack("CARTON", "PACK", at=3)
    teller.tell(Pairing, "PA", at=4, key="PACK")

    finding = await teller.finding("PA")
    assert finding.status == {UimStatus.ACTIVE}
    assert finding.inside == ("CARTON",)
    assert finding.items == (await teller.finding("PACK")).items
