"""Pattern sets: what one Party publishes of its codes, as bytes whose digest is in the directory.

What a pattern may be is checked by the values, here as where a Party writes them; whether the publisher may publish it is asked by
`federation.uim.pattern.validate_set`.
"""

from __future__ import annotations

from typing import Final

from federation import limits
from federation.errors import Malformed, Oversized
from federation.identity import party_id
from federation.uim.check import CheckMethod
from federation.uim.codes import Carrier, KeyForm, Label, Level, ProductClass
from federation.uim.pattern import Decoding, Pattern, PatternSet, PrintedItem
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
from federation.v1 import exchange_pb2
from federation.wire.strict import EnumMap, at_most, encode, parse, seconds, total

LABELS: Final = EnumMap(exchange_pb2.Label, "LABEL_", Label)
LEVELS: Final = EnumMap(exchange_pb2.Level, "LEVEL_", Level)
PRODUCT_CLASSES: Final = EnumMap(exchange_pb2.ProductClass, "PRODUCT_CLASS_", ProductClass)
CARRIERS: Final = EnumMap(exchange_pb2.Carrier, "CARRIER_", Carrier)
FORMS: Final = EnumMap(exchange_pb2.KeyForm, "KEY_FORM_", KeyForm)
CHARSETS: Final = EnumMap(exchange_pb2.Charset, "CHARSET_", Charset)
CHECK_METHODS: Final = EnumMap(exchange_pb2.CheckMethod, "CHECK_METHOD_", CheckMethod)
DATE_FORMS: Final = EnumMap(exchange_pb2.DateForm, "DATE_FORM_", DateForm)
PRINTED_ITEMS: Final = EnumMap(exchange_pb2.PrintedItem, "PRINTED_ITEM_", PrintedItem)


def encode_pattern_set(pattern_set: PatternSet) -> bytes:
    """The bytes whose SHA-256 stands in the Party's update entry.

    Raises:
        Oversized: more than PATTERN_SET_BYTES_MAX, so that nobody would take it.
    """
    raw = encode(
        exchange_pb2.PatternSet(
            party=pattern_set.party,
            version=pattern_set.version,
            patterns=[_pattern_message(pattern) for pattern in pattern_set.patterns],
            company_prefixes=pattern_set.company_prefixes,
            languages=pattern_set.languages,
            brands=pattern_set.brands,
        )
    )
    if len(raw) > limits.PATTERN_SET_BYTES_MAX:
        raise Oversized(
            f"the set of {pattern_set.party} has {len(raw)} bytes; at most {limits.PATTERN_SET_BYTES_MAX} are taken",
            hint="move long tables from the patterns into answers",
        )
    return raw


@total
def decode_pattern_set(raw: bytes) -> PatternSet:
    """Read a set; that it is the publisher's is known by its digest, and its rules are still to be asked."""
    message = parse(exchange_pb2.PatternSet, raw, bytes_max=limits.PATTERN_SET_BYTES_MAX)
    at_most(len(message.patterns), limits.PATTERNS_PER_PARTY_MAX, "patterns")
    return PatternSet(
        party=party_id(message.party),
        version=message.version,
        patterns=tuple(_decode_pattern(one) for one in message.patterns),
        company_prefixes=tuple(message.company_prefixes),
        languages=tuple(message.languages),
        brands=tuple(message.brands),
    )


def _pattern_message(pattern: Pattern) -> exchange_pb2.Pattern:
    return exchange_pb2.Pattern(
        pattern_id=pattern.pattern_id,
        version=pattern.version,
        owner=pattern.owner,
        answered_by=pattern.answered_by or "",
        title=pattern.title,
        source=pattern.source,
        label=LABELS.number(pattern.label),
        level=LEVELS.number(pattern.level) if pattern.level is not None else exchange_pb2.LEVEL_UNSPECIFIED,
        product_classes=[PRODUCT_CLASSES.number(one) for one in pattern.product_classes],
        carriers=[CARRIERS.number(one) for one in pattern.carriers],
        qualifiers=pattern.qualifiers,
        valid_from_s=pattern.valid_from_s,
        valid_until_s=pattern.valid_until_s,
        form=FORMS.number(pattern.form),
        segments=[_segment_message(segment) for segment in pattern.segments],
        names_issuer=pattern.names_issuer,
        decodings=[_decoding_message(decoding) for decoding in pattern.decodings],
        examples=pattern.examples,
        counter_examples=pattern.counter_examples,
    )


