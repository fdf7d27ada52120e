"""An exported search as a file: one JSON document a line, or a table for a spreadsheet, and at the end what the node signed over it.

Both forms are read back into the very rows, and written again: a file that is not what this program would write from them is refused,
so nothing stands in it that the signed digest does not cover. A spreadsheet takes a cell that begins with certain characters for a
formula; such a cell gets an apostrophe before it, as does one that begins with an apostrophe, so that it can be taken away again.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from hmac import compare_digest
from io import StringIO
from typing import Any, Final

from federation import limits
from federation.errors import Malformed, Unauthentic
from federation.trust import note
from node.use_cases.audit_values import COLUMNS, NUMBERS, AuditRow, Closing, chained, parse_closing, read_closing

_CLOSING: Final = "closing"
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "'")
_TIME: Final = "%Y-%m-%dT%H:%M:%SZ"


class Form(StrEnum):
    """How the rows are written."""

    NDJSON = "ndjson"
    CSV = "csv"


def head(form: Form) -> str:
    """What stands before the rows."""
    return _line(COLUMNS) if form is Form.CSV else ""


def render(form: Form, rows: Iterable[AuditRow]) -> str:
    """Rows, a line each."""
    documents = ({column: _written(row, column) for column in COLUMNS} for row in rows)
    if form is Form.NDJSON:
        return "".join(f"{json.dumps(one, ensure_ascii=False)}\n" for one in documents)
    return "".join(_line([_guarded(str(value)) for value in one.values()]) for one in documents)


def tail(form: Form, closing: bytes) -> str:
    """The closing line."""
    text = closing.decode()
    if form is Form.NDJSON:
        return f"{json.dumps({_CLOSING: text}, ensure_ascii=False)}\n"
    return _line([_CLOSING, text, *[""] * (len(COLUMNS) - 2)])


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedAudit:
    """An export that is what the node signed, to the last byte."""

    form: Form
    rows: tuple[AuditRow, ...]
    closing: Closing


def check_audit_file(raw: bytes, *, public_key: bytes) -> CheckedAudit:
    """Check an exported search.

    Args:
        raw: the file.
        public_key: of the node, Ed25519, got from elsewhere than the file.

    Raises:
        Malformed: it is no such file, or somebody wrote into it what the program does not write.
        Unauthentic: the node did not sign it, or rows are missing, added or changed.
    """
    form, rows, signed = _parse(raw)
    closing = read_closing(signed, node=parse_closing(note.parse_note(signed).text).node, public_key=public_key)
    if closing.rows != len(rows):
        raise Unauthentic(f"the file has {len(rows)} rows, and the node signed {closing.rows}")
    if not compare_digest(chained(bytes(32), rows), closing.digest):
        raise Unauthentic("the rows are not those that the node signed")
    if (head(form) + render(form, rows) + tail(form, signed)).encode() != raw:
        raise Malformed("the file holds something beside what was signed")
    return CheckedAudit(form=form, rows=rows, closing=closing)


def _parse(raw: bytes) -> tuple[Form, tuple[AuditRow, ...], bytes]:
    try:
        text = raw.decode()
        form = Form.NDJSON if text.startswith("{") else Form.CSV
        *documents, last = _json(text) if form is Form.NDJSON else _table(text)
        return form, tuple(_row(one) for one in documents), last[_CLOSING].encode()
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError, csv.Error) as error:
        raise Malformed("this is no exported search", hint="take the file as `gsp audit export` wrote it") from error


def _json(text: str) -> list[Any]:
    return [json.loads(line) for line in text.removesuffix("\n").split("\n")]


def _table(text: str) -> list[Any]:
    first, *rows, last = csv.reader(StringIO(text, newline=""), strict=True)
    if tuple(first) != COLUMNS or last[0] != _CLOSING:
        raise ValueError("another table")
    documents = [dict(zip(COLUMNS, map(_unguarded, row), strict=True)) for row in rows]
    return [*({**one, **{name: _number(one[name]) for name in NUMBERS - {"at"}}} for one in documents), {_CLOSING: last[1]}]


def _number(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 20):
        raise ValueError("no number")
    return int(text)


def _row(document: Any) -> AuditRow:
    if tuple(document) != COLUMNS:
        raise ValueError("other columns")
    values = {**document, "at": int(datetime.strptime(document["at"], _TIME).replace(tzinfo=UTC).timestamp())}
    if not all(type(value) is (int if name in NUMBERS else str) for name, value in values.items()):
        raise ValueError("another type")
    if not 0 <= values["position"] < limits.TREE_SIZE_MAX:
        raise ValueError("no position")
    return AuditRow(**values)


def _written(row: AuditRow, column: str) -> Any:
    value = getattr(row, column)
    return f"{datetime.fromtimestamp(value, tz=UTC):{_TIME}}" if column == "at" else value


def _guarded(cell: str) -> str:
    return f"'{cell}" if cell.startswith(_FORMULA) else cell


def _unguarded(cell: str) -> str:
    return cell.removeprefix("'")


def _line(cells: Sequence[str]) -> str:
    file = StringIO(newline="")
    csv.writer(file, lineterminator="\r\n").writerow(cells)
    return file.getvalue()
