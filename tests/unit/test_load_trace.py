from __future__ import annotations

import pytest

from federation.errors import StoreUnavailable
from node.trace.events import Arrival, Report
from node.trace.model import Coverage, Operator
from node.use_cases import load_trace as module
from node.use_cases.load_trace import Loaded, load_trace
from tests.support.memory_trace import MemoryTrace

REPORTS = [
    Report(event=Arrival(event_id=f"E{number}", event_time=number, record_time=number, facility_id="F"), codes=("P",))
    for number in range(10)
]


@pytest.fixture(autouse=True)
def _small_batches(monkeypatch):
    monkeypatch.setattr(module, "_BATCH_ROWS", 4)


async def test_everything_is_filed_in_batches():
    store = MemoryTrace()
    loaded = await load_trace(store, [*REPORTS, Operator(operator_id="O", name="O"), REPORTS[0]])

    assert loaded == Loaded(reports=11, new=10, references=1)
    assert len((await store.gather(["P"])).events["P"]) == 10


@pytest.mark.parametrize("fault", ["fails_before", "fails_after"])
async def test_after_a_failure_it_is_simply_repeated(fault):
    store = MemoryTrace()
    setattr(store, fault, True)
    filings = [Coverage(complete_as_of=5), *REPORTS]
    with pytest.raises(StoreUnavailable):
        await load_trace(store, filings)
    assert (await store.gather([])).coverage.complete_as_of is None

    await load_trace(store, filings)
    gathered = await store.gather(["P"])
    assert len(gathered.events["P"]) == 10
    assert gathered.coverage.complete_as_of == 5
