"""The teller of the demonstration's stories: it makes boxes with codes and reports events, each with its own id and times."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, Final

from federation.query.items import Item
from federation.uim.codes import Level
from federation.uim.pattern import PatternSet
from node.trace.events import Arrival, Dispatch, Event, Invoice, Order, Payment, Report, Shipment
from node.trace.parts import Destination, DestinationKind, Money, PaymentMethod, Trader, TransportMode
from node.use_cases.demo_codes import CodeMaker, Draw
from node.use_cases.demo_plan import DemoParty, DemoPlan

HOUR: Final = 3_600
DAY: Final = 86_400
YEAR: Final = 365 * DAY

_REPORT_LAG: Final = HOUR // 2
_SHIPMENT_NOTICE: Final = 2 * HOUR
"""Shipments are reported before they happen, all else after (Regulation 2018/574 Art. 34)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    """A pack, or something that holds others.

    Attributes:
        code: None where the Party does not mark this level.
        made: when the packs in it were made, Unix seconds, UTC.
    """

    level: Level
    code: str | None
    made: int
    inside: tuple[Box, ...] = ()

    @property
    def outer(self) -> tuple[str, ...]:
        """The codes that a report names: those of the highest level that is marked."""
        if self.code is not None:
            return (self.code,)
        return tuple(code for box in self.inside for code in box.outer)

    def marked(self, level: Level) -> tuple[str, ...]:
        """Every code of a level in it, its own included."""
        own = (self.code,) if self.level is level and self.code is not None else ()
        return own + tuple(code for box in self.inside for code in box.marked(level))


class Story:
    """Everything reported so far.

    Attributes:
        reports: in the order of telling.
        showcases: the first code that was shown under each name.
    """

    def __init__(self, plan: DemoPlan, party: DemoParty, patterns: PatternSet, *, seed: bytes, now: int) -> None:
        self.plan = plan
        self.party = party
        self.now = now
        self.draw = Draw(seed)
        self.codes = CodeMaker(patterns, party.forms, self.draw)
        self.reports: list[Report] = []
        self.showcases: dict[str, str] = {}

    def place(self, role: str) -> str:
        """Identifier of a facility."""
        return self.plan.facility_id(self.party, role)

    def product(self, role: str) -> str:
        """Identifier of a product."""
        return self.plan.product_id(self.party, role)

    def machine(self, role: str = "first") -> str | None:
        """Identifier of a machine, if this Party's system records them."""
        return None if Item.C in self.party.not_held else self.plan.machine_id(self.party, role)

    def trader(self, role: str) -> Trader:
        """An operator who buys or sells."""
        return Trader(operator_id=self.plan.operator_id(self.party, role))

    def consignee(self, trader: Trader) -> Trader | None:
        """Who is to get a shipment, if this Party's system records purchasers."""
        return None if Item.I in self.party.not_held else trader

    @property
    def customer_abroad(self) -> Trader:
        """A buyer in another country, known by what the invoice says."""
        customer = self.plan.customer_abroad
        return Trader(name=customer.name, address=customer.address, country=self.party.abroad)

    def show(self, name: str, codes: Sequence[str]) -> None:
        """Make a code the showcase of that name, unless there is one."""
        if codes:
            self.showcases.setdefault(name, codes[self.draw.below(len(codes))])

    def show_box(self, name: str, box: Box) -> None:
        """Show a pack of the box, and the marked boxes around it."""
        for level in Level:
            word = "pack" if level is Level.UNIT else level
            self.show(f"{word}-{name}", box.marked(level))

    def tell(
        self, kind: Callable[..., Event], codes: Sequence[str], at: int, *, record_time: int | None = None, **facts: Any
    ) -> str:
        """Report an event and give its id."""
        event_id = f"{self.party.country}-{len(self.reports) + 1:06}"
        lag = -_SHIPMENT_NOTICE if isinstance(kind, type) and issubclass(kind, Shipment) else _REPORT_LAG
        recorded = min(at + lag, self.now) if record_time is None else record_time
        event = kind(event_id=event_id, event_time=at, record_time=recorded, **facts)
        self.reports.append(Report(event=event, codes=tuple(codes)))
        return event_id

    def send(self, codes: Sequence[str], origin: str, target: str, at: int) -> str:
        """Announce a transport between two facilities of the cast."""
        destination = Destination(kind=DestinationKind.DOMESTIC, facility_id=self.place(target), country=self.party.country)
        return self.tell(
            Dispatch,
            codes,
            at,
            facility_id=self.place(origin),
            destination=destination,
            consignee=self.consignee(self.trader(self.plan.facilities[target].operator)),
            transport=TransportMode.ROAD,
            vehicle=f"{self.party.country} {1000 + self.draw.below(9000)}",
        )

    def move(self, codes: Sequence[str], origin: str, target: str, at: int) -> None:
        """Send, and report the arrival five hours later."""
        self.send(codes, origin, target, at)
        self.tell(Arrival, codes, at + 5 * HOUR, facility_id=self.place(target))

    def export(self, codes: Sequence[str], at: int) -> str:
        """Announce a shipment to the customer abroad."""
        customer = self.plan.customer_abroad
        return self.tell(
            Dispatch,
            codes,
            at,
            facility_id=self.place("warehouse"),
            destination=Destination(kind=DestinationKind.EXPORT, address=customer.address, country=self.party.abroad),
            consignee=self.consignee(self.customer_abroad),
            transport=TransportMode.SEA,
            vehicle="MV Example",
            documents=(f"MRN {self.draw.text('0123456789', 18)}",),
        )

    def sell(self, codes: Sequence[str], seller: str, buyer: Trader, at: int, *, first: bool = False) -> None:
        """Report order, invoice and, twenty days later if that has come, payment; if this Party's system records sales."""
        if Item.E in self.party.not_held:
            return
        number = f"{self.party.country}-{self.draw.text('0123456789', 6)}"
        price = Money(amount=f"{5_000 + self.draw.below(90_000)}.00", currency="XTS")
        ordered = at - 2 * DAY
        order = f"PO-{number}"
        self.tell(Order, codes, ordered, order_number=order, order_date=_date(ordered), buyer=buyer)
        self.tell(
            Invoice,
            codes,
            at,
            invoice_number=f"INV-{number}",
            invoice_date=_date(at),
            seller=self.trader(seller),
            buyer=buyer,
            first_seller=first,
            price=price,
            order_number=order,
        )
        paid = at + 20 * DAY
        if paid <= self.now:
            self.tell(
                Payment,
                codes,
                paid,
                payment_date=_date(paid),
                method=PaymentMethod.TRANSFER,
                price=price,
                payer=buyer,
                invoice_number=f"INV-{number}",
            )


def _date(time: int) -> date:
    return datetime.fromtimestamp(time, UTC).date()
