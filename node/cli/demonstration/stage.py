"""What every chapter works with: the federation, the officer who asks, and the teller."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from federation.identity import PartyId
from federation.query.answer import CodeResult
from federation.query.codes import HandlingCode, Purpose, Urgency
from federation.query.items import ALL_ITEMS, FieldName, Item, ItemAnswer, ItemState
from federation.query.lifecycle import AskedState
from node.cli.ask import Wish, ask_at_desk
from node.cli.demonstration.federation import Federation
from node.cli.demonstration.rendering import answer_lines
from node.cli.demonstration.teller import Teller, require
from node.cli.documents import query_view_document
from node.cli.scans import gather
from node.cli.session import Session, follow
from node.use_cases.desk_values import AnswerView, QueryView

ANSWER_S: Final = 20.0
"""How long an answer may take that comes by itself: a hundred times what it takes on an idle machine."""
_DEADLINE_S: Final = 7 * 86_400


@dataclass(slots=True, kw_only=True)
class Stage:
    """Shared by the chapters.

    Attributes:
        asker: the officer of the Party that asks, at the own desk.
        first: the question of chapter 1 with its answer, whose evidence is checked at the end.
    """

    federation: Federation
    teller: Teller
    asker: Session
    first: QueryView | None = None

    def name(self, party: str) -> str:
        """A Party in words."""
        return self.federation.cast.member(party).name

    def code(self, party: str, showcase: str) -> str:
        """The code of a named story of a Party."""
        return self.federation.books.code(party, showcase)

    def read_picture(self, path: Path) -> str:
        """The one scan in a picture."""
        (scan,) = gather((), path)
        return scan

    async def ask(self, scan: str, *, to: PartyId | None = None, necessity: str, wait_s: float = ANSWER_S) -> QueryView:
        """Ask as `gsp ask` does: resolve, prepare at the node, look, sign here, send, wait."""
        wish = Wish(
            scans=(scan,),
            to=to,
            items=ALL_ITEMS,
            purpose=Purpose.DETECTION,
            necessity=necessity,
            handling=HandlingCode.H1,
            urgency=Urgency.NORMAL,
            reference=f"DEMO-{self.teller.chapter.number}",
            deadline_s=_DEADLINE_S,
            wait_s=wait_s,
            lenient=False,
        )
        began = self.teller.age_s
        view = await follow(self.asker.desk, await ask_at_desk(wish, self.asker), wait_s=wait_s)
        self.teller.note(
            query=query_view_document(view, now=self.asker.clock.now()), asked_in_s=round(self.teller.age_s - began, 3)
        )
        return view

    def final_answer(self, view: QueryView, *, sender: str, by_officer: bool) -> tuple[AnswerView, CodeResult]:
        """The answer that has come, shown and held against what must be true of it.

        Raises:
            Misuse: there is none, or somebody else gave it.
        """
        require(view.asked.state is AskedState.ANSWERED, f"no answer came; the query is {view.asked.state} {view.asked.problem}")
        answer = view.answers[-1]
        self.teller.note(query=query_view_document(view, now=self.asker.clock.now()))
        self.teller.show(answer_lines(answer, view.peer_name))
        require(answer.sender == sender, f"{answer.sender} answered instead of {sender}")
        require((answer.officer_id is not None) == by_officer, "an officer and a rule were mistaken for each other")
        (result,) = answer.answer.results
        return answer, result


def item_of(result: CodeResult, letter: Item) -> ItemAnswer:
    """One item of a result."""
    return next(item for item in result.items if item.item is letter)


def told(result: CodeResult, letter: Item, name: FieldName) -> str:
    """A field that an item must tell.

    Raises:
        Misuse: the item is not given, or has no such field.
    """
    item = item_of(result, letter)
    require(item.state is ItemState.PROVIDED, f"item ({letter}) is {item.state} instead of provided")
    value = next((value for record in item.records if (value := record.first(name)) is not None), None)
    require(value is not None, f"item ({letter}) does not tell {name}")
    return value or ""
