"""The demonstration's data show what they promise, in every Party, and every code fits its Party's own patterns."""

from __future__ import annotations

from pathlib import Path

import pytest

from federation.errors import InvalidConfiguration, InvalidInput
from federation.query.codes import UimStatus
from federation.query.items import ALL_ITEMS, FieldName, Item, ItemState
from federation.uim.library import Library
from federation.uim.scan import read_scan
from node.formats.demo_plans import read_demo_plan
from node.formats.patterns import read_pattern_file
from node.formats.trace_files import write_filings
from node.store.trace import SqliteTrace
from node.trace.events import Issuance
from node.trace.finder import find
from node.trace.model import AnomalyKind
from node.use_cases.demo_data import demo_data
from node.use_cases.load_trace import load_trace
from tests.support.memory_trace import MemoryTrace

CONFIG = Path(__file__).parents[2] / "config"
PLAN = read_demo_plan((CONFIG / "demo" / "trace.toml").read_text())
PATTERNS = {party: read_pattern_file((CONFIG / "patterns" / f"demo-{party}.toml").read_text()) for party in PLAN.parties}
LIBRARY = Library.build(PATTERNS.values())
NOW = 1_780_000_000

FROM_POLICY = {
    ItemState.WITHHELD_LEGAL,
    ItemState.WITHHELD_INVESTIGATION,
    ItemState.NEEDS_ARTICLE_21_OR_28,
    ItemState.NEEDS_MUTUAL_LEGAL_ASSISTANCE,
    ItemState.UNDER_ENQUIRY,
    ItemState.NOT_ASKED,
}
"""States that no data gives."""


def data_of(party):
    return demo_data(PLAN, PATTERNS[party], seed=b"test", now=NOW)


async def findings(store, data):
    """Every showcase with what is found of it."""
    names = list(data.showcases)
    found = await find(store, [data.showcases[name] for name in names], now=NOW, wanted=ALL_ITEMS)
    return dict(zip(names, found, strict=True))


@pytest.fixture(params=list(PLAN.parties))
async def told(request):
    data = data_of(request.param)
    store = MemoryTrace()
    await load_trace(store, data.filings())
    return request.param, data, await findings(store, data)


async def test_every_status_occurs(told):
    _, _, found = told

    assert frozenset().union(*(finding.status for finding in found.values() if finding is not None)) == frozenset(UimStatus)


async def test_every_state_that_data_can_give_occurs(told):
    _, _, found = told

    states = {answer.state for finding in found.values() if finding is not None for answer in finding.items}
    assert states == set(ItemState) - FROM_POLICY


async def test_only_the_invented_code_was_never_issued(told):
    _, _, found = told

    assert [name for name, finding in found.items() if finding is None] == ["pack-never-issued"]


async def test_only_the_copy_and_the_diversion_are_conflicts(told):
    _, _, found = told

    conflicts = {
        name.split("-", 1)[1]: finding.anomalies[0].kind for name, finding in found.items() if finding and finding.anomalies
    }
    assert conflicts == {"copied": AnomalyKind.APPLIED_TWICE, "diverted": AnomalyKind.ELSEWHERE}


async def test_every_code_leads_to_its_party(told):
    party, data, _ = told
    codes = {code for report in data.reports if isinstance(report.event, Issuance) for code in report.codes}

    for code in [*sorted(codes)[::10], *data.showcases.values()]:
        candidates = LIBRARY.resolve(read_scan(code), now=NOW)
        assert (party, code) in {(candidate.party, candidate.key.text) for candidate in candidates}


async def test_the_whole_shipment_is_told_on_each_pack_of_the_pallet():
    data = data_of("qn")
    store = MemoryTrace()
    await load_trace(store, data.filings())
    pack = (await findings(store, data))["pack-exported"]

    assert len(pack.inside) == 3
    sent = [record for record in pack.item(Item.J).records if record.first(FieldName.EVENT) == "dispatch"]
    assert {record.first(FieldName.UNDER) for record in sent} == {pack.inside[-1]}
    assert pack.item(Item.E).records[0].first(FieldName.NAME) == PLAN.customer_abroad.name


async def test_what_a_code_says_by_itself_agrees_with_what_is_answered():
    data = data_of("qn")
    store = MemoryTrace()
    await load_trace(store, data.filings())
    for name in ("pack-sold", "pack-exported", "pack-stolen"):
        scan = read_scan(data.showcases[name])
        facts = {(fact.item, fact.name): fact.value for fact in LIBRARY.resolve(scan, now=NOW)[0].facts}
        found = (await findings(store, data))[name]
        assert found.item(Item.B).records[0].first(FieldName.FACILITY_ID) == facts["b", "facility-id"]
        assert found.item(Item.F).records[0].first(FieldName.MARKET) == facts["f", "market"]
        assert found.item(Item.G).records[0].first(FieldName.PRODUCT) == facts["g", "product"]


async def test_the_same_seed_tells_the_same_and_another_one_something_else():
    lines = [list(write_filings(data_of("qo").filings())) for _ in range(2)]
    other = demo_data(PLAN, PATTERNS["qo"], seed=b"other", now=NOW)

    assert lines[0] == lines[1]
    assert list(write_filings(other.filings())) != lines[0]


async def test_sqlite_and_memory_find_the_same(tmp_path):
    data = data_of("qn")
    memory = MemoryTrace()
    await load_trace(memory, data.filings())
    async with SqliteTrace.open(tmp_path / "trace.db") as sqlite:
        await load_trace(sqlite, data.filings())

        assert await findings(sqlite, data) == await findings(memory, data)


def test_a_few_thousand_packs_are_told_of():
    packs = [code for report in data_of("qn").reports for code in report.codes if code.startswith("LEQN1")]

    assert len(set(packs)) > 3_000


def test_a_party_without_a_plan_is_refused():
    with pytest.raises(InvalidInput):
        demo_data(PLAN, read_pattern_file((CONFIG / "patterns" / "austria.toml").read_text()), seed=b"", now=NOW)


def test_a_plan_with_a_wrong_field_is_named():
    with pytest.raises(InvalidConfiguration, match="operators"):
        read_demo_plan("[operators.maker]\nname = 5")
    with pytest.raises(InvalidConfiguration):
        read_demo_plan("no toml")


def test_a_form_that_names_no_pattern_is_refused():
    text = (CONFIG / "demo" / "trace.toml").read_text().replace('"qm-stamp"', '"qm-nothing"')
    with pytest.raises(InvalidConfiguration, match="qm-nothing"):
        demo_data(read_demo_plan(text), PATTERNS["qm"], seed=b"", now=NOW)
