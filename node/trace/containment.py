"""The containment walk: what happened to a code, also while it was inside something else.

Movements are recorded for the outermost packaging only. So the history of a pack is made of its own events and of those of
each container *while the pack was in it*: the carton's while it was in the carton, the pallet's while the carton was in a
case on that pallet, as it stood at the time of each event. Three things end a stay in a container: the code is taken out of
it, the whole container is unpacked, or the code is packed into something else.

Events are in one total order (`Event.moment`). A stay begins after the event that packs and ends with the event that ends it,
that one included: who unpacks a case reports it for everything inside. A recalled report moves nothing.

What the events say is left to `life`, `items` and `anomalies`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

from node import limits
from node.trace.events import (
    Aggregation,
    Application,
    Confirmation,
    Disaggregation,
    Event,
    Invoice,
    Issuance,
    Moment,
    Order,
    Packing,
    Pairing,
    Payment,
    Recall,
)
from node.trace.gather import Gathered, example_in
from node.trace.model import TIME_MAX, Coverage, MasterData

_ALWAYS: Final[tuple[Moment, Moment]] = ((-1, 0, ""), (TIME_MAX + 1, 0, ""))


@dataclass(frozen=True, slots=True, kw_only=True)
class Stay:
    """A code was in a container for every event after `since` up to and with `until`."""

    container: str
    since: Moment
    until: Moment


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One event in the history of a code.

    Attributes:
        under: whose event it is: the code's own key, or the container it was in.
        recall: why the report no longer counts, when it does not.
        confirmed: a later report says that it took place.
    """

    event: Event
    under: str
    recall: Recall | None
    confirmed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """What is known of one code in a container: how it was issued, or the innermost around it, and when it was applied."""

    issued: Issuance | None = None
    applied: Application | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """What is known of one code, in order.

    Attributes:
        key: under which its own events are filed; for a paired code that is the other one.
        entries: recalled ones included.
        inside: the containers it is in by the last report, from the inside outwards.
        example: one of the codes in it, for a container; nothing is known of it for a pack.
    """

    key: str
    entries: tuple[Entry, ...]
    inside: tuple[str, ...]
    example: Example
    master: MasterData
    coverage: Coverage

    def live(self) -> Iterator[Entry]:
        """The entries that count."""
        return (entry for entry in self.entries if entry.recall is None)

    def is_own(self, entry: Entry) -> bool:
        """Whether an event names this code itself, and not a container it was in."""
        return entry.under == self.key


