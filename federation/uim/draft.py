"""A first pattern from sample codes: what all of them have in common, written in segments, for a person to correct.

A draft describes the samples and guesses the rest, so it asks for enough of them: what is the same in five codes may be chance.
Nothing here is published by itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from federation import limits
from federation.errors import FederationError, InvalidInput
from federation.identity import PartyId
from federation.uim import bounds
from federation.uim.check import DIGITS, UPPER_DIGITS, CheckMethod, check_holds
from federation.uim.codes import KeyForm, Label
from federation.uim.dates import read_date
from federation.uim.matcher import Match, Matcher, check_ends
from federation.uim.pattern import Decoding, Pattern, PrintedItem
from federation.uim.scan import read_scan
from federation.uim.segments import (
    CHARACTERS,
    SEPARATORS,
    CharacterSegment,
    Charset,
    CheckedSegment,
    DateForm,
    DateSegment,
    LiteralSegment,
    Segment,
    SeparatorSegment,
)

_MANY: Final = 12
"""From so many codes on, what is the same inside all of them, or only ever a digit, is taken for a rule."""
_ISSUER_CHARACTERS: Final = 2
"""A shorter beginning names nobody."""
_FORMS: Final = (
    KeyForm.TPX_TIME, KeyForm.TPX, KeyForm.SGTIN, KeyForm.SSCC, KeyForm.TPX_SERIAL, KeyForm.PLAIN, KeyForm.JOINED, KeyForm.WEB,
)  # fmt: skip
"""The form that says most comes first."""
_DATES: Final = (
    DateForm.YYYYMMDDHHMM, DateForm.YYYYMMDDHH, DateForm.YYMMDDHHMM, DateForm.YYMMDDHH, DateForm.YYYYMMDD, DateForm.DDMMYYYY,
    DateForm.YYMMDD,
)  # fmt: skip
"""Forms that random digits hardly ever have."""
_OLDEST_S: Final = 1_262_304_000
"""2010: no marking under the Protocol is older."""
_AHEAD_S: Final = 366 * 86_400
_METHODS: Final = (
    CheckMethod.GS1_MOD_10, CheckMethod.LUHN, CheckMethod.MOD_11_10, CheckMethod.MOD_97_10, CheckMethod.MOD_37_36, CheckMethod.MOD_37_2,
)  # fmt: skip
_GTIN_CHARACTERS: Final = 14
_CHECKED_MIN: Final = 5
"""A shorter run has no check characters of its own."""
_TELLING: Final = frozenset([Charset.HEXADECIMAL, Charset.BASE32, Charset.UPPER])
"""Sets that a few characters of a larger one may look like."""


@dataclass(frozen=True, slots=True)
class _Part:
    """One column block of the samples: the segment that was made of it, or none yet."""

    texts: tuple[str, ...]
    segment: Segment | None = None

    def cut(self, start: int, end: int, segment: Segment) -> list[_Part]:
        """The block in three: what is before, what became a segment, what is behind."""
        before, inside, behind = (
            tuple(text[place] for text in self.texts) for place in (slice(0, start), slice(start, end), slice(end, None))
        )
        parts = [_Part(before), _Part(inside, segment), _Part(behind)]
        return [part for part in parts if any(part.texts)]


def draft_pattern(owner: PartyId, pattern_id: str, scans: Sequence[str], *, label: Label, now: float) -> Pattern:
    """Make a pattern that fits all samples.

    Args:
        owner: whose markings they are.
        pattern_id: of the new pattern.
        scans: as scanned or typed, one code each.
        label: published, or invented for a test.
        now: Unix seconds; a date far from it is none.

    Raises:
        InvalidInput: too few samples, or samples of different kinds.
        InvalidScan: one cannot be read.
    """
    raws = tuple(dict.fromkeys(scans))
    if not bounds.DRAFT_CODES_MIN <= len(raws) <= bounds.DRAFT_CODES_MAX:
        raise InvalidInput(
            f"a draft is made of {bounds.DRAFT_CODES_MIN} to {bounds.DRAFT_CODES_MAX} different codes, not {len(raws)}",
            hint="give a file with one code a line, of one kind of marking",
        )
    form, texts = _common_form(raws)
    segments = _named(_segments(texts, now, may_be_grouped=form is KeyForm.PLAIN))
    leading = segments[0]
    names_issuer = isinstance(leading, LiteralSegment) and len(leading.text) >= _ISSUER_CHARACTERS
    pattern = Pattern(
        pattern_id=pattern_id,
        version=1,
        owner=owner,
        title=f"{owner}: say what this marks",
        source=f"drafted from {len(raws)} sample codes; say where the form is published",
        label=label,
        form=form,
        segments=segments,
        names_issuer=names_issuer,
        decodings=tuple(_decodings(segments)),
        examples=raws[: min(5, limits.PATTERN_EXAMPLES_MAX)],
    )
    return replace(pattern, counter_examples=tuple(_counter_examples(pattern)))


def _common_form(raws: Sequence[str]) -> tuple[KeyForm, tuple[str, ...]]:
    readings = [{key.form: key.text for key in reversed(read_scan(raw).keys)} for raw in raws]
    form = next((form for form in _FORMS if all(form in reading for reading in readings)), None)
    if form is None:
        raise InvalidInput("the samples are of different kinds", hint="make one draft for each kind of marking")
    texts = tuple(dict.fromkeys(reading[form] for reading in readings))
    if form is KeyForm.PLAIN and len(_same_start(texts)) < _ISSUER_CHARACTERS and all(KeyForm.WEB in one for one in readings):
        form, texts = (
            KeyForm.WEB,
            tuple(dict.fromkeys(reading[KeyForm.WEB] for reading in readings)),
        )  # the host tells whose it is
    return form, texts


def _segments(texts: Sequence[str], now: float, *, may_be_grouped: bool) -> list[Segment]:
    for separator in sorted(SEPARATORS) if may_be_grouped else ():
        pieces = [text.split(separator) for text in texts]
        if len({len(one) for one in pieces}) == 1 < len(pieces[0]):
            segments = _separated(separator, [tuple(column) for column in zip(*pieces, strict=True)], now)
            if segments is not None:
                return segments
    return _block(texts, now)


def _block(texts: Sequence[str], now: float) -> list[Segment]:
    return _fixed(texts, now) if len({len(text) for text in texts}) == 1 else _varying(texts, now)


def _separated(separator: str, columns: Sequence[tuple[str, ...]], now: float) -> list[Segment] | None:
    """Groups with separators between them; None when nobody could tell where a group ends."""
    segments: list[Segment] = []
    for column in columns:
        if segments:
            segments.append(SeparatorSegment(name="separator", text=separator))
        if not all(column):
            return None
        segments += _block(column, now)
    try:
        check_ends(segments)
    except FederationError:
        return None
    return segments


def _varying(texts: Sequence[str], now: float) -> list[Segment]:
    """A trade item number or a fixed beginning, something of many lengths, and a date at the end if all have one."""
    head = _gtin(_Part(tuple(texts)))
    if head is not None and all(head[-1].texts):
        return [*(part.segment for part in head if part.segment is not None), *_varying(head[-1].texts, now)]
    start = _same_start(texts)
    shortest = min(len(text) for text in texts) - len(start)
    dated = next(
        (form for form in _DATES if len(form) < shortest and _is_date(form, [text[-len(form) :] for text in texts], now)), None
    )
    end = len(dated) if dated is not None else 0
    middles = [text[len(start) : len(text) - end] for text in texts]
    lengths = [len(text) for text in middles]
    if not min(lengths):
        start, middles = start[:-1], [text[len(start) - 1 : len(text) - end] for text in texts]
        lengths = [len(text) for text in middles]
    segments: list[Segment] = [LiteralSegment(name="issuer", text=start)] if start else []
    segments.append(_characters(middles, min(lengths), max(lengths)))
    return [*segments, *([DateSegment(name="date", form=dated)] if dated is not None else [])]


def _fixed(texts: Sequence[str], now: float) -> list[Segment]:
    """Columns of one length: first the beginning, then dates, check characters, what never changes; the rest are characters."""
    parts = _beginning(_Part(tuple(texts)))
    for find in (lambda part: _date(part, now), _gtin, _checked, _constant, _digits):
        parts = [cut for part in parts for cut in (_repeat(part, find) if part.segment is None else [part])]
    return [part.segment or _characters(part.texts, len(part.texts[0]), len(part.texts[0])) for part in parts]


def _repeat(part: _Part, find: object) -> list[_Part]:
    """Cut a block as often as there is something to find; after the first cut the rest is looked at again."""
    assert callable(find)
    cut: list[_Part] | None = find(part)
    if cut is None:
        return [part]
    return [one for piece in cut for one in (_repeat(piece, find) if piece.segment is None else [piece])]


def _beginning(part: _Part) -> list[_Part]:
    start = _same_start(part.texts)
    while len(start) > 1 and start[-1] in DIGITS and len(part.texts) < _MANY:
        start = start[:-1]  # the first digits of serial numbers are the same in few samples
    return part.cut(0, len(start), LiteralSegment(name="issuer", text=start)) if start else [part]


def _date(part: _Part, now: float) -> list[_Part] | None:
    length = len(part.texts[0])
    for form in _DATES:
        for start in range(length - len(form), -1, -1):
            if _is_date(form, [text[start : start + len(form)] for text in part.texts], now):
                return part.cut(start, start + len(form), DateSegment(name="date", form=form))
    return None


def _is_date(form: DateForm, texts: Sequence[str], now: float) -> bool:
    stamps = [read_date(form, text) for text in texts]
    return all(stamp is not None and _OLDEST_S <= stamp.start_s <= now + _AHEAD_S for stamp in stamps)


def _gtin(part: _Part) -> list[_Part] | None:
    """A trade item number in front of something else."""
    heads = [text[:_GTIN_CHARACTERS] for text in part.texts]
    if len(part.texts[0]) <= _GTIN_CHARACTERS or not _all_hold(CheckMethod.GS1_MOD_10, heads):
        return None
    segment = CheckedSegment(name="gtin", charset=Charset.DIGITS, length=_GTIN_CHARACTERS - 1, method=CheckMethod.GS1_MOD_10)
    return part.cut(0, _GTIN_CHARACTERS, segment)


def _checked(part: _Part) -> list[_Part] | None:
    length = len(part.texts[0])
    for method in _METHODS if length >= _CHECKED_MIN else ():
        if _all_hold(method, part.texts):
            payloads = [text[: -method.characters] for text in part.texts]
            charset = _charset(payloads)
            if method.alphabet.issuperset(CHARACTERS[charset]):
                segment = CheckedSegment(name="number", charset=charset, length=length - method.characters, method=method)
                return part.cut(0, length, segment)
    return None


def _all_hold(method: CheckMethod, texts: Sequence[str]) -> bool:
    return (
        len(set(texts)) > 1
        and UPPER_DIGITS.issuperset("".join(text[:-1] for text in texts))
        and all(check_holds(method, text) for text in texts)
    )


def _constant(part: _Part) -> list[_Part] | None:
    """Two or more places, or a separator, that are the same in many codes."""
    if len(part.texts) < _MANY:
        return None
    first = part.texts[0]
    same = [len({text[place] for text in part.texts}) == 1 for place in range(len(first))]
    for start, is_same in enumerate(same):
        end = start + 1
        while is_same and end < len(same) and same[end]:
            end += 1
        text = first[start:end]
        if is_same and len(text) == 1 and text in SEPARATORS:
            return part.cut(start, end, SeparatorSegment(name="separator", text=text))
        if is_same and len(text) > 1:
            return part.cut(start, end, LiteralSegment(name="fixed", text=text))
    return None


def _digits(part: _Part) -> list[_Part] | None:
    """Three or more places in a row that only ever have digits, at an end of a block that has other characters too."""
    if len(part.texts) < 2 * _MANY:
        return None
    length = len(part.texts[0])
    only = [DIGITS.issuperset(text[place] for text in part.texts) for place in range(length)]
    front = next((place for place, digits in enumerate(only) if not digits), length)
    back = next((place for place, digits in enumerate(reversed(only)) if not digits), length)
    for count, start in ((front, 0), (back, length - back)):
        if 3 <= count < length:
            segment = CharacterSegment(name="number", charset=Charset.DIGITS, shortest=count, longest=count)
            return part.cut(start, start + count, segment)
    return None


def _characters(texts: Sequence[str], shortest: int, longest: int) -> CharacterSegment:
    return CharacterSegment(name="serial", charset=_charset(texts), shortest=shortest, longest=longest)


def _charset(texts: Sequence[str]) -> Charset:
    """The smallest set with all characters, unless so few were seen that it may be chance."""
    seen = "".join(texts)
    fitting = sorted(
        (len(CHARACTERS[charset]), charset)
        for charset in Charset
        if CHARACTERS[charset].issuperset(seen) and not (charset in _TELLING and len(seen) < 5 * len(CHARACTERS[charset]))
    )
    if not fitting:
        strange = "".join(sorted(set(seen) - CHARACTERS[Charset.INVARIANT]))
        raise InvalidInput(f"the samples have characters that no set has: {strange}")
    return fitting[0][1]


def _same_start(texts: Sequence[str]) -> str:
    first, last = min(texts), max(texts)
    return first[: next((place for place, pair in enumerate(zip(first, last, strict=False)) if pair[0] != pair[1]), len(first))]


def _named(segments: Sequence[Segment]) -> tuple[Segment, ...]:
    """Each name once: `serial`, `serial-2`."""
    counts: dict[str, int] = {}
    named = []
    for segment in segments:
        counts[segment.name] = counts.get(segment.name, 0) + 1
        name = segment.name if counts[segment.name] == 1 else f"{segment.name}-{counts[segment.name]}"
        named.append(replace(segment, name=name))
    return tuple(named)


def _decodings(segments: Sequence[Segment]) -> Iterator[Decoding]:
    for segment in segments:
        if isinstance(segment, DateSegment):
            yield Decoding(item=PrintedItem.A, name="date", segment=segment.name)
            if "hh" in segment.form:
                yield Decoding(item=PrintedItem.A, name="time", segment=segment.name)
        elif segment.name == "gtin":
            yield Decoding(item=PrintedItem.G, name="gtin", segment=segment.name)


def _counter_examples(pattern: Pattern) -> Iterator[str]:
    """What almost fits, and does not: a character too few, and the last one, or the beginning, changed."""
    example = pattern.examples[0]
    changed = "0" if example[-1] != "0" else "1"
    matcher = Matcher(pattern.segments)
    for raw in (example[:-1], f"{example}0", f"{example[:-1]}{changed}", f"~{example[1:]}"):
        try:
            keys = [key for key in read_scan(raw).keys if key.form is pattern.form]
        except FederationError:
            keys = []
        if not any(isinstance(matcher.match(key.text), Match) for key in keys):
            yield raw
