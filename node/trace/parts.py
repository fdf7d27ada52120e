"""What events are made of: coded words, and the traders, destinations and amounts that they name."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from federation.errors import InvalidInput

_AMOUNT: Final = re.compile(r"[0-9]{1,15}(?:\.[0-9]{1,4})?\Z")
_CURRENCY: Final = re.compile(r"[A-Z]{3}\Z")


class DestinationKind(StrEnum):
    """Where a dispatch goes; `other` is a laboratory, an authority, waste disposal (message 3-8)."""

    DOMESTIC = "domestic"
    EXPORT = "export"
    OTHER = "other"


class TransportMode(StrEnum):
    """Mode of transport (message 3-3)."""

    SEA = "sea"
    RAIL = "rail"
    ROAD = "road"
    AIR = "air"
    POST = "post"
    FIXED = "fixed"
    INLAND_WATER = "inland-water"
    OTHER = "other"


class PaymentMethod(StrEnum):
    """How something was paid (message 4-3)."""

    TRANSFER = "transfer"
    CARD = "card"
    CASH = "cash"
    OTHER = "other"


class DeactivationReason(StrEnum):
    """Why a code is void (message 2-3). The first two concern the goods, the others the code alone."""

    DESTROYED = "destroyed"
    STOLEN = "stolen"
    MARKING_DESTROYED = "marking-destroyed"
    MARKING_STOLEN = "marking-stolen"
    UNUSED = "unused"
    OTHER = "other"


class RecallReason(StrEnum):
    """Why a report is flagged (message 5; the first two are EPCIS's `did_not_occur` and `incorrect_data`)."""

    DID_NOT_HAPPEN = "did-not-happen"
    WRONG_INFORMATION = "wrong-information"
    OTHER = "other"


@dataclass(frozen=True, slots=True, kw_only=True)
class Trader:
    """A party to a trade: a registered operator by its id, or whatever is known of somebody who is not registered."""

    operator_id: str | None = None
    name: str | None = None
    address: str | None = None
    country: str | None = None
    registration: str | None = None

    def __post_init__(self) -> None:
        if self.operator_id is None and self.name is None:
            raise InvalidInput("a trader has neither an operator_id nor a name", hint="give one of them, or leave the trader out")


@dataclass(frozen=True, slots=True, kw_only=True)
class Destination:
    """Where a shipment is to go: a facility known here, or an address."""

    kind: DestinationKind
    facility_id: str | None = None
    address: str | None = None
    country: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Money:
    """An amount as it stands on the paper: decimal digits and an ISO 4217 code. Nobody here computes with it."""

    amount: str
    currency: str

    def __post_init__(self) -> None:
        if _AMOUNT.match(self.amount) is None or _CURRENCY.match(self.currency) is None:
            raise InvalidInput("this is not an amount of money", hint='write it as {"amount": "1250.00", "currency": "EUR"}')
