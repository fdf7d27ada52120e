"""What one look-up has to read: the codes, everything they were ever packed into, and the master data that all this names.

The walk goes level by level and asks for whole batches, so that a thousand packs of one pallet cost as many questions as one
pack. It is written once, over the four questions of `Shelf`, and runs where the data is: an adapter does the whole walk in
its own thread. What the events mean is left to `containment`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from federation.errors import Overloaded
from node import limits
from node.trace.events import Aggregation, Event, Pairing, Remark
from node.trace.model import Coverage, MasterData, Reference, ReferenceName, reference_name, references_in


@dataclass(frozen=True, slots=True, kw_only=True)
class Gathered:
    """All that `containment` needs for the codes of one look-up, read at one point in time.

    Attributes:
        events: for each code and container that was looked at, its events in their order; empty when there is none.
        remarks: for an `event_id`, what later reports say about it.
    """

    events: Mapping[str, tuple[Event, ...]]
    remarks: Mapping[str, tuple[Remark, ...]]
    master: MasterData
    coverage: Coverage


class Shelf(Protocol):
    """One consistent state of a store, asked in batches. What is not there is left out of the reply."""

    def events(self, keys: Collection[str]) -> Mapping[str, Sequence[Event]]:
        """Events by key, in any order; may stop after TRACE_EVENTS_PER_LOOKUP_MAX + 1 of them."""
        ...

    def remarks(self, event_ids: Collection[str]) -> Iterable[Remark]:
        """Everything said about these events."""
        ...

    def references(self, names: Collection[ReferenceName]) -> Iterable[Reference]:
        """Master data by name."""
        ...

    def coverage(self) -> Coverage:
        """What was declared last, or the general coverage."""
        ...


def gather(shelf: Shelf, keys: Collection[str]) -> Gathered:
    """Read everything that bears on some codes.

    Raises:
        Overloaded: there are more events than one look-up may hold.
    """
    events = _closure(shelf, keys)
    distinct = {event.event_id: event for row in events.values() for event in row}
    remarks: dict[str, tuple[Remark, ...]] = {}
    for remark in shelf.remarks(distinct) if distinct else ():
        remarks[remark.about] = (*remarks.get(remark.about, ()), remark)
    return Gathered(events=events, remarks=remarks, master=_master(shelf, distinct.values()), coverage=shelf.coverage())


def _closure(shelf: Shelf, keys: Collection[str]) -> dict[str, tuple[Event, ...]]:
    """Events of the codes, of all that they were in, and of one example of what is in them."""
    events: dict[str, tuple[Event, ...]] = {}
    opened = set(keys)
    wave = opened.copy()
    room = limits.TRACE_EVENTS_PER_LOOKUP_MAX
    for _ in range(limits.CONTAINMENT_LEVELS_MAX):
        if not wave:
            break
        found = shelf.events(wave)
        room -= sum(map(len, found.values()))
        if room < 0:
            raise Overloaded(
                "these codes have more events than one look-up may read",
                hint="ask for fewer codes at once; a single code with so many events is a fault in the data",
            )
        events |= {key: tuple(sorted(found.get(key, ()), key=lambda event: event.moment)) for key in wave}
        inner = {example for key in wave & opened if (example := example_in(key, events[key])) is not None}
        opened |= inner
        wave = (inner | {outer for key in wave for event in events[key] if (outer := outer_key(key, event))}) - events.keys()
    return events


def outer_key(key: str, event: Event) -> str | None:
    """Where a code's history goes on: the container it went into, or the code it is another name of."""
    match event:
        case Aggregation(container=other) | Pairing(key=other) if other != key:
            return other
        case _:
            return None


def example_in(key: str, events: Sequence[Event]) -> str | None:
    """One code that went into this container, the latest known; None when it is no container."""
    packed = (event.example for event in reversed(events) if isinstance(event, Aggregation) and event.container == key)
    return next(packed, None)


def _master(shelf: Shelf, events: Iterable[Event]) -> MasterData:
    """Master data that the events name, and that in turn (a facility names who runs it)."""
    master = MasterData(operators={}, facilities={}, machines={}, products={})
    files = {"operator": master.operators, "facility": master.facilities, "machine": master.machines, "product": master.products}
    asked: set[ReferenceName] = set()
    wanted = {name for event in events for name in references_in(event)}
    while wanted:
        asked |= wanted
        found = list(shelf.references(wanted))
        for reference in found:
            kind, identifier = reference_name(reference)
            files[kind][identifier] = reference  # type: ignore[index]  # MasterData shows its readers mappings that do not change
        wanted = {name for reference in found for name in references_in(reference)} - asked
    return master
