"""From the history of a code to the ten items of Article 8.4.1, each with its own state.

One function for each item gives the records that there are. Where there are none, `_why_absent` says why, from what the
Party's system covers and how far the code's life has gone: an item is never just empty. What the Party's law and policy let
out is decided later, by `federation.query.policy`.

Item (e) is the first buyer, by the date of the sale, who is not affiliated with the manufacturer: not the manufacturer itself,
and not of its group in the operators' table.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final, TypeVar

from federation import limits
from federation.query.codes import UimStatus
from federation.query.items import FieldName, Item, ItemAnswer, ItemState, Record, absent, provided
from federation.uim.codes import Level
from node.trace.anomalies import anomalies_of
from node.trace.containment import Entry, History
from node.trace.events import (
    Application,
    Arrival,
    Importation,
    Invoice,
    Issuance,
    Order,
    Packing,
    Payment,
    RetailDelivery,
    Shipment,
)
from node.trace.life import Life, last_known, life_of, status_of
from node.trace.model import Finding, Operator
from node.trace.parts import Trader
from node.trace.records import (
    Pair,
    date_text,
    facility_fields,
    invoice_record,
    movement_record,
    order_record,
    payment_record,
    record,
    shipment_record,
    time_text,
    trader_fields,
)

Fact = TypeVar("Fact")

_EXACT: Final[Pair] = (FieldName.PRECISION, None)
_BY_EXAMPLE: Final[Pair] = (FieldName.PRECISION, "example")
_AT_MANUFACTURE: Final = frozenset({Item.A, Item.B, Item.C, Item.D, Item.F, Item.G})
"""What is recorded when a code is made; it does not come later."""
_MOVEMENTS: Final = (Packing, Shipment, Arrival, RetailDelivery, Importation)
_PROOF_OF_MOVEMENT: Final = (Arrival, RetailDelivery, Importation, Shipment)


def describe(history: History, *, now: float, wanted: frozenset[Item]) -> Finding:
    """Everything this Party can say of one code.

    Args:
        history: from `containment`.
        now: Unix seconds, UTC.
        wanted: items to give; the others say `not-asked`.
    """
    life = life_of(history, now)
    view = _View(history=history, life=life, now=now)
    anomalies = anomalies_of(history, now)
    conflict = frozenset({UimStatus.CONFLICT}) if anomalies else frozenset()
    return Finding(
        level=life.level,
        status=status_of(life) | conflict,
        last_known=last_known(history, now),
        complete_as_of=history.coverage.complete_as_of,
        inside=history.inside,
        items=tuple(_answer(view, item) if item in wanted else absent(item, ItemState.NOT_ASKED) for item in Item),
        anomalies=anomalies,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _View:
    """What the functions of all items look at."""

    history: History
    life: Life
    now: float

    def stated(self, fact: Callable[[Issuance], Fact | None]) -> tuple[Fact | None, Pair]:
        """What the request for the code says or, for a container of which nothing is said, the one for a code in it.

        The second value tells the reader that the fact is taken from such an example.
        """
        own, example = self.life.issued, self.history.example.issued
        value = fact(own) if own is not None else None
        if value is not None or example is None:
            return value, _EXACT
        return fact(example), _BY_EXAMPLE

    @property
    def applied(self) -> tuple[Application | None, Pair]:
        """The event of manufacture, the code's own or that of a code in it."""
        if isinstance(self.life.made, Application):
            return self.life.made, _EXACT
        return self.history.example.applied, _BY_EXAMPLE

    @property
    def made_at(self) -> tuple[int | None, str, Pair]:
        """Time of manufacture and its precision; the time stamp in the code counts before the time of the report."""
        stamp, by_example = self.stated(lambda issue: issue.made_at)
        if self.life.made is not None and stamp is not None:
            return stamp, "hour", by_example
        applied, by_example = self.applied
        return applied.event_time if applied is not None else None, "second", by_example

    @property
    def facility(self) -> tuple[str | None, Pair]:
        """Where it was made, or is to be."""
        applied, by_example = self.applied
        if applied is not None:
            return applied.facility_id, by_example
        return self.stated(lambda issue: issue.facility_id)

    @property
    def manufacturer(self) -> Operator | None:
        """Who made it: who runs the factory, else who is named with the product."""
        master = self.history.master
        facility = master.facilities.get(self.facility[0] or "")
        product = master.products.get(self.stated(lambda issue: issue.product_id)[0] or "")
        runner = facility.operator_id if facility is not None else None
        maker = product.operator_id if product is not None else None
        return master.operators.get(runner or maker or "")


