"""What a pattern set makes of real codes: what it covers, what in it is dead, and what it leaves open."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from federation.errors import FederationError
from federation.uim import bounds
from federation.uim.library import Library, NearMiss
from federation.uim.matcher import Match, Matcher
from federation.uim.pattern import Pattern, PatternSet
from federation.uim.scan import Key, Scan, read_scan
from federation.uim.segments import CharacterSegment, LiteralSegment, SeparatorSegment


@dataclass(frozen=True, slots=True, kw_only=True)
class Uncovered:
    """A code that no pattern of the set fits.

    Attributes:
        place: its place in the file, from 1.
        problem: why no rule could read it; empty when it was read.
        misses: where it stops to fit the patterns that are nearest.
    """

    place: int
    raw: str
    problem: str
    misses: tuple[NearMiss, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ambiguous:
    """A code that several patterns of one set fit and would store or decode differently."""

    place: int
    raw: str
    pattern_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Dead:
    """A part of a pattern that no code of the file needs.

    Attributes:
        segment: the segment; empty when no code fits the pattern at all.
        words: what it could be instead.
    """

    pattern_id: str
    segment: str
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Survey:
    """The result: how many codes there were, how many each pattern fits, and what is wrong with which."""

    codes: int
    covered: int
    fitting: tuple[tuple[str, int], ...]
    uncovered: tuple[Uncovered, ...]
    ambiguous: tuple[Ambiguous, ...]
    dead: tuple[Dead, ...]


def survey(pattern_set: PatternSet, raws: Sequence[str]) -> Survey:
    """Try every code of a file on a set; of what is wrong the first SURVEY_SHOWN_MAX are shown."""
    library = Library.build([pattern_set])
    fitting: dict[str, list[tuple[str, ...]]] = {pattern.pattern_id: [] for pattern in pattern_set.patterns}
    uncovered: list[Uncovered] = []
    ambiguous: list[Ambiguous] = []
    for place, raw in enumerate(raws, 1):
        try:
            scan = read_scan(raw)
        except FederationError as error:
            uncovered.append(Uncovered(place=place, raw=raw, problem=error.message, misses=()))
            continue
        found = list(_matches(library, scan))
        for pattern, _, match in found:
            fitting[pattern.pattern_id].append(match.pieces)
        if not found:
            uncovered.append(Uncovered(place=place, raw=raw, problem="", misses=library.near_misses(scan)))
        elif len({pattern.stored_key(match, key, scan).text for pattern, key, match in found}) > 1:
            names = tuple(dict.fromkeys(pattern.pattern_id for pattern, _, _ in found))
            ambiguous.append(Ambiguous(place=place, raw=raw, pattern_ids=names))
    shown = bounds.SURVEY_SHOWN_MAX
    return Survey(
        codes=len(raws),
        covered=len(raws) - len(uncovered),
        fitting=tuple((name, len(pieces)) for name, pieces in fitting.items()),
        uncovered=tuple(uncovered[:shown]),
        ambiguous=tuple(ambiguous[:shown]),
        dead=tuple(dead for pattern in pattern_set.patterns for dead in _dead(pattern, fitting[pattern.pattern_id])),
    )


def _matches(library: Library, scan: Scan) -> Iterator[tuple[Pattern, Key, Match]]:
    for key, claims in zip(scan.keys, library.claims(scan.keys), strict=True):
        for claim in claims:
            match = claim.shape.cut(key.text)
            if isinstance(match, Match):
                yield claim.pattern, key, match


def _dead(pattern: Pattern, pieces: Sequence[tuple[str, ...]]) -> Iterator[Dead]:
    """What the codes that fit a pattern never make use of; fewer than SURVEY_CODES_MIN of them say nothing about its segments."""
    if not pieces:
        yield Dead(pattern_id=pattern.pattern_id, segment="", words="no code of the file fits this pattern")
    if len(pieces) < bounds.SURVEY_CODES_MIN:
        return
    for segment, column in zip(pattern.segments, zip(*pieces, strict=True), strict=True):
        texts = set(column)
        words = ""
        if len(texts) == 1 and not isinstance(segment, LiteralSegment | SeparatorSegment):
            words = f"it is always {next(iter(texts))}: it could be fixed text"
        elif isinstance(segment, CharacterSegment) and segment.shortest != segment.longest:
            words = _lengths(segment, texts)
        if words:
            yield Dead(pattern_id=pattern.pattern_id, segment=segment.name, words=words)
    yield from _dead_rows(pattern, pieces)


def _lengths(segment: CharacterSegment, texts: Iterable[str]) -> str:
    there = {len(text) for text in texts}
    if (min(there), max(there)) == (segment.shortest, segment.longest):
        return ""
    return f"it has {min(there)} to {max(there)} characters, not {segment.shortest} to {segment.longest}"


def _dead_rows(pattern: Pattern, pieces: Sequence[tuple[str, ...]]) -> Iterator[Dead]:
    """Texts that a table does not know, and rows that no code has."""
    places = {segment.name: place for place, segment in enumerate(pattern.segments)}
    for decoding in pattern.decodings:
        if not decoding.table:
            continue
        counts = Counter(row[places[decoding.segment]] for row in pieces)
        known = {text for text, _ in decoding.table}
        unknown, unused = sorted(counts.keys() - known), sorted(known - counts.keys())
        for texts, words in ((unknown, "the table does not know"), (unused, "no code has")):
            if texts:
                yield Dead(
                    pattern_id=pattern.pattern_id, segment=decoding.segment, words=f"{decoding.name}: {words} {_some(texts)}"
                )


def _some(texts: Sequence[str]) -> str:
    shown = ", ".join(texts[:5])
    return f"{shown} and {len(texts) - 5} more" if len(texts) > 5 else shown


@dataclass(frozen=True, slots=True, kw_only=True)
class Explained:
    """How one pattern reads one key that fits it.

    Attributes:
        pieces: name of the segment, what stands there, what it means, in their order.
    """

    pattern: Pattern
    key: Key
    pieces: tuple[tuple[str, str, str], ...]


def explain(patterns: Iterable[Pattern], scan: Scan) -> Iterator[Explained]:
    """Say how each pattern that fits reads a scan."""
    for pattern in patterns:
        for key in scan.keys:
            if key.form is not pattern.form:
                continue
            match = Matcher(pattern.segments).match(key.text)
            if isinstance(match, Match):
                meanings = {decoding.segment: f"({decoding.item}) {decoding.name}" for decoding in pattern.decodings}
                pieces = tuple(
                    (segment.name, piece, meanings.get(segment.name, "" if segment.stored else "not stored"))
                    for segment, piece in zip(pattern.segments, match.pieces, strict=True)
                )
                yield Explained(pattern=pattern, key=key, pieces=pieces)
