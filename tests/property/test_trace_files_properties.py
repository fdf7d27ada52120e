"""Any bytes give filings or our error, and what is written is read back."""

from __future__ import annotations

import dataclasses
import io
from contextlib import suppress

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from federation.errors import InvalidInput
from federation.query.items import Item
from node.formats.trace_files import read_filings, write_filings
from node.trace.events import EVENT_KINDS, Disaggregation, Remark, Report
from node.trace.model import REFERENCE_KINDS, TIME_MAX, Coverage
from node.trace.parts import Destination, DestinationKind, Money, Trader

TIMES = st.integers(0, TIME_MAX)
TEXTS = st.text(st.characters(codec="utf-8").filter(str.isprintable), min_size=1, max_size=8)
KEYS = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=1, max_size=100)
COUNTRIES = st.sampled_from(["QN", "QO"])
TRADERS = st.builds(Trader, name=TEXTS, address=st.none() | TEXTS, country=st.none() | COUNTRIES)

NAMED = {
    **dict.fromkeys(("country", "origin", "intended_market"), COUNTRIES),
    **dict.fromkeys(("container", "key"), KEYS),
    **dict.fromkeys(("event_time", "record_time", "made_at", "units", "weight_mg"), TIMES),
    **dict.fromkeys(("importer", "seller", "buyer", "payer", "consignee", "outlet"), TRADERS),
    "intended_route": st.lists(COUNTRIES, max_size=3).map(tuple),
    "documents": st.lists(TEXTS, max_size=3).map(tuple),
    "price": st.builds(Money, amount=st.just("12.50"), currency=st.just("XTS")),
    "destination": st.builds(Destination, kind=st.sampled_from(DestinationKind), address=st.none() | TEXTS),
}
"""Fields that hold more than any text or any member of their vocabulary."""


def values(kind):
    """Any value of one of our classes."""
    chosen = {}
    for field in dataclasses.fields(kind):
        optional = field.default is not dataclasses.MISSING
        if field.name in NAMED:
            chosen[field.name] = st.none() | NAMED[field.name] if field.default is None else NAMED[field.name]
        elif "str" in field.type:
            chosen[field.name] = st.none() | TEXTS if optional else TEXTS
    return st.builds(kind, **chosen)


@st.composite
def reports(draw):
    event = draw(st.sampled_from(list(EVENT_KINDS.values())).flatmap(values))
    if isinstance(event, Remark) or (isinstance(event, Disaggregation) and event.whole):
        return Report(event=event)
    codes = draw(st.lists(KEYS, min_size=1, max_size=3, unique=True))
    assume(not {getattr(event, "container", None), getattr(event, "key", None)} & set(codes))
    return Report(event=event, codes=tuple(codes))


coverages = st.builds(
    Coverage,
    recorded_since=st.dictionaries(st.sampled_from(Item), TIMES),
    retention_s=TIMES,
    unused_code_life_s=TIMES,
    complete_as_of=st.none() | TIMES,
)
filings = reports() | st.sampled_from(list(REFERENCE_KINDS.values())).flatmap(values) | coverages


def read(data):
    return list(read_filings(io.BytesIO(data)))


@settings(max_examples=150, deadline=None)
@given(st.lists(filings, max_size=4))
def test_what_is_written_is_read_back(written):
    assert read(b"".join(write_filings(written))) == written


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes_give_filings_or_our_error(data):
    with suppress(InvalidInput):
        read(data)


@settings(max_examples=200, deadline=None)
@given(filings, st.data())
def test_a_broken_line_gives_a_filing_or_our_error(filing, data):
    (line,) = write_filings([filing])
    place = data.draw(st.integers(0, len(line) - 1))
    piece = data.draw(st.binary(max_size=3) | st.sampled_from([b"null", b"{}", b"[]", b"-1", b'"\\ud800"', b"1e999", b'"a":']))
    with suppress(InvalidInput):
        read(line[:place] + piece + line[place + data.draw(st.integers(0, 12)) :])
