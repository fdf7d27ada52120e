"""The ten data items of Article 8.4.1, each with its own state, so that a partial answer is honest.

An item is a list of records and a record a list of named fields: item (a) has one record (a date, a place), item (h) one for
each movement. Field names are a closed vocabulary, so that an answer in one language can be read in another.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from federation import limits
from federation.errors import InvalidInput, Oversized
from federation.text import check_plain


class Item(StrEnum):
    """Letters of Article 8.4.1."""

    A = "a"
    B = "b"
    C = "c"
    D = "d"
    E = "e"
    F = "f"
    G = "g"
    H = "h"
    I = "i"  # noqa: E741  # the treaty's letter
    J = "j"


TITLES: Final[dict[Item, str]] = {
    Item.A: "date and place of manufacture",
    Item.B: "manufacturing facility",
    Item.C: "machine used to manufacture",
    Item.D: "production shift or time of manufacture",
    Item.E: "first customer not affiliated with the manufacturer: name, invoice, order number, payment records",
    Item.F: "intended market of retail sale",
    Item.G: "product description",
    Item.H: "any warehousing and shipping",
    Item.I: "identity of any known subsequent purchaser",
    Item.J: "intended shipment route, date, destination, point of departure, consignee",
}
"""In the words of the Protocol, shortened."""

ALL_ITEMS: Final = frozenset(Item)


class ItemState(StrEnum):
    """Why an item is there or not."""

    PROVIDED = "provided"
    NOT_HELD = "not-held"
    NOT_RECORDED_YET = "not-recorded-yet"
    NOT_APPLICABLE = "not-applicable"
    WITHHELD_LEGAL = "withheld-legal"
    WITHHELD_INVESTIGATION = "withheld-investigation"
    NEEDS_ARTICLE_21_OR_28 = "needs-article-21-or-28"
    NEEDS_MUTUAL_LEGAL_ASSISTANCE = "needs-mutual-legal-assistance"
    OUT_OF_RETENTION = "out-of-retention"
    UNDER_ENQUIRY = "under-enquiry"
    NOT_ASKED = "not-asked"


class FieldName(StrEnum):
    """What one value in a record is. Times are RFC 3339 in UTC, countries ISO 3166-1 alpha-2."""

    EVENT = "event"
    TIME = "time"
    DATE = "date"
    PRECISION = "precision"
    PLACE = "place"
    COUNTRY = "country"
    FACILITY_ID = "facility-id"
    FACILITY_NAME = "facility-name"
    FACILITY_ADDRESS = "facility-address"
    MACHINE_ID = "machine-id"
    MACHINE_NAME = "machine-name"
    SHIFT = "shift"
    NAME = "name"
    ADDRESS = "address"
    REGISTRATION = "registration"
    INVOICE = "invoice"
    INVOICE_DATE = "invoice-date"
    ORDER = "order"
    ORDER_DATE = "order-date"
    PAYMENT = "payment"
    PAYMENT_DATE = "payment-date"
    PAYMENT_METHOD = "payment-method"
    AMOUNT = "amount"
    CURRENCY = "currency"
    PAYER = "payer"
    MARKET = "market"
    BRAND = "brand"
    PRODUCT = "product"
    PRODUCT_CLASS = "product-class"
    UNITS = "units"
    WEIGHT_G = "weight-g"
    GTIN = "gtin"
    LEVEL = "level"
    UNDER = "under"
    FROM = "from"
    TO = "to"
    CONSIGNEE = "consignee"
    DEPARTURE = "departure"
    DESTINATION = "destination"
    ROUTE = "route"
    TRANSPORT = "transport"
    VEHICLE = "vehicle"
    DOCUMENT = "document"
    BUYER = "buyer"
    SELLER = "seller"
    TEXT = "text"
    RECALL = "recall"
    """Why a report was flagged afterwards; reports are flagged and never deleted."""
    OMITTED = "omitted"
    """How many earlier records did not fit."""


@dataclass(frozen=True, slots=True)
class Field:
    """One named value of a record."""

    name: FieldName
    value: str

    def __post_init__(self) -> None:
        if 0 < len(self.value) <= limits.VALUE_CHARACTERS_MAX and self.value.isprintable():
            return  # nearly always; an answer has some hundred of these
        check_plain(self.value, f"the field {self.name}", characters_max=limits.VALUE_CHARACTERS_MAX)
        if not self.value:
            raise InvalidInput(f"the field {self.name} is empty")


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """Fields that belong together.

    Attributes:
        planned: announced and not confirmed: dispatches are reported before they happen (Regulation 2018/574 Art. 34).
    """

    fields: tuple[Field, ...]
    planned: bool = False

    def first(self, name: FieldName) -> str | None:
        """The first value of that name."""
        return next((field.value for field in self.fields if field.name is name), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemAnswer:
    """One item of one code. Records are there exactly when the state is `provided`."""

    item: Item
    state: ItemState
    records: tuple[Record, ...] = ()

    def __post_init__(self) -> None:
        if (self.state is ItemState.PROVIDED) != bool(self.records):
            raise InvalidInput(f"item ({self.item}) says {self.state} and has {len(self.records)} records")
        if sum(len(record.fields) for record in self.records) > limits.VALUES_PER_ITEM_MAX:
            raise Oversized(f"item ({self.item}) has more than {limits.VALUES_PER_ITEM_MAX} fields")


def provided(item: Item, *records: Record) -> ItemAnswer:
    """The item with what is known of it."""
    return ItemAnswer(item=item, state=ItemState.PROVIDED, records=records)


def absent(item: Item, state: ItemState) -> ItemAnswer:
    """The item with the reason why nothing is given."""
    return ItemAnswer(item=item, state=state)
