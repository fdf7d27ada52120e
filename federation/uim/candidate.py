"""One claim about one code: which Party it may belong to, with which reasons, and what the code itself tells.

A pattern is what a Party says of its own codes, so no pattern decides: several claims are several candidates, and each point of
a score has its reason in words. Weights are whole numbers that only rank; a doubtful date makes a claim weaker and never removes
it, because a forged code still leads to the Party that can say that it is forged.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from federation import limits
from federation.identity import PartyId
from federation.uim.clues import NO_CLUES, Clues
from federation.uim.codes import KeyForm, Label, Level
from federation.uim.dates import DateStamp, read_date
from federation.uim.index import Shape
from federation.uim.matcher import Fault, Match
from federation.uim.pattern import PREFIX_START, Decoding, Pattern, PatternSet, PrintedItem
from federation.uim.scan import Key, Scan
from federation.uim.segments import CHARACTERS, CharacterSegment, CheckedSegment, DateSegment, LiteralSegment, Segment

_SHARED_FORMS: Final = frozenset([KeyForm.SSCC, KeyForm.SGTIN])
"""World-wide forms: any company anywhere makes them, so the shape alone hardly speaks for one Party."""

_POINTS_FIXED_CHARACTER: Final = 6
_POINTS_FIXED_MAX: Final = 60
_POINTS_NAMES_ISSUER: Final = 20
_POINTS_ONE_LENGTH: Final = 5
_POINTS_CHARACTERS_MAX: Final = 40
_POINTS_CHECK: Final = 15
_POINTS_DATE: Final = 15
_POINTS_QUALIFIERS: Final = 10
_POINTS_PREFIX: Final = 20
_POINTS_BRAND: Final = 6
_POINTS_LANGUAGE: Final = 4
_POINTS_PLACE: Final = 2
_POINTS_SHAPE_ONLY: Final = -30
_POINTS_DOUBTFUL_DATE: Final = -40


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
    BRAND = "brand"
    """The brand on the pack is on that Party's market."""
    LANGUAGE = "language"
    """The health warning is in a language of that Party."""
    PLACE = "place"
    """The pack was found there."""
    MANDATE = "mandate"
    """Another Party answers for this one; it moves nobody in the ranking."""


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


@dataclass(frozen=True, slots=True, kw_only=True)
class NearMiss:
    """A pattern that almost fits, for the person who typed or doubts the code.

    Attributes:
        segment: where it stops to fit; empty when the whole length is wrong.
        fault: why.
    """

    party: PartyId
    pattern_id: str
    key: Key
    segment: str
    fault: Fault


class Background:
    """What one set says beside its patterns.

    Attributes:
        prefixes: the company prefixes; `lengths` are theirs, the longest first.
        languages, brands: on the Party's market; brands without regard to capitals.
    """

    __slots__ = ("brands", "languages", "lengths", "prefixes")

    def __init__(self, pattern_set: PatternSet) -> None:
        """Take it from a set."""
        self.prefixes = frozenset(pattern_set.company_prefixes)
        self.lengths = tuple(sorted({len(text) for text in self.prefixes}, reverse=True))
        self.languages = frozenset(pattern_set.languages)
        self.brands = frozenset(brand.casefold() for brand in pattern_set.brands)

    def longest_prefix_in(self, key: Key) -> str:
        """The longest company prefix with which the company of a key begins; empty when there is none."""
        start = PREFIX_START[key.form]
        candidates = (key.text[start : start + length] for length in self.lengths)
        return next((text for text in candidates if text in self.prefixes), "")


class Claim:
    """One pattern made ready, with the reasons that hold for each of its codes; they are worked out when they are first needed.

    Attributes:
        publisher: who published the pattern.
        background: of the set that it came in.
        shape: of the pattern's segments.
    """

    __slots__ = ("_standing", "_standing_points", "background", "pattern", "publisher", "shape")

    def __init__(self, publisher: PartyId, pattern: Pattern, background: Background, shape: Shape) -> None:
        """Nothing is worked out yet."""
        self.publisher = publisher
        self.pattern = pattern
        self.background = background
        self.shape = shape
        self._standing: tuple[Reason, ...] | None = None
        self._standing_points = 0

    @property
    def standing(self) -> tuple[Reason, ...]:
        """The reasons that hold for every code of the pattern."""
        if self._standing is None:
            self._standing = tuple(_standing(self.pattern))
            self._standing_points = sum(reason.points for reason in self._standing)
        return self._standing

    @property
    def standing_points(self) -> int:
        """The sum of those reasons."""
        return self._standing_points if self.standing else 0


