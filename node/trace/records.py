"""From events and master data to the records of an answer: one function for each thing that has fields of its own."""

from __future__ import annotations

from datetime import UTC, datetime

from federation import limits
from federation.query.items import Field, FieldName, Record
from node.trace.containment import Entry, History
from node.trace.events import Event, Invoice, Order, Packing, Payment, Shipment, kind_of
from node.trace.life import place_of
from node.trace.model import MasterData
from node.trace.parts import Destination, Money, Trader

Pair = tuple[FieldName, str | None]


def record(*pairs: Pair, planned: bool = False) -> Record:
    """A record of those fields that have a value."""
    return Record(fields=tuple(Field(name, value) for name, value in pairs if value is not None), planned=planned)


def time_text(time: int) -> str:
    """A time as RFC 3339 has it."""
    return datetime.fromtimestamp(time, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def date_text(time: int) -> str:
    """The day of a time in UTC."""
    return datetime.fromtimestamp(time, UTC).date().isoformat()


def facility_fields(master: MasterData, facility_id: str | None) -> tuple[Pair, ...]:
    """A place by its id, and all that is known of it."""
    facility = master.facilities.get(facility_id or "")
    if facility is None:
        return ((FieldName.FACILITY_ID, facility_id),)
    return (
        (FieldName.FACILITY_ID, facility_id),
        (FieldName.FACILITY_NAME, facility.name),
        (FieldName.FACILITY_ADDRESS, facility.address),
        (FieldName.COUNTRY, facility.country),
    )


def trader_fields(master: MasterData, trader: Trader) -> tuple[Pair, ...]:
    """Somebody who buys: the registered operator, or what the paper says."""
    operator = master.operators.get(trader.operator_id or "")
    known = operator if operator is not None else trader
    return (
        (FieldName.NAME, known.name if known.name is not None else trader.operator_id),
        (FieldName.ADDRESS, known.address),
        (FieldName.COUNTRY, known.country),
        (FieldName.REGISTRATION, known.registration),
    )


def trader_name(master: MasterData, trader: Trader | None) -> str | None:
    """One line for somebody who is not the subject of the record."""
    if trader is None:
        return None
    return next(value for name, value in trader_fields(master, trader) if name is FieldName.NAME)


def destination_text(master: MasterData, destination: Destination) -> str | None:
    """Where a shipment goes, in one line, as exactly as it is known."""
    if destination.facility_id in master.facilities:
        return facility_text(master, destination.facility_id)
    return _joined(destination.facility_id, destination.address, destination.country)


def facility_text(master: MasterData, facility_id: str | None) -> str | None:
    """A place in one line."""
    facility = master.facilities.get(facility_id or "")
    return facility_id if facility is None else _joined(facility.name, facility.address, facility.country)


def _joined(*parts: str | None) -> str | None:
    return ", ".join(part for part in parts if part is not None)[: limits.VALUE_CHARACTERS_MAX] or None


def money_fields(price: Money | None) -> tuple[Pair, ...]:
    """An amount and its currency."""
    return () if price is None else ((FieldName.AMOUNT, price.amount), (FieldName.CURRENCY, price.currency))


def invoice_record(master: MasterData, invoice: Invoice) -> Record:
    """A buyer with the invoice that shows the sale."""
    return record(
        *trader_fields(master, invoice.buyer),
        (FieldName.INVOICE, invoice.invoice_number),
        (FieldName.INVOICE_DATE, invoice.invoice_date.isoformat()),
        (FieldName.SELLER, trader_name(master, invoice.seller)),
        *money_fields(invoice.price),
    )


def order_record(order: Order) -> Record:
    """The order behind a sale."""
    return record((FieldName.ORDER, order.order_number), (FieldName.ORDER_DATE, order.order_date.isoformat()))


def payment_record(master: MasterData, payment: Payment) -> Record:
    """A payment for a sale."""
    return record(
        (FieldName.PAYMENT, payment.event_id),
        (FieldName.PAYMENT_DATE, payment.payment_date.isoformat()),
        (FieldName.PAYMENT_METHOD, payment.method),
        *money_fields(payment.price),
        (FieldName.PAYER, trader_name(master, payment.payer)),
        (FieldName.INVOICE, payment.invoice_number),
    )


def movement_record(history: History, entry: Entry, *, planned: bool) -> Record:
    """One step of warehousing or shipping: what, when, where, in which container, to where."""
    event = entry.event
    return record(
        *_heading(history, entry),
        *facility_fields(history.master, place_of(event)),
        (FieldName.TO, _onward(history.master, event)),
        (FieldName.RECALL, entry.recall.reason if entry.recall is not None else None),
        planned=planned,
    )


def _onward(master: MasterData, event: Event) -> str | None:
    match event:
        case Packing(container=container):
            return container
        case Shipment(destination=destination):
            return destination_text(master, destination)
        case _:
            return None


def shipment_record(history: History, entry: Entry, shipment: Shipment, *, planned: bool) -> Record:
    """What a shipper announced: date, departure, destination, consignee, vehicle, documents."""
    master = history.master
    return record(
        *_heading(history, entry),
        (FieldName.DEPARTURE, facility_text(master, shipment.facility_id)),
        (FieldName.DESTINATION, destination_text(master, shipment.destination)),
        (FieldName.COUNTRY, shipment.destination.country),
        (FieldName.CONSIGNEE, trader_name(master, shipment.consignee)),
        (FieldName.TRANSPORT, shipment.transport),
        (FieldName.VEHICLE, shipment.vehicle),
        *((FieldName.DOCUMENT, document) for document in shipment.documents),
        (FieldName.RECALL, entry.recall.reason if entry.recall is not None else None),
        planned=planned,
    )


def _heading(history: History, entry: Entry) -> tuple[Pair, ...]:
    return (
        (FieldName.EVENT, kind_of(entry.event)),
        (FieldName.TIME, time_text(entry.event.event_time)),
        (FieldName.UNDER, None if history.is_own(entry) else entry.under),
    )
