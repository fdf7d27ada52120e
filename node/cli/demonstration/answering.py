"""Chapters 5 to 7: a region answers for its member, an officer answers by hand, a Party is down and comes back."""

from __future__ import annotations

from typing import Final

from federation.identity import party_id
from federation.query.codes import Automation, Outcome, Refusal
from federation.query.items import Item, ItemState
from federation.query.lifecycle import AskedState, ReceivedState
from node.cli.answer import Wording, answer_at_desk, compose
from node.cli.demonstration.rendering import candidate_lines
from node.cli.demonstration.stage import ANSWER_S, Stage, item_of
from node.cli.demonstration.teller import require
from node.cli.session import Session, follow
from node.cli.words import asked_state, received_state
from node.use_cases.desk_values import InboxView, Membership, QueryView

_WITHHELD: Final = {
    Item.E: ItemState.WITHHELD_LEGAL,
    Item.I: ItemState.NEEDS_ARTICLE_21_OR_28,
    Item.J: ItemState.WITHHELD_INVESTIGATION,
}
"""As in config/demo/policy-region.toml."""


async def region_answers(stage: Stage) -> None:
    """A member's code: resolved to the member, answered by its region, with items kept back for a reason that is told."""
    teller, code = stage.teller, stage.code("qs", "pack-sold")
    teller.say(
        f"A small Party need not run a node. {stage.name('qs')} has signed a mandate, and {stage.name('qr')} answers in its place. "
        f"Everybody can read the mandate in the directory. A pack of {stage.name('qs')} is found: {code}"
    )
    (resolution,) = await stage.asker.desk.resolve((code,))
    teller.show(candidate_lines(resolution))
    first = resolution.parties[0]
    require(first.candidate.party == "qs", f"the code is taken for one of {first.candidate.party}")
    require(first.membership is Membership.PARTY and first.responder == "qr", f"{first.responder} answers for {code}")
    view = await stage.ask(code, necessity="A seizure at a street market")
    require(view.asked.peer == "qr", f"the question went to {view.asked.peer}")
    _, result = stage.final_answer(view, sender="qr", by_officer=False)
    require(result.outcome is Outcome.FOUND, f"the outcome is {result.outcome}")
    for letter, reason in _WITHHELD.items():
        require(item_of(result, letter).state is reason, f"item ({letter}) is {item_of(result, letter).state}")
    require(item_of(result, Item.B).state is ItemState.PROVIDED, "the factory is not told")
    teller.note(
        key=code,
        issuer=first.candidate.party,
        answered_by=view.answers[-1].sender,
        withheld=_WITHHELD,
    )
    teller.say(
        "Three items are kept back, each with its reason: law, a request that has to be made in another way, an investigation. "
        "An empty field would leave the officer guessing; a reason tells her what to do next."
    )


async def answered_by_hand(stage: Stage) -> None:
    """Two questions that an officer answers: one with the draft, one with a refusal that says why."""
    teller, qo = stage.teller, stage.name("qo")
    teller.say(
        f"{qo} lets no machine answer. That is also what a node does when nobody has told it otherwise: every question waits for an "
        "officer."
    )
    first = await stage.ask(stage.code("qo", "pack-sold"), necessity="A parcel with cigarettes", wait_s=0)
    second = await stage.ask(stage.code("qo", "pack-stolen"), necessity="A second parcel of the same sender", wait_s=0)
    for view in (first, second):
        require(view.asked.state is AskedState.DELIVERED, f"the question is {view.asked.state} {view.asked.problem}")
    teller.say(f"Two questions to {qo}; each of them now: {asked_state(first.asked)}. {qo} has signed receipts for both.")
    async with stage.federation.officer("qo") as officer:
        await _answer_with_draft(stage, officer, first)
        await _refuse(stage, officer, second)
    first = await follow(stage.asker.desk, first, wait_s=ANSWER_S)
    second = await follow(stage.asker.desk, second, wait_s=ANSWER_S)
    teller.say(f"Both answers arrive at {stage.name('qm')} without anybody asking again:")
    answer, result = stage.final_answer(first, sender="qo", by_officer=True)
    require(answer.answer.automation is Automation.ASSISTED, f"the answer is {answer.answer.automation}")
    require(result.outcome is Outcome.FOUND, f"the outcome is {result.outcome}")
    teller.note(outcome=result.outcome, officer_id=answer.officer_id)
    _, refused = stage.final_answer(second, sender="qo", by_officer=True)
    require(refused.outcome is Outcome.REFUSED, f"the outcome is {refused.outcome}")
    require(refused.refusal is Refusal.NEEDS_MUTUAL_LEGAL_ASSISTANCE, f"the reason is {refused.refusal}")
    require(not refused.items, "a refusal tells items")
    teller.note(refused=refused.outcome, refusal=refused.refusal)
    teller.say("The reason of a refusal is coded: it can be counted and needs no translation, and it says what to try instead.")


