"""The contract of `node.trace.ports.TraceStore`, on every implementation."""

from __future__ import annotations

from contextlib import asynccontextmanager

import pytest

from federation.errors import Conflict, Overloaded, Oversized
from federation.query.items import ALL_ITEMS
from federation.uim.codes import Level
from node import limits as node_limits
from node.store.trace import SqliteTrace
from node.trace.events import Aggregation, Arrival, Confirmation, Dispatch, Issuance, Recall, Report
from node.trace.finder import find
from node.trace.model import Coverage, Facility, FacilityKind, Operator
from node.trace.parts import Destination, DestinationKind, RecallReason
from tests.support.memory_trace import MemoryTrace

ISSUED = Report(event=Issuance(event_id="I", event_time=1, record_time=1, level=Level.UNIT, issuer="QN"), codes=("P1", "P2"))
PACKED = Report(event=Aggregation(event_id="A", event_time=2, record_time=2, container="C"), codes=("P1",))
LOADED = Report(event=Aggregation(event_id="B", event_time=3, record_time=3, container="T"), codes=("C",))
SENT = Report(
    event=Dispatch(
        event_id="D",
        event_time=4,
        record_time=3,
        facility_id="F",
        destination=Destination(kind=DestinationKind.EXPORT, country="QO"),
        documents=("MRN 1",),
    ),
    codes=("T",),
)
RECALLED = Report(event=Recall(event_id="R", event_time=5, record_time=5, about="D", reason=RecallReason.DID_NOT_HAPPEN))
FACTORY = Facility(facility_id="F", name="Factory", kind=FacilityKind.FACTORY, operator_id="O")
MAKER = Operator(operator_id="O", name="Maker")


@asynccontextmanager
async def memory(_path):
    yield MemoryTrace()


@pytest.fixture(params=[memory, SqliteTrace.open], ids=["memory", "sqlite"])
async def store(request, tmp_path):
    async with request.param(tmp_path / "trace.db") as opened:
        yield opened


def arrivals(count, key="P"):
    return [
        Report(event=Arrival(event_id=f"{key}{number}", event_time=number, record_time=number, facility_id="F"), codes=(key,))
        for number in range(count)
    ]


async def test_what_was_put_is_found_by_each_of_its_codes(store):
    assert await store.put([ISSUED]) == 1

    gathered = await store.gather(["P1", "P2", "P3"])
    assert gathered.events == {"P1": (ISSUED.event,), "P2": (ISSUED.event,), "P3": ()}


async def test_a_repeated_report_is_not_new(store):
    assert await store.put([ISSUED, ISSUED, PACKED]) == 2
    assert await store.put([PACKED, LOADED]) == 1

    assert len((await store.gather(["P1"])).events["P1"]) == 2


@pytest.mark.parametrize(
    "other",
    [
        Report(event=Arrival(event_id="I", event_time=1, record_time=1, facility_id="F"), codes=("P1", "P2")),
        Report(event=ISSUED.event, codes=("P1", "P3")),
    ],
    ids=["event", "codes"],
)
async def test_another_content_under_the_same_id_is_refused_with_the_whole_batch(store, other):
    await store.put([ISSUED])

    with pytest.raises(Conflict):
        await store.put([PACKED, other])

    assert (await store.gather(["P1"])).events["P1"] == (ISSUED.event,)


async def test_two_contents_under_one_id_in_one_batch_are_refused(store):
    with pytest.raises(Conflict):
        await store.put([ISSUED, Report(event=ISSUED.event, codes=("P9",))])

    assert (await store.gather(["P1"])).events["P1"] == ()


async def test_a_look_up_gathers_all_containers_level_by_level(store):
    await store.put([SENT, LOADED, PACKED, ISSUED])

    events = (await store.gather(["P1"])).events
    assert set(events) == {"P1", "C", "T"}
    assert events["P1"] == (ISSUED.event, PACKED.filed)
    assert events["T"] == (LOADED.filed, SENT.event)


async def test_a_look_up_of_a_container_brings_one_example_of_what_is_in_it(store):
    await store.put([SENT, LOADED, PACKED, ISSUED])

    assert set((await store.gather(["T"])).events) == {"T", "C", "P1"}


async def test_events_come_in_their_order_and_not_in_that_of_filing(store):
    await store.put(arrivals(5)[::-1])

    assert [event.event_time for event in (await store.gather(["P"])).events["P"]] == [0, 1, 2, 3, 4]


async def test_remarks_are_found_even_when_they_came_first(store):
    confirmed = Report(event=Confirmation(event_id="K", event_time=6, record_time=6, about="D"))
    await store.put([RECALLED, confirmed])
    await store.put([SENT])

    (remarks,) = (await store.gather(["T"])).remarks.values()
    assert set(remarks) == {RECALLED.event, confirmed.event}


async def test_master_data_is_followed_and_the_latest_counts(store):
    await store.put([SENT])
    await store.put_references([FACTORY, Operator(operator_id="O", name="Old name")])
    await store.put_references([MAKER, Operator(operator_id="unrelated", name="Unrelated")])

    master = (await store.gather(["T"])).master
    assert master.facilities == {"F": FACTORY}
    assert master.operators == {"O": MAKER}


async def test_nothing_is_known_of_master_data_that_nobody_filed(store):
    await store.put([SENT])

    assert (await store.gather(["T"])).master.facilities == {}


async def test_without_a_declaration_everything_is_covered_and_nothing_is_complete(store):
    assert (await store.gather([])).coverage == Coverage()


async def test_the_time_of_completeness_never_moves_back(store):
    coverage = Coverage(recorded_since=dict.fromkeys(ALL_ITEMS, 7), retention_s=100, complete_as_of=50)
    await store.put_coverage(coverage)
    await store.mark_complete(40)
    assert (await store.gather([])).coverage == coverage

    await store.mark_complete(60)
    await store.put_coverage(Coverage(retention_s=200))
    assert (await store.gather([])).coverage == Coverage(retention_s=200, complete_as_of=60)


async def test_a_put_has_a_limit(store, monkeypatch):
    monkeypatch.setattr(node_limits, "TRACE_ROWS_PER_PUT_MAX", 5)
    await store.put([ISSUED, PACKED])

    with pytest.raises(Oversized):
        await store.put([ISSUED, PACKED, LOADED])


async def test_a_look_up_has_a_limit_of_keys(store):
    with pytest.raises(Oversized):
        await store.gather([str(number) for number in range(node_limits.TRACE_KEYS_PER_LOOKUP_MAX + 1)])


async def test_a_look_up_has_a_limit_of_events(store, monkeypatch):
    monkeypatch.setattr(node_limits, "TRACE_EVENTS_PER_LOOKUP_MAX", 10)
    await store.put(arrivals(11))

    with pytest.raises(Overloaded):
        await store.gather(["P"])


async def test_a_key_that_only_looks_like_a_query_finds_nothing(store):
    await store.put([ISSUED])

    found = await find(store, ["%", "P1' OR '1'='1", "\ud800", "\0", "", "P1 "], now=10, wanted=ALL_ITEMS)
    assert found == (None,) * 6


async def test_a_container_inside_itself_ends_the_walk(store):
    await store.put([LOADED, Report(event=Aggregation(event_id="L", event_time=9, record_time=9, container="C"), codes=("T",))])

    assert set((await store.gather(["C"])).events) == {"C", "T"}
