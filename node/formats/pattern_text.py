"""Pattern sets as TOML, for people: what `node.formats.patterns` reads, written out again. A draft starts as such a file."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from federation.uim.pattern import Decoding, Pattern, PatternSet
from federation.uim.segments import (
    CharacterSegment,
    CheckedSegment,
    DateSegment,
    LiteralSegment,
    Segment,
    SeparatorSegment,
)


def pattern_file(pattern_set: PatternSet, *, remarks: Sequence[str] = ()) -> str:
    """The text of one pattern file.

    Args:
        pattern_set: what is written.
        remarks: lines for the head of the file, for whoever reads it first.
    """
    lines = [*(f"# {remark}" for remark in remarks), f"party = {_text(pattern_set.party)}", f"version = {pattern_set.version}"]
    for name, listed in (
        ("company_prefixes", pattern_set.company_prefixes),
        ("languages", pattern_set.languages),
        ("brands", pattern_set.brands),
    ):
        if listed:
            lines.append(f"{name} = {_texts(listed)}")
    if not pattern_set.patterns:
        lines.append("patterns = []")
    for pattern in pattern_set.patterns:
        lines += ["", "[[patterns]]", *_pattern(pattern, pattern_set)]
    return "\n".join(lines) + "\n"


def _pattern(pattern: Pattern, pattern_set: PatternSet) -> Iterator[str]:
    yield f"id = {_text(pattern.pattern_id)}"
    if pattern.version != 1:
        yield f"version = {pattern.version}"
    if pattern.owner != pattern_set.party:
        yield f"owner = {_text(pattern.owner)}"
    if pattern.answered_by is not None:
        yield f"answered_by = {_text(pattern.answered_by)}"
    yield f"title = {_text(pattern.title)}"
    yield f"source = {_text(pattern.source)}"
    yield f"label = {_text(pattern.label)}"
    yield from _scope(pattern)
    yield f"form = {_text(pattern.form)}"
    yield f"names_issuer = {_word(pattern.names_issuer)}"
    yield "segments = ["
    yield from (f"    {{ {_segment(segment)} }}," for segment in pattern.segments)
    yield "]"
    if pattern.decodings:
        yield "decodings = ["
        yield from (f"    {{ {_decoding(decoding)} }}," for decoding in pattern.decodings)
        yield "]"
    yield f"examples = {_texts(pattern.examples)}"
    yield f"counter_examples = {_texts(pattern.counter_examples)}"


def _scope(pattern: Pattern) -> Iterator[str]:
    if pattern.level is not None:
        yield f"level = {_text(pattern.level)}"
    for name, listed in (
        ("product_classes", pattern.product_classes),
        ("carriers", pattern.carriers),
        ("qualifiers", pattern.qualifiers),
    ):
        if listed:
            yield f"{name} = {_texts(listed)}"
    for name, bound in (("valid_from", pattern.valid_from_s), ("valid_until", pattern.valid_until_s)):
        if bound is not None:
            yield f"{name} = {datetime.fromtimestamp(bound, UTC).date().isoformat()}"


def _segment(segment: Segment) -> str:
    stored = "" if segment.stored or isinstance(segment, SeparatorSegment) else ", stored = false"
    name = f"name = {_text(segment.name)}"
    match segment:
        case LiteralSegment(text=text):
            return f'kind = "literal", {name}, text = {_text(text)}{stored}'
        case CharacterSegment():
            excluded = f", excluded = {_text(segment.excluded)}" if segment.excluded else ""
            return f'kind = "characters", {name}, charset = {_text(segment.charset)}, {_length(segment)}{excluded}{stored}'
        case CheckedSegment():
            rule = f"charset = {_text(segment.charset)}, length = {segment.length}, method = {_text(segment.method)}"
            return f'kind = "checked", {name}, {rule}{stored}'
        case DateSegment(form=form):
            return f'kind = "date", {name}, form = {_text(form)}{stored}'
        case SeparatorSegment(text=text):
            return f'kind = "separator", {name}, text = {_text(text)}'


def _length(segment: CharacterSegment) -> str:
    if segment.shortest == segment.longest:
        return f"length = {segment.longest}"
    return f"shortest = {segment.shortest}, longest = {segment.longest}"


def _decoding(decoding: Decoding) -> str:
    rows = ", ".join(f"{_text(text)} = {_text(value)}" for text, value in decoding.table)
    table = f", table = {{ {rows} }}" if rows else ""
    return f"item = {_text(decoding.item)}, name = {_text(decoding.name)}, segment = {_text(decoding.segment)}{table}"


def _texts(values: Sequence[str]) -> str:
    return f"[{', '.join(_text(value) for value in values)}]"


def _text(value: str) -> str:
    """A basic string of TOML: JSON's escapes are among TOML's, but JSON leaves one control character as it is."""
    return json.dumps(str(value), ensure_ascii=False).replace("\x7f", "\\u007f")


def _word(value: bool) -> str:  # noqa: FBT001  # the one value that is written
    return "true" if value else "false"
