"""Tables for the screen: an answer item by item, and the Parties that may know a code."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from typing import Final

from federation.query.answer import CodeResult
from federation.query.codes import Outcome
from federation.query.items import FieldName, Item, ItemAnswer, ItemState, Record
from node.cli.output import columns
from node.cli.words import MEMBERSHIPS, OUTCOMES, REFUSALS, STATES, WIDTH, last_known_words, party
from node.use_cases.desk_values import AnswerView, RankedParty, Resolution

_TABLE_WIDTH: Final = WIDTH - 6
"""What the indent of the story and the frame of a table leave."""

_ABOUT: Final = {
    Item.A: "made when and where",
    Item.B: "factory",
    Item.C: "machine",
    Item.D: "time or shift",
    Item.E: "first customer",
    Item.F: "intended market",
    Item.G: "product",
    Item.H: "stored and shipped",
    Item.I: "later buyers",
    Item.J: "intended route",
}
"""Article 8.4.1 in a word or two; `gsp queries ID` shows the full titles and every field."""

_SHOWN: Final = {
    Item.A: (FieldName.DATE, FieldName.PLACE, FieldName.COUNTRY),
    Item.B: (FieldName.FACILITY_NAME, FieldName.FACILITY_ADDRESS, FieldName.COUNTRY),
    Item.C: (FieldName.MACHINE_NAME,),
    Item.D: (FieldName.TIME, FieldName.SHIFT),
    Item.E: (FieldName.NAME, FieldName.ADDRESS, FieldName.COUNTRY, FieldName.INVOICE),
    Item.F: (FieldName.MARKET,),
    Item.G: (FieldName.PRODUCT, FieldName.PRODUCT_CLASS),
    Item.H: (FieldName.EVENT, FieldName.TIME, FieldName.FACILITY_NAME, FieldName.COUNTRY),
    Item.I: (FieldName.NAME, FieldName.ADDRESS, FieldName.COUNTRY),
    Item.J: (FieldName.TIME, FieldName.DEPARTURE, FieldName.DESTINATION, FieldName.CONSIGNEE),
}
_NEWEST: Final = frozenset([Item.H, Item.J])
"""Of these the last record is shown, of the others the first."""


def answer_lines(view: AnswerView, name: str) -> Iterator[str]:
    """One answer: who says it, and each item in a line or two."""
    author = (
        f"signed by its officer {view.officer_id}" if view.officer_id is not None else "given by its own rule, without a person"
    )
    yield f"Answer of {party(view.sender, name)}, over its signature, {author}:"
    for result in view.answer.results:
        yield ""
        yield from _result(result)
    if view.answer.text:
        yield f"  In words: {view.answer.text}"
    yield ""


def _result(result: CodeResult) -> Iterator[str]:
    reason = f": {REFUSALS[result.refusal]}" if result.refusal is not None else ""
    status = f"; {', '.join(sorted(result.status))}" if result.status else ""
    yield f"  {result.key}: {OUTCOMES[result.outcome]}{reason}{status}"
    if result.last_known is not None:
        yield f"  last known: {last_known_words(result.last_known)}"
    if result.outcome is Outcome.FOUND:
        yield ""
        yield from (f"  {line}" for line in item_table(result))


def item_table(result: CodeResult) -> list[str]:
    """The items (a) to (j), in short."""
    head = ("ITEM", "ABOUT", "WHAT THE PARTY SAYS")
    room = _TABLE_WIDTH - len(head[0]) - max(map(len, _ABOUT.values())) - 4
    rows = [head]
    for item in result.items:
        first, *rest = textwrap.wrap(_said(item), room) or [""]
        rows += [(item.item, _ABOUT[item.item], first), *(("", "", line) for line in rest)]
    return columns(rows)


def _said(item: ItemAnswer) -> str:
    if item.state is not ItemState.PROVIDED:
        return STATES[item.state]
    telling = [record for record in item.records if _fields(item.item, record)]
    record = (telling or list(item.records))[-1 if item.item in _NEWEST else 0]
    more = f" (one of {len(item.records)} records)" if len(item.records) > 1 else ""
    return (", ".join(_fields(item.item, record)) or "given, see the full answer") + more


def _fields(item: Item, record: Record) -> list[str]:
    found = {name: record.first(name) for name in _SHOWN[item]}
    return [_readable(value) if name is FieldName.TIME else value for name, value in found.items() if value is not None]


def _readable(time: str) -> str:
    """RFC 3339, as programs write it, in the way of people."""
    return time.replace("T", " ").replace("Z", " UTC")


def candidate_lines(resolution: Resolution) -> Iterator[str]:
    """The Parties that may know a code, most likely first, with the reasons."""
    rows = []
    for place, ranked in enumerate(resolution.parties, 1):
        first, *rest = textwrap.wrap(f"because {_reasons(ranked)}", _TABLE_WIDTH - 16)
        rows += [
            (f"{place}.", f"{ranked.candidate.score} points", _standing(ranked)),
            *(("", "", line) for line in (first, *rest)),
        ]
    yield from (f"  {line}" for line in columns(rows))
    yield ""


def _standing(ranked: RankedParty) -> str:
    words = f"{party(ranked.candidate.party, ranked.party_name)} {MEMBERSHIPS[ranked.membership]}"
    if ranked.responder is None or ranked.responder == ranked.candidate.party:
        return words
    return f"{words}; {party(ranked.responder, ranked.responder_name)} answers for it"


def _reasons(ranked: RankedParty) -> str:
    return "; ".join(reason.words for reason in ranked.candidate.reasons)
