from __future__ import annotations

import io

import pytest

from federation.errors import InvalidInput
from federation.query.items import Item
from node import limits
from node.formats.trace_files import read_filings, write_filings
from node.trace.events import Arrival, Report
from node.trace.model import Coverage, Facility, FacilityKind

ARRIVAL = (
    b'{"type": "arrival", "event_id": "E-7", "event_time": "2026-03-01T10:00:00Z", "record_time": "2026-03-01T12:30:00+01:00", '
)
ARRIVAL += b'"facility_id": "F-1", "codes": ["P1", "P2"]}\n'


def read(data):
    return list(read_filings(io.BytesIO(data)))


def test_a_line_is_an_event_master_data_or_the_coverage():
    lines = ARRIVAL + b"\n  \n" + b'{"type": "facility", "facility_id": "F-1", "name": "Works", "kind": "factory"}\r\n'
    lines += b'{"type": "coverage", "complete_as_of": "1970-01-01T00:00:05Z", "recorded_since": {"e": "1970-01-01T00:00:07Z"}}'

    arrival, facility, coverage = read(lines)
    assert arrival == Report(
        event=Arrival(event_id="E-7", event_time=1_772_359_200, record_time=1_772_364_600, facility_id="F-1"), codes=("P1", "P2")
    )
    assert facility == Facility(facility_id="F-1", name="Works", kind=FacilityKind.FACTORY)
    assert coverage == Coverage(complete_as_of=5, recorded_since={Item.E: 7})


def test_what_is_written_is_for_people_too():
    (line,) = write_filings(read(ARRIVAL))

    assert b'"event_time":"2026-03-01T10:00:00Z"' in line
    assert b"null" not in line


@pytest.mark.parametrize(
    ("fault", "named"),
    [
        (ARRIVAL.replace(b'"facility_id"', b'"facilityid"'), "facility_id"),
        (ARRIVAL.replace(b"}", b', "machine": "M"}'), "machine"),
        (ARRIVAL.replace(b"arrival", b"arival"), "type"),
        (ARRIVAL.replace(b"2026-03-01T10:00:00Z", b"2026-03-01T10:00:00"), "time zone"),
        (ARRIVAL.replace(b'"2026-03-01T10:00:00Z"', b"1772359200"), "datetime"),
        (ARRIVAL.replace(b'"P2"', b'"P1"'), "twice"),
        (ARRIVAL.replace(b'"P2"', b"2"), "str"),
        (ARRIVAL.replace(b'["P1", "P2"]', b"[]"), "no codes"),
        (ARRIVAL[:-3], ""),
        (b"[]", "object"),
        (b"\xff\xfe{}", ""),
        (b'{"type": "arrival", "x": ' + b"[" * 20_000 + b"]" * 20_000 + b"}", ""),
        (b'{"type": ["arrival"]}', "type"),
        (b'{"type": "invoice", "seller": {"name": "S", "nick": "N"}}', ""),
    ],
)
def test_a_faulty_line_is_named_with_its_number_and_a_hint(fault, named):
    with pytest.raises(InvalidInput) as caught:
        read(ARRIVAL + b"\n" + fault)

    assert caught.value.message.startswith("line 3: ")
    assert named in caught.value.message
    assert caught.value.hint


def test_an_unknown_field_is_found_however_deep_it_is():
    order = b'{"type": "order", "event_id": "E", "event_time": "2026-03-01T10:00:00Z", "record_time": "2026-03-01T10:00:00Z", '
    order += b'"order_number": "1", "order_date": "2026-03-01", "buyer": {"name": "B", "nick": "N"}, "codes": ["P"]}'

    with pytest.raises(InvalidInput, match="nick"):
        read(order)


def test_what_stands_before_a_fault_has_been_given():
    filings = read_filings(io.BytesIO(ARRIVAL + b"fault"))

    assert next(filings).codes == ("P1", "P2")
    with pytest.raises(InvalidInput):
        next(filings)


def test_a_line_without_end_is_not_read_into_memory():
    class Endless(io.RawIOBase):
        def readline(self, size=-1):
            assert 0 <= size <= limits.TRACE_LINE_BYTES_MAX + 1
            return b" " * size

    with pytest.raises(InvalidInput, match="line 1"):
        list(read_filings(Endless()))