def _decode_pattern(message: exchange_pb2.Pattern) -> Pattern:
    return Pattern(
        pattern_id=message.pattern_id,
        version=message.version,
        owner=party_id(message.owner),
        answered_by=party_id(message.answered_by) if message.answered_by else None,
        title=message.title,
        source=message.source,
        label=LABELS.value(message.label),
        level=LEVELS.value(message.level) if message.level else None,
        product_classes=tuple(PRODUCT_CLASSES.value(one) for one in message.product_classes),
        carriers=tuple(CARRIERS.value(one) for one in message.carriers),
        qualifiers=tuple(message.qualifiers),
        valid_from_s=seconds(message.valid_from_s) if message.HasField("valid_from_s") else None,
        valid_until_s=seconds(message.valid_until_s) if message.HasField("valid_until_s") else None,
        form=FORMS.value(message.form),
        segments=tuple(_decode_segment(one) for one in message.segments),
        names_issuer=message.names_issuer,
        decodings=tuple(_decode_decoding(one) for one in message.decodings),
        examples=tuple(message.examples),
        counter_examples=tuple(message.counter_examples),
    )


def _segment_message(segment: Segment) -> exchange_pb2.Segment:
    message = exchange_pb2.Segment(name=segment.name, stored=segment.stored)
    match segment:
        case LiteralSegment():
            message.literal = segment.text
        case CharacterSegment():
            message.characters.charset = CHARSETS.number(segment.charset)
            message.characters.shortest = segment.shortest
            message.characters.longest = segment.longest
            message.characters.excluded = segment.excluded
        case CheckedSegment():
            message.checked.charset = CHARSETS.number(segment.charset)
            message.checked.length = segment.length
            message.checked.method = CHECK_METHODS.number(segment.method)
        case DateSegment():
            message.date = DATE_FORMS.number(segment.form)
        case SeparatorSegment():
            message.separator = segment.text
    return message


def _decode_segment(message: exchange_pb2.Segment) -> Segment:
    name, stored = message.name, message.stored
    match message.WhichOneof("shape"):
        case "literal":
            return LiteralSegment(name=name, text=message.literal, stored=stored)
        case "characters":
            return CharacterSegment(
                name=name,
                charset=CHARSETS.value(message.characters.charset),
                shortest=message.characters.shortest,
                longest=message.characters.longest,
                excluded=message.characters.excluded,
                stored=stored,
            )
        case "checked":
            return CheckedSegment(
                name=name,
                charset=CHARSETS.value(message.checked.charset),
                length=message.checked.length,
                method=CHECK_METHODS.value(message.checked.method),
                stored=stored,
            )
        case "date":
            return DateSegment(name=name, form=DATE_FORMS.value(message.date), stored=stored)
        case "separator" if not stored:
            return SeparatorSegment(name=name, text=message.separator)
        case _:
            raise Malformed("a segment has no shape, or is a separator that would be stored")


def _decoding_message(decoding: Decoding) -> exchange_pb2.Decoding:
    return exchange_pb2.Decoding(
        item=PRINTED_ITEMS.number(decoding.item),
        name=decoding.name,
        segment=decoding.segment,
        table=[exchange_pb2.DecodingRow(text=text, value=value) for text, value in decoding.table],
    )


def _decode_decoding(message: exchange_pb2.Decoding) -> Decoding:
    return Decoding(
        item=PRINTED_ITEMS.value(message.item),
        name=message.name,
        segment=message.segment,
        table=tuple((row.text, row.value) for row in message.table),
    )
