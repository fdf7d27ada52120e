"""What happened to codes: the events that a Party's tracking-and-tracing system records.

They are the messages of Regulation (EU) 2018/574, Annex II, whose numbers stand beside them, without what only the EU needs.

An event does not hold its codes. One report names up to thousands of codes and every look-up sees it from one of them, so
`Report` joins the two where they travel together (files, `TraceStore.put`), and a history holds events alone.

Every event has the time at which it happened (or is planned to) and the time at which it was recorded. A report is never
changed or deleted: a later `Recall` or `Confirmation` speaks about it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Final, TypeAlias

from federation.errors import InvalidInput
from federation.uim.codes import Level
from node import limits
from node.trace.model import Coverage, Reference, check, is_key
from node.trace.parts import DeactivationReason, Destination, Money, PaymentMethod, RecallReason, Trader, TransportMode

Moment: TypeAlias = tuple[int, int, str]
"""Total order of events: by time, then by time of record, then by id, so that every run sees the same order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """What all events have.

    Attributes:
        event_id: given by the reporting system, unique within this Party; a repeated report has the same.
        event_time: when it happened, or is intended to.
        record_time: when it was reported.
    """

    event_id: str
    event_time: int
    record_time: int

    @property
    def moment(self) -> Moment:
        """Its place in the order of events."""
        return self.event_time, self.record_time, self.event_id


@dataclass(frozen=True, slots=True, kw_only=True)
class Issuance(Event):
    """An issuer gave codes out for a purpose that was stated in the request (messages 2-1 and 2-2).

    Attributes:
        issuer: identification code of the issuer.
        intended_route: countries of the intended shipment route, in order.
        made_at: start of the hour that the time stamp in the codes names; None for codes without one.
    """

    level: Level
    issuer: str
    product_id: str | None = None
    facility_id: str | None = None
    machine_id: str | None = None
    intended_market: str | None = None
    intended_route: tuple[str, ...] = ()
    made_at: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Application(Event):
    """Codes were put on packs (message 3-1): the event of manufacture."""

    facility_id: str
    machine_id: str | None = None
    shift: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Pairing(Event):
    """The codes are other names of `key`: the part that people can read, or a second marking on the same pack."""

    key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Packing(Event):
    """What packing and unpacking have."""

    container: str
    facility_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Aggregation(Packing):
    """The codes went into the container (message 3-2).

    Attributes:
        example: one of the codes, noted when the report is filed (`filed`): the code of a container often says nothing of a
            product, and a seized case is described by what is in it without reading 25,000 packs.
        level: of the container, which is all that is known of one that was numbered without an issuer (ISO/IEC 15459-1).
    """

    example: str | None = None
    level: Level | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Disaggregation(Packing):
    """The codes came out of the container (message 3-6).

    Attributes:
        whole: everything inside came out; then no codes are named.
    """

    whole: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Shipment(Event):
    """What a dispatch and a trans-loading tell. Both are reported before they happen (Regulation 2018/574 Art. 34).

    Attributes:
        facility_id: point of departure, or where the goods change the vehicle.
        documents: excise, customs and transport references as they stand there.
    """

    destination: Destination
    facility_id: str | None = None
    consignee: Trader | None = None
    transport: TransportMode | None = None
    vehicle: str | None = None
    documents: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Dispatch(Shipment):
    """Goods leave (messages 3-3 and 3-8)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TransLoading(Shipment):
    """Goods change the vehicle (message 3-5)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival(Event):
    """Goods are here (message 3-4).

    Attributes:
        product_return: they came back from a customer.
    """

    facility_id: str
    product_return: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RetailDelivery(Event):
    """Goods reached a first retail outlet, where tracing legally ends (message 3-7, Article 8.10).

    Attributes:
        by_van: sold from a vending van.
    """

    facility_id: str | None = None
    outlet: Trader | None = None
    by_van: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Importation(Event):
    """Goods made elsewhere entered the territory (Article 8.5: recorded at import).

    Attributes:
        origin: country of manufacture.
        document: customs declaration.
    """

    origin: str
    importer: Trader
    facility_id: str | None = None
    document: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Invoice(Event):
    """An invoice for the codes (message 4-1).

    Attributes:
        first_seller: the seller says that it is the first sale after manufacture or import.
        order_number: the order it answers.
    """

    invoice_number: str
    invoice_date: date
    seller: Trader
    buyer: Trader
    first_seller: bool = False
    price: Money | None = None
    order_number: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Order(Event):
    """An order for the codes (message 4-2)."""

    order_number: str
    order_date: date
    buyer: Trader | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Payment(Event):
    """A payment for the codes (message 4-3)."""

    payment_date: date
    method: PaymentMethod
    price: Money
    payer: Trader
    invoice_number: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Deactivation(Event):
    """Codes are void (message 2-3)."""

    reason: DeactivationReason
    note: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reactivation(Event):
    """Codes are valid again: stolen goods were recovered (message 2-4)."""

    note: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Remark(Event):
    """What a later report says about an earlier one.

    Attributes:
        about: `event_id` of that report; it may come in later than the remark.
    """

    about: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Recall(Remark):
    """The earlier report no longer counts; it stays where it is, with this flag (message 5)."""

    reason: RecallReason
    note: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Confirmation(Remark):
    """What was announced did take place."""


