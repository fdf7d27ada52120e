"""What no event and no master data may hold, whoever makes it."""

from __future__ import annotations

import pytest

from federation import limits
from federation.errors import InvalidInput
from federation.uim.codes import Level
from node import limits as node_limits
from node.trace import events
from node.trace.events import (
    EVENT_KINDS,
    Aggregation,
    Arrival,
    Disaggregation,
    Dispatch,
    Event,
    Importation,
    Issuance,
    Pairing,
    Recall,
    Report,
)
from node.trace.model import TIME_MAX, Coverage, Facility, FacilityKind, Operator, references_in
from node.trace.parts import Destination, DestinationKind, Money, RecallReason, Trader

HEAD = {"event_id": "E", "event_time": 1, "record_time": 1}
ARRIVAL = Arrival(facility_id="F", **HEAD)


@pytest.mark.parametrize("code", ["", "with space", "ünicode", "tab\t", "new\n", "k" * (limits.KEY_CHARACTERS_MAX + 1)])
def test_a_code_that_no_marking_can_have_is_refused(code):
    with pytest.raises(InvalidInput):
        Report(event=ARRIVAL, codes=(code,))


def test_a_code_is_named_once():
    with pytest.raises(InvalidInput, match="twice"):
        Report(event=ARRIVAL, codes=("P", "P"))


def test_an_event_names_at_least_one_code_and_not_too_many():
    with pytest.raises(InvalidInput, match="no codes"):
        Report(event=ARRIVAL)
    with pytest.raises(InvalidInput, match="at most"):
        Report(event=ARRIVAL, codes=tuple(f"P{number}" for number in range(node_limits.TRACE_CODES_PER_EVENT_MAX + 1)))


@pytest.mark.parametrize("event", [Aggregation(container="C", **HEAD), Pairing(key="C", **HEAD)], ids=["packing", "pairing"])
def test_nothing_is_inside_itself(event):
    with pytest.raises(InvalidInput, match="twice"):
        Report(event=event, codes=("P", "C"))


@pytest.mark.parametrize(
    "event",
    [
        Recall(about="E1", reason=RecallReason.OTHER, **HEAD),
        Disaggregation(container="C", whole=True, **HEAD),
    ],
    ids=["remark", "whole"],
)
def test_a_remark_and_the_unpacking_of_a_whole_name_no_codes(event):
    assert Report(event=event).codes == ()
    with pytest.raises(InvalidInput, match="no codes"):
        Report(event=event, codes=("P",))


def test_packing_can_be_looked_up_by_the_container_and_keeps_an_example():
    report = Report(event=Aggregation(container="C", **HEAD), codes=("P1", "P2"))

    assert report.keys == ("P1", "P2", "C")
    assert report.filed == Aggregation(container="C", example="P1", **HEAD)


@pytest.mark.parametrize(
    "event",
    [
        Arrival(facility_id="", **HEAD),
        Arrival(facility_id="line\nbreak", **HEAD),
        Arrival(facility_id="x" * (limits.VALUE_CHARACTERS_MAX + 1), **HEAD),
        Arrival(facility_id="F", event_id="E", event_time=-1, record_time=1),
        Arrival(facility_id="F", event_id="E", event_time=1, record_time=TIME_MAX + 1),
        Issuance(level=Level.UNIT, issuer="I", intended_market="Qn", **HEAD),
        Issuance(level=Level.UNIT, issuer="I", intended_route=("QN",) * (node_limits.TRACE_PARTS_MAX + 1), **HEAD),
        Issuance(level=Level.UNIT, issuer="I", intended_route=("QN", "nowhere"), **HEAD),
        Importation(origin="QO", importer=Trader(name="\u202e"), **HEAD),
        Dispatch(destination=Destination(kind=DestinationKind.EXPORT, country="Q"), **HEAD),
    ],
)
def test_texts_times_and_countries_are_looked_at_however_deep_they_are(event):
    with pytest.raises(InvalidInput):
        Report(event=event, codes=("P",))


def test_master_data_is_looked_at_too():
    with pytest.raises(InvalidInput):
        Operator(operator_id="O", name="")
    with pytest.raises(InvalidInput):
        Facility(facility_id="F", name="F", kind=FacilityKind.FACTORY, country="qn")
    with pytest.raises(InvalidInput):
        Coverage(complete_as_of=-5)


@pytest.mark.parametrize("amount", ["", "-1", "1,5", "1.", ".5", "1e3", "NaN", "1" * 16, "1.23456", "\uff11"])
def test_an_amount_is_plain_digits(amount):
    with pytest.raises(InvalidInput):
        Money(amount=amount, currency="XTS")


def test_a_trader_has_an_id_or_a_name():
    with pytest.raises(InvalidInput):
        Trader(address="somewhere")


def test_every_reference_in_an_event_is_found():
    event = Dispatch(
        facility_id="F1",
        destination=Destination(kind=DestinationKind.DOMESTIC, facility_id="F2"),
        consignee=Trader(operator_id="O1"),
        **HEAD,
    )

    assert set(references_in(event)) == {("facility", "F1"), ("facility", "F2"), ("operator", "O1")}


def test_every_kind_of_event_has_its_word():
    kinds = {value for value in vars(events).values() if isinstance(value, type) and issubclass(value, Event)}
    bases = {base for kind in kinds for base in kind.__mro__[1:]}

    assert set(EVENT_KINDS.values()) == kinds - bases
