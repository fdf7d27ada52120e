"""Patterns: what one Party says of its codes, so that every other Party can tell from a code whom to ask, offline.

The values here hold what may be published; `validate_set` holds the rules for publishing. Ranking is in `federation.uim.library`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from federation import limits
from federation.errors import FederationError, Forbidden, Malformed, Oversized
from federation.identity import PartyId
from federation.text import is_plain
from federation.uim.codes import Carrier, KeyForm, Label, Level, ProductClass
from federation.uim.matcher import Match, Matcher, check_ends
from federation.uim.scan import Key, Scan, read_scan
from federation.uim.segments import LiteralSegment, Segment, SeparatorSegment

_ID: Final = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?\Z")
_LANGUAGE: Final = re.compile(r"[a-z]{2}\Z")
_PREFIX: Final = re.compile(r"[0-9]{3,12}\Z")
_QUALIFIER: Final = re.compile(r"(?:[0-9]{2,4}|[0-9]{0,3}[A-Z])\Z")

PREFIX_START: Final[dict[KeyForm, int]] = {
    KeyForm.SSCC: 1,
    KeyForm.SGTIN: 1,
    KeyForm.TPX: 1,
    KeyForm.TPX_TIME: 1,
    KeyForm.CIS_UNIT: 1,
    KeyForm.CIS_CARTON: 3,
}
"""Where the company prefix starts in the keys that have one: behind the extension or indicator digit."""


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

    def __post_init__(self) -> None:
        if _ID.match(self.name) is None:
            raise Malformed("a fact that a code tells has a name of small letters, digits and hyphens")
        if len({text for text, _ in self.table}) != len(self.table):
            raise Malformed(f"the table for {self.name} has one text twice")
        for _, value in self.table:
            _check_words(f"a value for {self.name}", value, limits.VALUE_CHARACTERS_MAX)


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

    def __post_init__(self) -> None:
        _check_id(self.pattern_id, self.version)
        for name, text in (("title", self.title), ("source", self.source)):
            _check_words(f"the {name} of the pattern {self.pattern_id}", text, limits.PATTERN_TEXT_CHARACTERS_MAX)
        _check_segments(self)
        _check_decodings(self)
        _check_examples(self)
        _check_scope(self)

    def stored_key(self, match: Match, key: Key, scan: Scan) -> Key:
        """The key under which the Party stores the code: the stored segments of a match of one of the scan's keys."""
        text = "".join(piece for piece, segment in zip(match.pieces, self.segments, strict=True) if segment.stored)
        if text == key.text:
            return key
        return next((other for other in scan.keys if other.text == text), Key(text, KeyForm.CORE))


@dataclass(frozen=True, slots=True, kw_only=True)
class PatternSet:
    """All patterns of one Party, published together.

    Attributes:
        party: who publishes.
        version: counts up from 1 with each publication.
        patterns: at most `PATTERNS_PER_PARTY_MAX`, each id once.
        company_prefixes: GS1 company prefixes, or longer or shorter starts of them, of makers and importers on the Party's
            territory: 3 to 12 digits each. They rank codes that name no issuer (SSCC, SGTIN and the like).
        languages: of the health warnings on the Party's market, ISO 639-1: they rank as well, when the officer names one.
        brands: on the Party's market; the same.
    """

    party: PartyId
    version: int
    patterns: tuple[Pattern, ...]
    company_prefixes: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    brands: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        _check_id(f"{self.party}", self.version)
        if len(self.patterns) > limits.PATTERNS_PER_PARTY_MAX:
            raise Oversized(f"the set of {self.party} has more than {limits.PATTERNS_PER_PARTY_MAX} patterns")
        if len({pattern.pattern_id for pattern in self.patterns}) != len(self.patterns):
            raise Malformed(f"the set of {self.party} has one pattern id twice")
        without_start = sum(not isinstance(one.segments[0], LiteralSegment | SeparatorSegment) for one in self.patterns)
        if without_start > limits.PATTERNS_WITHOUT_START_MAX:
            raise Oversized(
                f"the set of {self.party} has more than {limits.PATTERNS_WITHOUT_START_MAX} patterns without a fixed beginning",
                hint="begin each with the text that tells the issuer, if the marking has one",
            )
        _check_prefixes(self)
        _check_market(self)