def _answer(view: _View, item: Item) -> ItemAnswer:
    records = list(_ITEMS[item](view))
    return provided(item, *_fitting(records)) if records else absent(item, _why_absent(view, item))


def _fitting(records: list[Record]) -> list[Record]:
    """The latest records that fit into one item, and how many were left out before them."""
    room = limits.VALUES_PER_ITEM_MAX - 1
    kept = 0
    for entry in reversed(records):
        room -= len(entry.fields)
        if room < 0:
            break
        kept += 1
    omitted = len(records) - kept
    return [record((FieldName.OMITTED, str(omitted))), *records[omitted:]] if omitted else records


def _why_absent(view: _View, item: Item) -> ItemState:
    coverage, life = view.history.coverage, view.life
    begin = view.history.entries[0].event.event_time
    since = coverage.recorded_since.get(item)
    if since is None:
        return ItemState.NOT_HELD
    if begin < since or _never_comes(view, item):
        return ItemState.NOT_APPLICABLE
    if life.made is not None and begin < view.now - coverage.retention_s:
        return ItemState.OUT_OF_RETENTION
    if item in _AT_MANUFACTURE and (life.made is not None or life.issued is None):
        return ItemState.NOT_HELD
    return ItemState.NOT_RECORDED_YET


def _never_comes(view: _View, item: Item) -> bool:
    """Whether there is nothing to record: the life is over, tracing ended, or a container has no machine of its own."""
    life = view.life
    container = life.level not in {None, Level.UNIT}
    return life.over or (item is Item.I and life.retail) or (item in {Item.C, Item.D} and container)


def _manufacture(view: _View) -> Iterator[Record]:
    time, precision, by_example = view.made_at
    if time is not None:
        facility = view.history.master.facilities.get(view.facility[0] or "")
        yield record(
            (FieldName.DATE, date_text(time)),
            (FieldName.PRECISION, precision),
            by_example,
            (FieldName.PLACE, (facility.address or facility.name) if facility is not None else view.facility[0]),
            (FieldName.COUNTRY, facility.country if facility is not None else None),
        )
    for entry in view.history.live():
        if isinstance(entry.event, Importation):
            yield record((FieldName.EVENT, "importation"), (FieldName.COUNTRY, entry.event.origin))


def _facility(view: _View) -> Iterator[Record]:
    facility_id, by_example = view.facility
    if facility_id is not None:
        yield record(*facility_fields(view.history.master, facility_id), by_example)


def _machine(view: _View) -> Iterator[Record]:
    applied, by_example = view.applied
    machine_id = applied.machine_id if applied is not None else None
    if machine_id is None:
        machine_id, by_example = view.stated(lambda issue: issue.machine_id)
    if machine_id is not None:
        machine = view.history.master.machines.get(machine_id)
        name = machine.name if machine is not None else None
        yield record((FieldName.MACHINE_ID, machine_id), (FieldName.MACHINE_NAME, name), by_example)


def _time(view: _View) -> Iterator[Record]:
    time, precision, by_example = view.made_at
    if time is not None:
        applied, _ = view.applied
        shift = applied.shift if applied is not None else None
        moment = ((FieldName.TIME, time_text(time)), (FieldName.PRECISION, precision))
        yield record(*moment, by_example, (FieldName.SHIFT, shift))


def _sales(view: _View) -> tuple[list[Invoice], list[Invoice]]:
    """Sales within the manufacturer's group, and from the first one outside it on."""
    invoices = [entry.event for entry in view.history.live() if isinstance(entry.event, Invoice)]
    invoices.sort(key=lambda invoice: (invoice.invoice_date, invoice.moment))
    inside = 0
    while inside < len(invoices) and _affiliated(view, invoices[inside].buyer):
        inside += 1
    return invoices[:inside], invoices[inside:]