def _standing(pattern: Pattern) -> Iterator[Reason]:
    """What every code of the pattern has in common."""
    fixed = "".join(segment.text for segment in pattern.segments if isinstance(segment, LiteralSegment))
    if fixed:
        points = min(_POINTS_FIXED_CHARACTER * len(fixed), _POINTS_FIXED_MAX)
        yield Reason(code=ReasonCode.FIXED_TEXT, points=points, words=f"it has the fixed text {fixed}")
    if pattern.names_issuer:
        words = f"{pattern.owner} says that only it issues such codes"
        yield Reason(code=ReasonCode.NAMES_ISSUER, points=_POINTS_NAMES_ISSUER, words=words)
    longest = sum(segment.longest for segment in pattern.segments)
    if longest == sum(segment.shortest for segment in pattern.segments):
        words = f"it has {longest} characters, as all of this kind"
        yield Reason(code=ReasonCode.LENGTH, points=_POINTS_ONE_LENGTH, words=words)
    points = min(sum(_points_for_characters(segment) for segment in pattern.segments), _POINTS_CHARACTERS_MAX)
    if points:
        yield Reason(code=ReasonCode.SPECIFICITY, points=points, words="its characters are those of this kind")
    checks = sum(isinstance(segment, CheckedSegment) for segment in pattern.segments)
    if checks:
        yield Reason(code=ReasonCode.CHECK_HOLDS, points=_POINTS_CHECK * checks, words="its check digit holds")


def _points_for_characters(segment: Segment) -> int:
    """The fewer characters may stand somewhere, the more it says that they do: three points for a digit, none for a large set."""
    if isinstance(segment, CharacterSegment):
        size, length = len(segment.characters), segment.shortest
    elif isinstance(segment, CheckedSegment):
        size, length = len(CHARACTERS[segment.charset]), segment.length
    else:
        return 0
    return length * next((points for bound, points in ((10, 3), (16, 2), (36, 1)) if size <= bound), 0)


def weigh(claim: Claim, key: Key, scan: Scan, now: float, clues: Clues = NO_CLUES) -> Candidate | None:
    """Weigh one claim on one key of a scan at the time `now` (Unix seconds, UTC).

    None when the key does not fit the pattern, or when what the Party stores of the code is a world-wide form with none of the
    company prefixes that the Party lists.
    """
    pattern = claim.pattern
    match = claim.shape.cut(key.text)
    if not isinstance(match, Match):
        return None
    stored = pattern.stored_key(match, key, scan)
    by_prefix = _by_prefix(claim, stored)
    if by_prefix is None:
        return None
    facts = tuple(_facts(pattern, match)) if pattern.decodings else ()
    reasons = (*claim.standing, *by_prefix, *_by_qualifiers(pattern, scan), *_by_time(pattern, match.stamp, now))
    if clues is not NO_CLUES:
        reasons += tuple(_by_clues(claim, facts, clues))
    return Candidate(
        party=pattern.owner,
        answered_by=pattern.answered_by or pattern.owner,
        published_by=claim.publisher,
        pattern_id=pattern.pattern_id,
        label=pattern.label,
        key=stored,
        level=pattern.level,
        names_issuer=pattern.names_issuer,
        score=sum(reason.points for reason in reasons),
        reasons=reasons,
        facts=facts,
    )


def needs_prefix(form: KeyForm, claim: Claim) -> bool:
    """Say whether a claim on a form needs a company prefix to stand by: others make such codes too."""
    return form in _SHARED_FORMS and not claim.pattern.names_issuer


