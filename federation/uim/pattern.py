"""Patterns: what one Party says of its codes, so that every other Party can tell from a code whom to ask, offline.

The values here hold what may be published; `validate_set` holds the rules for publishing. Ranking is in `federation.uim.library`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from federation.identity import PartyId
from federation.uim.codes import Carrier, KeyForm, Label, Level, ProductClass
from federation.uim.segments import Segment

_ID: Final = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?\Z")
_PREFIX: Final = re.compile(r"[0-9]{3,12}\Z")


class PrintedItem(StrEnum):
    """The items of Article 8.4.1 that are part of the marking itself (Article 8.4.2)."""

    A = "a"
    B = "b"
    F = "f"
    G = "g"


@dataclass(frozen=True, slots=True, kw_only=True)
class Decoding:
    """How one segment yields one fact with no query.

    Attributes:
        item: whose fact it is.
        name: what it is: a field name of `federation.query.items`, such as `time`, `facility-id` or `market`.
        segment: the name of the segment that is read.
        table: from the segment's text to the value; empty when the text, or the date, is the value.
    """

    item: PrintedItem
    name: str
    segment: str
    table: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Pattern:
    """One Party's description of one kind of marking.

    Attributes:
        pattern_id: unique in the set: small letters, digits, hyphens.
        version: counts up from 1 with each change.
        owner: whose marking it is: the Party named as candidate.
        answered_by: who answers for the owner when the marking itself says so (a region); None: the owner does.
        title, source: words for people: what it is, and where it is published or why it was invented.
        label: published or invented.
        level: where the marking sits; None when the form does not tell.
        product_classes: on which products; empty: on all.
        carriers: what it is printed as.
        qualifiers: the application or data identifiers under which it is printed: `("01", "235", "8008")`, `("25S",)`.
        valid_from_s, valid_until_s: Unix seconds, UTC, of the first and the first no longer valid moment; None: no bound.
        form: which key of a scan the segments describe.
        segments: the whole text of that key, in order.
        names_issuer: a match by itself tells whose marking it is. False for shapes that several Parties share.
        decodings: what the code tells with no query.
        examples, counter_examples: raw scans that must match and must not.
    """

    pattern_id: str
    version: int
    owner: PartyId
    answered_by: PartyId | None = None
    title: str
    source: str
    label: Label
    level: Level | None = None
    product_classes: tuple[ProductClass, ...] = ()
    carriers: tuple[Carrier, ...] = ()
    qualifiers: tuple[str, ...] = ()
    valid_from_s: int | None = None
    valid_until_s: int | None = None
    form: KeyForm = KeyForm.PLAIN
    segments: tuple[Segment, ...]
    names_issuer: bool = True
    decodings: tuple[Decoding, ...] = ()
    examples: tuple[str, ...]
    counter_examples: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PatternSet:
    """All patterns of one Party, published together.

    Attributes:
        party: who publishes.
        version: counts up from 1 with each publication.
        patterns: at most `PATTERNS_PER_PARTY_MAX`, each id once.
        company_prefixes: GS1 company prefixes, or longer or shorter starts of them, of makers and importers on the Party's
            territory: 3 to 12 digits each. They rank codes that name no issuer (SSCC, SGTIN and the like).
    """

    party: PartyId
    version: int
    patterns: tuple[Pattern, ...]
    company_prefixes: tuple[str, ...] = ()