EVENT_KINDS: Final[Mapping[str, type[Event]]] = {
    "issuance": Issuance,
    "application": Application,
    "pairing": Pairing,
    "aggregation": Aggregation,
    "disaggregation": Disaggregation,
    "dispatch": Dispatch,
    "trans-loading": TransLoading,
    "arrival": Arrival,
    "retail-delivery": RetailDelivery,
    "importation": Importation,
    "invoice": Invoice,
    "order": Order,
    "payment": Payment,
    "deactivation": Deactivation,
    "reactivation": Reactivation,
    "recall": Recall,
    "confirmation": Confirmation,
}
"""The word for each kind of event in files, in the store and in answers."""

_KIND_NAMES: Final = {kind: name for name, kind in EVENT_KINDS.items()}


def kind_of(event: Event) -> str:
    """The word for the kind of an event."""
    return _KIND_NAMES[type(event)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """An event with the codes it names.

    Attributes:
        codes: canonical keys, each once. A remark names none, nor does unpacking a whole container.
    """

    event: Event
    codes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        check(self.event)
        event = self.event
        bare = isinstance(event, Remark) or (isinstance(event, Disaggregation) and event.whole)
        if bare == bool(self.codes):
            message = "a remark and the unpacking of a whole container name no codes" if bare else "the event names no codes"
            raise InvalidInput(message, hint="see the table of events in the user guide")
        if len(self.codes) > limits.TRACE_CODES_PER_EVENT_MAX:
            raise InvalidInput(f"an event names at most {limits.TRACE_CODES_PER_EVENT_MAX} codes", hint="split it into several")
        if not all(map(is_key, self.keys)):
            raise InvalidInput("a code is not a key", hint="keys are visible ASCII without spaces, as the pattern has them")
        if len(set(self.keys)) != len(self.keys):
            raise InvalidInput("a code is named twice", hint="name each code once, and no container as its own content")

    @property
    def keys(self) -> tuple[str, ...]:
        """Every key under which the event can be looked up: its codes and, for packing and pairing, the other key."""
        match self.event:
            case Packing(container=other) | Pairing(key=other):
                return (*self.codes, other)
            case _:
                return self.codes

    @property
    def filed(self) -> Event:
        """The event as a store keeps it."""
        if isinstance(self.event, Aggregation):
            return replace(self.event, example=self.codes[0])
        return self.event


Filing: TypeAlias = Report | Reference | Coverage
"""Anything that is filed in a trace store: what a file holds line by line."""