def _affiliated(view: _View, trader: Trader) -> bool:
    manufacturer = view.manufacturer
    if manufacturer is None or trader.operator_id is None:
        return False
    operator = view.history.master.operators.get(trader.operator_id)
    group = operator.group if operator is not None else None
    return trader.operator_id == manufacturer.operator_id or (group is not None and group == manufacturer.group)


def _first_customer(view: _View) -> Iterator[Record]:
    _, sales = _sales(view)
    if not sales:
        return
    first, master = sales[0], view.history.master
    yield invoice_record(master, first)
    for entry in view.history.live():
        match entry.event:
            case Order() as order if _belongs(order.order_number, first.order_number, order.buyer, first.buyer):
                yield order_record(order)
            case Payment() as payment if _belongs(payment.invoice_number, first.invoice_number, payment.payer, first.buyer):
                yield payment_record(master, payment)


def _belongs(number: str | None, wanted: str | None, trader: Trader | None, buyer: Trader) -> bool:
    """Whether a paper belongs to a sale: by the number or, where one side has none, by the buyer if the paper names one."""
    if number is not None and wanted is not None:
        return number == wanted
    return trader in {None, buyer}


def _market(view: _View) -> Iterator[Record]:
    market, by_example = view.stated(lambda issue: issue.intended_market)
    if market is not None:
        yield record((FieldName.MARKET, market), by_example)


def _product(view: _View) -> Iterator[Record]:
    product_id, by_example = view.stated(lambda issue: issue.product_id)
    if product_id is None:
        return
    product = view.history.master.products.get(product_id)
    if product is None:
        yield record((FieldName.PRODUCT, product_id), by_example)
        return
    yield record(
        (FieldName.PRODUCT_CLASS, product.product_class),
        (FieldName.BRAND, product.brand),
        (FieldName.PRODUCT, product.description),
        (FieldName.UNITS, str(product.units) if product.units is not None else None),
        (FieldName.WEIGHT_G, f"{product.weight_mg / 1000:g}" if product.weight_mg is not None else None),
        (FieldName.GTIN, product.gtin),
        by_example,
    )


def _movements(view: _View) -> Iterator[Record]:
    for index, entry in enumerate(view.history.entries):
        if isinstance(entry.event, _MOVEMENTS):
            yield movement_record(view.history, entry, planned=_is_planned(view, index))


def _shipments(view: _View) -> Iterator[Record]:
    route, by_example = view.stated(lambda issue: issue.intended_route or None)
    if route is not None:
        yield record(*((FieldName.ROUTE, country) for country in route), by_example)
    for index, entry in enumerate(view.history.entries):
        if isinstance(entry.event, Shipment):
            yield shipment_record(view.history, entry, entry.event, planned=_is_planned(view, index))


def _is_planned(view: _View, index: int) -> bool:
    """Whether a shipment is announced and nothing shows yet that it took place."""
    entry, later = view.history.entries[index], view.history.entries[index + 1 :]
    if not isinstance(entry.event, Shipment) or entry.confirmed:
        return False
    return entry.recall is None and not any(_shows_movement(view, after) for after in later)


def _shows_movement(view: _View, entry: Entry) -> bool:
    if isinstance(entry.event, Shipment) and not entry.confirmed:
        return False
    return entry.recall is None and entry.event.event_time <= view.now and isinstance(entry.event, _PROOF_OF_MOVEMENT)


def _purchasers(view: _View) -> Iterator[Record]:
    """Buyers after the first customer, and consignees who are not known as buyers."""
    master = view.history.master
    within, sales = _sales(view)
    for invoice in sales[1:]:
        yield invoice_record(master, invoice)
    known = {invoice.buyer for invoice in (*within, *sales)}
    for entry in view.history.live():
        consignee = entry.event.consignee if isinstance(entry.event, Shipment) else None
        if consignee is not None and consignee not in known and not _affiliated(view, consignee):
            known.add(consignee)
            yield record((FieldName.EVENT, "dispatch"), *trader_fields(master, consignee))


_ITEMS: Final[Mapping[Item, Callable[[_View], Iterator[Record]]]] = {
    Item.A: _manufacture,
    Item.B: _facility,
    Item.C: _machine,
    Item.D: _time,
    Item.E: _first_customer,
    Item.F: _market,
    Item.G: _product,
    Item.H: _movements,
    Item.I: _purchasers,
    Item.J: _shipments,
}