def _by_prefix(claim: Claim, key: Key) -> tuple[Reason, ...] | None:
    """Weigh the company prefix; None when the Party lists its prefixes and a world-wide form has none of them."""
    if key.form not in PREFIX_START:
        return ()
    shared = needs_prefix(key.form, claim)
    if not claim.background.prefixes:
        words = f"{claim.pattern.owner} uses this world-wide form, and lists no company prefixes"
        return (Reason(code=ReasonCode.SHAPE_ONLY, points=_POINTS_SHAPE_ONLY, words=words),) if shared else ()
    prefix = claim.background.longest_prefix_in(key)
    if not prefix:
        return None if shared else ()
    words = f"the company prefix {prefix} is used in {claim.pattern.owner}"
    return (Reason(code=ReasonCode.COMPANY_PREFIX, points=_POINTS_PREFIX + len(prefix), words=words),)


def _by_qualifiers(pattern: Pattern, scan: Scan) -> Iterator[Reason]:
    if pattern.qualifiers and set(pattern.qualifiers) <= set(scan.qualifiers):
        words = f"the scan has the identifiers {' '.join(pattern.qualifiers)}"
        yield Reason(code=ReasonCode.QUALIFIERS, points=_POINTS_QUALIFIERS, words=words)


def _by_clues(claim: Claim, facts: tuple[Fact, ...], clues: Clues) -> Iterator[Reason]:
    owner, brand = claim.pattern.owner, clues.brand.casefold()
    if brand and (brand in claim.background.brands or any(brand in fact.value.casefold() for fact in facts if fact.item == "g")):
        yield Reason(code=ReasonCode.BRAND, points=_POINTS_BRAND, words=f"the brand {clues.brand} is on the market of {owner}")
    if clues.language in claim.background.languages:
        words = f"health warnings of {owner} are in this language: {clues.language}"
        yield Reason(code=ReasonCode.LANGUAGE, points=_POINTS_LANGUAGE, words=words)
    if clues.place == owner:
        yield Reason(code=ReasonCode.PLACE, points=_POINTS_PLACE, words=f"it was found in {owner}")


def _by_time(pattern: Pattern, stamp: DateStamp | None, now: float) -> Iterator[Reason]:
    """Hold the code's date against the present and the pattern's days."""
    moment = now if stamp is None else stamp.start_s
    if stamp is not None and stamp.start_s > now + limits.STAMP_AHEAD_S_MAX:
        words = f"its date {stamp.text} lies in the future"
        yield Reason(code=ReasonCode.DATE_IN_FUTURE, points=_POINTS_DOUBTFUL_DATE, words=words)
    elif pattern.valid_from_s is not None and moment < pattern.valid_from_s:
        words = "its date lies before the first of this kind" if stamp else "codes of this kind are not in use yet"
        yield Reason(code=ReasonCode.NOT_YET_VALID, points=_POINTS_DOUBTFUL_DATE, words=words)
    elif stamp is not None and pattern.valid_until_s is not None and moment >= pattern.valid_until_s:
        words = "its date lies after the last of this kind"
        yield Reason(code=ReasonCode.NO_LONGER_VALID, points=_POINTS_DOUBTFUL_DATE, words=words)
    elif stamp is not None:
        yield Reason(code=ReasonCode.DATE_IN_RANGE, points=_POINTS_DATE, words=f"its date {stamp.text} is possible")


def _facts(pattern: Pattern, match: Match) -> Iterator[Fact]:
    places = {segment.name: place for place, segment in enumerate(pattern.segments)}
    for decoding in pattern.decodings:
        place = places[decoding.segment]
        value = _value(decoding, pattern.segments[place], match.pieces[place])
        if value:
            yield Fact(item=decoding.item, name=decoding.name, value=value)


def _value(decoding: Decoding, segment: Segment, piece: str) -> str:
    """What the segment says; empty when the table does not know it. A fact called `date` is a day at most."""
    if decoding.table:
        return dict(decoding.table).get(piece, "")
    stamp = read_date(segment.form, piece) if isinstance(segment, DateSegment) else None
    if stamp is None:
        return piece
    return stamp.text.partition("T")[0] if decoding.name == "date" else stamp.text
