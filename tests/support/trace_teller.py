"""Small histories for tests, one line for each event: `tell(Arrival, "PACK", at=5, facility_id="F-1")`."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

from federation.query.items import ALL_ITEMS, Item
from federation.uim.codes import Level
from node.trace.containment import Containment, History
from node.trace.events import Aggregation, Application, Disaggregation, Event, Issuance, Report
from node.trace.finder import find
from node.trace.model import Coverage, Facility, FacilityKind, Finding, Machine, Operator, Product, ProductClass, Reference
from tests.support.memory_trace import MemoryTrace

NOW = 1_000_000
"""`now` of every history; events have small times before it."""

DAY = date(2026, 1, 1)
"""The date on every paper."""

CAST: tuple[Reference, ...] = (
    Operator(operator_id="MAKER", name="Maker", group="group"),
    Operator(operator_id="SISTER", name="Sister of the maker", group="group"),
    Operator(operator_id="BUYER", name="Buyer", address="1 Street", country="QN", registration="R-1"),
    Operator(operator_id="NEXT", name="Next buyer"),
    Facility(facility_id="FACTORY", name="Factory", kind=FacilityKind.FACTORY, country="QN", operator_id="MAKER"),
    Facility(facility_id="STORE", name="Store", kind=FacilityKind.WAREHOUSE, address="2 Street", country="QN"),
    Facility(facility_id="SHOP", name="Shop", kind=FacilityKind.RETAIL, country="QN"),
    Machine(machine_id="MACHINE", name="Machine", facility_id="FACTORY"),
    Product(product_id="PRODUCT", product_class=ProductClass.CIGARETTE, brand="Brand", units=20, weight_mg=14_500),
)


class Teller:
    """Attributes:
    coverage: what the Party's system records; everything by default.
    """

    def __init__(self) -> None:
        self.reports: list[Report] = []
        self.coverage = Coverage(complete_as_of=NOW - 10)

    def tell(self, kind: Callable[..., Event], *codes: str, at: int, **facts: Any) -> str:
        """Report an event; give its id."""
        event_id = f"E{len(self.reports) + 1}"
        event = kind(event_id=event_id, event_time=at, record_time=facts.pop("record_time", at), **facts)
        self.reports.append(Report(event=event, codes=codes))
        return event_id

    def issue(self, *codes: str, at: int = 1, level: Level = Level.UNIT, **facts: Any) -> str:
        """Give codes out, for the product and market of the cast unless told otherwise."""
        stated = {"product_id": "PRODUCT", "facility_id": "FACTORY", "machine_id": "MACHINE", "intended_market": "QN"}
        return self.tell(Issuance, *codes, at=at, level=level, issuer="ISSUER", **(stated | facts))

    def make(self, *codes: str, at: int = 2, **facts: Any) -> str:
        """Issue codes and put them on packs."""
        self.issue(*codes, **facts)
        return self.tell(Application, *codes, at=at, facility_id="FACTORY")

    def pack(self, container: str, *codes: str, at: int, **facts: Any) -> str:
        return self.tell(Aggregation, *codes, at=at, container=container, **facts)

    def unpack(self, container: str, *codes: str, at: int) -> str:
        """Take codes out; everything when none is named."""
        return self.tell(Disaggregation, *codes, at=at, container=container, whole=not codes)

    async def store(self) -> MemoryTrace:
        """A store with the cast and all that was told, filed backwards: the order of arrival must not matter."""
        store = MemoryTrace()
        await store.put_references(CAST)
        await store.put_coverage(self.coverage)
        await store.put(self.reports[::-1])
        return store

    async def history(self, code: str) -> History:
        history = Containment(await (await self.store()).gather([code])).history(code)
        assert history is not None
        return history

    async def finding(self, code: str, *, now: float = NOW, wanted: frozenset[Item] = ALL_ITEMS) -> Finding:
        (finding,) = await find(await self.store(), [code], now=now, wanted=wanted)
        assert finding is not None
        return finding