def validate_set(pattern_set: PatternSet, *, may_publish_for: frozenset[PartyId] = frozenset()) -> None:
    """Hold a set against the rules for publishing: it speaks of the publisher's own markings, and its examples prove it.

    Args:
        pattern_set: what is to be published, or was received over the publisher's signature.
        may_publish_for: the Parties whose mandates let this publisher speak for them.

    Raises:
        Forbidden: a pattern of somebody else's markings, without a mandate.
        Malformed: an example that does not match, or a counter-example that does; named by its place, since codes may be secret.
    """
    for pattern in pattern_set.patterns:
        if pattern.owner != pattern_set.party and pattern.owner not in may_publish_for:
            raise Forbidden(f"{pattern_set.party} has no mandate to publish the pattern {pattern.pattern_id} of {pattern.owner}")
    try_examples(pattern_set)


def try_examples(pattern_set: PatternSet) -> None:
    """The part of `validate_set` that depends on the set alone, and never changes.

    Raises:
        Malformed: as `validate_set`.
    """
    for pattern in pattern_set.patterns:
        _try_examples(pattern)


def within_mandates(pattern_set: PatternSet, *, may_publish_for: frozenset[PartyId]) -> PatternSet:
    """What of a received set counts at this moment: the publisher's own markings, and those of Parties whose mandates stand.

    Mandates are logged before or after a set that needs them, and end. A set as a whole neither waits for the last one nor falls
    with the first.
    """
    patterns = tuple(one for one in pattern_set.patterns if one.owner == pattern_set.party or one.owner in may_publish_for)
    if len(patterns) == len(pattern_set.patterns):
        return pattern_set
    needs_prefixes = any(pattern.form in PREFIX_START for pattern in patterns)
    return replace(pattern_set, patterns=patterns, company_prefixes=pattern_set.company_prefixes if needs_prefixes else ())


def _try_examples(pattern: Pattern) -> None:
    matcher = Matcher(pattern.segments)
    for place, example in enumerate(pattern.examples, start=1):
        if not _fits(pattern, matcher, example):
            raise Malformed(f"the pattern {pattern.pattern_id} does not match its own example {place}")
    for place, example in enumerate(pattern.counter_examples, start=1):
        if _fits(pattern, matcher, example):
            raise Malformed(f"the pattern {pattern.pattern_id} matches its counter-example {place}")


def _fits(pattern: Pattern, matcher: Matcher, raw: str) -> bool:
    try:
        scan = read_scan(raw)
    except FederationError:
        return False
    return any(isinstance(matcher.match(key.text), Match) for key in scan.keys if key.form is pattern.form)


def _check_id(text: str, version: int) -> None:
    if _ID.match(text) is None:
        raise Malformed("a pattern id has 1 to 40 small letters, digits and hyphens")
    if not 1 <= version < 2**31:
        raise Malformed(f"the version of {text} does not count up from 1")


def _check_words(what: str, text: str, characters_max: int) -> None:
    if len(text) > characters_max:
        raise Oversized(f"{what} has more than {characters_max} characters")
    if not text or not is_plain(text):
        raise Malformed(f"{what} is empty or has control characters")


def _check_segments(pattern: Pattern) -> None:
    segments = pattern.segments
    if not 1 <= len(segments) <= limits.PATTERN_SEGMENTS_MAX:
        raise Oversized(f"the pattern {pattern.pattern_id} has no segment, or more than {limits.PATTERN_SEGMENTS_MAX}")
    if len({segment.name for segment in segments}) != len(segments):
        raise Malformed(f"the pattern {pattern.pattern_id} has two segments of one name")
    if sum(segment.longest for segment in segments) > limits.KEY_CHARACTERS_MAX:
        raise Oversized(f"the pattern {pattern.pattern_id} is longer than any key: {limits.KEY_CHARACTERS_MAX} characters")
    if not any(segment.stored for segment in segments):
        raise Malformed(f"the pattern {pattern.pattern_id} stores nothing of a code")
    if pattern.names_issuer and not any(isinstance(segment, LiteralSegment) for segment in segments):
        raise Malformed(
            f"the pattern {pattern.pattern_id} says that it names the issuer, and has no fixed text that could",
            hint="say `names_issuer = false` when others may use the same shape",
        )
    check_ends(segments)


