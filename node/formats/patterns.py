"""Pattern files: TOML that a person writes, to the values that a node publishes.

One file is one Party's set. The shape of the file is checked here, strictly: an unknown field is refused, and the error names the
field. What the values may be is checked by the values themselves, and the rules for publishing by
`federation.uim.pattern.validate_set`. The files under `config/patterns/` are the examples.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TypeAlias

import msgspec

from federation import limits
from federation.errors import FederationError, InvalidConfiguration
from federation.identity import PartyId, party_id
from federation.uim.check import CheckMethod
from federation.uim.codes import Carrier, KeyForm, Label, Level, ProductClass
from federation.uim.pattern import Decoding, Pattern, PatternSet, PrintedItem, try_examples
from federation.uim.segments import (
    CharacterSegment,
    Charset,
    CheckedSegment,
    DateForm,
    DateSegment,
    LiteralSegment,
    Segment,
    SeparatorSegment,
)


class _Table(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What all tables of a pattern file have in common: a field that is not known is refused."""


class _Literal(_Table, frozen=True, kw_only=True, tag_field="kind", tag="literal"):
    name: str
    text: str
    stored: bool = True


class _Characters(_Table, frozen=True, kw_only=True, tag_field="kind", tag="characters"):
    """Either `length`, or `shortest` and `longest`."""

    name: str
    charset: Charset
    length: int | None = None
    shortest: int | None = None
    longest: int | None = None
    excluded: str = ""
    stored: bool = True


class _Checked(_Table, frozen=True, kw_only=True, tag_field="kind", tag="checked"):
    """`length` counts the characters before the check characters."""

    name: str
    charset: Charset
    length: int
    method: CheckMethod
    stored: bool = True


class _Date(_Table, frozen=True, kw_only=True, tag_field="kind", tag="date"):
    name: str
    form: DateForm
    stored: bool = True


class _Separator(_Table, frozen=True, kw_only=True, tag_field="kind", tag="separator"):
    name: str
    text: str


_AnySegment: TypeAlias = _Literal | _Characters | _Checked | _Date | _Separator


class _Decoding(_Table, frozen=True, kw_only=True):
    item: PrintedItem
    name: str
    segment: str
    table: dict[str, str] = {}


class _Pattern(_Table, frozen=True, kw_only=True):
    id: str
    version: int = 1
    owner: str | None = None
    answered_by: str | None = None
    title: str
    source: str
    label: Label
    level: Level | None = None
    product_classes: tuple[ProductClass, ...] = ()
    carriers: tuple[Carrier, ...] = ()
    qualifiers: tuple[str, ...] = ()
    valid_from: date | None = None
    valid_until: date | None = None
    form: KeyForm = KeyForm.PLAIN
    names_issuer: bool = True
    segments: tuple[_AnySegment, ...]
    decodings: tuple[_Decoding, ...] = ()
    examples: tuple[str, ...]
    counter_examples: tuple[str, ...] = ()


class _File(_Table, frozen=True, kw_only=True):
    party: str
    version: int = 1
    company_prefixes: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    brands: tuple[str, ...] = ()
    patterns: tuple[_Pattern, ...]


def read_pattern_file(text: str) -> PatternSet:
    """Read the text of one pattern file.

    Raises:
        InvalidConfiguration: no TOML, an unknown or missing field, or a value that cannot be; the message names the place.
    """
    try:
        file = msgspec.convert(tomllib.loads(text), _File, strict=True)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise InvalidConfiguration(f"the pattern file is not TOML: {error}") from None
    except msgspec.ValidationError as error:
        raise InvalidConfiguration(f"the pattern file has a wrong field: {error}") from None
    with _naming("`party`"):
        party = party_id(file.party)
    patterns = []
    for pattern in file.patterns:
        with _naming(f"the pattern {pattern.id!r}"):
            patterns.append(_pattern(pattern, party))
    with _naming("the set"):
        return PatternSet(
            party=party,
            version=file.version,
            patterns=tuple(patterns),
            company_prefixes=file.company_prefixes,
            languages=file.languages,
            brands=file.brands,
        )


def read_own_set(path: Path) -> PatternSet:
    """Read a file that is to be published: other Parties refuse a set whose examples do not prove it, so it is refused here first.

    Raises:
        InvalidConfiguration: a file that cannot be read, is too large, or contradicts itself; the message names the file.
    """
    with _naming(path.name):
        pattern_set = read_pattern_file(_bounded_text(path))
        try_examples(pattern_set)
    return pattern_set


