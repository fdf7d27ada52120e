"""The values around the events: master data, what a Party's system covers, and what is found out about one code.

The events themselves are in `events`. Times are whole Unix seconds in UTC, countries ISO 3166-1 alpha-2 in capitals.
Whoever makes a value of these types from foreign text gets `InvalidInput`, so that no later step meets an unprintable name.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, Final, TypeAlias

from federation import limits
from federation.errors import InvalidInput
from federation.query.codes import UimStatus
from federation.query.items import ALL_ITEMS, Item, ItemAnswer
from federation.text import is_plain
from federation.uim.codes import Level, ProductClass
from node import limits as node_limits

TIME_MAX: Final = 253_402_300_799
"""The last second that RFC 3339 can write: the end of the year 9999."""

_COUNTRY: Final = re.compile(r"[A-Z]{2}\Z")
_KEY: Final = re.compile(r"[!-~]+\Z")

ReferenceName: TypeAlias = tuple[str, str]
"""Kind (`facility`, `machine`, `product`, `operator`) and identifier of one piece of master data."""


def is_key(text: str) -> bool:
    """Whether a text can be the canonical key of a code: visible ASCII, no longer than any code in law."""
    return len(text) <= limits.KEY_CHARACTERS_MAX and _KEY.match(text) is not None


def check(value: Any) -> None:
    """Look at every text and time inside one of our dataclasses.

    Raises:
        InvalidInput: a text that is empty, too long or not printable, a time out of range, too many parts, no country.
    """
    for name in value.__dataclass_fields__:
        _check_part(name, getattr(value, name))


def _check_part(name: str, part: object) -> None:
    if isinstance(part, str):
        _check_text(name, part)
    elif isinstance(part, int):
        if not 0 <= part <= TIME_MAX:
            raise InvalidInput(
                f"{name} is out of range", hint="times lie between the years 1970 and 9999; amounts are not negative"
            )
    elif isinstance(part, tuple):
        if len(part) > node_limits.TRACE_PARTS_MAX:
            raise InvalidInput(f"{name} has more than {node_limits.TRACE_PARTS_MAX} parts", hint="leave out what matters least")
        for text in part:
            _check_part(name, text)
    elif dataclasses.is_dataclass(part):
        check(part)


def _check_text(name: str, text: str) -> None:
    if not text or len(text) > limits.VALUE_CHARACTERS_MAX or not is_plain(text):
        raise InvalidInput(
            f"{name} is empty, not printable or longer than {limits.VALUE_CHARACTERS_MAX} characters",
            hint="leave the field out when nothing is known",
        )
    if name in _COUNTRY_FIELDS and _COUNTRY.match(text) is None:
        raise InvalidInput(f"{name} is not a country", hint="two capital letters as in ISO 3166-1, for example `QM`")


_COUNTRY_FIELDS: Final = frozenset({"country", "origin", "intended_market", "intended_route"})


class FacilityKind(StrEnum):
    """What is done at a place (Regulation 2018/574, Annex II, message 1-4)."""

    FACTORY = "factory"
    WAREHOUSE = "warehouse"
    RETAIL = "retail"
    OTHER = "other"


@dataclass(frozen=True, slots=True, kw_only=True)
class Operator:
    """An economic operator.

    Attributes:
        group: operators that name the same group have the same owner or control. It is this Party's table of affiliation,
            which item (e) needs and neither EU messages nor EPCIS carry.
        registration: number in a trade, tax or excise register.
    """

    operator_id: str
    name: str
    address: str | None = None
    country: str | None = None
    registration: str | None = None
    group: str | None = None

    def __post_init__(self) -> None:
        check(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class Facility:
    """A place where something is made, kept or sold.

    Attributes:
        operator_id: who runs it; for a factory, the manufacturer.
    """

    facility_id: str
    name: str
    kind: FacilityKind
    address: str | None = None
    country: str | None = None
    operator_id: str | None = None

    def __post_init__(self) -> None:
        check(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """A machine that makes or packs."""

    machine_id: str
    name: str
    facility_id: str | None = None

    def __post_init__(self) -> None:
        check(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class Product:
    """What is in the pack.

    Attributes:
        units: pieces in a unit packet.
        weight_mg: mean weight of the unit packet's tobacco in milligrams.
        operator_id: the manufacturer, for goods whose factory has no entry here (imports).
    """

    product_id: str
    product_class: ProductClass
    brand: str
    description: str | None = None
    units: int | None = None
    weight_mg: int | None = None
    gtin: str | None = None
    operator_id: str | None = None

    def __post_init__(self) -> None:
        check(self)


Reference: TypeAlias = Operator | Facility | Machine | Product
"""A piece of master data. A later one with the same identifier takes the place of the earlier one."""

REFERENCE_KINDS: Final[Mapping[str, type[Reference]]] = {
    "operator": Operator,
    "facility": Facility,
    "machine": Machine,
    "product": Product,
}
_FIELD_KINDS: Final = {f"{kind}_id": kind for kind in REFERENCE_KINDS}
_NAMING_FIELDS: Final = frozenset({"destination", "consignee", "outlet", "importer", "seller", "buyer", "payer"})
"""Fields of events that hold a trader or a destination, which name master data in turn."""


def reference_name(reference: Reference) -> ReferenceName:
    """The name under which master data is filed."""
    match reference:
        case Operator(operator_id=identifier):
            return "operator", identifier
        case Facility(facility_id=identifier):
            return "facility", identifier
        case Machine(machine_id=identifier):
            return "machine", identifier
        case Product(product_id=identifier):
            return "product", identifier


def references_in(value: Any) -> Iterator[ReferenceName]:
    """The master data that an event, or other master data, names."""
    for name in value.__dataclass_fields__:
        part = getattr(value, name)
        if name in _FIELD_KINDS:
            if part is not None:
                yield _FIELD_KINDS[name], part
        elif name in _NAMING_FIELDS and part is not None:
            yield from references_in(part)


@dataclass(frozen=True, slots=True, kw_only=True)
class MasterData:
    """The master data that one look-up needs, by identifier."""

    operators: Mapping[str, Operator] = field(default_factory=dict)
    facilities: Mapping[str, Facility] = field(default_factory=dict)
    machines: Mapping[str, Machine] = field(default_factory=dict)
    products: Mapping[str, Product] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """What this Party's system records, so that the lack of a record can be explained.

    Attributes:
        recorded_since: from when on each item is recorded for newly issued codes (8.3 gives dates for each product type); an item
            that is not in it is never held.
        retention_s: how long events are kept, in seconds; that a code was issued and applied is kept for good.
        unused_code_life_s: codes not applied within this time of their issue are void.
        complete_as_of: every event up to this time has been reported; None when nobody has said so.
    """

    recorded_since: Mapping[Item, int] = field(default_factory=lambda: dict.fromkeys(ALL_ITEMS, 0))
    retention_s: int = limits.RETENTION_S
    unused_code_life_s: int = node_limits.UNUSED_CODE_LIFE_S
    complete_as_of: int | None = None

    def __post_init__(self) -> None:
        check(self)
        for since in self.recorded_since.values():
            _check_part("recorded_since", since)

    def completed(self, as_of: int | None) -> Coverage:
        """The same, complete up to that time, if that is later than now said."""
        known = [time for time in (self.complete_as_of, as_of) if time is not None]
        return replace(self, complete_as_of=max(known, default=None))


class AnomalyKind(StrEnum):
    """How reports about one code contradict each other (the error codes of the EU repositories, as data)."""

    NEVER_ISSUED = "never-issued"
    """Reported, and no issuer ever gave it out."""
    ISSUED_TWICE = "issued-twice"
    APPLIED_TWICE = "applied-twice"
    APPLIED_WHEN_VOID = "applied-when-void"
    """Applied after the time in which an unused code is valid."""
    TWO_PARENTS = "two-parents"
    """Packed into a second container without having been taken out of the first."""
    ARRIVAL_WITHOUT_DISPATCH = "arrival-without-dispatch"
    AFTER_DEACTIVATION = "after-deactivation"
    """Moved or sold after it was reported destroyed, stolen or unused."""
    OUT_OF_ORDER = "out-of-order"
    """Moved before it was made."""
    ELSEWHERE = "elsewhere"
    """Reported at a place where, by the earlier reports, it was not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Anomaly:
    """One contradiction, with the event that shows it."""

    kind: AnomalyKind
    event_id: str
    event_time: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LastKnown:
    """Where the code was when it was last reported somewhere.

    Attributes:
        event: kind of that event.
        under: the container whose report it was; None when it was the code's own.
    """

    event_time: int
    event: str
    facility_id: str | None
    place: str | None
    country: str | None
    under: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What this Party can say of one code.

    Attributes:
        level: packaging level; None for a code that was reported and never issued.
        status: what holds of it at the time of the look-up; several may.
        inside: the containers it is in, from the inside outwards.
        items: all ten, in the order of their letters; `not-asked` for those that were not wanted.
        anomalies: not empty exactly when the status holds `conflict`.
    """

    level: Level | None
    status: frozenset[UimStatus]
    last_known: LastKnown | None
    complete_as_of: int | None
    inside: tuple[str, ...]
    items: tuple[ItemAnswer, ...]
    anomalies: tuple[Anomaly, ...]

    def item(self, item: Item) -> ItemAnswer:
        """The answer to one item."""
        return next(answer for answer in self.items if answer.item is item)
