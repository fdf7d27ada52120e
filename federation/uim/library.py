"""All Parties' patterns together: from a scan to the ranked Parties that may know it, each with the reasons."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from federation.identity import PartyId
from federation.uim.codes import Label, Level
from federation.uim.pattern import PrintedItem
from federation.uim.scan import Key


class ReasonCode(StrEnum):
    """Why a Party is a candidate, or a weaker one. Coded, so that it can be counted and translated."""

    FIXED_TEXT = "fixed-text"
    """The code has the fixed text of the pattern."""
    NAMES_ISSUER = "names-issuer"
    """Codes of this shape belong to this Party alone."""
    LENGTH = "length"
    """All codes of this kind have exactly this length."""
    SPECIFICITY = "specificity"
    """How much the remaining segments ask of the characters."""
    CHECK_HOLDS = "check-holds"
    DATE_IN_RANGE = "date-in-range"
    QUALIFIERS = "qualifiers"
    """The scan carried the application or data identifiers of the pattern."""
    COMPANY_PREFIX = "company-prefix"
    """The company prefix in the code is used on that Party's territory."""
    SHAPE_ONLY = "shape-only"
    """Only the world-wide shape fits, and the Party lists no company prefixes."""
    DATE_IN_FUTURE = "date-in-future"
    NOT_YET_VALID = "not-yet-valid"
    """The code's date, or the present, lies before the pattern's first day."""
    NO_LONGER_VALID = "no-longer-valid"
    """The code's date lies after the pattern's last day."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """One reason with its weight. A candidate's score is the sum of its reasons' points."""

    code: ReasonCode
    points: int
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """What the code itself tells (Article 8.4.2): it is read, not asked, and proves nothing.

    Attributes:
        item: the letter of Article 8.4.1.
        name: the field name, as in `federation.query.items`.
        value: times in RFC 3339, countries in ISO 3166-1 alpha-2.
    """

    item: PrintedItem
    name: str
    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A Party that may be able to answer. Whether it is a Party at all stands in the roster, not here.

    Attributes:
        party: whose marking the pattern says it is.
        answered_by: who answers for it; the same unless the pattern names a region.
        published_by: who published the pattern.
        key: the spelling to ask for.
        level: None when the marking does not tell.
        names_issuer: False when several Parties share the shape, so that this is a guess with reasons.
        score: the sum of the reasons' points; it ranks and means nothing else.
        facts: what the code tells with no query.
    """

    party: PartyId
    answered_by: PartyId
    published_by: PartyId
    pattern_id: str
    label: Label
    key: Key
    level: Level | None
    names_issuer: bool
    score: int
    reasons: tuple[Reason, ...]
    facts: tuple[Fact, ...]