def read_pattern_folder(folder: Path) -> tuple[PatternSet, ...]:
    """Read every `.toml` file of a folder, in the order of their names; other files are passed over.

    Raises:
        InvalidConfiguration: a file that cannot be read or is too large, or two files of one Party; the message names the file.
    """
    paths = sorted(folder.glob("*.toml"))
    if len(paths) > limits.PARTIES_MAX:
        raise InvalidConfiguration(f"the folder {folder} has more than {limits.PARTIES_MAX} pattern files")
    sets: dict[PartyId, PatternSet] = {}
    for path in paths:
        with _naming(path.name):
            pattern_set = read_pattern_file(_bounded_text(path))
            if pattern_set.party in sets:
                raise InvalidConfiguration(f"a file before it holds the set of {pattern_set.party} already")
        sets[pattern_set.party] = pattern_set
    return tuple(sets.values())


def _bounded_text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            content = file.read(limits.PATTERN_FILE_BYTES_MAX + 1)
        text = content.decode()
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidConfiguration(f"the file cannot be read: {error}") from None
    if len(content) > limits.PATTERN_FILE_BYTES_MAX:
        raise InvalidConfiguration(f"the file has more than {limits.PATTERN_FILE_BYTES_MAX} bytes")
    return text


@contextmanager
def _naming(place: str) -> Iterator[None]:
    """Say where in the operator's file an error of the values lies: here it is the operator's mistake, not a peer's."""
    try:
        yield
    except FederationError as error:
        hint = error.hint if error.hint != error.default_hint else None
        raise InvalidConfiguration(f"{place}: {error.message}", hint=hint) from None


def _pattern(pattern: _Pattern, party: PartyId) -> Pattern:
    return Pattern(
        pattern_id=pattern.id,
        version=pattern.version,
        owner=party_id(pattern.owner) if pattern.owner is not None else party,
        answered_by=party_id(pattern.answered_by) if pattern.answered_by is not None else None,
        title=pattern.title,
        source=pattern.source,
        label=pattern.label,
        level=pattern.level,
        product_classes=pattern.product_classes,
        carriers=pattern.carriers,
        qualifiers=pattern.qualifiers,
        valid_from_s=_midnight(pattern.valid_from),
        valid_until_s=_midnight(pattern.valid_until),
        form=pattern.form,
        segments=tuple(_segment(segment) for segment in pattern.segments),
        names_issuer=pattern.names_issuer,
        decodings=tuple(_decoding(decoding) for decoding in pattern.decodings),
        examples=pattern.examples,
        counter_examples=pattern.counter_examples,
    )


def _segment(segment: _AnySegment) -> Segment:
    match segment:
        case _Literal(name=name, text=text, stored=stored):
            return LiteralSegment(name=name, text=text, stored=stored)
        case _Characters():
            return _character_segment(segment)
        case _Checked(name=name, charset=charset, length=length, method=method, stored=stored):
            return CheckedSegment(name=name, charset=charset, length=length, method=method, stored=stored)
        case _Date(name=name, form=form, stored=stored):
            return DateSegment(name=name, form=form, stored=stored)
        case _Separator(name=name, text=text):
            return SeparatorSegment(name=name, text=text)


def _character_segment(segment: _Characters) -> CharacterSegment:
    bounds = (segment.length, segment.length) if segment.length is not None else (segment.shortest, segment.longest)
    is_mixed = segment.length is not None and (segment.shortest, segment.longest) != (None, None)
    if bounds[0] is None or bounds[1] is None or is_mixed:
        raise InvalidConfiguration(f"the segment {segment.name} needs either `length`, or `shortest` and `longest`")
    return CharacterSegment(
        name=segment.name,
        charset=segment.charset,
        shortest=bounds[0],
        longest=bounds[1],
        excluded=segment.excluded,
        stored=segment.stored,
    )


def _decoding(decoding: _Decoding) -> Decoding:
    return Decoding(item=decoding.item, name=decoding.name, segment=decoding.segment, table=tuple(decoding.table.items()))


def _midnight(day: date | None) -> int | None:
    """The first second of a day in UTC: bounds in files are days."""
    return None if day is None else int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp())