def _check_decodings(pattern: Pattern) -> None:
    if len(pattern.decodings) > limits.PATTERN_DECODINGS_MAX:
        raise Oversized(f"the pattern {pattern.pattern_id} has more than {limits.PATTERN_DECODINGS_MAX} decodings")
    if sum(len(decoding.table) for decoding in pattern.decodings) > limits.DECODING_ROWS_MAX:
        raise Oversized(f"the tables of the pattern {pattern.pattern_id} have more than {limits.DECODING_ROWS_MAX} rows")
    names = {segment.name for segment in pattern.segments}
    for decoding in pattern.decodings:
        if decoding.segment not in names:
            raise Malformed(f"the pattern {pattern.pattern_id} decodes {decoding.name} from a segment that it does not have")


def _check_examples(pattern: Pattern) -> None:
    if not pattern.examples:
        raise Malformed(f"the pattern {pattern.pattern_id} has no example")
    for examples in (pattern.examples, pattern.counter_examples):
        if len(examples) > limits.PATTERN_EXAMPLES_MAX:
            raise Oversized(f"the pattern {pattern.pattern_id} has more than {limits.PATTERN_EXAMPLES_MAX} examples of a kind")
        if any(len(example) > limits.SCAN_CHARACTERS_MAX for example in examples):
            raise Oversized(f"an example of the pattern {pattern.pattern_id} is longer than any scan")


def _check_scope(pattern: Pattern) -> None:
    """On what, and from when to when."""
    if len(pattern.qualifiers) > limits.PATTERN_SEGMENTS_MAX:
        raise Oversized(f"the pattern {pattern.pattern_id} has more than {limits.PATTERN_SEGMENTS_MAX} qualifiers")
    if any(_QUALIFIER.match(qualifier) is None for qualifier in pattern.qualifiers):
        raise Malformed(f"the pattern {pattern.pattern_id} has a qualifier that is neither an application nor a data identifier")
    for listed in (pattern.product_classes, pattern.carriers, pattern.qualifiers):
        if len(set(listed)) != len(listed):
            raise Malformed(f"the pattern {pattern.pattern_id} lists a product class, a carrier or a qualifier twice")
    bounds = [bound for bound in (pattern.valid_from_s, pattern.valid_until_s) if bound is not None]
    if any(not 0 <= bound <= limits.TIME_S_MAX for bound in bounds):
        raise Malformed(f"the pattern {pattern.pattern_id} has a time that is before 1970 or beyond the year 9999")
    if bounds != sorted(set(bounds)):
        raise Malformed(f"the pattern {pattern.pattern_id} ends before it begins")


def _check_market(pattern_set: PatternSet) -> None:
    """What is known on the Party's market."""
    languages, brands = pattern_set.languages, pattern_set.brands
    if len(languages) > limits.LANGUAGES_PER_PARTY_MAX or len(brands) > limits.BRANDS_PER_PARTY_MAX:
        raise Oversized(
            f"the set of {pattern_set.party} has more than {limits.LANGUAGES_PER_PARTY_MAX} languages"
            f" or {limits.BRANDS_PER_PARTY_MAX} brands"
        )
    if len(set(languages)) != len(languages) or any(_LANGUAGE.match(language) is None for language in languages):
        raise Malformed(f"the set of {pattern_set.party} has a language twice, or one that is not two small letters")
    if len({brand.casefold() for brand in brands}) != len(brands):
        raise Malformed(f"the set of {pattern_set.party} has a brand twice")
    for brand in brands:
        _check_words(f"a brand in the set of {pattern_set.party}", brand, limits.CLUE_CHARACTERS_MAX)


def _check_prefixes(pattern_set: PatternSet) -> None:
    prefixes = pattern_set.company_prefixes
    if len(prefixes) > limits.COMPANY_PREFIXES_PER_PARTY_MAX:
        raise Oversized(f"the set of {pattern_set.party} has more than {limits.COMPANY_PREFIXES_PER_PARTY_MAX} company prefixes")
    if len(set(prefixes)) != len(prefixes) or any(_PREFIX.match(prefix) is None for prefix in prefixes):
        raise Malformed(f"the set of {pattern_set.party} has a company prefix twice, or one that is not 3 to 12 digits")
    if prefixes and not any(pattern.form in PREFIX_START for pattern in pattern_set.patterns):
        raise Malformed(
            f"the set of {pattern_set.party} lists company prefixes, and no pattern with a form that has one",
            hint="add a pattern of the form `sscc` or `sgtin`",
        )
