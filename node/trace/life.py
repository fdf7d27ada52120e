"""Where a code is in its life: issued, made, sold, exported, void. Its status flags and its last known place follow from that.

Only events that count (no recall) and whose time has come are looked at: a dispatch planned for tomorrow moves nothing today.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final

from federation.query.codes import UimStatus
from federation.uim.codes import Level
from node.trace.containment import Entry, History
from node.trace.events import (
    Aggregation,
    Application,
    Arrival,
    Deactivation,
    Dispatch,
    Event,
    Importation,
    Issuance,
    Packing,
    Reactivation,
    RetailDelivery,
    Shipment,
    kind_of,
)
from node.trace.model import FacilityKind, LastKnown
from node.trace.parts import DeactivationReason, DestinationKind

_STATUS: Final[Mapping[DeactivationReason, UimStatus]] = {
    DeactivationReason.DESTROYED: UimStatus.DESTROYED,
    DeactivationReason.STOLEN: UimStatus.STOLEN,
    DeactivationReason.MARKING_DESTROYED: UimStatus.MARKING_DESTROYED,
    DeactivationReason.MARKING_STOLEN: UimStatus.MARKING_STOLEN,
    DeactivationReason.UNUSED: UimStatus.DEACTIVATED_UNUSED,
    DeactivationReason.OTHER: UimStatus.DEACTIVATED_OTHER,
}
_GOODS: Final = frozenset({DeactivationReason.DESTROYED, DeactivationReason.STOLEN})
"""Reasons that concern the goods: what befalls a case befalls the packs in it. A torn label of a case does not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Life:
    """The state of a code after its last event.

    Attributes:
        issued: how it was given out; None for a code that was reported and never issued.
        made: the event that brought it into use: applied, filled (a container) or imported.
        deactivated: why it is void, while it is.
        void: never used, and too old to be used.
    """

    issued: Issuance | None = None
    made: Event | None = None
    deactivated: DeactivationReason | None = None
    reactivated: bool = False
    exported: bool = False
    retail: bool = False
    recalled: bool = False
    void: bool = False

    @property
    def level(self) -> Level | None:
        """Packaging level, by the issue or by what the packing says of the container."""
        if self.issued is not None:
            return self.issued.level
        return self.made.level if isinstance(self.made, Aggregation) else None

    @property
    def over(self) -> bool:
        """Nothing more is going to be recorded of it."""
        return self.deactivated is DeactivationReason.DESTROYED or (
            self.made is None and (self.void or self.deactivated is not None)
        )


def happened(history: History, now: float) -> Iterator[Entry]:
    """The entries that count and whose time has come."""
    return (entry for entry in history.live() if entry.event.event_time <= now)


def concerns_goods(history: History, entry: Entry) -> bool:
    """Whether a deactivation or reactivation holds for the code itself, and not just for the label of a container it was in."""
    return history.is_own(entry) or not isinstance(entry.event, Deactivation) or entry.event.reason in _GOODS


def life_of(history: History, now: float) -> Life:
    """Run through the history up to `now` (Unix seconds, UTC)."""
    life = Life(recalled=any(entry.recall is not None for entry in history.entries))
    for entry in happened(history, now):
        life = _after(life, history, entry)
    if life.issued is not None and life.made is None:
        life = replace(life, void=life.issued.event_time + history.coverage.unused_code_life_s < now)
    return life


def _after(life: Life, history: History, entry: Entry) -> Life:
    match entry.event:
        case Issuance() as event:
            return replace(life, issued=life.issued or event)
        case Application() | Importation() as event:
            return replace(life, made=life.made or event, exported=False)
        case Aggregation(container=container) as event if container == history.key:
            return replace(life, made=life.made or event)
        case Deactivation(reason=reason) if concerns_goods(history, entry):
            return replace(life, deactivated=reason, reactivated=False)
        case Reactivation() if life.deactivated is not None:
            return replace(life, deactivated=None, reactivated=True)
        case _:
            return _after_movement(life, history, entry.event)


def _after_movement(life: Life, history: History, event: Event) -> Life:
    match event:
        case Dispatch(destination=destination):
            return replace(life, exported=destination.kind is DestinationKind.EXPORT, retail=False)
        case Arrival(facility_id=identifier, product_return=returned):
            facility = history.master.facilities.get(identifier)
            outlet = facility is not None and facility.kind is FacilityKind.RETAIL
            return replace(life, exported=False, retail=outlet and not returned)
        case RetailDelivery():
            return replace(life, retail=True)
        case _:
            return life


def status_of(life: Life) -> frozenset[UimStatus]:
    """The flags that follow from the life; a conflict is for `anomalies` to find."""
    flags = {
        UimStatus.REACTIVATED: life.reactivated,
        UimStatus.RECALLED_EVENT: life.recalled,
        UimStatus.DELIVERED_TO_RETAIL: life.retail,
        UimStatus.EXPORTED: life.exported,
        _main_status(life): life.issued is not None or life.made is not None or life.deactivated is not None,
    }
    return frozenset(flag for flag, holds in flags.items() if holds)


def _main_status(life: Life) -> UimStatus:
    if life.deactivated is not None:
        return _STATUS[life.deactivated]
    if life.made is not None:
        return UimStatus.ACTIVE
    return UimStatus.EXPIRED_UNUSED if life.void else UimStatus.ISSUED_NOT_APPLIED


def last_known(history: History, now: float) -> LastKnown | None:
    """The last report that says where the code was."""
    places = [entry for entry in happened(history, now) if isinstance(entry.event, _PLACED) and place_of(entry.event) is not None]
    if not places:
        return None
    entry = places[-1]
    facility = history.master.facilities.get(place_of(entry.event) or "")
    return LastKnown(
        event_time=entry.event.event_time,
        event=kind_of(entry.event),
        facility_id=place_of(entry.event),
        place=(facility.address or facility.name) if facility is not None else None,
        country=facility.country if facility is not None else None,
        under=None if history.is_own(entry) else entry.under,
    )


_PLACED: Final = (Application, Packing, Shipment, Arrival, RetailDelivery, Importation)


def place_of(event: Event) -> str | None:
    """The facility where an event took place; None when it names none."""
    match event:
        case (
            Application(facility_id=place)
            | Packing(facility_id=place)
            | Shipment(facility_id=place)
            | Arrival(facility_id=place)
            | RetailDelivery(facility_id=place)
            | Importation(facility_id=place)
        ):
            return place
        case _:
            return None
