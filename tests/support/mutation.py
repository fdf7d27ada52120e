"""Bytes that look like a given protobuf message and are not: what a faulty or hostile sender may send instead."""

from __future__ import annotations

from dataclasses import dataclass

from hypothesis import strategies as st

UNKNOWN_FIELD = 999
_LENGTH_DELIMITED = 2
_FIXED = {1: 8, 5: 4}


@dataclass(frozen=True)
class RawField:
    """One field as it stands in the bytes: tag, and everything behind it."""

    tag: int
    rest: bytes

    @property
    def raw(self) -> bytes:
        return varint(self.tag) + self.rest

    @property
    def payload(self) -> bytes | None:
        """What is inside of a length-delimited field."""
        return self.rest[_read_varint(self.rest, 0)[1] :] if self.tag & 7 == _LENGTH_DELIMITED else None


def varint(value: int) -> bytes:
    """The shortest spelling."""
    pieces = []
    while value > 0x7F:
        pieces.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*pieces, value])


def overlong(value: int) -> bytes:
    """The same number with one byte more than it needs."""
    short = varint(value)
    return short[:-1] + bytes([short[-1] | 0x80, 0])


def split(raw: bytes) -> list[RawField]:
    """The fields of a message, without knowing what they are.

    Raises:
        ValueError: these bytes are no message.
    """
    fields, position = [], 0
    while position < len(raw):
        tag, start = _read_varint(raw, position)
        position = _end_of_value(raw, tag & 7, start)
        if tag >> 3 == 0 or position > len(raw):
            raise ValueError(raw)
        fields.append(RawField(tag, raw[start:position]))
    return fields


def join(fields: list[RawField]) -> bytes:
    return b"".join(one.raw for one in fields)


def wrapped(tag: int, payload: bytes) -> RawField:
    """A length-delimited field."""
    return RawField(tag, varint(len(payload)) + payload)


@st.composite
def mutated(draw: st.DrawFn, raw: bytes) -> bytes:
    """Something else than `raw`, nearly always; often something that a lenient parser would take for the same."""
    kind = draw(st.sampled_from(["flip", "truncate", "extend", "unknown", "duplicate", "reorder", "overlong", "drop", "inside"]))
    fields = _fields(raw)
    if kind in {"flip", "truncate", "extend"} or not fields:
        return _changed_bytes(draw, kind, raw)
    if kind == "unknown":
        return raw + varint(UNKNOWN_FIELD << 3) + varint(draw(st.integers(0, 300)))
    place = draw(st.integers(0, len(fields) - 1))
    field = fields[place]
    match kind:
        case "duplicate":
            fields.insert(place, field)
        case "reorder":
            fields.insert(draw(st.integers(0, len(fields) - 1)), fields.pop(place))
        case "drop":
            del fields[place]
        case "overlong":
            return join(fields[:place]) + overlong(field.tag) + field.rest + join(fields[place + 1 :])
        case _ if field.payload:
            fields[place] = wrapped(field.tag, draw(mutated(field.payload)))
    return join(fields)


def _changed_bytes(draw: st.DrawFn, kind: str, raw: bytes) -> bytes:
    if kind == "extend" or not raw:
        return raw + draw(st.binary(min_size=1, max_size=8))
    place = draw(st.integers(0, len(raw) - 1))
    if kind == "truncate":
        return raw[:place]
    return raw[:place] + bytes([raw[place] ^ 1 << draw(st.integers(0, 7))]) + raw[place + 1 :]


def _fields(raw: bytes) -> list[RawField]:
    try:
        return split(raw)
    except ValueError:
        return []


def _read_varint(raw: bytes, position: int) -> tuple[int, int]:
    value = shift = 0
    while position < len(raw) and shift < 64:
        byte = raw[position]
        value |= (byte & 0x7F) << shift
        position, shift = position + 1, shift + 7
        if byte < 0x80:
            return value, position
    raise ValueError(raw)


def _end_of_value(raw: bytes, wire_type: int, start: int) -> int:
    if wire_type == 0:
        return _read_varint(raw, start)[1]
    if wire_type == _LENGTH_DELIMITED:
        length, start = _read_varint(raw, start)
        return start + length
    if wire_type in _FIXED:
        return start + _FIXED[wire_type]
    raise ValueError(raw)
