"""Traceability files: one JSON object in each line, for everything that a trace store takes.

    {"type": "facility", "facility_id": "F-1", "name": "Works", "kind": "factory", "country": "QN"}
    {"type": "arrival", "event_id": "E-7", "event_time": "2026-03-01T10:00:00Z", "record_time": "2026-03-01T11:30:00Z",
     "facility_id": "F-1", "codes": ["QNC0123456789AB"]}        (in one line)
    {"type": "coverage", "complete_as_of": "2026-03-01T12:00:00Z"}

`type` is the word of `events.EVENT_KINDS` or `model.REFERENCE_KINDS`, or `coverage`; the other fields are those of that class,
with the same meaning. Times are RFC 3339, durations seconds. A field that this program does not know is refused: a misspelt
`machine_id` must not become a pack without a machine.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any, BinaryIO, Final, TypeVar

import msgspec

from federation.errors import FederationError, InvalidInput
from node import limits
from node.trace.events import EVENT_KINDS, Filing, Report, kind_of
from node.trace.model import REFERENCE_KINDS, Coverage, reference_name

_TIMES: Final = ("event_time", "record_time", "made_at", "complete_as_of")
_COVERAGE: Final = "coverage"

Kind = TypeVar("Kind")


def read_filings(stream: BinaryIO) -> Iterator[Filing]:
    """Read a file line by line; empty lines are passed over. What came before a faulty line has been given already.

    Raises:
        InvalidInput: a line that cannot be read; the message names it by its number.
    """
    number = 0
    while line := stream.readline(limits.TRACE_LINE_BYTES_MAX + 1):
        number += 1
        if len(line) > limits.TRACE_LINE_BYTES_MAX:
            raise InvalidInput(
                f"line {number} has more than {limits.TRACE_LINE_BYTES_MAX} bytes", hint="split the event into several events"
            )
        if line.strip():
            yield _read_numbered(line, number)


def _read_numbered(line: bytes, number: int) -> Filing:
    try:
        return _read(line)
    except FederationError as error:
        raise InvalidInput(f"line {number}: {error.message}", hint=error.hint) from error
    except (msgspec.MsgspecError, UnicodeError) as error:
        raise InvalidInput(f"line {number}: {error}", hint="each line is one JSON object as the user guide shows") from error
    except RecursionError:
        raise InvalidInput(f"line {number}: nested too deeply", hint="each line is one JSON object with few levels") from None


def _read(line: bytes) -> Filing:
    raw = msgspec.json.decode(line, type=dict[str, Any])
    word = str(raw.pop("type", None))
    _read_times(raw)
    if word in EVENT_KINDS:
        codes = msgspec.convert(raw.pop("codes", ()), tuple[str, ...])
        return Report(event=_convert(raw, EVENT_KINDS[word]), codes=codes)
    if word in REFERENCE_KINDS:
        return _convert(raw, REFERENCE_KINDS[word])
    if word == _COVERAGE:
        return _convert(raw, Coverage)
    raise InvalidInput("the type is missing or not known", hint="`type` is a kind of event or of master data, or `coverage`")


def _convert(raw: dict[str, Any], kind: type[Kind]) -> Kind:
    value = msgspec.convert(raw, kind)
    unknown = _unknown(raw, msgspec.to_builtins(value))
    if unknown is not None:
        raise InvalidInput(f"{unknown[:40]!r} is no field of this type", hint="see how the user guide spells it")
    return value


def _unknown(raw: dict[str, Any], understood: dict[str, Any]) -> str | None:
    """A field of the line that did not become part of the value."""
    for name, part in raw.items():
        if name not in understood:
            return name
        if isinstance(part, dict) and (inner := _unknown(part, understood[name])) is not None:
            return inner
    return None


def _read_times(raw: dict[str, Any]) -> None:
    for name in _TIMES:
        if raw.get(name) is not None:
            raw[name] = _seconds(raw[name])
    since = raw.get("recorded_since")
    if isinstance(since, dict):
        raw["recorded_since"] = {item: _seconds(time) for item, time in since.items()}


def _seconds(text: object) -> int:
    time = msgspec.convert(text, datetime)
    if time.tzinfo is None:
        raise InvalidInput("a time has no time zone", hint="write times in UTC, for example `2026-03-01T10:00:00Z`")
    return int(time.timestamp())


def write_filings(filings: Iterable[Filing]) -> Iterator[bytes]:
    """Write lines that `read_filings` reads back to the same values."""
    for filing in filings:
        yield msgspec.json.encode(_written(filing)) + b"\n"


def _written(filing: Filing) -> dict[str, Any]:
    match filing:
        case Report(event=event, codes=codes):
            row = {"type": kind_of(event), **msgspec.to_builtins(event), "codes": codes}
        case Coverage():
            since = {item: _time_text(time) for item, time in filing.recorded_since.items()}
            row = {"type": _COVERAGE, **msgspec.to_builtins(filing), "recorded_since": since}
        case _:
            row = {"type": reference_name(filing)[0], **msgspec.to_builtins(filing)}
    for name in _TIMES:
        if row.get(name) is not None:
            row[name] = _time_text(row[name])
    return {name: value for name, value in row.items() if value is not None and value != ()}


def _time_text(time: int) -> str:
    return datetime.fromtimestamp(time, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
