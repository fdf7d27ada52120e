"""Reports about one code that cannot all be true. Where a code was copied, or a report is false, this is where it shows.

Theory of operation: the history is run through in order, and a `_Watch` remembers what a report has to agree with: whether
the code was made and is valid, what is packed into what, where it is, and whether it is on its way. Each rule looks at one
event and what is remembered, then the memory is brought up to date. Nothing is decided here about who is wrong.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from federation.uim.codes import Level
from node import limits
from node.trace.containment import Entry, History
from node.trace.events import (
    Aggregation,
    Application,
    Arrival,
    Deactivation,
    Disaggregation,
    Dispatch,
    Event,
    Importation,
    Invoice,
    Issuance,
    Packing,
    Reactivation,
    RetailDelivery,
    Shipment,
    TransLoading,
)
from node.trace.life import concerns_goods, happened
from node.trace.model import Anomaly, AnomalyKind
from node.trace.parts import DestinationKind

_MOVES: Final = (Packing, Shipment, Arrival, RetailDelivery)
_USES: Final = (Application, Importation, Invoice, *_MOVES)


def anomalies_of(history: History, now: float) -> tuple[Anomaly, ...]:
    """Every contradiction among the events up to `now` (Unix seconds, UTC), at most ANOMALIES_PER_CODE_MAX, in order."""
    watch = _Watch(history=history)
    for entry in happened(history, now):
        watch.look(entry)
    if watch.issued is None and not watch.filled and history.entries:
        watch.found.insert(0, _anomaly(AnomalyKind.NEVER_ISSUED, history.entries[0].event))
    return tuple(watch.found[: limits.ANOMALIES_PER_CODE_MAX])


def _anomaly(kind: AnomalyKind, event: Event) -> Anomaly:
    return Anomaly(kind=kind, event_id=event.event_id, event_time=event.event_time)


@dataclass(slots=True, kw_only=True)
class _Watch:
    """What the earlier events say.

    Attributes:
        filled: something was packed into the code itself: containers may be numbered without an issuer (ISO/IEC 15459-1).
        packed: for the code and its containers, what each is in.
        place: the facility where the code is or was last.
        expected: the facility it is on its way to, when that was told.
    """

    history: History
    found: list[Anomaly] = field(default_factory=list)
    issued: Issuance | None = None
    applied: bool = False
    made: bool = False
    filled: bool = False
    dead: bool = False
    on_the_way: bool = False
    abroad: bool = False
    place: str | None = None
    expected: str | None = None
    packed: dict[str, str] = field(default_factory=dict)

    def look(self, entry: Entry) -> None:
        """Hold one event against the memory, then remember it."""
        event = entry.event
        for kind in (self._against_life(event), self._against_containers(entry), self._against_place(event)):
            if kind is not None:
                self.found.append(_anomaly(kind, event))
        self._remember_life(entry)
        self._remember_containers(entry)
        self._remember_place(event)

    def _against_life(self, event: Event) -> AnomalyKind | None:
        match event:
            case Issuance() if self.issued is not None:
                return AnomalyKind.ISSUED_TWICE
            case Application() if self.applied:
                return AnomalyKind.APPLIED_TWICE
            case Application() if self._is_void_at(event.event_time):
                return AnomalyKind.APPLIED_WHEN_VOID
        if self.dead and isinstance(event, _USES) and not _is_disposal(event):
            return AnomalyKind.AFTER_DEACTIVATION
        if isinstance(event, _MOVES) and not self.made and self.issued is not None and self.issued.level is Level.UNIT:
            return AnomalyKind.OUT_OF_ORDER
        return None

    def _is_void_at(self, time: int) -> bool:
        return self.issued is not None and self.issued.event_time + self.history.coverage.unused_code_life_s < time

    def _remember_life(self, entry: Entry) -> None:
        match entry.event:
            case Issuance() as event:
                self.issued = self.issued or event
            case Application():
                self.applied = self.made = True
            case Importation():
                self.made = True
            case Aggregation(container=container) if container == self.history.key:
                self.filled = True
            case Deactivation() if concerns_goods(self.history, entry):
                self.dead = True
            case Reactivation():
                self.dead = False

    def _against_containers(self, entry: Entry) -> AnomalyKind | None:
        match entry.event:
            case Aggregation(container=container) if self.packed.get(entry.under, container) != container:
                return AnomalyKind.TWO_PARENTS
            case _:
                return None

    def _remember_containers(self, entry: Entry) -> None:
        match entry.event:
            case Aggregation(container=container) if container != entry.under:
                self.packed[entry.under] = container
            case Disaggregation(container=container, whole=True):
                self.packed = {inner: outer for inner, outer in self.packed.items() if outer != container}
            case Disaggregation(container=container) if self.packed.get(entry.under) == container:
                del self.packed[entry.under]

    def _against_place(self, event: Event) -> AnomalyKind | None:
        match event:
            case Arrival(product_return=True):
                return None
            case Arrival(facility_id=here) if not self.on_the_way and self.place not in {None, here}:
                return AnomalyKind.ARRIVAL_WITHOUT_DISPATCH
            case Arrival() if self.abroad:
                return AnomalyKind.ELSEWHERE
            case Arrival(facility_id=here) | Packing(facility_id=here) | Dispatch(facility_id=here) if here is not None:
                right = self.expected if self.on_the_way else self.place
                return None if right in {None, here} else AnomalyKind.ELSEWHERE
            case _:
                return None

    def _remember_place(self, event: Event) -> None:
        match event:
            case Dispatch(destination=destination, facility_id=here):
                self.place = here if here is not None else self.place
                self.on_the_way, self.expected = True, destination.facility_id
                self.abroad = destination.kind is DestinationKind.EXPORT
            case TransLoading(destination=destination):
                self.expected = destination.facility_id
            case Importation():
                self.on_the_way, self.expected, self.abroad = True, event.facility_id, False
            case RetailDelivery():
                self.on_the_way, self.expected, self.place = False, None, None
            case Application(facility_id=here) | Arrival(facility_id=here):
                self.on_the_way, self.expected, self.place, self.abroad = False, None, here, False
            case Packing(facility_id=here) if self.place is None and not self.on_the_way:
                self.place = here


def _is_disposal(event: Event) -> bool:
    """Whether void goods go to a laboratory, an authority or to waste, as they should."""
    return isinstance(event, Shipment) and event.destination.kind is DestinationKind.OTHER