class Containment:
    """The histories of all codes of one look-up; what a container went through is worked out once."""

    def __init__(self, gathered: Gathered) -> None:
        self._gathered = gathered
        self._recalls = {
            remark.about: remark for remarks in gathered.remarks.values() for remark in remarks if isinstance(remark, Recall)
        }
        self._stays: dict[str, tuple[Stay, ...]] = {}
        self._shared: dict[str, tuple[Event, ...]] = {}

    def history(self, code: str) -> History | None:
        """The history of a code that was looked up; None when nobody ever issued or reported it."""
        key = next((event.key for event in self._live(code) if isinstance(event, Pairing)), code)
        own = self._gathered.events.get(key, ())
        if not own:
            return None
        stays = tuple(self._outward((key,), *_ALWAYS))
        found = {event.event_id: (event, key) for event in own}
        for stay in stays:
            for event in self._shared_events(stay.container):
                if stay.since < event.moment <= stay.until:
                    found.setdefault(event.event_id, (event, stay.container))
        self._add_papers(stays, found)
        ordered = sorted(found.values(), key=lambda pair: pair[0].moment)
        return History(
            key=key,
            entries=tuple(self._entry(event, under) for event, under in ordered),
            inside=tuple(stay.container for stay in stays if stay.until == _ALWAYS[1]),
            example=self._example(key),
            master=self._gathered.master,
            coverage=self._gathered.coverage,
        )

    def _entry(self, event: Event, under: str) -> Entry:
        remarks = self._gathered.remarks.get(event.event_id, ())
        confirmed = any(isinstance(remark, Confirmation) for remark in remarks)
        return Entry(event=event, under=under, recall=self._recalls.get(event.event_id), confirmed=confirmed)

    def _live(self, key: str) -> Iterator[Event]:
        return (event for event in self._gathered.events.get(key, ()) if event.event_id not in self._recalls)

    def _outward(self, path: tuple[str, ...], since: Moment, until: Moment) -> Iterator[Stay]:
        """Every stay of the code in a container, and of that in another, each cut to the time the code was in it."""
        if len(path) > limits.CONTAINMENT_LEVELS_MAX:
            return
        for stay in self._stays_of(path[-1]):
            begin, end = max(since, stay.since), min(until, stay.until)
            # A container inside itself is a fault in the data; the walk goes around it.
            if begin < end and stay.container not in path:
                yield Stay(container=stay.container, since=begin, until=end)
                yield from self._outward((*path, stay.container), begin, end)

    def _stays_of(self, key: str) -> tuple[Stay, ...]:
        """Stays of one code in containers, by its own and their events. They follow each other and never overlap."""
        if key not in self._stays:
            packed = [event for event in self._live(key) if isinstance(event, Aggregation) and event.container != key]
            taken = [event for event in self._live(key) if isinstance(event, Disaggregation) and event.container != key]
            next_packed = [*(event.moment for event in packed), _ALWAYS[1]][1:]
            self._stays[key] = tuple(
                Stay(container=event.container, since=event.moment, until=min(latest, self._way_out(event, taken)))
                for event, latest in zip(packed, next_packed, strict=True)
            )
        return self._stays[key]

    def _way_out(self, packed: Aggregation, taken: list[Disaggregation]) -> Moment:
        """When the code was taken out of that container, or the container unpacked as a whole."""
        unpacked = (event for event in self._live(packed.container) if isinstance(event, Disaggregation) and event.whole)
        ways = (*taken, *unpacked)
        moments = (event.moment for event in ways if event.container == packed.container and event.moment > packed.moment)
        return min(moments, default=_ALWAYS[1])

    def _shared_events(self, container: str) -> tuple[Event, ...]:
        """What happens to a container and so to everything in it: not its own making, nor what else goes in or out."""
        if container not in self._shared:
            self._shared[container] = tuple(
                event for event in self._gathered.events.get(container, ()) if not _is_private(event, container)
            )
        return self._shared[container]

    def _add_papers(self, stays: tuple[Stay, ...], found: dict[str, tuple[Event, str]]) -> None:
        """Add orders and payments that an invoice in the history ties to it by number.

        They are reported for a case before it is packed or after it was opened, and concern what was in it when it was sold.
        """
        sold = [event for event, _ in found.values() if isinstance(event, Invoice)]
        invoices = {event.invoice_number for event in sold}
        orders = {event.order_number for event in sold}
        for container in {stay.container for stay in stays} if sold else ():
            for event in self._shared_events(container):
                match event:
                    case Payment(invoice_number=str(number)) if number in invoices:
                        found.setdefault(event.event_id, (event, container))
                    case Order(order_number=number) if number in orders:
                        found.setdefault(event.event_id, (event, container))

    def _example(self, key: str) -> Example:
        """One code in a container, as far inwards as is known."""
        example = Example()
        for _ in range(limits.CONTAINMENT_LEVELS_MAX):
            inner = example_in(key, tuple(self._live(key)))
            if inner is None:
                return example
            key = inner
            for event in self._live(key):
                match event:
                    case Issuance():
                        example = replace(example, issued=event)
                    case Application():
                        example = replace(example, applied=event)
        return example


def _is_private(event: Event, container: str) -> bool:
    match event:
        case Issuance() | Application() | Pairing():
            return True
        case Disaggregation(whole=True):
            return False
        case Packing(container=packed):
            return packed == container
        case _:
            return False