async def _answer_with_draft(stage: Stage, officer: Session, asked: QueryView) -> None:
    waiting = await officer.desk.inbox(rows=10)
    stage.teller.note(inbox=[one.message_id.hex() for one in waiting])
    require(asked.asked.message_id in {one.message_id for one in waiting}, "the question is not in the inbox")
    entry: InboxView = await officer.desk.inbox_entry(asked.asked.message_id)
    require(entry.received.state is ReceivedState.WAITING, f"the question is {entry.received.state}")
    stage.teller.say(
        f"An officer of {stage.name('qo')} opens the inbox: {len(waiting)} questions wait. The first is from {entry.peer_name}, "
        f"because: {entry.query.necessity}. Her node has prepared a draft from its records, with {_provided(entry)} of ten items."
    )
    said = compose(entry, _wording(draft=True, text="Answered from our records."))
    received = await answer_at_desk(officer, entry, said)
    stage.teller.say(f"She reads it, agrees, and signs with her own key. The question is now: {received_state(received)}.")


async def _refuse(stage: Stage, officer: Session, asked: QueryView) -> None:
    entry = await officer.desk.inbox_entry(asked.asked.message_id)
    wording = _wording(
        refusal=Refusal.NEEDS_MUTUAL_LEGAL_ASSISTANCE, text="A court is dealing with this case; please write to it."
    )
    received = await answer_at_desk(officer, entry, compose(entry, wording))
    stage.teller.say(f"The second one she may not answer. She refuses, with a reason. It is now: {received_state(received)}.")


def _provided(entry: InboxView) -> int:
    (result,) = entry.draft.results
    return sum(item.state is ItemState.PROVIDED for item in result.items)


def _wording(*, draft: bool = False, refusal: Refusal | None = None, text: str) -> Wording:
    return Wording(
        draft=draft,
        file=None,
        refusal=refusal,
        outcome=None,
        edits=(),
        text=text,
        handling=None,
        interim=False,
        industry_consulted=False,
    )


async def party_down(stage: Stage) -> None:
    """A question to a node that does not run: said so, kept, delivered when it is back."""
    teller, qp = stage.teller, stage.name("qp")
    await stage.federation.cut_power("qp")
    teller.say(
        f"The node of {qp} has just lost its power: its process was killed without warning. The officer asks all the same."
    )
    view = await stage.ask(stage.code("qp", "carton-sold"), to=party_id("qp"), necessity="Cartons in a container", wait_s=0)
    teller.say(f"The question is now: {asked_state(view.asked)}.")
    require(view.asked.state is AskedState.QUEUED, f"the question is {view.asked.state}")
    require(view.asked.problem == "unreachable", f"the reason is {view.asked.problem}")
    require(not view.answers, "an answer came from a node that does not run")
    teller.note(while_down={"state": view.asked.state, "problem": view.asked.problem})
    teller.say(
        'This is not an answer, and above all not "never issued". The question is kept on disk, signed and sealed, and nobody has '
        f"to ask again. Now the node of {qp} starts again."
    )
    await stage.federation.start("qp")
    view = await follow(stage.asker.desk, view, wait_s=ANSWER_S)
    _, result = stage.final_answer(view, sender="qp", by_officer=False)
    require(result.outcome is Outcome.FOUND, f"the outcome is {result.outcome}")
    teller.note(afterwards={"state": view.asked.state, "outcome": result.outcome}, process_ids=stage.federation.process_ids)
    teller.say("The question went out by itself as soon as the node was back, and the answer came with the receipt.")
