"""An answer that a person writes: the file of `gsp answer --file` and the edits of `--set`.

The file has the shape that `gsp inbox ID --json` shows as `draft`: take that, edit it, send it. Everything is checked by the values
themselves; a field that is not known is refused, because it may be a misspelt one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import msgspec

from federation.errors import FederationError, InvalidInput
from federation.query.answer import Answer, CodeResult, LastKnown
from federation.query.codes import Automation, HandlingCode, Outcome, Refusal, UimStatus
from federation.query.items import Field, FieldName, Item, ItemAnswer, ItemState, Record, absent, provided
from federation.query.query import Query
from federation.wire.query import decode_body, encode_answer_body
from node import limits as node_limits

_SET_HINT: Final = (
    "write letter.field=value or letter=state, and the number of the code in front when there are several: 2:a.date=..."
)


class _Part(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What all parts of the file have in common."""


class _Field(_Part, frozen=True, kw_only=True):
    name: FieldName
    value: str


class _Record(_Part, frozen=True, kw_only=True):
    fields: tuple[_Field, ...]
    planned: bool = False


class _Item(_Part, frozen=True, kw_only=True):
    """`title` is there for the reader."""

    item: Item
    state: ItemState
    records: tuple[_Record, ...] = ()
    title: str = ""


class _LastKnown(_Part, frozen=True, kw_only=True):
    time: datetime
    place: str
    country: str
    event: str
    planned: bool


class _Result(_Part, frozen=True, kw_only=True):
    key: str
    outcome: Outcome
    refusal: Refusal | None = None
    status: tuple[UimStatus, ...] = ()
    last_known: _LastKnown | None = None
    complete_as_of: datetime | None = None
    items: tuple[_Item, ...] = ()


class _Answer(_Part, frozen=True, kw_only=True):
    """`automation` is there for the reader: what an officer signs is never automatic."""

    results: tuple[_Result, ...]
    final: bool
    handling: HandlingCode
    text: str = ""
    industry_consulted: bool = False
    automation: Automation = Automation.MANUAL


def read_answer(path: Path) -> Answer:
    """Read an answer file.

    Raises:
        InvalidInput: it is no JSON, has a wrong field, or says what an answer cannot say.
    """
    with path.open("rb") as file:
        raw = file.read(node_limits.ANSWER_FILE_BYTES_MAX + 1)
    if len(raw) > node_limits.ANSWER_FILE_BYTES_MAX:
        raise InvalidInput("the answer file is larger than any answer")
    try:
        file_answer = msgspec.json.decode(raw, type=_Answer)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise InvalidInput(f"the answer file: {error}", hint="start from the draft that `gsp inbox ID --json` shows") from None
    with _at_this_end():
        return Answer(
            results=tuple(_result(result) for result in file_answer.results),
            automation=Automation.MANUAL,
            final=file_answer.final,
            handling=file_answer.handling,
            text=file_answer.text,
            industry_consulted=file_answer.industry_consulted,
        )


def checked(answer: Answer) -> Answer:
    """The answer, if it can cross.

    Raises:
        InvalidInput: a text is too long or holds control characters, or all of it is too large.
    """
    with _at_this_end():
        decode_body(encode_answer_body(answer, certificate=b""))
    return answer


def blank_answer(query: Query, outcome: Outcome, refusal: Refusal | None = None) -> Answer:
    """The same outcome for every code; when found, with items that are not held until somebody says more."""
    items = tuple(absent(item, ItemState.NOT_HELD if item in query.items else ItemState.NOT_ASKED) for item in Item)
    return Answer(
        results=tuple(
            CodeResult(key=code.key, outcome=outcome, refusal=refusal, items=items if outcome is Outcome.FOUND else ())
            for code in query.codes
        ),
        automation=Automation.MANUAL,
        final=True,
        handling=query.handling,
        text="",
        industry_consulted=False,
    )


def edited(answer: Answer, edits: Sequence[str]) -> Answer:
    """The answer after `letter.field=value` (the field in the item's first record) and `letter=state`, one by one.

    Raises:
        InvalidInput: an edit that cannot be read, or an item of a code that is not found.
    """
    for edit in edits:
        place, _, value = edit.partition("=")
        number, _, target = place.rpartition(":")
        with _at_this_end():
            chosen = _chosen(answer, number)
            changed = _changed(answer.results[chosen], target, value)
        answer = replace(answer, results=(*answer.results[:chosen], changed, *answer.results[chosen + 1 :]))
    return answer


def _chosen(answer: Answer, number: str) -> int:
    if not number and len(answer.results) > 1:
        raise InvalidInput(f"the query has {len(answer.results)} codes: say which one --set is about", hint=_SET_HINT)
    chosen = int(number) - 1 if number.isascii() and number.isdigit() else -1 if number else 0
    if not 0 <= chosen < len(answer.results):
        raise InvalidInput("there is no code of that number", hint=_SET_HINT)
    return chosen


def _changed(result: CodeResult, target: str, value: str) -> CodeResult:
    letter, dot, name = target.partition(".")
    if letter not in set(Item) or (name not in set(FieldName) if dot else value not in set(ItemState)):
        raise InvalidInput("--set names no item, field or state that there is", hint=_SET_HINT)
    if result.outcome is not Outcome.FOUND:
        raise InvalidInput("only a code that is found has items", hint="give --outcome found")
    item = Item(letter)
    items = tuple(
        (_with_field(one, FieldName(name), value) if dot else absent(item, ItemState(value))) if one.item is item else one
        for one in result.items
    )
    return replace(result, items=items)


def _with_field(item: ItemAnswer, name: FieldName, value: str) -> ItemAnswer:
    first, *others = item.records or (Record(fields=()),)
    kept = tuple(field for field in first.fields if field.name is not name)
    return provided(item.item, replace(first, fields=(*kept, Field(name, value))), *others)


def _result(result: _Result) -> CodeResult:
    return CodeResult(
        key=result.key,
        outcome=result.outcome,
        refusal=result.refusal,
        status=frozenset(result.status),
        last_known=_last_known(result.last_known) if result.last_known is not None else None,
        complete_as_of=_seconds(result.complete_as_of) if result.complete_as_of is not None else None,
        items=tuple(
            ItemAnswer(
                item=item.item,
                state=item.state,
                records=tuple(
                    Record(fields=tuple(Field(field.name, field.value) for field in record.fields), planned=record.planned)
                    for record in item.records
                ),
            )
            for item in result.items
        ),
    )


def _last_known(known: _LastKnown) -> LastKnown:
    return LastKnown(
        time=_seconds(known.time), place=known.place, country=known.country, event=known.event, planned=known.planned
    )


def _seconds(time: datetime) -> int:
    """Times in the file carry their zone; one without is in UTC, like everything here."""
    seconds = int((time if time.tzinfo is not None else time.replace(tzinfo=UTC)).timestamp())
    if seconds < 0:
        raise InvalidInput("a time in the answer lies before 1970")
    return seconds


@contextmanager
def _at_this_end() -> Iterator[None]:
    """What is too large or wrong here is the officer's to mend, not a peer's."""
    try:
        yield
    except InvalidInput:
        raise
    except FederationError as error:
        raise InvalidInput(error.message, hint="shorten or correct it") from None
